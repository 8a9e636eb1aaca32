/*
 * What the host finds in a stopped guest's memory: nothing after an honest run,
 * whatever it logs; and each hand that was put on the log, the list of modules or
 * a detector.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/grader.h>

#include "tests/vm/fixture.h"
#include "vm/facts.h"
#include "vm/stopped.h"

/* A run's seed is its hand's place in the list. */
enum {
#define HAND(name) HAND_##name,
#include "tests/vm/hands/handout/list.h"
};

static void judge(const struct kl_run *r, enum kl_verdict v)
{
	const struct kl_check_evidence c = { .hidden = true };
	KL_AUTO(kl_run_judgement_deinit) struct kl_run_judgement j = { 0 };
	struct kl_run with = *r;

	/* Whether the detectors spoke is tests/vm/test_canary.c's. */
	with.canary = true;
	assert_int_equal(kl_judge_run(&c, &with, &j, NULL), 0);
	if (j.verdict != v)
		fail_msg("%s: %s", kl_verdict_name(j.verdict), j.detail);
}

static void show(const char *what, const struct kl_run *r)
{
	print_message("%s: %lld ms, log %llu (%s), cut %d, modules %s, oopses %llu, warnings %llu, "
		      "said %s",
		      what, (long long)r->wall_ms, (unsigned long long)r->log_differs,
		      r->log_where ? r->log_where : "-", r->log_cut,
		      r->modules_wrong ? r->modules_wrong : "-", (unsigned long long)r->oopses,
		      (unsigned long long)r->warnings, r->said ? r->said : "-");
	for (size_t i = 0; i < r->switches_changed.n; i++)
		print_message(", %s", r->switches_changed.v[i]);
	print_message("\n");
}

static void expect_clean(const struct kl_run *r)
{
	assert_int_equal(r->end, KL_END_ANSWERED);
	assert_true(r->memory_read);
	assert_false(r->log_cut);
	assert_int_equal(r->log_differs, 0);
	assert_null(r->log_where);
	assert_null(r->modules_wrong);
	assert_int_equal(r->oopses, 0);
	assert_int_equal(r->warnings, 0);
	assert_int_equal(r->switches_changed.n, 0);
}

static void test_whatever_an_honest_module_logs_both_logs_have_it(void **state)
{
	static const struct {
		const char *check;
		uint64_t seed;
	} cases[] = { { "hands", HAND_chatter },
		      { "hands-off", HAND_chatter },
		      { "hands", HAND_flood },
		      { "hands-off", HAND_flood } };

	for (size_t i = 0; i < KL_ARRAY_SIZE(cases); i++) {
		KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

		fixture_run(*state, cases[i].check, cases[i].seed, &r);
		show(cases[i].check, &r.run);
		expect_clean(&r.run);
		judge(&r.run, KL_VERDICT_PASS);
	}
}

static void test_two_cpus_leave_the_same_log_in_both_places(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(kl_template_destroy_p) struct kl_template *t = NULL;
	struct kl_error err = KL_ERROR_INIT;
	struct kl_machine m;

	assert_int_equal(kl_machine_init(&m, &f->kernel, KL_MODE_PARALLEL, &err), 0);
	assert_int_equal(kl_template_open(&m, false, kl_deadline_ms(600000), &t, &err), 0);
	kl_machine_deinit(&m);
	for (int i = 0; i < 2; i++) {
		KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

		fixture_run_in(f, t, "hands-off", i ? HAND_flood : HAND_chatter, &r);
		show("parallel", &r.run);
		expect_clean(&r.run);
		judge(&r.run, KL_VERDICT_PASS);
	}
}

static void test_a_log_that_was_tampered_with_convicts(void **state)
{
	static const struct {
		uint64_t seed;
		const char *where;
	} cases[] = {
		{ HAND_hush, "only in memory: " },
		{ HAND_forge, "only on the console: [    6.000000][   T67] hands: all is well" },
		{ HAND_wipe, "only in memory: " },
		{ HAND_reword, "only in memory: " },
		{ HAND_move_log, "it has been put elsewhere" },
	};

	for (size_t i = 0; i < KL_ARRAY_SIZE(cases); i++) {
		KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

		fixture_run(*state, "hands", cases[i].seed, &r);
		show("log", &r.run);
		assert_int_equal(r.run.end, KL_END_ANSWERED);
		assert_true(r.run.log_differs > 0);
		assert_non_null(strstr(r.run.log_where, cases[i].where));
		judge(&r.run, KL_VERDICT_FAIL);
	}
}

static void test_a_list_of_modules_that_is_not_right_convicts(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run hidden = { 0 }, added = { 0 };

	fixture_run(*state, "hands", HAND_unlink, &hidden);
	assert_string_equal(hidden.run.modules_wrong, "hands is loaded, but not in the list");
	judge(&hidden.run, KL_VERDICT_FAIL);
	fixture_run(*state, "hands", HAND_ghost, &added);
	assert_string_equal(added.run.modules_wrong, "ghost is loaded, but nobody loaded it");
	judge(&added.run, KL_VERDICT_FAIL);
}

static void test_a_detector_that_was_switched_convicts(void **state)
{
	static const struct {
		uint64_t seed;
		const char *name;
	} cases[] = {
		{ HAND_loglevel, "console_printk" },
		{ HAND_kasan_once, "kasan_flags" },
		{ HAND_hung_off, "sysctl_hung_task_timeout_secs" },
		{ HAND_die_notifier, "die_chain" },
		{ HAND_bug_done, "__bug_table" },
		{ HAND_look_away, "kasan_depth of sleeper" },
		{ HAND_inherit, "kasan_depth of init" },
		{ HAND_kmemleak_off, "kmemleak_enabled" },
	};

	for (size_t i = 0; i < KL_ARRAY_SIZE(cases); i++) {
		KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

		fixture_run(*state, "hands", cases[i].seed, &r);
		show(cases[i].name, &r.run);
		assert_int_equal(r.run.switches_changed.n, 1);
		assert_string_equal(r.run.switches_changed.v[0], cases[i].name);
		judge(&r.run, KL_VERDICT_FAIL);
	}
}

static void test_a_fault_that_the_kernel_counted_convicts(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run warned = { 0 }, oopsed = { 0 };

	fixture_run(*state, "hands", HAND_warned, &warned);
	assert_int_equal(warned.run.warnings, 3);
	judge(&warned.run, KL_VERDICT_FAIL);
	fixture_run(*state, "hands", HAND_oopsed, &oopsed);
	assert_int_equal(oopsed.run.oopses, 1);
	judge(&oopsed.run, KL_VERDICT_FAIL);
}

static void test_a_leak_detector_that_gave_up_gives_no_verdict(void **state)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

	fixture_run(*state, "hands-on-leaks", HAND_kmemleak_gave_up, &r);
	show("kmemleak", &r.run);
	assert_true(r.run.leaks_unheard);
	assert_int_equal(r.run.switches_changed.n, 0);
	judge(&r.run, KL_VERDICT_INCONCLUSIVE);
}

static void read_again(struct kl_stopped *s, const struct kl_run *run, void *arg)
{
	struct fixture *f = arg;
	KL_AUTO(kl_run_deinit)
	struct kl_run again = { .end = run->end, .unload_status = run->unload_status };
	const struct kl_job job = { .module_name = f->exercise.module };
	int64_t begun = kl_now_ns();

	again.console = strdup(run->console);
	kl_vm_read_facts(f->exact, &job, s->qemu, &again);
	print_message("the facts of a run took %lld ms to read\n",
		      (long long)(kl_now_ns() - begun) / 1000000);
	expect_clean(&again);
	f->on_stopped = NULL;
}

/* And says what it costs: docs/architecture.md. */
static void test_reading_the_facts_changes_nothing(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++) {
		KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

		f->on_stopped = read_again;
		f->stopped_arg = f;
		fixture_run(f, "hands-off", HAND_chatter, &r);
		assert_null(f->on_stopped);
	}
}

static int setup(void **state)
{
	return fixture_setup_of("tests/vm/hands", state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whatever_an_honest_module_logs_both_logs_have_it),
		cmocka_unit_test(test_two_cpus_leave_the_same_log_in_both_places),
		cmocka_unit_test(test_reading_the_facts_changes_nothing),
		cmocka_unit_test(test_a_log_that_was_tampered_with_convicts),
		cmocka_unit_test(test_a_list_of_modules_that_is_not_right_convicts),
		cmocka_unit_test(test_a_detector_that_was_switched_convicts),
		cmocka_unit_test(test_a_fault_that_the_kernel_counted_convicts),
		cmocka_unit_test(test_a_leak_detector_that_gave_up_gives_no_verdict),
	};

	return cmocka_run_group_tests(tests, setup, fixture_teardown);
}
