/* Child processes: what they get, what we get, and that they always end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>

#define LIMIT_MS 20000

static struct kl_error err;
static struct kl_buf out, errout;
static struct kl_exit e;

static int setup(void **state)
{
	(void)state;
	err = KL_ERROR_INIT;
	out = errout = KL_BUF_INIT;
	e = (struct kl_exit){ 0 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kl_buf_deinit(&out);
	kl_buf_deinit(&errout);
	return 0;
}

static struct kl_command *shell(const char *script)
{
	struct kl_command *c = kl_command_create("sh");

	kl_command_args(c, "-c", script, NULL);
	return c;
}

/* Runs and destroys. */
static int run_for(struct kl_command *c, int64_t ms)
{
	int rc = kl_command_run(c, kl_deadline_ms(ms), &out, &errout, &e, &err);

	kl_command_destroy(c);
	return rc;
}

static void run(struct kl_command *c)
{
	if (run_for(c, LIMIT_MS))
		fail_msg("%s", err.message);
}

/* A deadline that the child is well under way by: doubled until it has said something. */
static void run_until_it_spoke(const char *script)
{
	for (int64_t ms = 300; ms < LIMIT_MS; ms *= 2) {
		kl_buf_clear(&out);
		assert_int_equal(run_for(shell(script), ms), 0);
		if (out.len)
			return;
	}
	fail_msg("'%s' never spoke", script);
}

static bool gone_within(pid_t pid, int64_t ms)
{
	for (kl_deadline d = kl_deadline_ms(ms); !kl_deadline_passed(d); usleep(2000))
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return true;
	return false;
}

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

static void test_child_gets_no_descriptor_that_was_not_passed(void **state)
{
	int leak = open("/dev/null", O_RDONLY); /* no O_CLOEXEC, as in a careless library */
	int high = fcntl(leak, F_DUPFD, 700);
	struct kl_command *c = shell("exec ls /proc/self/fd"); /* 3 is its own */

	(void)state;
	assert_true(leak >= 0 && high >= 700);
	kl_command_pass_fd(c, leak, 9);
	run(c);
	assert_string_equal(kl_buf_str(&out), "0\n1\n2\n3\n9\n");
	close(leak);
	close(high);
}

/* Each source is another's target: a naive dup2(2) in sequence would lose one. */
static void test_passed_descriptors_may_swap_places(void **state)
{
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;
	struct kl_command *c = shell("cat <&5; cat <&6; cat <&7; cat <&8");
	int made[4], at[4];

	(void)state;
	assert_int_equal(kl_tempdir_create(&dir, &err), 0);
	for (int i = 0; i < 4; i++) {
		KL_AUTO_FREE char *path = kl_asprintf("%s/%d", dir, i);
		char text[] = { (char)('a' + i) };

		assert_int_equal(kl_file_write(path, text, 1, 0600, &err), 0);
		made[i] = open(path, O_RDONLY | O_CLOEXEC);
		at[i] = fcntl(made[i], F_DUPFD_CLOEXEC, 20);
		close(made[i]);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(dup3(at[i], 5 + i, O_CLOEXEC), 5 + i);
	kl_command_pass_fd(c, 8, 5);
	kl_command_pass_fd(c, 5, 8);
	kl_command_pass_fd(c, 7, 6);
	kl_command_pass_fd(c, 6, 7);
	run(c);
	assert_string_equal(kl_buf_str(&out), "dcba");
	for (int i = 0; i < 4; i++) {
		close(at[i]);
		close(5 + i);
	}
}

static void test_environment_is_what_was_said(void **state)
{
	struct kl_command *c = kl_command_create("env");

	(void)state;
	setenv("KLINIC_TEST_SECRET", "1", 1);
	kl_command_env_clear(c);
	kl_command_env(c, "A", "x y");
	kl_command_env(c, "A", "z");
	kl_command_env(c, "B", "1");
	kl_command_env(c, "B", NULL);
	run(c);
	assert_null(strstr(kl_buf_str(&out), "KLINIC_TEST_SECRET"));
	assert_non_null(strstr(kl_buf_str(&out), "LC_ALL=C\n"));
	assert_non_null(strstr(kl_buf_str(&out), "PATH="));
	assert_non_null(strstr(kl_buf_str(&out), "A=z\n"));
	assert_null(strstr(kl_buf_str(&out), "B=1"));
	kl_buf_clear(&out);
	c = kl_command_create("env");
	kl_command_env(c, "KLINIC_TEST_SECRET", NULL);
	kl_command_env(c, "HOME", "/nowhere");
	run(c);
	assert_null(strstr(kl_buf_str(&out), "KLINIC_TEST_SECRET"));
	assert_non_null(strstr(kl_buf_str(&out), "HOME=/nowhere\n"));
	unsetenv("KLINIC_TEST_SECRET");
}

static void test_child_starts_with_default_signals(void **state)
{
	sigset_t block, before;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	uint64_t blocked = 1, ignored = 1;

	(void)state;
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &block, &before);
	sigaction(SIGPIPE, &ignore, &old);
	run(shell("exec awk '/SigBlk|SigIgn/ { print $2 }' /proc/self/status"));
	sigaction(SIGPIPE, &old, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(sscanf(kl_buf_str(&out), "%" SCNx64 " %" SCNx64, &blocked, &ignored), 2);
	assert_int_equal(blocked, 0);
	/* make(1) starts us with 32 and 33 ignored, which are libc's own and which it lets nobody set. */
	assert_int_equal(ignored & ~UINT64_C(0x180000000), 0);
}

static void test_limits_bind(void **state)
{
	struct kl_command *c = shell("ulimit -H -n; ulimit -S -n; ulimit -c");

	(void)state;
	kl_command_rlimit(c, RLIMIT_NOFILE, 33);
	kl_command_rlimit(c, RLIMIT_CORE, RLIM_INFINITY); /* more than allowed: what is allowed */
	run(c);
	assert_non_null(strstr(kl_buf_str(&out), "33\n33\n"));
	c = shell("while :; do :; done");
	kl_command_rlimit(c, RLIMIT_CPU, 1);
	run(c);
	assert_false(e.exited);
	assert_false(e.timed_out);
	assert_true(e.signal == SIGXCPU || e.signal == SIGKILL);
}

static void test_missing_program_names_its_package(void **state)
{
	KL_AUTO_FREE char *path = strdup(getenv("PATH"));

	(void)state;
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(run_for(kl_command_create("qemu-system-x86_64"), 100), -1);
	assert_int_equal(err.class, KL_INFRA);
	assert_string_equal(err.message,
			    "qemu-system-x86_64 is not installed: apt install qemu-system-x86");
	assert_int_equal(run_for(kl_command_create("no-such-thing"), 100), -1);
	assert_string_equal(err.message, "no-such-thing is not installed (not found on PATH)");
	setenv("PATH", path, 1);
	assert_int_equal(run_for(kl_command_create("/opt/none/git"), 100), -1);
	assert_string_equal(err.message, "/opt/none/git is not installed: apt install git");
}

static void test_program_is_not_looked_for_in_relative_path_entries(void **state)
{
	KL_AUTO_FREE char *path = strdup(getenv("PATH"));
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;
	KL_AUTO_FREE char *trap = NULL;
	KL_AUTO_FREE char *back = realpath(".", NULL);
	int rc;

	(void)state;
	assert_int_equal(kl_tempdir_create(&dir, &err), 0);
	trap = kl_path_join(dir, "planted");
	assert_int_equal(kl_file_write(trap, "#!/bin/sh\n", 10, 0755, &err), 0);
	assert_int_equal(chdir(dir), 0);
	setenv("PATH", ".::/usr/bin", 1);
	rc = run_for(kl_command_create("planted"), 1000);
	setenv("PATH", path, 1);
	assert_int_equal(chdir(back), 0);
	assert_int_equal(rc, -1);
}

static void test_failures_to_start_say_why(void **state)
{
	struct kl_command *c = shell("true");

	(void)state;
	kl_command_cwd(c, "/nonexistent");
	assert_int_equal(run_for(c, 1000), -1);
	assert_non_null(strstr(err.message, "/nonexistent"));
	assert_int_equal(err.sys_errno, ENOENT);
	assert_int_equal(run_for(kl_command_create("/etc/passwd"), 1000), -1);
	assert_int_equal(err.sys_errno, EACCES);
	assert_int_equal(run_for(NULL, 1000), -1);
	c = shell("true");
	kl_command_output_file(c, "/nonexistent/log");
	assert_int_equal(run_for(c, 1000), -1);
	assert_non_null(strstr(err.message, "/nonexistent/log"));
}

static void test_failures_of_building_are_told_at_the_start(void **state)
{
	struct kl_command *c = shell("true");

	(void)state;
	kl_command_env(c, "A=B", "x");
	kl_command_pass_fd(c, 0, 5);
	assert_int_equal(run_for(c, 1000), -1);
	assert_non_null(strstr(err.message, "A=B"));
	c = shell("true");
	kl_command_pass_fd(c, 0, 5);
	kl_command_pass_fd(c, 1, 5);
	assert_int_equal(run_for(c, 1000), -1);
	c = shell("true");
	kl_command_arg(c, NULL);
	assert_int_equal(run_for(c, 1000), -1);
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

/* This program again, as a parent that dies without a word. */
static int dying_parent(void)
{
	struct kl_command *c = kl_command_create("sleep");
	struct kl_process p = KL_PROCESS_INIT;

	kl_command_arg(c, "100");
	if (kl_command_start(c, &p, NULL))
		return 1;
	dprintf(1, "%d\n", (int)p.pid);
	raise(SIGKILL);
	return 1;
}

static void test_child_does_not_outlive_a_killed_parent(void **state)
{
	KL_AUTO_FREE char *self = realpath("/proc/self/exe", NULL);
	struct kl_command *c = kl_command_create(self);

	(void)state;
	kl_command_arg(c, "dying-parent");
	run(c);
	assert_int_equal(e.signal, SIGKILL);
	assert_true(atoi(kl_buf_str(&out)) > 1);
	assert_true(gone_within(atoi(kl_buf_str(&out)), LIMIT_MS));
}

static void *many_children(void *arg)
{
	long bad = 0;

	for (int i = 0; i < 25; i++) {
		struct kl_command *c = shell("cat; exec ls /proc/self/fd");
		struct kl_buf mine = KL_BUF_INIT;
		char name[64], want[96];

		snprintf(name, sizeof(name), "%p-%d:", arg, i);
		snprintf(want, sizeof(want), "%s0\n1\n2\n3\n", name);
		kl_command_stdin_data(c, name, strlen(name));
		bad += kl_command_run(c, kl_deadline_ms(60000), &mine, NULL, NULL, NULL) ||
		       strcmp(kl_buf_str(&mine), want) != 0;
		kl_command_destroy(c);
		kl_buf_deinit(&mine);
	}
	return (void *)bad;
}

static void test_threads_start_children_at_once_without_leaks(void **state)
{
	pthread_t threads[6];
	void *bad;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many_children, (void *)(i + 1)),
				 0);
	for (size_t i = 0; i < 6; i++) {
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
}

static size_t open_descriptors(void)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv fds = { 0 };

	assert_int_equal(kl_dir_list("/proc/self/fd", &fds, &err), 0);
	return fds.n;
}

static void test_no_descriptor_of_ours_is_lost(void **state)
{
	size_t before;
	struct kl_command *c;

	(void)state;
	run(shell("true"));
	before = open_descriptors();
	run(shell("exit 1"));
	run_for(shell("sleep 100"), 50);
	run_for(kl_command_create("no-such-thing"), 50);
	c = shell("cat");
	kl_command_stdin_data(c, "x", 1);
	kl_command_cwd(c, "/nonexistent");
	run_for(c, 50);
	c = shell("true");
	kl_command_output_file(c, "/dev/null");
	run(c);
	assert_int_equal(open_descriptors(), before);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
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
		T(test_child_gets_no_descriptor_that_was_not_passed),
		T(test_passed_descriptors_may_swap_places),
		T(test_environment_is_what_was_said),
		T(test_child_starts_with_default_signals),
		T(test_limits_bind),
		T(test_missing_program_names_its_package),
		T(test_program_is_not_looked_for_in_relative_path_entries),
		T(test_failures_to_start_say_why),
		T(test_failures_of_building_are_told_at_the_start),
		T(test_lines_come_whole_and_bounded),
		T(test_output_file_takes_both_streams_beside_buffer_and_lines),
		T(test_check_reports_the_last_words),
		T(test_printed_command_can_be_pasted),
		T(test_process_beside_us_is_waited_for_and_killed),
		T(test_child_does_not_outlive_a_killed_parent),
		T(test_threads_start_children_at_once_without_leaks),
		T(test_no_descriptor_of_ours_is_lost),
	};

	if (argc == 2 && !strcmp(argv[1], "dying-parent"))
		return dying_parent();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
