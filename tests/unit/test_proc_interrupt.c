/* The interrupt cannot be taken back, so its tests have a program of their own; order matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>

#define WAITERS 4

static sem_t up;

static void is_up(const char *line, void *arg)
{
	(void)line;
	(void)arg;
	sem_post(&up);
}

struct waiter {
	pthread_t thread;
	int rc;
	struct kl_exit exit;
	struct kl_error err;
};

static void *wait_long(void *arg)
{
	struct waiter *w = arg;
	struct kl_command *c = kl_command_create("sh");

	kl_command_args(c, "-c", "echo up; sleep 100", NULL);
	kl_command_on_line(c, is_up, NULL);
	w->rc = kl_command_run(c, kl_deadline_ms(60000), NULL, NULL, &w->exit, &w->err);
	kl_command_destroy(c);
	return NULL;
}

static void on_signal(int sig)
{
	(void)sig;
	kl_interrupt();
}

static void test_signal_ends_the_waits_of_all_threads_at_once(void **state)
{
	struct waiter w[WAITERS] = { 0 };
	struct sigaction act = { .sa_handler = on_signal };
	int64_t start;

	(void)state;
	assert_false(kl_interrupted());
	sem_init(&up, 0, 0);
	sigaction(SIGINT, &act, NULL);
	for (size_t i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_create(&w[i].thread, NULL, wait_long, &w[i]), 0);
	for (size_t i = 0; i < WAITERS; i++)
		while (sem_wait(&up))
			;
	start = kl_now_ns();
	raise(SIGINT);
	for (size_t i = 0; i < WAITERS; i++)
		pthread_join(w[i].thread, NULL);
	assert_true(kl_now_ns() - start < 5000000000);
	for (size_t i = 0; i < WAITERS; i++) {
		assert_int_equal(w[i].rc, -1);
		assert_int_equal(w[i].err.class, KL_INTERRUPTED);
		assert_true(w[i].exit.interrupted);
		assert_false(w[i].exit.exited);
	}
	sem_destroy(&up);
}

static void test_after_it_nothing_starts_and_nothing_waits(void **state)
{
	struct pollfd fd = { .fd = kl_interrupt_fd(), .events = POLLIN };
	struct kl_command *c = kl_command_create("true");
	struct kl_process p = KL_PROCESS_INIT;
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	kl_interrupt();
	assert_true(kl_interrupted());
	assert_int_equal(poll(&fd, 1, 0), 1);
	assert_int_equal(kl_command_start(c, &p, &err), -1);
	assert_int_equal(err.class, KL_INTERRUPTED);
	assert_int_equal(p.pid, -1);
	kl_command_destroy(c);
}

static void test_after_it_nobody_waits_for_a_lock(void **state)
{
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;
	KL_AUTO_FREE char *path = NULL;
	KL_AUTO_CLOSE int held = -1;
	struct kl_error err = KL_ERROR_INIT;
	int64_t start = kl_now_ns();
	int fd = -1;

	(void)state;
	assert_int_equal(kl_tempdir_create(&dir, &err), 0);
	path = kl_path_join(dir, "lock");
	assert_int_equal(kl_lock(path, KL_FOREVER, &held, &err), 0);
	assert_int_equal(kl_lock(path, kl_deadline_ms(20000), &fd, &err), -1);
	assert_int_equal(err.class, KL_INTERRUPTED);
	assert_true(kl_now_ns() - start < 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signal_ends_the_waits_of_all_threads_at_once),
		cmocka_unit_test(test_after_it_nothing_starts_and_nothing_waits),
		cmocka_unit_test(test_after_it_nobody_waits_for_a_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
