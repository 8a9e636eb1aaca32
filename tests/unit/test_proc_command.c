/* Child processes: what we get of them, and that they always end. */
#include "children.h"

static void test_streams_and_status_come_back_apart(void **state)
{
	(void)state;
	run(shell("echo out; echo err >&2; exit 3"));
	assert_string_equal(kl_buf_str(&out), "out\n");
	assert_string_equal(kl_buf_str(&errout), "err\n");
	assert_true(e.exited);
	assert_int_equal(e.status, 3);
	assert_false(e.timed_out || e.interrupted || e.out_truncated);
	assert_true(e.wall_ns > 0);
	assert_true(e.usage.ru_maxrss > 0);
}

static void test_signal_is_told_as_signal(void **state)
{
	(void)state;
	run(shell("kill -SEGV $$"));
	assert_false(e.exited);
	assert_int_equal(e.signal, SIGSEGV);
}

static void test_merged_streams_keep_their_order(void **state)
{
	struct kl_command *c = shell("echo 1; echo 2 >&2; echo 3");

	(void)state;
	kl_command_stderr_to_stdout(c);
	run(c);
	assert_string_equal(kl_buf_str(&out), "1\n2\n3\n");
	assert_int_equal(errout.len, 0);
}

static void test_output_is_capped_and_the_child_ends_by_itself(void **state)
{
	(void)state;
	out.cap = 1000;
	run(shell("head -c 3000000 /dev/zero | tr '\\0' x; exit 7"));
	assert_int_equal(out.len, 1000);
	assert_false(out.failed);
	assert_true(e.out_truncated);
	assert_int_equal(e.status, 7);
}

static void test_deadline_kills_the_whole_group(void **state)
{
	(void)state;
	run_until_it_spoke("sleep 1000 & echo $!; sleep 1000");
	assert_true(e.timed_out);
	assert_false(e.exited);
	assert_int_equal(e.signal, SIGKILL);
	assert_true(e.wall_ns >= 300000000);
	assert_true(gone_within(atoi(kl_buf_str(&out)), LIMIT_MS));
}

static void test_deadline_holds_against_endless_output(void **state)
{
	(void)state;
	out.cap = 4096;
	run_until_it_spoke("exec yes");
	assert_true(e.timed_out);
	assert_true(e.out_truncated);
}

static void test_child_that_ignores_signals_dies_at_the_deadline(void **state)
{
	(void)state;
	assert_int_equal(run_for(shell("trap '' TERM INT HUP; while :; do sleep 1; done"), 300), 0);
	assert_true(e.timed_out);
}

static void test_what_the_child_leaves_running_is_killed_with_it(void **state)
{
	int64_t start = kl_now_ns();

	(void)state;
	run(shell("sleep 100 & echo $!"));
	assert_int_equal(e.status, 0);
	assert_true(kl_now_ns() - start < 10000000000);
	assert_true(gone_within(atoi(kl_buf_str(&out)), LIMIT_MS));
}

static void test_grandchild_outside_the_group_cannot_hold_us(void **state)
{
	int64_t start = kl_now_ns();

	(void)state;
	run(shell("setsid sh -c 'echo $$; exec sleep 100' & sleep 0.2"));
	assert_int_equal(e.status, 0);
	assert_true(kl_now_ns() - start < 10000000000);
	if (atoi(kl_buf_str(&out)) > 1)
		kill(atoi(kl_buf_str(&out)), SIGKILL);
}

static void test_input_arrives_whole(void **state)
{
	size_t len = 3UL << 20;
	char *data = malloc(len);
	struct kl_command *c = kl_command_create("cat");

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7);
	kl_command_stdin_data(c, data, len);
	run(c);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.data, data, len);
	free(data);
}

static void test_child_that_reads_no_input_does_not_block_us(void **state)
{
	size_t len = 3UL << 20;
	char *data = calloc(1, len);
	struct kl_command *c = kl_command_create("true");

	(void)state;
	kl_command_stdin_data(c, data, len);
	run(c);
	assert_int_equal(e.status, 0);
	free(data);
}

static void test_stdin_is_empty_unless_told(void **state)
{
	(void)state;
	run(kl_command_create("cat"));
	assert_int_equal(out.len, 0);
	assert_int_equal(e.status, 0);
}

static void take_line(const char *line, void *arg)
{
	kl_buf_printf(arg, "[%s]", line);
}

static void test_lines_come_whole_and_bounded(void **state)
{
	struct kl_command *c =
		shell("printf 'one\\ntw'; sleep 0.1; printf 'o\\n\\na\\000b\\n'; printf last");
	KL_AUTO(kl_buf_deinit) struct kl_buf lines = KL_BUF_INIT;

	(void)state;
	kl_command_on_line(c, take_line, &lines);
	run(c);
	assert_string_equal(kl_buf_str(&lines), "[one][two][][a?b][last]");
	kl_buf_clear(&lines);
	c = shell("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end");
	kl_command_on_line(c, take_line, &lines);
	run(c);
	assert_int_equal(lines.len, 65536 + 2 + 5);
}

static void test_output_file_takes_both_streams_beside_buffer_and_lines(void **state)
{
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;
	KL_AUTO_FREE char *path = NULL;
	KL_AUTO(kl_buf_deinit) struct kl_buf file = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf lines = KL_BUF_INIT;
	struct kl_command *c;

	(void)state;
	assert_int_equal(kl_tempdir_create(&dir, &err), 0);
	path = kl_path_join(dir, "log");
	c = shell("echo 1; sleep 0.1; echo 2 >&2; sleep 0.1; echo 3");
	kl_command_output_file(c, path);
	kl_command_on_line(c, take_line, &lines);
	run(c);
	assert_string_equal(kl_buf_str(&lines), "[1][3]");
	assert_int_equal(kl_file_read(path, 100, &file, &err), 0);
	assert_string_equal(kl_buf_str(&file), "1\n2\n3\n");
	c = shell("echo 4; echo 5 >&2");
	kl_command_output_file(c, path);
	assert_int_equal(kl_command_run(c, kl_deadline_ms(LIMIT_MS), NULL, NULL, &e, &err), 0);
	kl_command_destroy(c);
	assert_int_equal(kl_file_read(path, 100, &file, &err), 0);
	assert_string_equal(kl_buf_str(&file), "4\n5\n");
}

static void test_check_reports_the_last_words(void **state)
{
	KL_AUTO(kl_command_destroy_p)
	struct kl_command *c = shell("for i in 1 2 3 4 5 6 7 8; do echo line$i >&2; done; printf "
				     "'\\033[2J' >&2; exit 2");
	KL_AUTO(kl_command_destroy_p) struct kl_command *slow = shell("echo busy >&2; sleep 100");
	KL_AUTO(kl_command_destroy_p) struct kl_command *good = shell("echo fine");
	KL_AUTO(kl_command_destroy_p) struct kl_command *loud = shell("yes | head -c 100000");

	(void)state;
	assert_int_equal(kl_command_check(c, kl_deadline_ms(LIMIT_MS), NULL, KL_CONTENT, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_string_equal(err.message,
			    "sh failed (status 2): line4 / line5 / line6 / line7 / line8"
			    " / \\x1b[2J");
	assert_int_equal(kl_command_check(slow, kl_deadline_ms(300), NULL, KL_INFRA, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	assert_non_null(strstr(err.message, "deadline"));
	assert_non_null(strstr(err.message, "busy"));
	assert_int_equal(kl_command_check(good, kl_deadline_ms(LIMIT_MS), &out, KL_INFRA, &err), 0);
	assert_string_equal(kl_buf_str(&out), "fine\n");
	out.cap = 1000;
	assert_int_equal(kl_command_check(loud, kl_deadline_ms(LIMIT_MS), &out, KL_INFRA, &err),
			 -1);
}

static void test_printed_command_can_be_pasted(void **state)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kl_command_create("printf");
	KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_INIT;

	(void)state;
	kl_command_args(c, "%s|", "plain", "", "it's", "$HOME `x` \\ \"q\"", "a\nb", "*", NULL);
	kl_command_argf(c, "n=%d", 5);
	kl_command_cwd(c, "/");
	kl_command_env(c, "V", "a b");
	assert_int_equal(kl_command_print(c, &text), 0);
	assert_non_null(strstr(kl_buf_str(&text), "cd / && env V='a b' printf '%s|' plain ''"));
	run(shell(kl_buf_str(&text)));
	assert_string_equal(kl_buf_str(&out), "plain||it's|$HOME `x` \\ \"q\"|a\nb|*|n=5|");
	assert_string_equal(kl_command_argv(c)[0], "printf");
	assert_null(kl_command_argv(c)[9]);
}

static void test_process_beside_us_is_waited_for_and_killed(void **state)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = shell("sleep 0.3; exit 4");
	KL_AUTO(kl_command_destroy_p) struct kl_command *forever = shell("sleep 100 & sleep 100");
	KL_AUTO(kl_process_deinit) struct kl_process p = KL_PROCESS_INIT;
	pid_t pid;

	(void)state;
	assert_int_equal(kl_command_start(c, &p, &err), 0);
	assert_int_equal(kl_process_wait(&p, kl_deadline_ms(10), &e, &err), 1);
	assert_int_equal(kl_process_wait(&p, kl_deadline_ms(LIMIT_MS), &e, &err), 0);
	assert_int_equal(e.status, 4);
	assert_true(e.wall_ns >= 300000000);
	assert_int_equal(kl_process_wait(&p, kl_deadline_ms(10), &e, &err), -1);
	kl_process_kill(&p);
	kl_process_deinit(&p);
	assert_int_equal(kl_command_start(forever, &p, &err), 0);
	pid = p.pid;
	kl_process_kill(&p);
	assert_int_equal(kill(pid, 0), -1);
	assert_true(gone_within(-pid, LIMIT_MS));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_streams_and_status_come_back_apart),
		T(test_signal_is_told_as_signal),
		T(test_merged_streams_keep_their_order),
		T(test_output_is_capped_and_the_child_ends_by_itself),
		T(test_deadline_kills_the_whole_group),
		T(test_deadline_holds_against_endless_output),
		T(test_child_that_ignores_signals_dies_at_the_deadline),
		T(test_what_the_child_leaves_running_is_killed_with_it),
		T(test_grandchild_outside_the_group_cannot_hold_us),
		T(test_input_arrives_whole),
		T(test_child_that_reads_no_input_does_not_block_us),
		T(test_stdin_is_empty_unless_told),
		T(test_lines_come_whole_and_bounded),
		T(test_output_file_takes_both_streams_beside_buffer_and_lines),
		T(test_check_reports_the_last_words),
		T(test_printed_command_can_be_pasted),
		T(test_process_beside_us_is_waited_for_and_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
