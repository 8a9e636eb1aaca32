/* How runs end, and what is known then: each way a guest can go is one typed event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/splat.h>

#include "tests/vm/fixture.h"
#include "vm/template.h"

static void run(void **state, const char *check, struct fixture_run *r)
{
	fixture_run(*state, check, 1, r);
	if (r->run.said)
		print_message("%s: %s, %lld ms, said '%s'\n", check, kl_end_name(r->run.end),
			      (long long)r->run.wall_ms, r->run.said);
}

static bool text_has_finding(const char *text, enum kl_kind kind)
{
	struct kl_findings fs = { 0 };
	struct kl_error err = KL_ERROR_INIT;
	bool found = false;

	assert_int_equal(kl_splat_parse(text, strlen(text), &fs, &err), 0);
	for (size_t i = 0; i < fs.n; i++)
		found |= fs.v[i].kind == kind;
	kl_findings_deinit(&fs);
	return found;
}

/* The scan for leaks comes with the canary's log, which is kept apart. */
static bool has_finding(const struct fixture_run *r, enum kl_kind kind)
{
	return text_has_finding(r->run.console, kind) ||
	       (r->run.canary_log && text_has_finding(r->run.canary_log, kind));
}

static void test_endless_loop_with_interrupts_off_ends_at_the_guest_time_limit(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	run(state, "hang", &r);
	assert_int_equal(r.run.end, KL_END_GUEST_TIME);
	assert_true(r.run.memory_read);
}

static void test_a_watchdog_that_is_kept_quiet_does_not_make_a_hang_infra(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	run(state, "unwatched", &r);
	assert_int_equal(r.run.end, KL_END_GUEST_TIME);
	assert_true(r.run.memory_read);
}

static void test_what_a_program_leaves_running_does_not_hold_the_module(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	run(state, "orphan", &r);
	assert_int_equal(r.run.end, KL_END_ANSWERED);
	assert_int_equal(r.slots.given, 3);
	assert_int_equal(r.run.unload_status, 0);
	assert_true(r.run.memory_read);
}

static void test_a_task_that_never_returns_is_reported_and_the_agent_still_answers(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	run(state, "stuck", &r);
	assert_int_equal(r.run.end, KL_END_ANSWERED);
	assert_int_equal(r.run.program, KL_PROGRAM_TIMED_OUT);
	assert_true(has_finding(&r, KL_KIND_HUNG_TASK));
}

static void test_a_panic_is_told_from_a_reset(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run p = { 0 }, r = { 0 };

	run(state, "panic", &p);
	assert_int_equal(p.run.end, KL_END_PANIC);
	run(state, "reset", &r);
	assert_int_equal(r.run.end, KL_END_RESET);
}

static void test_a_flooded_console_is_cut_and_the_run_goes_on(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	run(state, "flood", &r);
	assert_int_equal(r.run.end, KL_END_ANSWERED);
	assert_true(r.run.console_truncated);
	assert_int_equal(strlen(r.run.console), KL_CONSOLE_CAP);
	/* What was said behind the cap nobody has heard. */
	assert_true(r.run.log_cut);
	assert_int_equal(r.slots.given & 1, 1);
}

static void test_kasan_reports_and_taints(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	run(state, "uaf", &r);
	assert_int_equal(r.run.end, KL_END_ANSWERED);
	assert_true(has_finding(&r, KL_KIND_KASAN));
	assert_true(r.run.tainted & 1 << 5); /* TAINT_BAD_PAGE: include/linux/panic.h */
	/* add_taint(…, LOCKDEP_NOW_UNRELIABLE): mm/kasan/report.c */
	assert_false(r.run.debug_locks);
}

static void test_lockdep_reports_and_falls_silent(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	run(state, "deadlock", &r);
	assert_int_equal(r.run.end, KL_END_ANSWERED);
	assert_true(has_finding(&r, KL_KIND_LOCKDEP));
	assert_true(r.run.memory_read);
	assert_false(r.run.debug_locks);
}

static void test_changed_kernel_text_is_seen_from_outside(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	run(state, "patch", &r);
	assert_int_equal(r.run.end, KL_END_ANSWERED);
	assert_int_equal(r.run.text_changed, 1);
	assert_string_equal(r.run.text_where, "orderly_poweroff+0x8");
	assert_true(r.run.debug_locks);
	fixture_run_deinit(&r);
	r = (struct fixture_run){ 0 };
	run(state, "nth", &r);
	assert_int_equal(r.run.text_changed, 0);
}

static void test_what_a_program_says_like_the_kernel_is_no_report(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	run(state, "words", &r);
	assert_int_equal(r.run.end, KL_END_ANSWERED);
	assert_int_equal(r.slots.value[0], 1);
	assert_non_null(strstr(r.run.console, "innocent"));
	assert_false(has_finding(&r, KL_KIND_KASAN));
	/* The kernel's log is closed to it. */
	assert_int_equal(r.slots.value[1], 0);
	assert_null(strstr(r.run.console, "through kmsg"));
	assert_true(r.run.memory_read);
}

static void test_each_allocation_can_be_made_to_fail_in_turn(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	run(state, "nth", &r);
	assert_int_equal(r.run.end, KL_END_ANSWERED);
	assert_int_equal(r.slots.value[0], 3);
	assert_int_equal(r.slots.value[1], 1);
}

static void test_kmemleak_names_what_was_lost(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	run(state, "leak", &r);
	assert_int_equal(r.run.end, KL_END_ANSWERED);
	assert_true(has_finding(&r, KL_KIND_KMEMLEAK));
	assert_true(r.run.memory_read);
}

static void test_two_cpus_use_the_same_mailbox(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };
	KL_AUTO(kl_template_destroy_p) struct kl_template *t = NULL;
	struct kl_error err = KL_ERROR_INIT;
	struct kl_machine m;

	assert_int_equal(kl_machine_init(&m, &f->kernel, KL_MODE_PARALLEL, &err), 0);
	assert_int_equal(kl_template_open(&m, false, kl_deadline_ms(600000), &t, &err), 0);
	kl_machine_deinit(&m);
	fixture_run_in(f, t, "nth", 1, &r);
	assert_int_equal(r.run.end, KL_END_ANSWERED);
	assert_int_equal(r.slots.value[0], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_endless_loop_with_interrupts_off_ends_at_the_guest_time_limit),
		cmocka_unit_test(test_a_watchdog_that_is_kept_quiet_does_not_make_a_hang_infra),
		cmocka_unit_test(test_what_a_program_leaves_running_does_not_hold_the_module),
		cmocka_unit_test(
			test_a_task_that_never_returns_is_reported_and_the_agent_still_answers),
		cmocka_unit_test(test_a_panic_is_told_from_a_reset),
		cmocka_unit_test(test_a_flooded_console_is_cut_and_the_run_goes_on),
		cmocka_unit_test(test_kasan_reports_and_taints),
		cmocka_unit_test(test_lockdep_reports_and_falls_silent),
		cmocka_unit_test(test_changed_kernel_text_is_seen_from_outside),
		cmocka_unit_test(test_what_a_program_says_like_the_kernel_is_no_report),
		cmocka_unit_test(test_each_allocation_can_be_made_to_fail_in_turn),
		cmocka_unit_test(test_kmemleak_names_what_was_lost),
		cmocka_unit_test(test_two_cpus_use_the_same_mailbox),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
