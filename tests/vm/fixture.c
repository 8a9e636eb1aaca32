/* Builds tests/vm/exercise once a program, and runs its checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/intake.h>

#include "session/internal.h"
#include "tests/vm/fixture.h"

#define TEMPLATE_MS 600000

static void succeed(int ret, const struct kl_error *err)
{
	char text[2048];

	if (ret)
		fail_msg("%s", kl_error_text(err, text, sizeof(text)));
}

static void open_template(struct fixture *f, bool rebuild)
{
	struct kl_error err = KL_ERROR_INIT;
	struct kl_machine m;

	succeed(kl_machine_init(&m, &f->kernel, KL_MODE_EXACT, &err), &err);
	succeed(kl_template_open(&m, rebuild, kl_deadline_ms(TEMPLATE_MS), &f->exact, &err), &err);
	kl_machine_deinit(&m);
}

int fixture_setup(void **state)
{
	return fixture_setup_of("tests/vm/exercise", state);
}

int fixture_setup_of(const char *exercise, void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct kl_error err = KL_ERROR_INIT;
	struct kl_submission s = { 0 };
	struct kl_build_evidence b = { 0 };

	succeed(kl_exercise_load(exercise, &f->exercise, &err), &err);
	succeed(kl_kernel_open("kasan", true, NULL, NULL, &f->kernel, &err), &err);
	succeed(kl_intake_unchanged(&f->exercise, &s, &err), &err);
	succeed(kl_module_build(&f->exercise, &f->kernel, &s, &b, &f->module, &err), &err);
	if (!b.ok)
		fail_msg("%s", b.log);
	kl_submission_deinit(&s);
	kl_build_evidence_deinit(&b);
	open_template(f, false);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	if (!f)
		return 0;
	kl_template_destroy(f->exact);
	kl_module_deinit(&f->module);
	kl_kernel_deinit(&f->kernel);
	kl_exercise_deinit(&f->exercise);
	free(f);
	return 0;
}

void fixture_rebuild(struct fixture *f)
{
	kl_template_destroy(kl_take(f->exact));
	open_template(f, true);
}

static void run_in(struct fixture *f, struct kl_template *t, const char *check, uint64_t seed,
		   const char *token, struct fixture_run *ret)
{
	const struct kl_check *c = kl_exercise_check(&f->exercise, check);
	KL_AUTO_FREE char *program = NULL, *oracle = NULL;
	struct kl_error err = KL_ERROR_INIT;
	struct kl_job job = { 0 };

	assert_non_null(c);
	succeed(kl_program_build(&f->exercise, c, &program, &oracle, &err), &err);
	job = (struct kl_job){ .module_ko = f->module.ko,
			       .module_name = f->exercise.module,
			       .program_name = "check",
			       .program = program,
			       .seed = seed,
			       .guest_seconds = c->guest_seconds,
			       .unload = c->unload,
			       .leaks = c->leaks,
			       .on_stopped = f->on_stopped,
			       .stopped_arg = f->stopped_arg };
	if (c->schedule != KL_SCHEDULE_NONE) {
		job.sched_ko = f->kernel.sched_ko;
		job.points = &f->module.undefined;
		job.preempt_percent = c->preempt_percent;
		job.depth = c->schedule == KL_SCHEDULE_PCT ? c->depth : 0;
	}
	if (token) {
		job.canary_ko = f->kernel.canary_ko;
		memcpy(job.canary_token, token, sizeof(job.canary_token) - 1);
	}
	succeed(kl_vm_run(t, &job, &ret->run, &ret->slots, &err), &err);
}

void fixture_run_in(struct fixture *f, struct kl_template *t, const char *check, uint64_t seed,
		    struct fixture_run *ret)
{
	run_in(f, t, check, seed, NULL, ret);
}

void fixture_run_with_canary(struct fixture *f, const char *check, const char *token,
			     struct fixture_run *ret)
{
	struct kl_job job = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	run_in(f, f->exact, check, 1, token, ret);
	memcpy(job.canary_token, token, sizeof(job.canary_token) - 1);
	succeed(ks_hear_canary(&job, &ret->run, &err), &err);
}

void fixture_run(struct fixture *f, const char *check, uint64_t seed, struct fixture_run *ret)
{
	fixture_run_in(f, f->exact, check, seed, ret);
}

void fixture_run_deinit(struct fixture_run *r)
{
	kl_run_deinit(&r->run);
}

void fixture_hogs(struct kl_process *hog, unsigned int n)
{
	struct kl_error err = KL_ERROR_INIT;

	for (unsigned int i = 0; i < n; i++) {
		KL_AUTO(kl_command_destroy_p) struct kl_command *c = kl_command_create("sh");

		kl_command_args(c, "-c", "while :; do :; done", NULL);
		assert_int_equal(kl_command_start(c, &hog[i], &err), 0);
	}
}
