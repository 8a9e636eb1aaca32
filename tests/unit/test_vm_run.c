/* How runs end, as far as it depends on QEMU and on the host, against a QEMU that boots nothing. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include <klinic/cleanup.h>

#include "tests/unit/fake_qemu.h"
#include "vm/qemu.h"

static size_t open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void run(const char *part, bool leaks, int64_t net_ms, struct kl_run *ret)
{
	struct fake_template f;
	struct kl_error err = KL_ERROR_INIT;
	struct kl_slots slots;
	struct kl_job job = { .module_name = "m", .seed = 1, .guest_seconds = 30, .leaks = leaks };
	size_t before;

	fake_template_init(&f);
	fake_qemu_plan(part);
	f.t.net_ms = net_ms;
	job.module_ko = job.program = f.payload;
	before = open_files();
	if (kl_vm_run(&f.t, &job, ret, &slots, &err))
		fail_msg("%s", err.message);
	assert_int_equal(open_files(), before);
	fake_template_deinit(&f);
}

static void ends(const char *part, enum kl_end end)
{
	KL_AUTO(kl_run_deinit) struct kl_run r = { 0 };

	run(part, false, 500, &r);
	assert_string_equal(kl_end_name(r.end), kl_end_name(end));
}

static void test_what_the_guest_did_is_told_by_qemus_event(void **state)
{
	(void)state;
	ends("answer", KL_END_ANSWERED);
	ends("reset", KL_END_RESET);
	ends("watchdog", KL_END_GUEST_TIME);
}

static void test_a_qemu_that_somebody_ends_is_lost_and_no_reset(void **state)
{
	KL_AUTO(kl_run_deinit) struct kl_run term = { 0 }, killed = { 0 };

	(void)state;
	run("sigterm", false, 0, &term);
	assert_int_equal(term.end, KL_END_LOST);
	assert_non_null(strstr(term.said, "was told to"));
	run("killed", false, 0, &killed);
	assert_int_equal(killed.end, KL_END_LOST);
	assert_non_null(strstr(killed.said, "killed by signal 9"));
}

static void test_at_the_net_a_guest_that_had_its_time_has_hung(void **state)
{
	(void)state;
	ends("fast-hang", KL_END_GUEST_TIME);
}

static void test_at_the_net_a_guest_that_had_not_its_time_is_infra(void **state)
{
	(void)state;
	ends("hang", KL_END_WALL_NET);
}

static void test_a_log_without_its_last_words_vouches_for_nothing(void **state)
{
	KL_AUTO(kl_run_deinit) struct kl_run whole = { 0 }, silent = { 0 };

	(void)state;
	run("answer", true, 0, &whole);
	assert_true(whole.memory_read);
	assert_false(whole.log_cut);
	run("silent-console", false, 0, &silent);
	assert_int_equal(silent.end, KL_END_ANSWERED);
	assert_true(silent.log_cut);
}

static void test_a_leak_detector_that_gave_up_vouches_for_nothing(void **state)
{
	KL_AUTO(kl_run_deinit) struct kl_run asked = { 0 }, unasked = { 0 };

	(void)state;
	run("no-kmemleak", true, 0, &asked);
	assert_true(asked.leaks_unheard);
	run("no-kmemleak", false, 0, &unasked);
	assert_true(unasked.memory_read);
	assert_false(unasked.leaks_unheard);
}

static void test_two_cpus_take_two_places(void **state)
{
	KL_AUTO(kl_vm_leave_p) struct kl_vm_place both = KL_VM_PLACE_INIT, one = KL_VM_PLACE_INIT;
	const struct kl_machine exact = { .mode = KL_MODE_EXACT };
	const struct kl_machine parallel = { .mode = KL_MODE_PARALLEL };
	struct kl_error err = KL_ERROR_INIT;
	struct fake_template f;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	(void)state;
	fake_template_init(&f);
	assert_int_equal(kl_vm_enter(&parallel, kl_deadline_ms(1000), &both, &err), 0);
	assert_int_equal(both.fd[1] >= 0, cores > 1);
	assert_int_equal(kl_vm_enter(&exact, kl_deadline_ms(20), &one, &err), cores > 2 ? 0 : -1);
	kl_vm_leave_p(&both);
	kl_vm_leave_p(&one);
	assert_int_equal(kl_vm_enter(&exact, kl_deadline_ms(1000), &one, &err), 0);
	fake_template_deinit(&f);
}

static void *interrupt_soon(void *arg)
{
	const struct timespec soon = { .tv_nsec = 200000000 };

	(void)arg;
	nanosleep(&soon, NULL);
	kl_interrupt();
	return NULL;
}

/* The last one: an interrupt cannot be taken back. */
static void test_an_interrupt_ends_a_run_and_its_qemu(void **state)
{
	struct kl_job job = { .module_name = "m", .seed = 1, .guest_seconds = 30 };
	struct kl_error err = KL_ERROR_INIT;
	struct fake_template f;
	struct kl_slots slots;
	struct kl_run r = { 0 };
	int64_t begun = kl_now_ns();
	pthread_t thread;

	(void)state;
	fake_template_init(&f);
	fake_qemu_plan("hang");
	job.module_ko = job.program = f.payload;
	assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
	assert_int_equal(kl_vm_run(&f.t, &job, &r, &slots, &err), -1);
	assert_int_equal(err.class, KL_INTERRUPTED);
	assert_true(kl_now_ns() - begun < 3000000000);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	pthread_join(thread, NULL);
	fake_template_deinit(&f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_guest_did_is_told_by_qemus_event),
		cmocka_unit_test(test_a_qemu_that_somebody_ends_is_lost_and_no_reset),
		cmocka_unit_test(test_at_the_net_a_guest_that_had_its_time_has_hung),
		cmocka_unit_test(test_at_the_net_a_guest_that_had_not_its_time_is_infra),
		cmocka_unit_test(test_a_log_without_its_last_words_vouches_for_nothing),
		cmocka_unit_test(test_a_leak_detector_that_gave_up_vouches_for_nothing),
		cmocka_unit_test(test_two_cpus_take_two_places),
		cmocka_unit_test(test_an_interrupt_ends_a_run_and_its_qemu),
	};

	(void)argv;
	fake_qemu_main(argc);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
