/* The canary: every detector speaks after an honest run, and is missed after any other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>

#include "tests/vm/fixture.h"

#define TOKEN	"00112233445566778899aabbccddeeff"
#define ANOTHER "ffeeddccbbaa99887766554433221100"

static void test_every_detector_reports_its_canary_after_an_honest_run(void **state)
{
	static const enum kl_kind kinds[] = { KL_KIND_KASAN,	KL_KIND_UBSAN,
					      KL_KIND_LOCKDEP,	KL_KIND_SLEEP_IN_ATOMIC,
					      KL_KIND_REFCOUNT, KL_KIND_LIST,
					      KL_KIND_ODEBUG,	KL_KIND_WARN };
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	fixture_run_with_canary(*state, "nth", TOKEN, &r);
	assert_int_equal(r.run.end, KL_END_ANSWERED);
	for (size_t i = 0; i < KL_ARRAY_SIZE(kinds); i++)
		assert_true(r.run.canary_due[kinds[i]]);
	for (unsigned int k = 0; k < KL_KIND_COUNT; k++)
		assert_int_equal(r.run.canary_due[k], r.run.canary_heard[k]);
	/* Nothing of it counts as a finding, and nothing of it is in the run's own log. */
	assert_int_equal(r.run.findings.n, 0);
	assert_null(strstr(r.run.console, TOKEN));
}

static void test_a_canary_leaves_the_run_before_it_as_it_was(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run with = { 0 }, without = { 0 }, other = { 0 };

	fixture_run_with_canary(*state, "nth", TOKEN, &with);
	fixture_run(*state, "nth", 1, &without);
	assert_string_equal(with.run.console, without.run.console);
	assert_int_equal(with.run.guest_ns, without.run.guest_ns);
	fixture_run_with_canary(*state, "nth", ANOTHER, &other);
	assert_non_null(strstr(other.run.canary_log, ANOTHER));
}

/* Whether QEMU moves the clock on while it stops is the host's scheduler's (agent.c, stop_machine). */
static void test_what_follows_a_stop_is_exact_beside_cpu_hogs_too(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run first = { 0 };
	struct kl_process hog[3] = { KL_PROCESS_INIT, KL_PROCESS_INIT, KL_PROCESS_INIT };

	fixture_run_with_canary(*state, "nth", TOKEN, &first);
	fixture_hogs(hog, KL_ARRAY_SIZE(hog));
	for (int i = 0; i < 5; i++) {
		KL_AUTO(fixture_run_deinit) struct fixture_run again = { 0 };

		fixture_run_with_canary(*state, "nth", TOKEN, &again);
		assert_string_equal(again.run.canary_log, first.run.canary_log);
	}
	for (size_t i = 0; i < KL_ARRAY_SIZE(hog); i++)
		kl_process_deinit(&hog[i]);
}

static void test_a_silenced_console_is_missed(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	fixture_run_with_canary(*state, "mute", TOKEN, &r);
	assert_true(r.run.canary_due[KL_KIND_KASAN]);
	for (unsigned int k = 0; k < KL_KIND_COUNT; k++)
		assert_false(r.run.canary_heard[k]);
}

static void test_a_lock_checker_that_was_switched_off_is_missed(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	fixture_run_with_canary(*state, "deaf", TOKEN, &r);
	assert_true(r.run.canary_due[KL_KIND_LOCKDEP]);
	assert_false(r.run.canary_heard[KL_KIND_LOCKDEP]);
	assert_true(r.run.canary_heard[KL_KIND_KASAN]);
}

static void test_the_leak_scan_finds_the_canarys_and_the_modules_own(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	fixture_run_with_canary(*state, "leak", TOKEN, &r);
	assert_true(r.run.canary_due[KL_KIND_KMEMLEAK]);
	assert_true(r.run.canary_heard[KL_KIND_KMEMLEAK]);
	assert_true(r.run.findings.n > 0);
	assert_int_equal(r.run.findings.v[0].kind, KL_KIND_KMEMLEAK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_detector_reports_its_canary_after_an_honest_run),
		cmocka_unit_test(test_a_canary_leaves_the_run_before_it_as_it_was),
		cmocka_unit_test(test_what_follows_a_stop_is_exact_beside_cpu_hogs_too),
		cmocka_unit_test(test_a_silenced_console_is_missed),
		cmocka_unit_test(test_a_lock_checker_that_was_switched_off_is_missed),
		cmocka_unit_test(test_the_leak_scan_finds_the_canarys_and_the_modules_own),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
