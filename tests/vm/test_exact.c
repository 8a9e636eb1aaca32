/*
 * The promise on which everything stands: the same template and the same orders
 * give the same run, to the byte of the kernel's log, time stamps included.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>

#include "tests/vm/fixture.h"

static void assert_same_run(const struct fixture_run *a, const struct fixture_run *b)
{
	assert_int_equal(a->run.end, KL_END_ANSWERED);
	assert_int_equal(a->run.program, KL_PROGRAM_EXITED);
	assert_string_equal(a->run.console, b->run.console);
	assert_int_equal(a->run.guest_ns, b->run.guest_ns);
	assert_int_equal(a->run.points_hit, b->run.points_hit);
	assert_int_equal(a->run.preempted, b->run.preempted);
	assert_memory_equal(&a->slots, &b->slots, sizeof(a->slots));
}

static void test_one_seed_gives_one_log(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(fixture_run_deinit) struct fixture_run a = { 0 }, b = { 0 };

	fixture_run(f, "racy", 7, &a);
	fixture_run(f, "racy", 7, &b);
	assert_true(a.run.preempted > 0);
	assert_same_run(&a, &b);
}

static void test_one_seed_gives_one_log_by_priorities_too(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(fixture_run_deinit) struct fixture_run a = { 0 }, b = { 0 }, other = { 0 };

	fixture_run(f, "racy-pct", 7, &a);
	fixture_run(f, "racy-pct", 7, &b);
	fixture_run(f, "racy-pct", 8, &other);
	assert_true(a.run.preempted > 0);
	assert_same_run(&a, &b);
	assert_int_not_equal(a.run.guest_ns, other.run.guest_ns);
}

/* A right fix may contain such a loop, and must not be judged to hang for our priorities. */
static void test_tasks_that_wait_in_loops_for_lower_ones_come_to_their_end(void **state)
{
	struct fixture *f = *state;

	for (uint64_t seed = 1; seed <= 3; seed++) {
		KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };

		fixture_run(f, "spin", seed, &r);
		assert_int_equal(r.run.end, KL_END_ANSWERED);
		assert_int_equal(r.run.program, KL_PROGRAM_EXITED);
		assert_int_equal(r.slots.value[0], 18);
		assert_null(strstr(r.run.console, "BUG:"));
	}
}

static void test_another_seed_gives_another_schedule(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(fixture_run_deinit) struct fixture_run a = { 0 }, b = { 0 };

	fixture_run(f, "racy", 7, &a);
	fixture_run(f, "racy", 8, &b);
	assert_int_not_equal(a.run.guest_ns, b.run.guest_ns);
}

static void test_cpu_hogs_beside_a_run_change_nothing(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(fixture_run_deinit) struct fixture_run a = { 0 }, b = { 0 };
	struct kl_process hog[2] = { KL_PROCESS_INIT, KL_PROCESS_INIT };

	fixture_run(f, "racy", 9, &a);
	fixture_hogs(hog, 2);
	fixture_run(f, "racy", 9, &b);
	for (int i = 0; i < 2; i++)
		kl_process_deinit(&hog[i]);
	assert_same_run(&a, &b);
}

static void test_a_rebuilt_template_has_the_same_ram_and_gives_the_same_run(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(fixture_run_deinit) struct fixture_run a = { 0 }, b = { 0 };
	char before[KL_DIGEST_HEX];

	fixture_run(f, "racy", 11, &a);
	memcpy(before, kl_template_ram_digest(f->exact), sizeof(before));
	fixture_rebuild(f);
	assert_true(kl_template_fresh(f->exact));
	fixture_run(f, "racy", 11, &b);
	assert_string_equal(before, kl_template_ram_digest(f->exact));
	assert_same_run(&a, &b);
}

static void test_a_template_that_is_made_anew_beside_an_open_one_leaves_that_one_as_it_was(
	void **state)
{
	struct fixture *f = *state;
	KL_AUTO(fixture_run_deinit) struct fixture_run a = { 0 }, b = { 0 };
	KL_AUTO(kl_template_destroy_p) struct kl_template *first = NULL;

	fixture_run(f, "racy", 13, &a);
	first = kl_take(f->exact);
	fixture_rebuild(f);
	fixture_run_in(f, first, "racy", 13, &b);
	assert_same_run(&a, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_seed_gives_one_log),
		cmocka_unit_test(test_one_seed_gives_one_log_by_priorities_too),
		cmocka_unit_test(test_tasks_that_wait_in_loops_for_lower_ones_come_to_their_end),
		cmocka_unit_test(test_another_seed_gives_another_schedule),
		cmocka_unit_test(test_cpu_hogs_beside_a_run_change_nothing),
		cmocka_unit_test(
			test_a_template_that_is_made_anew_beside_an_open_one_leaves_that_one_as_it_was),
		cmocka_unit_test(test_a_rebuilt_template_has_the_same_ram_and_gives_the_same_run),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
