/* graders/fix.c and check.c: from recorded evidence to a result, without a guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>

#include "golden.h"
#include "graded.h"

static void test_each_recording_gives_the_result_it_gave(void **state)
{
	(void)state;
	for (size_t i = 0; graded_names[i]; i++) {
		KL_AUTO(graded_deinit) struct graded g;
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
		KL_AUTO_FREE char *path = kl_asprintf("graders/%s.result.json", graded_names[i]);
		KL_AUTO_JSON json_t *j = NULL;
		struct kl_error err = KL_ERROR_INIT;

		graded_load(&g, graded_names[i]);
		j = kl_result_json(&g.res);
		assert_non_null(j);
		assert_int_equal(kl_json_dump(j, &b, &err), 0);
		golden_hold(path, kl_buf_str(&b), b.len);
	}
}

static void test_the_reference_passes_with_every_point(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "reference");
	assert_int_equal(g.res.verdict, KL_VERDICT_PASS);
	assert_true(g.res.points == 9 && g.res.points_max == 9);
	assert_int_equal(g.res.findings.n, 0); /* the tolerated warning is none */
	assert_true(graded_check(&g, "zq-storm")->confidence == 1);
	assert_string_equal(
		g.res.summary,
		"The submission passes: 4 of 4 checks hold, in 8 runs of a real kernel.");
}

static void test_the_untouched_module_fails_and_its_report_is_found_once(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "broken");
	assert_int_equal(g.res.verdict, KL_VERDICT_FAIL);
	assert_true(g.res.points == 2 && g.res.points_max == 9);
	assert_int_equal(g.res.findings.n, 1); /* seen by two checks */
	assert_string_equal(g.res.findings.v[0].file, "stashbox.c");
	assert_int_equal(g.res.findings.v[0].line, 65);
}

static void test_a_decoy_is_caught_by_a_later_seed(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;
	const struct kl_check_result *c;

	(void)state;
	graded_load(&g, "decoy");
	c = graded_check(&g, "zq-storm");
	assert_int_equal(c->verdict, KL_VERDICT_FAIL);
	assert_int_equal(c->runs, 3);
	assert_int_equal(c->failures, 1);
	assert_int_equal(c->n_seeds_failed, 1);
	assert_int_equal(c->seeds_failed[0], 770003);
	assert_non_null(strstr(c->console, "BUG: KASAN"));
	assert_int_equal(graded_check(&g, "zq-unwind")->findings.n, 1); /* the leak, not the WARN */
	assert_int_equal(graded_check(&g, "reproducer")->verdict, KL_VERDICT_PASS);
}

static void test_what_the_machine_owes_costs_no_points(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "infra");
	assert_int_equal(g.res.verdict, KL_VERDICT_INFRA);
	assert_int_equal(graded_check(&g, "zq-storm")->verdict, KL_VERDICT_INFRA);
	assert_int_equal(graded_check(&g, "zq-contents")->verdict, KL_VERDICT_INFRA);
	assert_non_null(strstr(graded_check(&g, "zq-contents")->detail, "No space left"));
	assert_null(strstr(graded_check(&g, "zq-contents")->remark, "zq"));
	assert_true(g.res.points == 3 && g.res.points_max == 3);
}

static void test_a_failure_outweighs_the_machines_fault(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "infra");
	g.ev.checks[0].runs[0].unload_status = -16;
	graded_grade(&g);
	assert_int_equal(g.res.verdict, KL_VERDICT_FAIL);
	assert_true(g.res.points == 2 && g.res.points_max == 3);
}

static void test_fewer_runs_than_planned_are_no_pass(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "unread");
	assert_int_equal(g.res.verdict, KL_VERDICT_INCONCLUSIVE);
	assert_string_equal(graded_check(&g, "zq-storm")->detail,
			    "Only 3 of 4 planned runs were made, and none failed.");
	assert_int_equal(graded_check(&g, "zq-contents")->verdict, KL_VERDICT_INCONCLUSIVE);
	assert_true(g.res.points == 3 && g.res.points_max == 3);
}

static void test_a_parallel_check_without_a_known_rate_is_no_pass(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "reference");
	g.ev.checks[1].mode = KL_MODE_PARALLEL;
	graded_grade(&g);
	assert_int_equal(graded_check(&g, "zq-storm")->verdict, KL_VERDICT_INCONCLUSIVE);
	assert_true(graded_check(&g, "zq-storm")->confidence == 0);
	assert_int_equal(g.res.verdict, KL_VERDICT_INCONCLUSIVE);
}

static void test_a_refused_submission_fails_with_its_reasons(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "refused");
	assert_int_equal(g.res.verdict, KL_VERDICT_FAIL);
	assert_int_equal(g.res.refused.n, 2);
	assert_true(g.res.points == 0 && g.res.points_max == 9);
	assert_string_equal(g.res.summary,
			    "The submission was refused and not built: Makefile is not one of the "
			    "editable files (stashbox.c) (and 1 more).");
}

static void test_what_the_policy_refuses_is_a_graded_fail_at_its_place(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "policy");
	assert_int_equal(g.res.verdict, KL_VERDICT_FAIL);
	assert_int_equal(g.res.refused.n, 0); /* that is intake's word, and another exit status */
	assert_int_equal(g.res.policy.n, 4);
	assert_true(g.res.points == 0 && g.res.points_max == 9);
	assert_non_null(strstr(g.res.summary, "stashbox.c:64:2"));
	assert_non_null(strstr(g.res.summary, "“detector-switch” (and 1 more)"));
}

static void test_checks_that_hold_do_not_outweigh_the_policy(void **state)
{
	const struct kl_policy_note note = { .rule = (char *)"import", .refused = true };
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "reference");
	assert_int_equal(kl_policy_add(&g.ev.policy, &note), 0);
	graded_grade(&g);
	assert_int_equal(g.res.verdict, KL_VERDICT_FAIL);
	assert_true(g.res.points == 0 && g.res.points_max == 9);
}

static void test_what_is_only_pointed_out_costs_nothing(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "flagged");
	assert_int_equal(g.res.verdict, KL_VERDICT_PASS);
	assert_true(g.res.points == 9);
	assert_int_equal(g.res.policy.n, 2);
}

static void test_a_module_that_does_not_build_fails_at_its_first_error(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "unbuildable");
	assert_int_equal(g.res.verdict, KL_VERDICT_FAIL);
	assert_string_equal(
		g.res.summary,
		"The submission fails: the module does not build: stashbox.c:64: implicit "
		"declaration of function ‘spin_lok’; did you mean ‘spin_lock’?");
	assert_true(g.res.points == 0 && g.res.points_max == 9);
	assert_int_equal(graded_check(&g, "zq-storm")->verdict, KL_VERDICT_FAIL);
	for (size_t i = 0; i < g.res.n_dimensions; i++)
		assert_false(g.res.dimensions[i].assessed);
	g.ev.builds[0].timed_out = true;
	graded_grade(&g);
	assert_string_equal(g.res.summary, "The submission fails: compiling it took too long and "
					   "was stopped.");
}

static void test_evidence_of_another_exercise_is_refused(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;
	struct kl_error err = KL_ERROR_INIT;
	struct kl_result res = { 0 };

	(void)state;
	graded_load(&g, "reference");
	free(g.ev.checks[2].check);
	g.ev.checks[2].check = strdup("nobody");
	assert_int_equal(kl_grade(&g.e, &g.r, &g.ev, &res, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_non_null(strstr(err.message, "nobody"));
	free(g.ev.exercise);
	g.ev.exercise = strdup("other");
	assert_int_equal(kl_grade(&g.e, &g.r, &g.ev, &res, &err), -1);
	assert_non_null(strstr(err.message, "other"));
	assert_null(res.checks); /* untouched on failure */
}

static void test_a_result_without_any_check_is_no_pass(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "refused");
	kl_strv_deinit(&g.ev.refused);
	graded_grade(&g);
	assert_int_equal(g.res.verdict, KL_VERDICT_INCONCLUSIVE);
	assert_string_equal(g.res.summary, "No verdict: no check was run.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_recording_gives_the_result_it_gave),
		cmocka_unit_test(test_the_reference_passes_with_every_point),
		cmocka_unit_test(test_the_untouched_module_fails_and_its_report_is_found_once),
		cmocka_unit_test(test_a_decoy_is_caught_by_a_later_seed),
		cmocka_unit_test(test_what_the_machine_owes_costs_no_points),
		cmocka_unit_test(test_a_failure_outweighs_the_machines_fault),
		cmocka_unit_test(test_fewer_runs_than_planned_are_no_pass),
		cmocka_unit_test(test_a_parallel_check_without_a_known_rate_is_no_pass),
		cmocka_unit_test(test_a_refused_submission_fails_with_its_reasons),
		cmocka_unit_test(test_what_the_policy_refuses_is_a_graded_fail_at_its_place),
		cmocka_unit_test(test_checks_that_hold_do_not_outweigh_the_policy),
		cmocka_unit_test(test_what_is_only_pointed_out_costs_nothing),
		cmocka_unit_test(test_a_module_that_does_not_build_fails_at_its_first_error),
		cmocka_unit_test(test_evidence_of_another_exercise_is_refused),
		cmocka_unit_test(test_a_result_without_any_check_is_no_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
