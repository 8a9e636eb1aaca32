/* Child processes: what they are given, how their start can fail, and that none outlives us. */
#include "children.h"

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
		T(test_child_gets_no_descriptor_that_was_not_passed),
		T(test_passed_descriptors_may_swap_places),
		T(test_environment_is_what_was_said),
		T(test_child_starts_with_default_signals),
		T(test_limits_bind),
		T(test_missing_program_names_its_package),
		T(test_program_is_not_looked_for_in_relative_path_entries),
		T(test_failures_to_start_say_why),
		T(test_failures_of_building_are_told_at_the_start),
		T(test_child_does_not_outlive_a_killed_parent),
		T(test_threads_start_children_at_once_without_leaks),
		T(test_no_descriptor_of_ours_is_lost),
	};

	if (argc == 2 && !strcmp(argv[1], "dying-parent"))
		return dying_parent();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
