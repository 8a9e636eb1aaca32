/* graders/check.c: what silence is worth without a control, and how sure parallel runs can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/report.h>

#include "graded.h"

static void say(char **to, const char *text)
{
	free(*to);
	*to = strdup(text);
	assert_non_null(*to);
}

static struct kl_check_evidence *storm(struct graded *g)
{
	graded_load(g, "reference");
	for (size_t i = 0; i < g->ev.n_checks; i++)
		if (kl_str_eq(g->ev.checks[i].check, "zq-storm"))
			return &g->ev.checks[i];
	fail_msg("the recording has no zq-storm");
	return NULL;
}

static void test_silence_counts_when_the_control_has_failed(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;
	struct kl_check_evidence *c = storm(&g);

	(void)state;
	c->control = (struct kl_control){ .asked = true, .runs = 2, .failures = 1, .cached = true };
	say(&c->control.variant, "broken");
	graded_grade(&g);
	assert_int_equal(g.res.verdict, KL_VERDICT_PASS);
	assert_string_equal(graded_check(&g, "zq-storm")->control.variant, "broken");
	assert_true(graded_check(&g, "zq-storm")->control.cached);
}

static void test_silence_says_nothing_when_the_control_is_silent_too(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;
	struct kl_check_evidence *c = storm(&g);

	(void)state;
	c->control = (struct kl_control){ .asked = true, .runs = 4 };
	say(&c->control.variant, "zq-decoy");
	graded_grade(&g);
	assert_int_equal(g.res.verdict, KL_VERDICT_INCONCLUSIVE);
	assert_int_equal(graded_check(&g, "zq-storm")->verdict, KL_VERDICT_INCONCLUSIVE);
	assert_non_null(strstr(graded_check(&g, "zq-storm")->detail, "zq-decoy"));
	assert_null(strstr(graded_check(&g, "zq-storm")->remark, "zq"));
	/* What was not decided is not lost. */
	assert_int_equal(graded_check(&g, "zq-storm")->points_max, 0);
}

static void test_silence_says_nothing_without_anything_that_could_fail(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;
	struct kl_check_evidence *c = storm(&g);

	(void)state;
	c->control.asked = true;
	graded_grade(&g);
	assert_int_equal(graded_check(&g, "zq-storm")->verdict, KL_VERDICT_INCONCLUSIVE);
	assert_non_null(strstr(graded_check(&g, "zq-storm")->detail, "wants a decoy"));
}

static void test_a_control_that_the_machine_lost_is_the_machines_fault(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;
	struct kl_check_evidence *c = storm(&g);

	(void)state;
	c->control.asked = true;
	say(&c->control.variant, "broken");
	say(&c->control.infra, "zq: no space left.");
	graded_grade(&g);
	assert_int_equal(g.res.verdict, KL_VERDICT_INFRA);
	assert_non_null(strstr(graded_check(&g, "zq-storm")->detail, "no space left"));
	assert_null(strstr(graded_check(&g, "zq-storm")->remark, "zq"));
}

static void test_a_failure_needs_no_control(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;
	struct kl_check_evidence *c = storm(&g);

	(void)state;
	c->control.asked = true;
	c->runs[1].end = KL_END_PANIC;
	graded_grade(&g);
	assert_int_equal(graded_check(&g, "zq-storm")->verdict, KL_VERDICT_FAIL);
}

/* The recording's four runs of zq-storm as parallel ones, with a known rate. */
static void parallel(struct graded *g, unsigned int runs, unsigned int failures)
{
	struct kl_check_evidence *c = storm(g);

	assert_int_equal(c->n_runs, 4);
	c->mode = KL_MODE_PARALLEL;
	c->known = (struct kl_known){ .runs = runs, .failures = failures };
	say(&c->known.variant, "broken");
	graded_grade(g);
}

static void test_parallel_runs_pass_with_three_nines(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	parallel(&g, 32, 32); /* p = 32/33: 1 - (1/33)^4 */
	assert_int_equal(g.res.verdict, KL_VERDICT_PASS);
	assert_float_equal(graded_check(&g, "zq-storm")->confidence, 1 - 1 / (33.0 * 33 * 33 * 33),
			   1e-12);
	assert_int_equal(graded_check(&g, "zq-storm")->known.failures, 32);
}

static void test_parallel_runs_below_three_nines_are_no_pass(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	parallel(&g, 31, 16); /* p = 1/2: 15 of 16 */
	assert_int_equal(g.res.verdict, KL_VERDICT_INCONCLUSIVE);
	assert_float_equal(graded_check(&g, "zq-storm")->confidence, 0.9375, 1e-12);
	assert_non_null(strstr(graded_check(&g, "zq-storm")->detail, "16 of 31"));
	assert_null(strstr(graded_check(&g, "zq-storm")->remark, "broken"));
}

static void test_a_parallel_failure_needs_no_confidence(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	parallel(&g, 32, 1);
	g.ev.checks[1].runs[0].end = KL_END_RESET;
	graded_grade(&g);
	assert_int_equal(g.res.verdict, KL_VERDICT_FAIL);
}

static void test_no_count_of_runs_is_a_certainty(void **state)
{
	(void)state;
	assert_true(kl_chance(0, 0) == 0);
	assert_true(kl_chance(32, 0) == 0);
	assert_true(kl_chance(32, 32) < 1 && kl_chance(64, 64) > kl_chance(32, 32));
	assert_true(kl_confidence(0.5, 0) == 0);
	assert_true(kl_confidence(0, 1024) == 0);
	assert_float_equal(kl_confidence(0.5, 10), 0.9990234375, 1e-12);
}

static void test_control_and_known_rate_come_back_from_json(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;
	struct kl_check_evidence *c = storm(&g);
	KL_AUTO(kl_evidence_deinit) struct kl_evidence again = { 0 };
	KL_AUTO(kl_result_deinit) struct kl_result read = { 0 };
	KL_AUTO_JSON json_t *ev = NULL, *res = NULL;
	struct kl_error err = KL_ERROR_INIT;
	size_t i = (size_t)(c - g.ev.checks);

	(void)state;
	c->control = (struct kl_control){ .asked = true, .runs = 3, .failures = 1 };
	say(&c->control.variant, "late");
	say(&c->control.infra, "why");
	c->known = (struct kl_known){ .runs = 9, .failures = 5 };
	say(&c->known.variant, "broken");
	graded_grade(&g);
	ev = kl_evidence_json(&g.ev);
	res = kl_result_json(&g.res);
	assert_int_equal(kl_evidence_from_json(ev, &again, &err), 0);
	assert_int_equal(kl_result_from_json(res, &read, &err), 0);
	assert_true(again.checks[i].control.asked);
	assert_string_equal(again.checks[i].control.variant, "late");
	assert_string_equal(again.checks[i].control.infra, "why");
	assert_int_equal(again.checks[i].control.runs, 3);
	assert_int_equal(again.checks[i].known.failures, 5);
	assert_int_equal(read.checks[i].control.failures, 1);
	assert_null(read.checks[i].control.infra);
	assert_string_equal(read.checks[i].known.variant, "broken");
	/* And a document of the time before them has neither. */
	assert_false(again.checks[0].control.asked);
	assert_null(read.checks[0].known.variant);
}

static void test_the_control_is_named_to_the_panel_alone(void **state)
{
	const struct kl_text_style style = { .width = 200, .unicode = true };
	KL_AUTO(graded_deinit) struct graded g;
	struct kl_check_evidence *c = storm(&g);

	(void)state;
	c->control = (struct kl_control){ .asked = true, .runs = 1, .failures = 1 };
	say(&c->control.variant, "zq-decoy");
	c->known = (struct kl_known){ .runs = 9, .failures = 5 };
	say(&c->known.variant, "zq-known");
	graded_grade(&g);
	for (int a = 0; a < 2; a++) {
		KL_AUTO(kl_buf_deinit)
		struct kl_buf text = KL_BUF_INIT, html = KL_BUF_INIT, junit = KL_BUF_INIT;
		enum kl_audience who = a ? KL_AUDIENCE_CANDIDATE : KL_AUDIENCE_PANEL;
		struct kl_error err = KL_ERROR_INIT;

		assert_int_equal(kl_report_text(&g.res, who, &style, &text, &err), 0);
		assert_int_equal(kl_report_html(&g.res, who, &html, &err), 0);
		assert_int_equal(kl_report_junit(&g.res, who, &junit, &err), 0);
		if (who == KL_AUDIENCE_PANEL) {
			assert_non_null(strstr(kl_buf_str(&text), "control: zq-decoy fails it"));
			continue;
		}
		assert_null(strstr(kl_buf_str(&text), "zq-"));
		assert_null(strstr(kl_buf_str(&html), "zq-"));
		assert_null(strstr(kl_buf_str(&junit), "zq-"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silence_counts_when_the_control_has_failed),
		cmocka_unit_test(test_silence_says_nothing_when_the_control_is_silent_too),
		cmocka_unit_test(test_silence_says_nothing_without_anything_that_could_fail),
		cmocka_unit_test(test_a_control_that_the_machine_lost_is_the_machines_fault),
		cmocka_unit_test(test_a_failure_needs_no_control),
		cmocka_unit_test(test_parallel_runs_pass_with_three_nines),
		cmocka_unit_test(test_parallel_runs_below_three_nines_are_no_pass),
		cmocka_unit_test(test_a_parallel_failure_needs_no_confidence),
		cmocka_unit_test(test_no_count_of_runs_is_a_certainty),
		cmocka_unit_test(test_control_and_known_rate_come_back_from_json),
		cmocka_unit_test(test_the_control_is_named_to_the_panel_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
