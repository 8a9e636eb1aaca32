/* What the tests of child processes share: a shell run to its end, and what came back. */
#ifndef TESTS_UNIT_CHILDREN_H
#define TESTS_UNIT_CHILDREN_H

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

static inline int setup(void **state)
{
	(void)state;
	err = KL_ERROR_INIT;
	out = errout = KL_BUF_INIT;
	e = (struct kl_exit){ 0 };
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	kl_buf_deinit(&out);
	kl_buf_deinit(&errout);
	return 0;
}

static inline struct kl_command *shell(const char *script)
{
	struct kl_command *c = kl_command_create("sh");

	kl_command_args(c, "-c", script, NULL);
	return c;
}

/* Runs and destroys. */
static inline int run_for(struct kl_command *c, int64_t ms)
{
	int rc = kl_command_run(c, kl_deadline_ms(ms), &out, &errout, &e, &err);

	kl_command_destroy(c);
	return rc;
}

static inline void run(struct kl_command *c)
{
	if (run_for(c, LIMIT_MS))
		fail_msg("%s", err.message);
}

/* A deadline that the child is well under way by: doubled until it has said something. */
static inline void run_until_it_spoke(const char *script)
{
	for (int64_t ms = 300; ms < LIMIT_MS; ms *= 2) {
		kl_buf_clear(&out);
		assert_int_equal(run_for(shell(script), ms), 0);
		if (out.len)
			return;
	}
	fail_msg("'%s' never spoke", script);
}

static inline bool gone_within(pid_t pid, int64_t ms)
{
	for (kl_deadline d = kl_deadline_ms(ms); !kl_deadline_passed(d); usleep(2000))
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return true;
	return false;
}

#endif
