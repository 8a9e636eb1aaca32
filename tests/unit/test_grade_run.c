/* graders/run.c: what convicts a run, what keeps it from a verdict, and what each reader is told. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/grader.h>

#define TAINT(bit) (UINT64_C(1) << (bit))
#define NORMAL	   (TAINT(12) | TAINT(13)) /* out of tree, unsigned */

static char label[] = "secret label";
static char title[] = "KASAN: use-after-free Read in stash_read";
static char function[] = "stash_read";
static char file[] = "stashbox.c";

/* A run that passes, with one answer and room for one finding; tests spoil it. */
struct fixture {
	struct kl_check_evidence c;
	struct kl_run r;
	struct kl_answer a;
	struct kl_finding f;
	struct kl_run_judgement j;
};

static struct fixture good(void)
{
	struct fixture x = {
		.c = { .hidden = true },
		.r = { .seed = 41,
		       .end = KL_END_ANSWERED,
		       .guest_ns = 8594620774,
		       .program = KL_PROGRAM_EXITED,
		       .debug_locks = true,
		       .memory_read = true,
		       .tainted = NORMAL,
		       .canary = true,
		       .canary_due = { [KL_KIND_KASAN] = true, [KL_KIND_LOCKDEP] = true },
		       .canary_heard = { [KL_KIND_KASAN] = true, [KL_KIND_LOCKDEP] = true } },
		.a = { .slot = 7,
		       .given = true,
		       .value = 12,
		       .min = 10,
		       .max = 20,
		       .label = label },
		.f = { .kind = KL_KIND_KASAN,
		       .title = title,
		       .function = function,
		       .file = file,
		       .line = 65,
		       .time_us = 6201802 },
	};

	return x;
}

static void judge(struct fixture *x)
{
	struct kl_error err = KL_ERROR_INIT;

	x->r.answers = &x->a;
	x->r.n_answers = 1;
	if (kl_judge_run(&x->c, &x->r, &x->j, &err))
		fail_msg("%s", err.message);
	assert_int_equal(kl_run_fails(&x->c, &x->r), x->j.verdict == KL_VERDICT_FAIL);
}

static void expect(struct fixture *x, enum kl_verdict v, const char *detail, const char *remark)
{
	judge(x);
	assert_string_equal(kl_verdict_name(x->j.verdict), kl_verdict_name(v));
	if (v == KL_VERDICT_PASS) {
		assert_null(x->j.detail);
		assert_null(x->j.remark);
		return;
	}
	assert_string_equal(x->j.detail, detail);
	assert_string_equal(x->j.remark, remark);
	kl_run_judgement_deinit(&x->j);
}

static bool says(const char *text, const char *part)
{
	return text && strstr(text, part);
}

static void report(struct fixture *x, enum kl_kind kind)
{
	x->f.kind = kind;
	x->r.findings.v = &x->f;
	x->r.findings.n = 1;
}

static void test_a_run_that_answers_right_and_shows_its_memory_passes(void **state)
{
	struct fixture x = good();

	(void)state;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
	x.a.value = 10;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
	x.a.value = 20;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
	x.r.unload_status = 1; /* not asked for */
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
}

static void test_a_report_convicts_although_everything_else_is_right(void **state)
{
	struct fixture x = good();

	(void)state;
	report(&x, KL_KIND_KASAN);
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: KASAN: use-after-free Read in stash_read (stashbox.c:65) at 6.201802 s. "
	       "Guest time at the end 8.594620774 s.",
	       "The kernel reported a use-after-free.");
	x.c.hidden = false;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: KASAN: use-after-free Read in stash_read (stashbox.c:65) at 6.201802 s. "
	       "Guest time at the end 8.594620774 s.",
	       "The kernel reported KASAN: use-after-free Read in stash_read (stashbox.c:65).");
}

static void test_every_kind_of_report_convicts_unless_it_is_tolerated(void **state)
{
	(void)state;
	for (int k = 0; k < KL_KIND_COUNT; k++) {
		struct fixture x = good();

		report(&x, (enum kl_kind)k);
		judge(&x);
		assert_int_equal(x.j.verdict, KL_VERDICT_FAIL);
		/* Fixed words: nothing that the guest wrote reaches the candidate. */
		assert_non_null(x.j.remark);
		assert_false(says(x.j.remark, "stash"));
		kl_run_judgement_deinit(&x.j);
		x.c.tolerate[k] = true;
		expect(&x, KL_VERDICT_PASS, NULL, NULL);
	}
}

static void test_wrong_and_missing_answers_fail_and_name_the_slot_to_the_panel_only(void **state)
{
	struct fixture x = good();

	(void)state;
	x.a.value = 21;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: slot 7 (secret label): expected 10 to 20, given 21. "
	       "Guest time at the end 8.594620774 s.",
	       "Wrong result: the module did not do what it has to do.");
	x.a.value = 9;
	judge(&x);
	assert_int_equal(x.j.verdict, KL_VERDICT_FAIL);
	kl_run_judgement_deinit(&x.j);
	x.a.given = false;
	x.a.value = 12;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: slot 7 (secret label): expected 10 to 20, no answer. "
	       "Guest time at the end 8.594620774 s.",
	       "The check ended without the result that it has to give.");
}

static void test_hashes_are_shown_in_hex(void **state)
{
	struct fixture x = good();

	(void)state;
	x.a.min = x.a.max = UINT64_C(0x9f3c11d2aa0417e5);
	x.r.guest_ns = 0;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: slot 7 (secret label): expected 0x9f3c11d2aa0417e5, given 12.",
	       "Wrong result: the module did not do what it has to do.");
}

static void test_ends_without_an_answer_are_fails_or_the_machines_fault(void **state)
{
	static const struct {
		enum kl_end end;
		enum kl_verdict verdict;
		const char *detail, *remark;
	} cases[] = {
		{ KL_END_PANIC, KL_VERDICT_FAIL, "Seed 41: the kernel panicked.",
		  "The kernel panicked." },
		{ KL_END_RESET, KL_VERDICT_FAIL,
		  "Seed 41: the machine went down before the check had ended.",
		  "The machine went down before the check had ended." },
		{ KL_END_GUEST_TIME, KL_VERDICT_FAIL,
		  "Seed 41: the limit of guest time was reached: it hung, or is far too slow.",
		  "It hung, or took far too long." },
		{ KL_END_WALL_NET, KL_VERDICT_INFRA,
		  "Seed 41: the machine was too slow for the wall-clock net; nothing is said about "
		  "the submission.",
		  "The machine that graded was too slow; grade again." },
		{ KL_END_LOST, KL_VERDICT_INFRA,
		  "Seed 41: the virtual machine was lost; nothing is said about the submission.",
		  "The virtual machine was lost; grade again." },
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(cases); i++) {
		struct fixture x = good();

		x.r.end = cases[i].end;
		x.r.guest_ns = 0;
		x.r.program = KL_PROGRAM_NONE;
		x.r.memory_read = false;
		expect(&x, cases[i].verdict, cases[i].detail, cases[i].remark);
	}
}

static void test_a_module_that_does_not_load_or_unload_fails(void **state)
{
	struct fixture x = good();

	(void)state;
	x.r.guest_ns = 0;
	x.r.load_status = -EINVAL;
	x.r.program = KL_PROGRAM_NONE;
	x.r.unload_status = 1;
	expect(&x, KL_VERDICT_FAIL, "Seed 41: the module could not be loaded: EINVAL.",
	       "The module could not be loaded (EINVAL).");
	x = good();
	x.r.guest_ns = 0;
	x.r.unload_status = -EBUSY;
	expect(&x, KL_VERDICT_FAIL, "Seed 41: the module could not be unloaded: EBUSY.",
	       "The module could not be unloaded: something still holds it.");
}

static void test_a_program_that_dies_hangs_or_gives_up_fails(void **state)
{
	static char said[] = "read: wanted 0xfeed";
	struct fixture x = good();

	(void)state;
	x.r.guest_ns = 0;
	x.r.program_status = 2;
	x.r.said = said;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: the check's program gave up with status 2, saying “read: wanted 0xfeed”.",
	       "The check could not go on: a call failed that has to work.");
	x.r.program = KL_PROGRAM_SIGNALLED;
	x.r.program_status = SIGKILL;
	expect(&x, KL_VERDICT_FAIL, "Seed 41: the check's program was killed by SIGKILL.",
	       "The program that used the module was killed.");
	x.r.program = KL_PROGRAM_TIMED_OUT;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: the check's program did not end in its time: it hung.", "It hung.");
	x.r.program = KL_PROGRAM_NONE;
	expect(&x, KL_VERDICT_FAIL, "Seed 41: the check's program was never started.",
	       "The check could not be started in the guest.");
}

static void test_a_silenced_lockdep_convicts_though_the_log_is_clean(void **state)
{
	struct fixture x = good();

	(void)state;
	x.r.debug_locks = false;
	judge(&x);
	assert_int_equal(x.j.verdict, KL_VERDICT_FAIL);
	assert_true(says(x.j.detail, "debug_locks is 0"));
	assert_string_equal(x.j.remark,
			    "The kernel's lock checker was switched off during the check.");
	kl_run_judgement_deinit(&x.j);
	x.c.tolerate[KL_KIND_LOCKDEP] = true;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
}

static void test_taint_that_only_a_fault_sets_convicts_unless_a_tolerated_kind_explains_it(
	void **state)
{
	static const struct {
		unsigned int bit;
		enum kl_kind explains;
	} cases[] = { { 4, KL_KIND_COUNT },
		      { 5, KL_KIND_KASAN },
		      { 7, KL_KIND_BUG },
		      { 9, KL_KIND_WARN },
		      { 14, KL_KIND_SOFT_LOCKUP } };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(cases); i++) {
		struct fixture x = good();

		x.r.tainted |= TAINT(cases[i].bit);
		judge(&x);
		assert_int_equal(x.j.verdict, KL_VERDICT_FAIL);
		assert_string_equal(x.j.remark,
				    "The kernel noted a fault that its log does not show.");
		kl_run_judgement_deinit(&x.j);
		if (cases[i].explains == KL_KIND_COUNT)
			continue;
		x.c.tolerate[cases[i].explains] = true;
		expect(&x, KL_VERDICT_PASS, NULL, NULL);
	}
}

static void test_taint_of_every_module_under_test_is_no_fault(void **state)
{
	struct fixture x = good();

	(void)state;
	x.r.tainted = TAINT(1) | TAINT(12) | TAINT(13);
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
}

static void test_changed_kernel_text_convicts_whatever_the_log_says(void **state)
{
	struct fixture x = good();
	char where[] = "kasan_report+0x0";

	(void)state;
	x.r.text_changed = 3;
	x.r.text_where = where;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: 3 bytes of the kernel's text or read-only data were changed, the first at "
	       "kasan_report+0x0. Guest time at the end 8.594620774 s.",
	       "The kernel's own code was changed during the check.");
}

static void test_hands_in_what_watches_convict_and_the_candidate_is_told_no_names(void **state)
{
	struct fixture x = good();
	char where[] = "only in memory: [    6.1] \033[31mBUG", module[] = "ghost is loaded";
	char name[] = "kasan_depth of secret", *names[] = { name, NULL };

	(void)state;
	x.r.guest_ns = 0;
	x.r.log_differs = 2;
	x.r.log_where = where;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: console and memory have different logs in 2 places, the first only in "
	       "memory: [    6.1] \\x1b[31mBUG.",
	       "The kernel's log was changed during the check.");
	x.r.log_differs = 0;
	x.r.modules_wrong = module;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: the kernel's list of modules is wrong: ghost is loaded.",
	       "The kernel's list of modules was changed during the check.");
	x.r.modules_wrong = NULL;
	x.r.switches_changed = (struct kl_strv){ names, 1 };
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: variables that steer the kernel's detectors are not what they were: "
	       "kasan_depth of secret.",
	       "The kernel's detectors were changed during the check.");
	x.r.memory_read = false;
	judge(&x);
	assert_int_equal(x.j.verdict, KL_VERDICT_INCONCLUSIVE);
	kl_run_judgement_deinit(&x.j);
}

static void test_a_switch_that_a_tolerated_report_moves_is_no_hand(void **state)
{
	static const struct {
		const char *name;
		enum kl_kind moves, other;
	} cases[] = { { "console_printk", KL_KIND_LOCKDEP, KL_KIND_WARN },
		      { "kasan_flags", KL_KIND_KASAN, KL_KIND_WARN },
		      { "__bug_table", KL_KIND_WARN, KL_KIND_KASAN },
		      { "die_counter", KL_KIND_BUG, KL_KIND_WARN },
		      { "debug_objects_warnings", KL_KIND_ODEBUG, KL_KIND_WARN },
		      { "sysctl_hung_task_warnings", KL_KIND_HUNG_TASK, KL_KIND_WARN } };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(cases); i++) {
		char *names[] = { (char *)cases[i].name, NULL };
		struct fixture x = good();

		x.r.switches_changed = (struct kl_strv){ names, 1 };
		x.c.tolerate[cases[i].other] = true;
		judge(&x);
		assert_int_equal(x.j.verdict, KL_VERDICT_FAIL);
		kl_run_judgement_deinit(&x.j);
		x.c.tolerate[cases[i].moves] = true;
		expect(&x, KL_VERDICT_PASS, NULL, NULL);
	}
}

static void test_faults_that_the_kernel_counted_convict_unless_they_are_tolerated(void **state)
{
	struct fixture x = good();

	(void)state;
	x.r.guest_ns = 0;
	x.r.oopses = 1;
	x.r.warnings = 3;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: the kernel counted 1 oopses that its log does not show; the kernel "
	       "counted "
	       "3 reports that its log does not show.",
	       "The kernel noted a fault that its log does not show.");
	x.c.tolerate[KL_KIND_BUG] = x.c.tolerate[KL_KIND_UBSAN] = true;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
}

static void test_what_went_unheard_is_named_and_gives_no_verdict(void **state)
{
	struct fixture x = good();

	(void)state;
	x.r.guest_ns = 0;
	x.r.log_cut = true;
	expect(&x, KL_VERDICT_INCONCLUSIVE,
	       "Seed 41: the kernel's log is not whole, so nothing shows that no report was in it.",
	       "The kernel's log was not whole; grade again.");
	x.r.log_cut = false;
	x.r.leaks_unheard = true;
	expect(&x, KL_VERDICT_INCONCLUSIVE,
	       "Seed 41: the leak detector gave up before the end, so nothing shows that no memory "
	       "was lost.",
	       "The leak detector gave up before the end; grade again.");
	x.r.leaks_unheard = false;
	x.r.scheduled = true;
	expect(&x, KL_VERDICT_INCONCLUSIVE,
	       "Seed 41: the schedule driver met no call of the module, so nothing shows that this "
	       "run had another schedule than any.",
	       "The run could not be put under its schedule.");
	x.r.points_hit = 1;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
}

static void test_a_flooded_log_is_no_way_to_a_pass(void **state)
{
	struct fixture x = good();

	(void)state;
	x.r.console_truncated = true;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: the kernel log was flooded beyond what is kept, so a report may have been "
	       "lost in it. Guest time at the end 8.594620774 s.",
	       "The kernel log was flooded.");
}

static void test_unread_memory_never_passes_and_never_hides_a_fault(void **state)
{
	struct fixture x = good();

	(void)state;
	x.r.memory_read = false;
	x.r.debug_locks = false;
	x.r.guest_ns = 0;
	expect(&x, KL_VERDICT_INCONCLUSIVE,
	       "Seed 41: the guest's memory could not be read, so nothing shows that the detectors "
	       "were still listening.",
	       "The guest's memory could not be read; grade again.");
	x.a.value = 0;
	judge(&x);
	assert_int_equal(x.j.verdict, KL_VERDICT_FAIL);
	kl_run_judgement_deinit(&x.j);
}

static void test_several_reasons_are_all_told_and_the_first_is_the_remark(void **state)
{
	struct fixture x = good();

	(void)state;
	report(&x, KL_KIND_KASAN);
	x.a.value = 0;
	x.r.unload_status = -EBUSY;
	x.r.guest_ns = 0;
	x.f.time_us = 0;
	expect(&x, KL_VERDICT_FAIL,
	       "Seed 41: KASAN: use-after-free Read in stash_read (stashbox.c:65); "
	       "slot 7 (secret label): expected 10 to 20, given 0; "
	       "the module could not be unloaded: EBUSY.",
	       "The kernel reported a use-after-free.");
}

static void test_a_flood_of_reports_is_counted_not_quoted(void **state)
{
	enum { FLOOD = 200 };
	KL_AUTO_FREE struct kl_finding *flood = calloc(FLOOD, sizeof(*flood));
	struct fixture x = good();

	(void)state;
	assert_non_null(flood);
	for (size_t i = 0; i < FLOOD; i++)
		flood[i] = x.f;
	x.r.findings.v = flood;
	x.r.findings.n = FLOOD;
	judge(&x);
	assert_true(says(x.j.detail, "; and 194 more."));
	assert_in_range(strlen(x.j.detail ? x.j.detail : ""), 1, 1000);
	kl_run_judgement_deinit(&x.j);
}

static void expect_silence(struct fixture *x, const char *part)
{
	judge(x);
	assert_int_equal(x->j.verdict, KL_VERDICT_INCONCLUSIVE);
	assert_true(says(x->j.detail, part));
	assert_true(says(x->j.remark, "not every detector"));
	kl_run_judgement_deinit(&x->j);
}

static void test_without_a_canary_there_is_no_pass(void **state)
{
	struct fixture x = good();

	(void)state;
	x.r.canary = false;
	expect_silence(&x, "no canary was let loose");
}

static void test_a_detector_that_does_not_report_its_canary_is_disarmed(void **state)
{
	struct fixture x = good(), y = good(), z = good();

	(void)state;
	x.r.canary_heard[KL_KIND_KASAN] = false;
	expect_silence(&x, "detector disarmed: after the run a fault made on purpose was not "
			   "reported by kasan");
	/* One that nobody called on is not asked after. */
	y.r.canary_due[KL_KIND_KASAN] = y.r.canary_heard[KL_KIND_KASAN] = false;
	expect(&y, KL_VERDICT_PASS, NULL, NULL);
	/* A check that tolerates the kind does not rely on its detector. */
	z.r.canary_heard[KL_KIND_LOCKDEP] = false;
	z.c.tolerate[KL_KIND_LOCKDEP] = true;
	expect(&z, KL_VERDICT_PASS, NULL, NULL);
}

static void test_a_mailbox_that_was_tampered_with_convicts(void **state)
{
	struct fixture x = good();

	(void)state;
	x.r.forged = true;
	judge(&x);
	assert_int_equal(x.j.verdict, KL_VERDICT_FAIL);
	assert_true(says(x.j.detail, "the mailbox was tampered with"));
	kl_run_judgement_deinit(&x.j);
}

static void test_what_was_found_convicts_whether_or_not_the_canary_was_heard(void **state)
{
	struct fixture x = good();

	(void)state;
	x.r.canary = false;
	x.a.value = 9;
	judge(&x);
	assert_int_equal(x.j.verdict, KL_VERDICT_FAIL);
	kl_run_judgement_deinit(&x.j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_run_that_answers_right_and_shows_its_memory_passes),
		cmocka_unit_test(test_without_a_canary_there_is_no_pass),
		cmocka_unit_test(test_a_detector_that_does_not_report_its_canary_is_disarmed),
		cmocka_unit_test(test_a_mailbox_that_was_tampered_with_convicts),
		cmocka_unit_test(test_what_was_found_convicts_whether_or_not_the_canary_was_heard),
		cmocka_unit_test(test_a_report_convicts_although_everything_else_is_right),
		cmocka_unit_test(test_every_kind_of_report_convicts_unless_it_is_tolerated),
		cmocka_unit_test(
			test_wrong_and_missing_answers_fail_and_name_the_slot_to_the_panel_only),
		cmocka_unit_test(test_hashes_are_shown_in_hex),
		cmocka_unit_test(test_ends_without_an_answer_are_fails_or_the_machines_fault),
		cmocka_unit_test(test_a_module_that_does_not_load_or_unload_fails),
		cmocka_unit_test(test_a_program_that_dies_hangs_or_gives_up_fails),
		cmocka_unit_test(test_a_silenced_lockdep_convicts_though_the_log_is_clean),
		cmocka_unit_test(
			test_taint_that_only_a_fault_sets_convicts_unless_a_tolerated_kind_explains_it),
		cmocka_unit_test(test_taint_of_every_module_under_test_is_no_fault),
		cmocka_unit_test(
			test_hands_in_what_watches_convict_and_the_candidate_is_told_no_names),
		cmocka_unit_test(test_a_switch_that_a_tolerated_report_moves_is_no_hand),
		cmocka_unit_test(
			test_faults_that_the_kernel_counted_convict_unless_they_are_tolerated),
		cmocka_unit_test(test_what_went_unheard_is_named_and_gives_no_verdict),
		cmocka_unit_test(test_a_flooded_log_is_no_way_to_a_pass),
		cmocka_unit_test(test_changed_kernel_text_convicts_whatever_the_log_says),
		cmocka_unit_test(test_unread_memory_never_passes_and_never_hides_a_fault),
		cmocka_unit_test(test_several_reasons_are_all_told_and_the_first_is_the_remark),
		cmocka_unit_test(test_a_flood_of_reports_is_counted_not_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
