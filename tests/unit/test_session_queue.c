/* Which runs count, and how often they are made, against a QEMU that boots nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "session/internal.h"
#include "tests/unit/fake_qemu.h"

#define RUNS 6

struct bench {
	struct fake_template fake;
	char *oracle;
	struct kl_exercise exercise;
	struct kl_submission submission;
	struct kl_check check;
	struct kl_session_options options;
	struct ks_flavour flavour;
	struct ks_plan plan;
	struct kl_run run[RUNS];
	bool done[RUNS];
	struct ks_session s;
	unsigned int made;
};

static bool went_down(const struct kl_check_evidence *c, const struct kl_run *r)
{
	(void)c;
	return r->end == KL_END_RESET;
}

static void count(const char *phase, unsigned long done, unsigned long total, int64_t elapsed,
		  int64_t left, void *arg)
{
	struct bench *b = arg;

	(void)phase;
	(void)done;
	(void)total;
	(void)elapsed;
	(void)left;
	b->made++;
}

static void setup(struct bench *b, const char *plan)
{
	static char id[] = "check", module[] = "module", program[] = "program.c", name[] = "kasan";
	static const char script[] = "#!/bin/sh\necho 0 1 1 label\n";
	struct kl_error err = KL_ERROR_INIT;

	*b = (struct bench){ 0 };
	fake_template_init(&b->fake);
	fake_qemu_plan(plan);
	b->fake.t.net_ms = 300;
	b->oracle = kl_path_join(b->fake.dir, "oracle");
	assert_int_equal(kl_file_write(b->oracle, script, sizeof(script) - 1, 0700, &err), 0);
	b->exercise.module = module;
	b->check =
		(struct kl_check){ .id = id, .title = id, .program = program, .guest_seconds = 30 };
	b->options = (struct kl_session_options){ .progress = count, .arg = b };
	b->flavour.name = name;
	b->flavour.module.ko = b->fake.payload;
	b->flavour.template[KL_MODE_EXACT] = &b->fake.t;
	b->plan = (struct ks_plan){ .check = &b->check,
				    .flavour = &b->flavour,
				    .program = b->fake.payload,
				    .oracle = b->oracle,
				    .runs = RUNS,
				    .first_seed = 1,
				    .run = b->run,
				    .done = b->done,
				    .stop_after = RUNS };
	b->s = (struct ks_session){ .exercise = &b->exercise,
				    .submission = &b->submission,
				    .options = &b->options,
				    .plan = &b->plan,
				    .n_plans = 1 };
	kl_session_set_failed_fn(went_down);
	if (ks_run_all(&b->s, &err))
		fail_msg("%s", err.message);
}

static unsigned int kept(const struct bench *b)
{
	unsigned int n = 0;

	while (n < RUNS && b->done[n])
		n++;
	for (unsigned int i = n; i < RUNS; i++)
		assert_false(b->done[i]);
	return n;
}

static void teardown(struct bench *b)
{
	for (int i = 0; i < RUNS; i++)
		if (b->done[i])
			kl_run_deinit(&b->run[i]);
	free(b->oracle);
	fake_template_deinit(&b->fake);
}

static void test_runs_behind_the_first_failure_are_dropped(void **state)
{
	struct bench b;

	(void)state;
	setup(&b, "answer,answer,reset,reset,answer,answer");
	assert_int_equal(kept(&b), 3);
	assert_int_equal(b.run[2].end, KL_END_RESET);
	assert_int_equal(b.run[0].n_answers, 1);
	assert_true(b.run[0].answers[0].given);
	teardown(&b);
}

static void test_a_run_that_the_machine_lost_is_infra_and_stops_nothing(void **state)
{
	struct bench b;

	(void)state;
	setup(&b, "answer,killed,answer");
	assert_int_equal(kept(&b), RUNS);
	assert_int_equal(b.run[1].end, KL_END_LOST);
	assert_int_equal(b.made, RUNS);
	teardown(&b);
}

static void test_the_net_ends_a_check_and_is_not_tried_again(void **state)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t begun = kl_now_ns();
	struct bench b;

	(void)state;
	setup(&b, "hang");
	assert_int_equal(kept(&b), 1);
	assert_int_equal(b.run[0].end, KL_END_WALL_NET);
	/* One run for each core, each once. */
	assert_true(b.made <= (unsigned int)(cores > 1 ? cores : 1));
	assert_true(kl_now_ns() - begun < 10000000000);
	teardown(&b);
}

static void test_without_failures_every_run_is_kept(void **state)
{
	struct bench b;

	(void)state;
	setup(&b, "answer");
	assert_int_equal(kept(&b), RUNS);
	teardown(&b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_behind_the_first_failure_are_dropped),
		cmocka_unit_test(test_a_run_that_the_machine_lost_is_infra_and_stops_nothing),
		cmocka_unit_test(test_the_net_ends_a_check_and_is_not_tried_again),
		cmocka_unit_test(test_without_failures_every_run_is_kept),
	};

	(void)argv;
	fake_qemu_main(argc);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
