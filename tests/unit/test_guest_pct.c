/*
 * The arithmetic of PCT as the schedule driver has it: priorities, change points
 * and the ladder on which they stand. Everything is drawn from fixed seeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest/pct.h"

static uint64_t rung(const struct kl_pct *p, int32_t id)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->task[i].id == id)
			return p->task[i].rung;
	fail_msg("task %d was not met", id);
	return 0;
}

/* Which of tasks 1 to n comes first. */
static int32_t first_of(const struct kl_pct *p, int32_t n)
{
	int32_t first = 1;

	for (int32_t i = 2; i <= n; i++)
		if (rung(p, i) < rung(p, first))
			first = i;
	return first;
}

static void meet(struct kl_pct *p, uint64_t seed, uint32_t depth, int32_t n)
{
	kl_pct_init(p, seed, depth);
	for (int32_t i = 1; i <= n; i++)
		kl_pct_meet(p, i, 0);
}

static void test_one_seed_gives_one_schedule(void **state)
{
	struct kl_pct a, b, other;
	bool differ = false;

	(void)state;
	meet(&a, 5, 3, 4);
	meet(&b, 5, 3, 4);
	meet(&other, 6, 3, 4);
	for (int i = 0; i < 20000; i++) {
		uint64_t at = kl_pct_point(&a, 1 + i % 4, 0)->rung;

		assert_int_equal(at, kl_pct_point(&b, 1 + i % 4, 0)->rung);
		differ |= at != kl_pct_point(&other, 1 + i % 4, 0)->rung;
	}
	assert_true(differ);
}

static void test_priorities_are_distinct(void **state)
{
	struct kl_pct p;

	(void)state;
	meet(&p, 1, 3, KL_PCT_TASKS);
	for (int i = 0; i < 3000; i++) {
		kl_pct_point(&p, 1 + i * 7 % KL_PCT_TASKS, 0);
		for (uint32_t a = 0; a < p.n; a++)
			for (uint32_t b = 0; i % 100 == 0 && b < a; b++)
				assert_int_not_equal(p.task[a].rung, p.task[b].rung);
	}
}

static void test_each_of_the_tasks_is_first_as_often(void **state)
{
	unsigned int first[5] = { 0 };
	struct kl_pct p;

	(void)state;
	for (uint64_t seed = 1; seed <= 4000; seed++) {
		meet(&p, seed, 1, 4);
		first[first_of(&p, 4)]++;
	}
	for (int32_t i = 1; i <= 4; i++)
		assert_in_range(first[i], 900, 1100);
}

/* Changes of the running task's rung to the lowest of all, within one round. */
static unsigned int changes_in_a_round(uint64_t seed, uint32_t depth)
{
	unsigned int changes = 0;
	struct kl_pct p;

	meet(&p, seed, depth, 3);
	kl_pct_point(&p, 1, 0); /* the round begins */
	while (p.left) {
		int32_t id = first_of(&p, 3);
		uint64_t was = rung(&p, id);

		changes += kl_pct_point(&p, id, 0)->rung != was;
	}
	return changes;
}

static void test_depth_d_changes_at_most_d_less_one_times_in_a_round(void **state)
{
	unsigned int sum[KL_PCT_DEPTH + 1] = { 0 };

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		for (uint32_t depth = 1; depth <= KL_PCT_DEPTH; depth++) {
			unsigned int changes = changes_in_a_round(seed, depth);

			assert_in_range(changes, 0, depth - 1);
			sum[depth] += changes;
		}
	}
	assert_int_equal(sum[1], 0);
	/* One in a while falls on a round's first point, or two on one. */
	assert_in_range(sum[2], 260, 300);
	assert_in_range(sum[3], 510, 600);
}

static void test_every_scale_of_rounds_is_drawn_as_often(void **state)
{
	unsigned int octave[KL_PCT_LONG + 1] = { 0 };
	struct kl_pct p;

	(void)state;
	for (uint64_t seed = 1; seed <= 6000; seed++) {
		int log = KL_PCT_SHORT;

		meet(&p, seed, 2, 2);
		while (p.k >> log > 1)
			log++;
		octave[log]++;
		kl_pct_point(&p, 1, 0);
		assert_in_range(p.left + 1, p.k, 2 * p.k - 1);
		assert_in_range(p.change[0], 1, p.left + 1);
	}
	for (int log = KL_PCT_SHORT; log < KL_PCT_LONG; log++)
		assert_in_range(octave[log], 900, 1100);
}

static void test_a_task_alone_uses_up_no_points(void **state)
{
	struct kl_pct p;

	(void)state;
	meet(&p, 4, 3, 1);
	for (int i = 0; i < 10000; i++)
		kl_pct_point(&p, 1, 0);
	assert_int_equal(p.points, 0);
	kl_pct_point(&p, 2, 0);
	assert_int_equal(p.points, 1);
}

/* Without this one that waits in a loop for a lower one would wait for ever. */
static void test_who_runs_out_of_patience_goes_below_the_others(void **state)
{
	struct kl_pct p;
	int32_t first, second;

	(void)state;
	kl_pct_init(&p, 8, 1);
	for (int32_t i = 1; i <= 3; i++)
		kl_pct_meet(&p, i, 0);
	kl_pct_point(&p, 1, 0); /* the round begins */
	first = first_of(&p, 3);
	p.left = 1000000;
	kl_pct_point(&p, first, 0);
	kl_pct_point(&p, first, KL_PCT_PATIENCE_NS);
	assert_int_equal(first_of(&p, 3), first);
	kl_pct_point(&p, first, KL_PCT_PATIENCE_NS + 1);
	second = first_of(&p, 3);
	assert_int_not_equal(second, first);
	assert_int_equal(rung(&p, first), p.lowest);
	/* And has as much again. */
	kl_pct_point(&p, first, 2 * KL_PCT_PATIENCE_NS);
	assert_int_equal(rung(&p, first), p.lowest);
}

static void test_the_lowest_stays_where_it_is_when_it_sinks(void **state)
{
	struct kl_pct_task *t;
	struct kl_pct p;
	uint64_t at;

	(void)state;
	meet(&p, 2, 1, 2);
	t = kl_pct_meet(&p, 1, 0);
	kl_pct_sink(&p, t, 0);
	at = t->rung;
	for (int i = 0; i < 10; i++)
		kl_pct_sink(&p, t, 0);
	assert_int_equal(t->rung, at);
}

static void test_the_oldest_task_is_forgotten_when_there_are_too_many(void **state)
{
	struct kl_pct p;

	(void)state;
	meet(&p, 2, 2, KL_PCT_TASKS);
	for (int32_t i = 1; i <= KL_PCT_TASKS; i++)
		if (i != 7)
			kl_pct_point(&p, i, 0);
	kl_pct_meet(&p, 1000, 0);
	assert_int_equal(p.n, KL_PCT_TASKS);
	for (uint32_t i = 0; i < p.n; i++)
		assert_int_not_equal(p.task[i].id, 7);
	rung(&p, 1000);
	rung(&p, 6);
}

static void test_a_depth_out_of_range_is_brought_into_it(void **state)
{
	struct kl_pct p;

	(void)state;
	kl_pct_init(&p, 1, 0);
	assert_int_equal(p.depth, 1);
	kl_pct_init(&p, 1, 4000000000U);
	assert_int_equal(p.depth, KL_PCT_DEPTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_seed_gives_one_schedule),
		cmocka_unit_test(test_priorities_are_distinct),
		cmocka_unit_test(test_each_of_the_tasks_is_first_as_often),
		cmocka_unit_test(test_depth_d_changes_at_most_d_less_one_times_in_a_round),
		cmocka_unit_test(test_every_scale_of_rounds_is_drawn_as_often),
		cmocka_unit_test(test_a_task_alone_uses_up_no_points),
		cmocka_unit_test(test_who_runs_out_of_patience_goes_below_the_others),
		cmocka_unit_test(test_the_lowest_stays_where_it_is_when_it_sinks),
		cmocka_unit_test(test_the_oldest_task_is_forgotten_when_there_are_too_many),
		cmocka_unit_test(test_a_depth_out_of_range_is_brought_into_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
