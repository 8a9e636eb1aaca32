/* graders/inspect.c: what of a guest's memory convicts, and what is only shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/grader.h>

#include "graders/inspect.h"

static char check_comm[] = "check", init_comm[] = "init", kthread_comm[] = "kworker/0:1";
static char state[] = "D", frame[] = "stash_ioctl+0x1 [stash] at stash.c:7", timer[] = "timer";
static char function[] = "stash_tick+0x0 [stash, unloaded]", lock[] = "&stash->lock";
static char cache[] = "kmalloc-64", *frames[] = { frame, NULL };

struct fixture {
	struct kl_check_evidence c;
	struct kl_run r;
	struct kl_seen_task t;
	struct kl_seen_pending p;
	struct kl_seen_lock l;
	struct kl_seen_site s;
};

/* A run that passes; its memory has one of each, all of the kernel's own. */
static void good(struct fixture *x, enum kl_probe asked)
{
	*x = (struct fixture){
		.c = { .hidden = true },
		.r = { .end = KL_END_ANSWERED,
		       .program = KL_PROGRAM_EXITED,
		       .debug_locks = true,
		       .memory_read = true,
		       .canary = true },
		.t = { .pid = 29,
		       .comm = check_comm,
		       .state = state,
		       .user = true,
		       .frames = { frames, 1 } },
		.p = { .kind = timer, .function = function },
		.l = { .pid = 29, .comm = check_comm, .lock = lock, .taken = frame },
		.s = { .site = function, .cache = cache, .size = 64, .objects = 3 },
	};
	x->r.inspection = (struct kl_inspection){ .tasks = &x->t,
						  .n_tasks = 1,
						  .pending = &x->p,
						  .n_pending = 1,
						  .locks = &x->l,
						  .n_locks = 1,
						  .sites = &x->s,
						  .n_sites = 1 };
	for (int i = 0; i < KL_PROBE_COUNT; i++)
		x->r.inspection.answered[i] = x->r.inspection.complete[i] = true;
	x->r.inspection.asked[asked] = true;
}

static void expect(const struct fixture *x, enum kl_verdict v, const char *detail,
		   const char *remark)
{
	KL_AUTO(kl_run_judgement_deinit) struct kl_run_judgement j = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	if (kl_judge_run(&x->c, &x->r, &j, &err))
		fail_msg("%s", err.message);
	assert_string_equal(kl_verdict_name(j.verdict), kl_verdict_name(v));
	if (detail && !strstr(j.detail, detail))
		fail_msg("“%s” does not say “%s”", j.detail, detail);
	if (remark)
		assert_string_equal(j.remark, remark);
}

static void test_what_is_pending_of_a_module_that_is_gone_convicts(void **state_)
{
	struct fixture x;

	(void)state_;
	good(&x, KL_PROBE_PENDING);
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
	x.p.place = KL_PLACE_MODULE; /* still loaded: its own affair */
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
	x.p.place = KL_PLACE_OTHER;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
	x.p.place = KL_PLACE_GONE;
	expect(&x, KL_VERDICT_FAIL, "timer stash_tick+0x0 [stash, unloaded]",
	       "Something of the module was still to run after it had been unloaded.");
}

static void test_a_task_left_in_the_module_convicts(void **state_)
{
	struct fixture x;

	(void)state_;
	good(&x, KL_PROBE_TASKS);
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
	x.t.place = KL_PLACE_MODULE;
	expect(&x, KL_VERDICT_FAIL, "task check (29), state D, is still in the module",
	       "A task was left behind in the module.");
}

static void test_a_kernel_thread_in_its_module_is_no_fault_until_the_module_is_gone(void **state_)
{
	struct fixture x;

	(void)state_;
	good(&x, KL_PROBE_TASKS);
	x.t.comm = kthread_comm;
	x.t.user = false;
	x.t.place = KL_PLACE_MODULE;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
	x.t.place = KL_PLACE_GONE;
	expect(&x, KL_VERDICT_FAIL, "a module that is gone", NULL);
}

static void test_the_agent_is_never_blamed_for_being_in_the_module(void **state_)
{
	struct fixture x;

	(void)state_;
	good(&x, KL_PROBE_TASKS);
	x.t.pid = 1;
	x.t.comm = init_comm;
	x.t.place = KL_PLACE_MODULE;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
}

static void test_memory_and_locks_of_a_module_that_is_gone_convict(void **state_)
{
	struct fixture x;

	(void)state_;
	good(&x, KL_PROBE_SLABS);
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
	x.s.place = KL_PLACE_GONE;
	expect(&x, KL_VERDICT_FAIL, "3 objects of kmalloc-64, allocated at stash_tick",
	       "Memory of the module was still in use after it had been unloaded.");
	good(&x, KL_PROBE_HELD_LOCKS);
	x.l.place = KL_PLACE_MODULE;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
	x.l.place = KL_PLACE_GONE;
	expect(&x, KL_VERDICT_FAIL, "task check (29) still holds lock &stash->lock", NULL);
}

static void test_what_nobody_asked_convicts_nobody(void **state_)
{
	struct fixture x;

	(void)state_;
	good(&x, KL_PROBE_SLABS);
	x.t.place = KL_PLACE_GONE;
	x.p.place = KL_PLACE_GONE;
	x.l.place = KL_PLACE_GONE;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
}

static void test_what_was_asked_and_not_wholly_answered_is_no_pass_and_no_fail(void **state_)
{
	struct fixture x;

	(void)state_;
	good(&x, KL_PROBE_PENDING);
	x.r.inspection.complete[KL_PROBE_PENDING] = false;
	expect(&x, KL_VERDICT_INCONCLUSIVE, "did not answer",
	       "The guest's memory could not be read; grade again.");
	x.r.inspection.answered[KL_PROBE_PENDING] = false;
	expect(&x, KL_VERDICT_INCONCLUSIVE, "did not answer", NULL);
	/* What was seen before it was cut short convicts all the same. */
	good(&x, KL_PROBE_PENDING);
	x.r.inspection.complete[KL_PROBE_PENDING] = false;
	x.p.place = KL_PLACE_GONE;
	expect(&x, KL_VERDICT_FAIL, "timer", NULL);
	/* Others may fail as they like: they are information. */
	good(&x, KL_PROBE_PENDING);
	x.r.inspection.complete[KL_PROBE_TASKS] = false;
	expect(&x, KL_VERDICT_PASS, NULL, NULL);
}

static void test_the_panel_sees_stacks_without_the_guests_control_characters(void **state_)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	static char evil[] = "\x1b[31mx", why[] = "slabs: FaultError";
	struct fixture x;

	(void)state_;
	good(&x, KL_PROBE_TASKS);
	x.t.comm = evil;
	x.s.place = KL_PLACE_GONE;
	x.r.inspection.why = why;
	kl_inspection_words(&b, &x.r.inspection);
	assert_null(strchr(kl_buf_str(&b), '\x1b'));
	assert_non_null(strstr(kl_buf_str(&b), "(29), state D\n    stash_ioctl+0x1 [stash]"));
	assert_non_null(strstr(kl_buf_str(&b), "in use: 3 objects of kmalloc-64"));
	assert_non_null(strstr(kl_buf_str(&b), "(no answer: slabs: FaultError)"));
	kl_buf_clear(&b);
	x.t.pid = 1; /* the agent waits; nobody needs to see it */
	kl_inspection_words(&b, &x.r.inspection);
	assert_null(strstr(kl_buf_str(&b), "stash_ioctl"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_pending_of_a_module_that_is_gone_convicts),
		cmocka_unit_test(test_a_task_left_in_the_module_convicts),
		cmocka_unit_test(
			test_a_kernel_thread_in_its_module_is_no_fault_until_the_module_is_gone),
		cmocka_unit_test(test_the_agent_is_never_blamed_for_being_in_the_module),
		cmocka_unit_test(test_memory_and_locks_of_a_module_that_is_gone_convict),
		cmocka_unit_test(test_what_nobody_asked_convicts_nobody),
		cmocka_unit_test(
			test_what_was_asked_and_not_wholly_answered_is_no_pass_and_no_fail),
		cmocka_unit_test(test_the_panel_sees_stacks_without_the_guests_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
