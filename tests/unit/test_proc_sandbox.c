/* The sandbox: what is seen inside, what binds, and that nothing of it outlives us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/sandbox.h>

#define LIMIT_MS 60000

static struct kl_error err;
static struct kl_buf out;
static struct kl_exit e;
static char *dir;
static struct kl_sandbox_limits limits;
static struct kl_sandbox *box;

static int setup(void **state)
{
	(void)state;
	err = KL_ERROR_INIT;
	out = KL_BUF_INIT;
	limits = (struct kl_sandbox_limits){
		.cpu_seconds = 20,
		.memory_bytes = 1UL << 30,
		.file_bytes = 1UL << 20,
		.processes = 30,
		.tmp_bytes = 2UL << 20,
	};
	box = kl_sandbox_create(&limits);
	return box ? kl_tempdir_create(&dir, &err) : -1;
}

static int teardown(void **state)
{
	(void)state;
	kl_sandbox_destroy(kl_take(box));
	kl_tempdir_destroy(kl_take(dir));
	kl_buf_deinit(&out);
	return 0;
}

static struct kl_command *shell(const char *script)
{
	struct kl_command *c = kl_sandbox_command(box, "sh");

	kl_command_args(c, "-c", script, NULL);
	kl_command_stderr_to_stdout(c);
	return c;
}

static const char *run_for(const char *script, int64_t ms)
{
	struct kl_command *c = shell(script);
	int rc = kl_command_run(c, kl_deadline_ms(ms), &out, NULL, &e, &err);

	kl_command_destroy(c);
	if (rc)
		fail_msg("%s", err.message);
	return kl_buf_str(&out);
}

static const char *run(const char *script)
{
	kl_buf_clear(&out);
	return run_for(script, LIMIT_MS);
}

static void test_probe_finds_it_working(void **state)
{
	(void)state;
	if (kl_sandbox_probe(&err))
		fail_msg("%s", err.message);
}

static void test_nothing_of_the_host_is_visible(void **state)
{
	(void)state;
	setenv("KLINIC_TEST_SECRET", "1", 1);
	assert_string_equal(run("ls -A /"), "bin\ndev\netc\nlib\nlib64\nproc\nsbin\ntmp\nusr\n");
	assert_string_equal(run("ls /etc"), "alternatives\n");
	assert_string_equal(run("env | sort | grep -v ^PWD="),
			    "HOME=/tmp\nLC_ALL=C\nPATH=/usr/bin:/bin:/usr/sbin:/sbin\n");
	assert_string_equal(run("hostname; pwd"), "klinic\n/\n");
	/* bwrap and the shell */
	assert_string_equal(run("set -- /proc/[0-9]*; echo $#"), "2\n");
	assert_string_equal(run("exec ls /proc/self/fd"), "0\n1\n2\n3\n");
	unsetenv("KLINIC_TEST_SECRET");
}

static void test_no_network_no_capabilities_no_namespaces(void **state)
{
	(void)state;
	assert_string_equal(run("sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d ' '"), "lo\n");
	assert_string_equal(run("grep Cap /proc/self/status | grep -v 0000000000000000"), "");
	assert_string_equal(run("grep NoNewPrivs /proc/self/status"), "NoNewPrivs:\t1\n");
	run("unshare -U true");
	assert_int_not_equal(e.status, 0);
	run("mount -t tmpfs none /tmp");
	assert_int_not_equal(e.status, 0);
}

static void test_only_tmp_can_be_written_and_it_is_small(void **state)
{
	(void)state;
	run("for d in / /dev /dev/shm /usr /etc /proc /proc/sys/kernel; do "
	    "touch $d/x 2>/dev/null && echo wrote $d; done; touch /tmp/x && echo tmp");
	assert_string_equal(kl_buf_str(&out), "tmp\n");
	run("for i in 1 2 3 4; do head -c 1000000 /dev/zero >/tmp/$i; done");
	assert_int_not_equal(e.status, 0);
	assert_non_null(strstr(kl_buf_str(&out), "No space left"));
	assert_string_equal(run("echo x >/dev/null && head -c 1 /dev/urandom | wc -c"), "1\n");
}

static void test_binds_are_read_only_or_not_as_told(void **state)
{
	KL_AUTO_FREE char *ro = kl_path_join(dir, "ro");
	KL_AUTO_FREE char *rw = kl_path_join(dir, "rw");
	KL_AUTO_FREE char *made = kl_path_join(dir, "rw/made");

	(void)state;
	assert_int_equal(kl_mkdirs(ro, 0755, &err), 0);
	assert_int_equal(kl_mkdirs(rw, 0755, &err), 0);
	kl_sandbox_bind_ro(box, ro, "/in/source");
	kl_sandbox_bind_rw(box, rw, "/work");
	kl_sandbox_cwd(box, "/work");
	kl_sandbox_env(box, "ARCH", "x86 64");
	run("touch /in/source/x 2>/dev/null && echo ro is writable; echo hi >made; echo $ARCH");
	assert_string_equal(kl_buf_str(&out), "x86 64\n");
	assert_true(kl_file_exists(made));
}

/* A link that the candidate left in a writable bind leads nowhere on the host. */
static void test_links_are_resolved_inside(void **state)
{
	KL_AUTO_FREE char *link = kl_path_join(dir, "link");

	(void)state;
	assert_int_equal(symlink("/root", link), 0);
	kl_sandbox_bind_rw(box, dir, "/work");
	run("cd /work/link && echo followed");
	assert_null(strstr(kl_buf_str(&out), "followed"));
}

static void test_limits_bind_and_cannot_be_raised(void **state)
{
	(void)state;
	assert_string_equal(run("ulimit -v; ulimit -t; ulimit -f"), "1048576\n20\n2048\n");
	run("ulimit -v unlimited");
	assert_int_not_equal(e.status, 0);
	run("prlimit --pid $$ --fsize=unlimited");
	assert_int_not_equal(e.status, 0);
	kl_sandbox_bind_rw(box, dir, "/work");
	run("head -c 2000000 /dev/zero >/work/big; wc -c </work/big");
	assert_non_null(strstr(kl_buf_str(&out), "1048576\n"));
	run("exec perl -e '$x = \"x\" x 1500000000'");
	assert_int_not_equal(e.status, 0);
	assert_string_equal(run("cat /proc/self/oom_score_adj"), "1000\n");
	assert_non_null(strstr(run("prlimit --core --noheadings -o SOFT,HARD"), "1"));
}

static void test_crash_inside_is_told_by_the_shells_number(void **state)
{
	(void)state;
	kl_sandbox_destroy(box);
	box = kl_sandbox_create(NULL);
	run("kill -SEGV $$");
	assert_true(e.exited);
	assert_int_equal(e.status, 128 + 11);
	run("exit 6");
	assert_int_equal(e.status, 6);
}

/* Somebody inside holds a lock of ours as long as it lives; "held" says that it has it. */
#define HOLD "setsid flock /work/lock sh -c 'echo held >/work/held; sleep 1000' & "

static bool is_held(void)
{
	KL_AUTO_FREE char *held = kl_path_join(dir, "held");

	return kl_file_exists(held);
}

static void assert_holder_is_gone(void)
{
	KL_AUTO_FREE char *lock = kl_path_join(dir, "lock");
	KL_AUTO_CLOSE int fd = -1;

	assert_int_equal(kl_lock(lock, kl_deadline_ms(LIMIT_MS), &fd, &err), 0);
}

static void test_deadline_ends_everything_inside(void **state)
{
	(void)state;
	kl_sandbox_bind_rw(box, dir, "/work");
	for (int64_t ms = 500; ms < LIMIT_MS && !is_held(); ms *= 2) {
		run_for(HOLD "sleep 1000", ms);
		assert_true(e.timed_out);
	}
	assert_true(is_held());
	assert_holder_is_gone();
}

static void test_what_stays_behind_inside_dies_with_the_command(void **state)
{
	(void)state;
	kl_sandbox_bind_rw(box, dir, "/work");
	run(HOLD "until [ -e /work/held ]; do sleep 0.01; done; exit 0");
	assert_true(is_held());
	assert_holder_is_gone();
}

static void test_missing_program_is_told_by_us(void **state)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kl_sandbox_command(box, "spatchx");

	(void)state;
	assert_int_equal(kl_command_run(c, kl_deadline_ms(LIMIT_MS), NULL, NULL, &e, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	assert_string_equal(err.message, "spatchx is not installed (not found on PATH)");
}

/* c, as somebody who is not root; what it says is in out. */
static void run_as_ordinary_user(const struct kl_command *c)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_INIT;
	KL_AUTO(kl_command_destroy_p) struct kl_command *as = NULL;

	assert_int_equal(kl_command_print(c, &text), 0);
	as = kl_command_create(geteuid() ? "env" : "setpriv");
	if (!geteuid())
		kl_command_args(as, "--reuid=65534", "--regid=65534", "--clear-groups", NULL);
	kl_command_args(as, "sh", "-c", kl_buf_str(&text), NULL);
	kl_command_stderr_to_stdout(as);
	kl_command_cwd(as, "/");
	assert_int_equal(kl_command_run(as, kl_deadline_ms(LIMIT_MS), &out, NULL, &e, &err), 0);
}

/* Root is exempt from RLIMIT_NPROC (kernel/fork.c, copy_process()); so this runs as somebody else. */
static void test_processes_are_counted_inside_for_an_ordinary_user(void **state)
{
	KL_AUTO(kl_command_destroy_p)
	struct kl_command *c = shell(
		"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 "
		"27 28 29 30 31 32; do sleep 5 & done; id -u; touch /x /dev/x 2>&1 | wc -l");

	(void)state;
	run_as_ordinary_user(c);
	if (!strstr(kl_buf_str(&out), "Cannot fork"))
		fail_msg("%s", kl_buf_str(&out));
}

static void test_ordinary_user_gets_the_same_sandbox(void **state)
{
	KL_AUTO(kl_command_destroy_p)
	struct kl_command *c =
		shell("ls -A / | tr '\\n' ' '; touch /x /dev/x /dev/shm/x 2>&1 | wc -l; "
		      "unshare -U true 2>&1 | wc -l; touch /tmp/x && echo tmp");

	(void)state;
	run_as_ordinary_user(c);
	assert_string_equal(kl_buf_str(&out),
			    "bin dev etc lib lib64 proc sbin tmp usr 3\n1\ntmp\n");
}

static void test_toolchain_works_inside(void **state)
{
	(void)state;
	kl_sandbox_destroy(box);
	limits.memory_bytes = 2UL << 30;
	limits.tmp_bytes = 32UL << 20;
	limits.file_bytes = 32UL << 20;
	box = kl_sandbox_create(&limits);
	run("cd /tmp && printf 'all:\\n\\tgcc -o a a.c && ./a\\n' >Makefile && "
	    "echo 'int puts(const char *); int main(void) { puts(\"built\"); return 0; }' >a.c && "
	    "make -s && awk 'BEGIN { print \"awk\" }'");
	assert_string_equal(kl_buf_str(&out), "built\nawk\n");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_probe_finds_it_working),
		T(test_nothing_of_the_host_is_visible),
		T(test_no_network_no_capabilities_no_namespaces),
		T(test_only_tmp_can_be_written_and_it_is_small),
		T(test_binds_are_read_only_or_not_as_told),
		T(test_links_are_resolved_inside),
		T(test_limits_bind_and_cannot_be_raised),
		T(test_crash_inside_is_told_by_the_shells_number),
		T(test_deadline_ends_everything_inside),
		T(test_what_stays_behind_inside_dies_with_the_command),
		T(test_missing_program_is_told_by_us),
		T(test_processes_are_counted_inside_for_an_ordinary_user),
		T(test_ordinary_user_gets_the_same_sandbox),
		T(test_toolchain_works_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
