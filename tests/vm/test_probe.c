/* What drgn says of guests that stood still: who hung where, and what outlives a module. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/probe.h>

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

static void look(void **state, const char *check, struct kl_inspection *ret)
{
	KL_AUTO(fixture_run_deinit) struct fixture_run r = { 0 };
	KL_AUTO_CLOSE int fd = memfd_create("dump", MFD_CLOEXEC);
	struct kl_error err = KL_ERROR_INIT;
	struct fixture *f = *state;
	const struct kl_probe_target t = {
		.vmlinux = f->kernel.vmlinux,
		.release = f->kernel.release,
		.module = f->exercise.module,
		.debug_ko = f->module.debug_ko,
	};
	int64_t begun;

	f->on_stopped = dump;
	f->stopped_arg = &fd;
	fixture_run(f, check, 1, &r);
	f->on_stopped = NULL;
	begun = kl_now_ns();
	if (kl_probe_ask(&t, fd, everything, ret, &err))
		fail_msg("%s", err.message);
	print_message("%s: asked in %lld ms\n", check, (long long)(kl_now_ns() - begun) / 1000000);
	for (int i = 0; i < KL_PROBE_COUNT; i++)
		if (!ret->answered[i] || !ret->complete[i])
			fail_msg("%s: %s is not whole: %s", check, kl_probe_name((enum kl_probe)i),
				 ret->why ? ret->why : "cut short");
}

static const struct kl_seen_task *task(const struct kl_inspection *in, const char *comm)
{
	for (size_t i = 0; i < in->n_tasks; i++)
		if (!strcmp(in->tasks[i].comm, comm))
			return &in->tasks[i];
	fail_msg("there is no task %s", comm);
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

	look(state, "armed", &in);
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

	look(state, "stuck", &in);
	t = task(&in, "check");
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

	look(state, "hang", &in);
	assert_string_equal(task(&in, "check")->state, "R");
	assert_true(passes(task(&in, "check"), "cpu_relax"));
	assert_int_equal(task(&in, "check")->place, KL_PLACE_MODULE);
	assert_int_equal(task(&in, "init")->place, KL_PLACE_KERNEL);
}

static void test_a_clean_teardown_leaves_nothing(void **state)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };

	look(state, "nth", &in);
	assert_int_equal(in.n_pending, 0);
	assert_int_equal(in.n_sites, 0);
	for (size_t i = 0; i < in.n_tasks; i++)
		assert_int_equal(in.tasks[i].place, KL_PLACE_KERNEL);
	for (size_t i = 0; i < in.n_locks; i++)
		assert_int_equal(in.locks[i].place, KL_PLACE_KERNEL);
	assert_true(in.n_caches > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_armed_when_its_module_is_gone_is_named),
		cmocka_unit_test(
			test_a_task_that_never_returns_is_shown_with_its_stack_and_its_lock),
		cmocka_unit_test(test_a_spinning_cpu_is_shown_as_the_task_that_runs_on_it),
		cmocka_unit_test(test_a_clean_teardown_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
