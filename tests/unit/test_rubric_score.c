/* graders/rubric.c, and the rubric that we ship. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>

#include "graded.h"

static const struct kl_dimension_score *score(const struct graded *g, const char *id)
{
	for (size_t i = 0; i < g->res.n_dimensions; i++)
		if (kl_str_eq(g->res.dimensions[i].id, id))
			return &g->res.dimensions[i];
	fail_msg("no dimension %s", id);
	return NULL;
}

static void test_the_shipped_rubric_has_the_panels_weights_and_anchors_for_each_level(void **state)
{
	static const struct {
		const char *id;
		unsigned int weight;
	} panel[] = { { "kernel-fundamentals", 15 }, { "debugging-rca", 20 }, { "concurrency", 15 },
		      { "performance", 15 },	     { "patch-quality", 10 }, { "operational", 10 },
		      { "communication", 10 },	     { "upstream", 5 } };
	KL_AUTO(graded_deinit) struct graded g;
	unsigned int sum = 0;

	(void)state;
	graded_open(&g);
	assert_string_equal(g.r.id, "senior-kernel-engineer");
	assert_int_equal(g.r.n, KL_ARRAY_SIZE(panel));
	for (size_t i = 0; i < g.r.n; i++) {
		assert_string_equal(g.r.dimensions[i].id, panel[i].id);
		assert_int_equal(g.r.dimensions[i].weight, panel[i].weight);
		sum += g.r.dimensions[i].weight;
		for (size_t k = 0; k < KL_RUBRIC_LEVELS; k++) {
			assert_true(strlen(g.r.dimensions[i].levels[k]) > 100);
			for (size_t m = 0; m < k; m++)
				assert_string_not_equal(g.r.dimensions[i].levels[k],
							g.r.dimensions[i].levels[m]);
		}
	}
	assert_int_equal(sum, 100);
}

static void test_a_dimension_is_scored_by_the_points_of_the_checks_that_bear_on_it(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "wrong-answer"); /* storm (4 points) and contents (2) fail */
	/* reproducer 1 of 1, storm 0 of 4, contents 0 of 2 */
	assert_true(score(&g, "concurrency")->score == 4.0 / 7);
	/* reproducer 1 of 1, storm 0 of 4 */
	assert_true(score(&g, "debugging-rca")->score == 4.0 / 5);
	/* reproducer 1 of 1, unwind 2 of 2: its own list replaces the exercise's */
	assert_true(score(&g, "patch-quality")->score == 4);
}

static void test_a_dimension_that_no_check_speaks_to_is_not_assessed(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "broken");
	assert_false(score(&g, "performance")->assessed);
	assert_false(score(&g, "upstream")->assessed);
	assert_true(score(&g, "concurrency")->assessed);
	assert_true(score(&g, "concurrency")->score == 0); /* nought is something else */
}

static void test_undecided_checks_do_not_count_for_or_against(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;

	(void)state;
	graded_load(&g, "infra"); /* storm and contents undecided */
	assert_true(score(&g, "concurrency")->assessed);
	assert_true(score(&g, "concurrency")->score == 4); /* of the reproducer alone */
	g.ev.checks[0].planned = 99; /* now that is undecided, too */
	graded_grade(&g);
	assert_false(score(&g, "concurrency")->assessed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_the_shipped_rubric_has_the_panels_weights_and_anchors_for_each_level),
		cmocka_unit_test(
			test_a_dimension_is_scored_by_the_points_of_the_checks_that_bear_on_it),
		cmocka_unit_test(test_a_dimension_that_no_check_speaks_to_is_not_assessed),
		cmocka_unit_test(test_undecided_checks_do_not_count_for_or_against),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
