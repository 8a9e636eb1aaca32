/* What drgn says of guests that stood still: who hung where, and what outlives a module. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/grader.h>
#include <klinic/intake.h>
#include <klinic/probe.h>
#include <klinic/session.h>

#include "tests/vm/fixture.h"

static const bool everything[KL_PROBE_COUNT] = { true, true, true, true };

static void dump(struct kl_stopped *s, const struct kl_run *run, void *arg)
{
	struct kl_error err = KL_ERROR_INIT;
	int fd = *(int *)arg;

	(void)run;
	if (kl_stopped_dump(s, fd, kl_deadline_ms(60000), &err))
		fail_msg("%s", err.message);
}

static void ask(const struct kl_probe_target *t, const char *check, int fd,
		const bool which[KL_PROBE_COUNT], struct kl_inspection *ret)
{
	struct kl_error err = KL_ERROR_INIT;
	int64_t begun = kl_now_ns();

	if (kl_probe_ask(t, fd, which, ret, &err))
		fail_msg("%s", err.message);
	print_message("%s:", check);
	for (int i = 0; i < KL_PROBE_COUNT; i++) {
		if (!which[i])
			continue;
		print_message(" %s", kl_probe_name((enum kl_probe)i));
		if (!ret->answered[i] || !ret->complete[i])
			fail_msg("not whole: %s", ret->why ? ret->why : "cut short");
	}
	print_message(" in %lld ms\n", (long long)(kl_now_ns() - begun) / 1000000);
}

/* Each question alone says what it says together with the others. */
static void ask_each(const struct kl_probe_target *t, const char *check, int fd,
		     const struct kl_inspection *together)
{
	KL_AUTO_JSON json_t *all = kl_inspection_json(together);

	for (int i = 0; i < KL_PROBE_COUNT; i++) {
		KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };
		const char *name = kl_probe_name((enum kl_probe)i);
		bool which[KL_PROBE_COUNT] = { false };
		KL_AUTO_JSON json_t *alone = NULL;

		which[i] = true;
		ask(t, check, fd, which, &in);
		alone = kl_inspection_json(&in);
		assert_true(json_equal(json_object_get(alone, name), json_object_get(all, name)));
	}
}

static struct kl_probe_target target(const struct fixture *f)
{
	return (struct kl_probe_target){
		.vmlinux = f->kernel.vmlinux,
		.release = f->kernel.release,
		.module = f->exercise.module,
		.debug_ko = f->module.debug_ko,
	};
}

static void run_and_dump(struct fixture *f, const char *check, int fd, struct fixture_run *r)
{
	f->on_stopped = dump;
	f->stopped_arg = &fd;
	fixture_run(f, check, 1, r);
	f->on_stopped = NULL;
}

static void look(void **state, const char *check, bool each, struct kl_inspection *ret)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };
	KL_AUTO_CLOSE int fd = memfd_create("dump", MFD_CLOEXEC);
	struct fixture *f = *state;
	const struct kl_probe_target t = target(f);

	run_and_dump(f, check, fd, &r);
	ask(&t, check, fd, everything, ret);
	if (each)
		ask_each(&t, check, fd, ret);
}

/* The agent, or a task of the check: its program runs under a name that nobody knows. */
static const struct kl_seen_task *task(const struct kl_inspection *in, bool agent)
{
	for (size_t i = 0; i < in->n_tasks; i++)
		if (in->tasks[i].user && (in->tasks[i].pid == 1) == agent)
			return &in->tasks[i];
	fail_msg("there is no such task");
	return NULL;
}

static bool passes(const struct kl_seen_task *t, const char *words)
{
	for (size_t i = 0; i < t->frames.n; i++)
		if (strstr(t->frames.v[i], words))
			return true;
	return false;
}

static bool is_pending(const struct kl_inspection *in, const char *kind, const char *function)
{
	for (size_t i = 0; i < in->n_pending; i++)
		if (!strcmp(in->pending[i].kind, kind) &&
		    !strcmp(in->pending[i].function, function) &&
		    in->pending[i].place == KL_PLACE_GONE)
			return true;
	return false;
}

static void test_what_is_armed_when_its_module_is_gone_is_named(void **state)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };

	look(state, "armed", true, &in);
	assert_int_equal(in.n_pending, 2);
	assert_true(is_pending(&in, "timer", "late_timer+0x0 [unruly, unloaded]"));
	assert_true(is_pending(&in, "delayed-work", "late_work+0x0 [unruly, unloaded]"));
	/* What they lie in was allocated by the module, and nobody will free it. */
	assert_int_equal(in.n_sites, 1);
	assert_int_equal(in.sites[0].place, KL_PLACE_GONE);
	assert_int_equal(in.sites[0].objects, 1);
	assert_string_equal(in.sites[0].cache, "kmalloc-256");
}

static void test_a_task_that_never_returns_is_shown_with_its_stack_and_its_lock(void **state)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };
	const struct kl_seen_task *t;
	bool held = false;

	look(state, "stuck", false, &in);
	t = task(&in, false);
	assert_string_equal(t->state, "D");
	assert_true(t->user);
	assert_int_equal(t->place, KL_PLACE_MODULE);
	assert_true(passes(t, "__mutex_lock"));
	assert_true(passes(t, "[unruly] at unruly.c:"));
	for (size_t i = 0; i < in.n_locks; i++)
		held |= in.locks[i].pid == t->pid && !strcmp(in.locks[i].lock, "one") &&
			in.locks[i].place == KL_PLACE_MODULE;
	assert_true(held);
	assert_int_equal(in.n_pending, 0);
}

static void test_a_spinning_cpu_is_shown_as_the_task_that_runs_on_it(void **state)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };

	look(state, "hang", false, &in);
	assert_string_equal(task(&in, false)->state, "R");
	assert_true(passes(task(&in, false), "cpu_relax"));
	assert_int_equal(task(&in, false)->place, KL_PLACE_MODULE);
	assert_int_equal(task(&in, true)->place, KL_PLACE_KERNEL);
}

static void test_whom_an_interrupt_came_upon_is_shown_below_it(void **state)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };

	look(state, "holder", false, &in);
	assert_true(passes(task(&in, false), "greedy+"));
	assert_true(passes(task(&in, false), "sysvec_apic_timer_interrupt"));
	assert_true(passes(task(&in, false), "hold_shared, inlined at unruly.c:"));
}

static void test_who_panicked_is_shown(void **state)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };

	look(state, "panic", false, &in);
	assert_true(passes(task(&in, false), "panic+"));
	assert_true(passes(task(&in, false), "unruly_write+"));
}

static void leaves_nothing(void **state, const char *check)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };

	look(state, check, false, &in);
	assert_int_equal(in.n_pending, 0);
	assert_int_equal(in.n_sites, 0);
	for (size_t i = 0; i < in.n_tasks; i++)
		assert_int_equal(in.tasks[i].place, KL_PLACE_KERNEL);
	for (size_t i = 0; i < in.n_locks; i++)
		assert_int_equal(in.locks[i].place, KL_PLACE_KERNEL);
	assert_true(in.n_caches > 20);
}

static void test_a_clean_teardown_leaves_nothing(void **state)
{
	leaves_nothing(state, "nth");
}

static void test_the_schedule_driver_leaves_nothing(void **state)
{
	leaves_nothing(state, "racy");
}

/* As it would be if a module had wiped it; what is not there must not pass for nothing found. */
static void test_memory_that_makes_no_sense_is_never_a_whole_answer(void **state)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };
	KL_AUTO_CLOSE int fd = memfd_create("dump", MFD_CLOEXEC);
	static const char zero[1 << 20];
	struct kl_error err = KL_ERROR_INIT;
	struct fixture *f = *state;
	const struct kl_probe_target t = target(f);
	Elf64_Ehdr head;
	Elf64_Phdr ph[8];

	run_and_dump(f, "nth", fd, &r);
	assert_int_equal(pread(fd, &head, sizeof(head), 0), sizeof(head));
	assert_in_range(head.e_phnum, 2, 8);
	assert_true(pread(fd, ph, sizeof(ph), (off_t)head.e_phoff) > 0);
	assert_int_equal(ph[1].p_type, PT_LOAD);
	for (size_t at = 0; at < ph[1].p_filesz; at += sizeof(zero))
		assert_int_equal(pwrite(fd, zero, sizeof(zero), (off_t)(ph[1].p_offset + at)),
				 sizeof(zero));
	if (kl_probe_ask(&t, fd, everything, &in, &err)) {
		assert_int_equal(err.class, KL_INFRA);
		return;
	}
	for (int i = 0; i < KL_PROBE_COUNT; i++)
		assert_false(in.answered[i] && in.complete[i]);
}

static void test_a_dump_that_is_none_is_the_machines_fault(void **state)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };
	KL_AUTO_CLOSE int fd = memfd_create("dump", MFD_CLOEXEC);
	struct kl_error err = KL_ERROR_INIT;
	const struct kl_probe_target t = target(*state);

	assert_int_equal(kl_probe_ask(&t, fd, everything, &in, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
}

/* One check of the exercise, as klinic grade has it run. */
static void session(struct fixture *f, const char *check, struct kl_evidence *ret)
{
	const struct kl_session_options o = { .visible = true, .only_check = check, .jobs = 1 };
	KL_AUTO(kl_submission_deinit) struct kl_submission s = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	if (kl_intake_unchanged(&f->exercise, &s, &err) ||
	    kl_session_run(&f->exercise, &s, &o, ret, &err))
		fail_msg("%s", err.message);
	assert_int_equal(ret->n_checks, 1);
	assert_int_equal(ret->checks[0].n_runs, 1);
}

static void judged(const struct kl_evidence *ev, enum kl_verdict v, const char *words)
{
	KL_AUTO(kl_run_judgement_deinit) struct kl_run_judgement j = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kl_judge_run(&ev->checks[0], &ev->checks[0].runs[0], &j, &err), 0);
	if (j.verdict != v || (words && !strstr(j.detail, words)))
		fail_msg("%s: %s", kl_verdict_name(j.verdict), j.detail ? j.detail : "");
}

static void test_what_a_check_asks_is_in_its_evidence_and_judged(void **state)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence armed = { 0 }, clean = { 0 };
	const struct kl_inspection *in;

	session(*state, "armed", &armed);
	in = &armed.checks[0].runs[0].inspection;
	assert_true(in->asked[KL_PROBE_PENDING] && in->answered[KL_PROBE_SLABS]);
	assert_false(in->asked[KL_PROBE_TASKS] || in->answered[KL_PROBE_TASKS]);
	judged(&armed, KL_VERDICT_FAIL, "timer late_timer+0x0 [unruly, unloaded]");
	judged(&armed, KL_VERDICT_FAIL, "1 object of kmalloc-256");
	session(*state, "nth", &clean);
	judged(&clean, KL_VERDICT_PASS, NULL);
}

static void test_what_a_module_allocates_when_it_is_loaded_is_its_own_while_it_stays(void **state)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence ev = { 0 };
	const struct kl_inspection *in;

	session(*state, "loaded", &ev);
	in = &ev.checks[0].runs[0].inspection;
	assert_int_equal(in->n_sites, 1);
	assert_string_equal(in->sites[0].cache, "kmalloc-512");
	assert_int_equal(in->sites[0].place, KL_PLACE_MODULE);
	judged(&ev, KL_VERDICT_PASS, NULL);
}

static void test_of_a_run_that_hung_the_tasks_are_shown_unbidden(void **state)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence ev = { 0 };
	const struct kl_inspection *in;

	session(*state, "stuck", &ev);
	in = &ev.checks[0].runs[0].inspection;
	assert_false(in->asked[KL_PROBE_TASKS]);
	assert_true(in->answered[KL_PROBE_TASKS]);
	assert_false(in->answered[KL_PROBE_PENDING]);
	assert_true(passes(task(in, false), "__mutex_lock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_armed_when_its_module_is_gone_is_named),
		cmocka_unit_test(
			test_a_task_that_never_returns_is_shown_with_its_stack_and_its_lock),
		cmocka_unit_test(test_a_spinning_cpu_is_shown_as_the_task_that_runs_on_it),
		cmocka_unit_test(test_whom_an_interrupt_came_upon_is_shown_below_it),
		cmocka_unit_test(test_who_panicked_is_shown),
		cmocka_unit_test(test_a_clean_teardown_leaves_nothing),
		cmocka_unit_test(test_the_schedule_driver_leaves_nothing),
		cmocka_unit_test(test_memory_that_makes_no_sense_is_never_a_whole_answer),
		cmocka_unit_test(test_a_dump_that_is_none_is_the_machines_fault),
		cmocka_unit_test(test_what_a_check_asks_is_in_its_evidence_and_judged),
		cmocka_unit_test(
			test_what_a_module_allocates_when_it_is_loaded_is_its_own_while_it_stays),
		cmocka_unit_test(test_of_a_run_that_hung_the_tasks_are_shown_unbidden),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
