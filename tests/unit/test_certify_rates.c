/* runner/cli/certify_rates.c: what hangs on seeds, and on how many. Sessions are played by a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The command is no library: the file under test comes in whole, what it calls of cli stands below. */
#include "cli/certify_rates.c" /* NOLINT(bugprone-suspicious-include) */

#define VARIANTS 4
#define CHECKS	 3
#define OWN	 8

/* Exercise: “plain” always runs the same way; “race” and “storm” have a schedule. */
static char plain[] = "plain", race[] = "race", storm[] = "storm";
static char broken[] = "broken", reference[] = "reference", decoy[] = "decoy";

struct lab {
	struct kl_check checks[CHECKS];
	struct kl_variant variants[VARIANTS];
	struct cli_outcome outcomes[VARIANTS];
	struct cli_certification c;
};

/* Of a variant in a check: it fails seeds 1, 1 + every, …; 0: none. */
static unsigned int every[VARIANTS][CHECKS];
static const struct lab *playing;
static unsigned int made; /* runs that were asked for beside those of the outcomes */

void cli_progress_part(const char *fmt, ...)
{
	(void)fmt;
}

void cli_judgement_deinit(struct cli_judgement *j)
{
	for (size_t i = 0; i < j->result.n_checks; i++)
		free(j->result.checks[i].seeds_failed);
	free(j->result.checks);
	*j = (struct cli_judgement){ 0 };
}

static void play(const struct lab *lab, size_t v, size_t c, uint64_t first, unsigned int runs,
		 struct kl_check_result *r)
{
	const unsigned int n = every[v][c];

	*r = (struct kl_check_result){ .id = lab->checks[c].id, .runs = runs };
	r->seeds_failed = calloc(runs, sizeof(*r->seeds_failed));
	assert_non_null(r->seeds_failed);
	for (uint64_t seed = first; n && seed < first + runs; seed++)
		if ((seed - 1) % n == 0)
			r->seeds_failed[r->n_seeds_failed++] = seed;
	r->failures = (unsigned int)r->n_seeds_failed;
	r->verdict = r->failures ? KL_VERDICT_FAIL : KL_VERDICT_PASS;
}

int cli_certify_judge(const struct kl_exercise *e, const struct kl_session_options *o,
		      const struct kl_variant *v, struct cli_judgement *ret, struct kl_error *err)
{
	size_t c = 0;

	(void)e;
	(void)err;
	while (!kl_str_eq(playing->checks[c].id, o->only_check))
		c++;
	assert_true(o->all_seeds);
	ret->result.checks = calloc(1, sizeof(*ret->result.checks));
	assert_non_null(ret->result.checks);
	ret->result.n_checks = 1;
	play(playing, (size_t)(v - playing->variants), c, 1 + o->skip_seeds, o->seeds,
	     ret->result.checks);
	made += o->seeds;
	return 0;
}

static void grade(struct lab *lab, size_t v)
{
	struct kl_result *r = &lab->outcomes[v].judgement.result;

	lab->outcomes[v].variant = &lab->variants[v];
	r->checks = calloc(CHECKS, sizeof(*r->checks));
	assert_non_null(r->checks);
	r->n_checks = CHECKS;
	for (size_t c = 0; c < CHECKS; c++) {
		play(lab, v, c, 1, lab->checks[c].seeds, &r->checks[c]);
		if (r->checks[c].failures)
			r->verdict = KL_VERDICT_FAIL;
	}
}

/* decoy_race: how often the decoy fails “race”; and so on. */
static void certify(struct lab *lab, unsigned int decoy_plain, unsigned int decoy_race,
		    unsigned int decoy_storm)
{
	const struct kl_session_options o = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	memset(every, 0, sizeof(every));
	every[0][0] = every[0][1] = 1; /* broken: plain and race, every seed */
	every[2][0] = decoy_plain;
	every[2][1] = decoy_race;
	every[2][2] = decoy_storm;
	*lab = (struct lab){
		.checks = { { .id = plain, .seeds = 1 },
			    { .id = race, .seeds = OWN, .schedule = KL_SCHEDULE_RANDOM },
			    { .id = storm, .seeds = OWN, .schedule = KL_SCHEDULE_RANDOM } },
		.variants = { { .name = broken, .role = KL_ROLE_BROKEN },
			      { .name = reference, .role = KL_ROLE_REFERENCE },
			      { .name = decoy, .role = KL_ROLE_DECOY } },
	};
	playing = lab;
	made = 0;
	for (size_t v = 0; v < 3; v++)
		grade(lab, v);
	lab->c.exercise.checks = lab->checks;
	lab->c.exercise.n_checks = CHECKS;
	lab->c.outcomes = lab->outcomes;
	lab->c.n_outcomes = 3;
	lab->c.certified = true;
	assert_int_equal(cli_certify_measure(&lab->c, &o, false, &err), 0);
	assert_int_equal(cli_certify_weigh(&lab->c, &err), 0);
	assert_int_equal(cli_certify_controls(&lab->c, &err), 0);
}

static void lab_end(struct lab *lab)
{
	for (size_t i = 0; i < lab->c.n_proofs; i++)
		cli_proof_deinit(&lab->c.proofs[i]);
	free(lab->c.proofs);
	for (size_t v = 0; v < 3; v++) {
		cli_judgement_deinit(&lab->outcomes[v].judgement);
		free(lab->outcomes[v].objection);
	}
}

#define OF_BROKEN (2 * (RATE_SEEDS - OWN)) /* measured in both scheduled checks whatever happens */

static void test_what_a_fixed_run_catches_hangs_on_no_seed(void **state)
{
	struct lab lab;

	(void)state;
	certify(&lab, 1, 8, 0);
	assert_null(lab.outcomes[2].hangs_on);
	assert_true(lab.outcomes[2].confidence == 1);
	assert_null(lab.outcomes[2].objection);
	assert_int_equal(made, OF_BROKEN);
	lab_end(&lab);
}

static void test_the_rate_is_measured_where_seeds_decide(void **state)
{
	const struct cli_rate *rate;
	struct lab lab;

	(void)state;
	certify(&lab, 0, 1, 0);
	assert_int_equal(made, OF_BROKEN + RATE_SEEDS - OWN);
	rate = find_rate(&lab.c.proofs[1], &lab.variants[2]);
	assert_int_equal(rate->own, OWN);
	assert_int_equal(rate->runs, RATE_SEEDS);
	assert_int_equal(rate->failures, RATE_SEEDS);
	/* Each seed once: the later ones follow the exercise's own. */
	for (unsigned int i = 0; i < RATE_SEEDS; i++)
		assert_int_equal(rate->seeds_failed[i], i + 1);
	assert_ptr_equal(lab.outcomes[2].hangs_on, &lab.checks[1]);
	assert_float_equal(lab.outcomes[2].confidence, kl_confidence(32 / 33.0, OWN), 1e-12);
	assert_null(lab.outcomes[2].objection);
	assert_int_equal(lab.c.proofs[1].seeds_needed, 2);
	assert_int_equal(lab.c.proofs[2].seeds_needed, 0);
	lab_end(&lab);
}

static void test_too_few_seeds_are_told_with_the_number_that_would_do(void **state)
{
	struct lab lab;

	(void)state;
	certify(&lab, 0, 4, 0); /* 8 of 32: p = 8/33, and (25/33)^25 is the first below 0.001 */
	assert_non_null(lab.outcomes[2].objection);
	assert_non_null(strstr(lab.outcomes[2].objection, "race fails it in 8 of 32"));
	assert_non_null(strstr(lab.outcomes[2].objection, "seeds: 25 would do"));
	assert_int_equal(lab.c.proofs[1].seeds_needed, 25);
	lab_end(&lab);
}

static void test_a_window_that_no_seeds_can_afford_is_to_be_widened(void **state)
{
	struct lab lab;

	(void)state;
	certify(&lab, 0, 32, 0); /* 1 of 32 */
	assert_non_null(lab.outcomes[2].objection);
	assert_non_null(strstr(lab.outcomes[2].objection, "widen the window"));
	assert_null(strstr(lab.outcomes[2].objection, "would do"));
	lab_end(&lab);
}

static void test_checks_that_catch_together_are_counted_together(void **state)
{
	double miss;
	struct lab lab;

	(void)state;
	certify(&lab, 0, 2, 2); /* 16 of 32 in either: one alone is not enough, both are */
	miss = 1 - kl_confidence(16 / 33.0, OWN);
	assert_true(miss > 0.001);
	assert_null(lab.outcomes[2].objection);
	assert_int_equal(find_rate(&lab.c.proofs[1], &lab.variants[2])->runs, RATE_SEEDS);
	assert_float_equal(lab.outcomes[2].confidence,
			   1 - miss * missed(find_rate(&lab.c.proofs[2], &lab.variants[2])), 1e-12);
	assert_true(lab.outcomes[2].confidence >= 0.999);
	lab_end(&lab);
}

static void test_a_check_that_nothing_wrong_fails_is_objected_to(void **state)
{
	struct lab lab;

	(void)state;
	certify(&lab, 1, 0, 0);
	assert_string_equal(lab.c.proofs[0].control->name, "broken");
	assert_string_equal(lab.c.proofs[1].control->name, "broken");
	assert_null(lab.c.proofs[2].control);
	assert_non_null(strstr(lab.c.proofs[2].objection, "add a decoy"));
	assert_false(lab.c.certified);
	lab_end(&lab);
	certify(&lab, 1, 0, 1);
	assert_string_equal(lab.c.proofs[2].control->name, "decoy");
	assert_true(lab.c.certified);
	lab_end(&lab);
}

/* “race” without a schedule, on two CPUs. */
static void test_a_parallel_check_gets_the_rate_of_broken_code(void **state)
{
	const struct kl_session_options o = { 0 };
	struct kl_error err = KL_ERROR_INIT;
	const struct cli_rate *rate;
	struct lab lab;

	(void)state;
	for (int quick = 0; quick < 2; quick++) {
		certify(&lab, 0, 0, 0);
		for (size_t i = 0; i < lab.c.n_proofs; i++)
			cli_proof_deinit(&lab.c.proofs[i]);
		free(lab.c.proofs);
		lab.c.n_proofs = 0;
		every[0][1] = 3;
		lab.checks[1].schedule = KL_SCHEDULE_NONE;
		lab.checks[1].mode = KL_MODE_PARALLEL;
		cli_judgement_deinit(&lab.outcomes[0].judgement);
		grade(&lab, 0);
		made = 0;
		assert_int_equal(cli_certify_measure(&lab.c, &o, quick, &err), 0);
		rate = find_rate(&lab.c.proofs[1], &lab.variants[0]);
		assert_ptr_equal(lab.c.proofs[1].known, rate);
		assert_int_equal(rate ? rate->runs : 0, RATE_SEEDS);
		assert_int_equal(rate ? rate->failures : 0, 11);
		/* Nothing passes without it, so that it is measured in a hurry too; schedules are not. */
		assert_int_equal(made, (quick ? 1 : 2) * (RATE_SEEDS - OWN));
		assert_null(lab.c.proofs[2].known);
		lab_end(&lab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_fixed_run_catches_hangs_on_no_seed),
		cmocka_unit_test(test_the_rate_is_measured_where_seeds_decide),
		cmocka_unit_test(test_too_few_seeds_are_told_with_the_number_that_would_do),
		cmocka_unit_test(test_a_window_that_no_seeds_can_afford_is_to_be_widened),
		cmocka_unit_test(test_checks_that_catch_together_are_counted_together),
		cmocka_unit_test(test_a_check_that_nothing_wrong_fails_is_objected_to),
		cmocka_unit_test(test_a_parallel_check_gets_the_rate_of_broken_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
