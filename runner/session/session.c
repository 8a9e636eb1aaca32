/* A session: from a submission to evidence. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/policy.h>
#include <klinic/splat.h>

#include "session/internal.h"

#define TEMPLATE_MS (30 * 60000LL) /* to boot one, behind others that boot theirs */

static void session_deinit(struct ks_session *s)
{
	for (size_t i = 0; i < s->n_plans; i++) {
		struct ks_plan *p = &s->plan[i];

		for (unsigned int k = 0; p->done && k < p->runs; k++)
			if (p->done[k])
				kl_run_deinit(&p->run[k]);
		free(p->run);
		free(p->done);
		free(p->program);
		free(p->oracle);
	}
	for (size_t i = 0; i < s->n_flavours; i++) {
		struct ks_flavour *f = &s->flavour[i];

		free(f->name);
		kl_kernel_deinit(&f->kernel);
		kl_module_deinit(&f->module);
		for (int m = 0; m < KL_MODE_COUNT; m++)
			kl_template_destroy(f->template[m]);
	}
	free(s->plan);
	free(s->flavour);
	s->plan = NULL;
	s->flavour = NULL;
	s->n_plans = s->n_flavours = 0;
}

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static bool wanted(const struct ks_session *s, const struct kl_check *c)
{
	const struct kl_session_options *o = s->options;

	if (s->only)
		return kl_strv_has(s->only, c->id);
	if (o->only_check && !kl_str_eq(o->only_check, c->id))
		return false;
	return c->hidden ? o->hidden : o->visible;
}

static struct ks_flavour *find_flavour(struct ks_session *s, const char *name)
{
	for (size_t i = 0; i < s->n_flavours; i++)
		if (!strcmp(s->flavour[i].name, name))
			return &s->flavour[i];
	return NULL;
}

static int choose_flavours(struct ks_session *s, struct kl_error *err)
{
	const struct kl_exercise *e = s->exercise;

	s->flavour = calloc(e->n_checks ? e->n_checks : 1, sizeof(*s->flavour));
	if (!s->flavour)
		return no_memory(err);
	for (size_t i = 0; i < e->n_checks; i++) {
		const struct kl_check *c = &e->checks[i];
		struct ks_flavour *f;

		if (!wanted(s, c) || find_flavour(s, c->flavour))
			continue;
		f = &s->flavour[s->n_flavours++];
		f->name = strdup(c->flavour);
		if (!f->name)
			return no_memory(err);
	}
	if (!s->n_flavours && s->options->only_check)
		return kl_fail(err, KL_USAGE, "exercise %s has no such check: %s", e->id,
			       s->options->only_check);
	return 0;
}

/* What no run has room for is the submission's doing: it is refused like any other, not the machine's failure. */
static int judge_size(const struct ks_session *s, const struct ks_flavour *f,
		      struct kl_evidence *ev, struct kl_error *err)
{
	static char rule[] = "module-size";
	KL_AUTO_FREE char *why = NULL;
	KL_AUTO_FREE char *file = kl_asprintf("%s.ko", s->exercise->module);
	struct kl_policy_note note = { .rule = rule, .file = file, .name = file, .refused = true };

	if (!file)
		return no_memory(err);
	if (kl_vm_module_fits(f->module.ko, &f->module.undefined, &why, err))
		return -1;
	note.text = why;
	return why && kl_policy_add(&ev->policy, &note) ? no_memory(err) : 0;
}

static int judge_module(struct ks_session *s, const struct ks_flavour *f, struct kl_evidence *ev,
			struct kl_error *err)
{
	KL_AUTO_FREE char *handout = NULL;

	if (kl_module_handout(s->exercise, &f->kernel, &handout, err))
		return -1;
	if (judge_size(s, f, ev, err))
		return -1;
	return kl_policy_module(s->exercise, f->module.ko, handout, &ev->policy, err);
}

/* A module of each flavour. *ret_ok is false when one did not build or is refused: then nothing is run. */
static int build_modules(struct ks_session *s, struct kl_evidence *ev, bool *ret_ok,
			 struct kl_error *err)
{
	const struct kl_session_options *o = s->options;

	ev->builds = calloc(s->n_flavours ? s->n_flavours : 1, sizeof(*ev->builds));
	if (!ev->builds)
		return no_memory(err);
	*ret_ok = true;
	for (size_t i = 0; i < s->n_flavours; i++) {
		struct ks_flavour *f = &s->flavour[i];

		if (kl_kernel_open(f->name, o->build_kernel, o->progress, o->arg, &f->kernel, err))
			return -1;
		/* Filled and ours to free whether or not the sandbox ran. */
		struct kl_build_evidence *b = &ev->builds[ev->n_builds++];

		if (kl_module_build(s->exercise, &f->kernel, s->submission, b, &f->module, err))
			return -1;
		if (!b->ok)
			*ret_ok = false;
		else if (judge_module(s, f, ev, err))
			return -1;
	}
	/* What the policy refuses is not run. */
	*ret_ok &= !kl_policy_refusal(&ev->policy);
	return 0;
}

static int add_plan(struct ks_session *s, const struct kl_check *c, struct kl_error *err)
{
	const struct kl_session_options *o = s->options;
	struct ks_plan *p = &s->plan[s->n_plans++];

	p->check = c;
	p->flavour = find_flavour(s, c->flavour);
	p->hostile = !s->exercise->whole;
	p->first_seed = o->has_seed ? o->seed : c->first_seed + o->skip_seeds;
	p->runs = o->has_seed ? 1 : o->seeds ? o->seeds : c->seeds;
	p->stop_after = p->runs;
	atomic_init(&p->hung, UINT_MAX);
	p->run = calloc(p->runs, sizeof(*p->run));
	p->done = calloc(p->runs, sizeof(*p->done));
	if (!p->run || !p->done)
		return no_memory(err);
	return kl_program_build(s->exercise, c, &p->program, &p->oracle, err);
}

static int plan_checks(struct ks_session *s, struct kl_error *err)
{
	const struct kl_exercise *e = s->exercise;

	s->plan = calloc(e->n_checks ? e->n_checks : 1, sizeof(*s->plan));
	if (!s->plan)
		return no_memory(err);
	for (size_t i = 0; i < e->n_checks; i++)
		if (wanted(s, &e->checks[i]) && add_plan(s, &e->checks[i], err))
			return -1;
	return 0;
}

static int open_templates(struct ks_session *s, struct kl_error *err)
{
	for (size_t i = 0; i < s->n_plans; i++) {
		struct ks_flavour *f = s->plan[i].flavour;
		enum kl_mode mode = s->plan[i].check->mode;
		struct kl_machine m;
		int ret;

		if (f->template[mode])
			continue;
		if (kl_machine_init(&m, &f->kernel, mode, err))
			return -1;
		ret = kl_template_open(&m, s->options->rebuild_template,
				       kl_deadline_ms(TEMPLATE_MS), &f->template[mode], err);
		kl_machine_deinit(&m);
		if (ret)
			return -1;
	}
	return 0;
}

static int describe_environment(const struct ks_session *s, struct kl_evidence *ev,
				struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf kernels = KL_BUF_INIT;
	bool exact = false;

	for (size_t i = 0; i < s->n_flavours; i++) {
		const struct ks_flavour *f = &s->flavour[i];
		const struct kl_template *t = f->template[KL_MODE_EXACT];

		kl_buf_printf(&kernels, "%s%s %s %.12s", i ? ", " : "", f->kernel.release, f->name,
			      f->kernel.digest);
		exact |= t != NULL;
		if (t && !ev->template_ram[0])
			memcpy(ev->template_ram, kl_template_ram_digest(t),
			       sizeof(ev->template_ram));
		for (int m = 0; m < KL_MODE_COUNT && !ev->qemu; m++)
			if (f->template[m])
				ev->qemu = strdup(kl_template_qemu_version(f->template[m]));
	}
	ev->kernel = kl_buf_steal(&kernels);
	ev->accel = strdup(exact ? "tcg+icount" : "tcg");
	return ev->kernel && ev->accel ? 0 : no_memory(err);
}

/* Only the first run with findings is resolved: asking addr2line of a kernel costs most of a second. */
static int resolve(const struct ks_plan *p, const struct kl_exercise *e, struct kl_error *err)
{
	for (unsigned int i = 0; i < p->runs; i++)
		if (p->done[i] && p->run[i].findings.n)
			return kl_splat_resolve(&p->run[i].findings, p->flavour->kernel.vmlinux,
						e->module, p->flavour->module.debug_ko, err);
	return 0;
}

static int collect(struct ks_session *s, struct kl_evidence *ev, struct kl_error *err)
{
	ev->checks = calloc(s->n_plans ? s->n_plans : 1, sizeof(*ev->checks));
	if (!ev->checks)
		return no_memory(err);
	for (size_t i = 0; i < s->n_plans; i++) {
		struct ks_plan *p = &s->plan[i];
		struct kl_check_evidence *c = &ev->checks[ev->n_checks++];

		c->mode = p->check->mode;
		c->hidden = p->check->hidden;
		c->planned = p->runs;
		c->leaks = p->check->leaks;
		memcpy(c->tolerate, p->check->tolerate, sizeof(c->tolerate));
		c->check = strdup(p->check->id);
		c->title = strdup(p->check->title);
		c->flavour = strdup(p->flavour->name);
		c->runs = calloc(p->runs, sizeof(*c->runs));
		if (!c->check || !c->title || !c->flavour || !c->runs)
			return no_memory(err);
		/* A control's findings are only counted. */
		if (!s->only && resolve(p, s->exercise, err))
			return -1;
		for (unsigned int k = 0; k < p->runs; k++) {
			if (!p->done[k])
				continue;
			c->runs[c->n_runs++] = p->run[k];
			p->done[k] = false;
		}
	}
	return 0;
}

static int describe_submission(const struct ks_session *s, struct kl_evidence *ev,
			       struct kl_error *err)
{
	ev->exercise = strdup(s->exercise->id);
	ev->submission = strdup(s->submission->source ? s->submission->source : "");
	ev->diff = strdup(s->submission->diff ? s->submission->diff : "");
	memcpy(ev->exercise_digest, s->exercise->digest, sizeof(ev->exercise_digest));
	memcpy(ev->submission_digest, s->submission->digest, sizeof(ev->submission_digest));
	if (!ev->exercise || !ev->submission || !ev->diff ||
	    kl_strv_copy(&ev->refused, &s->submission->refused))
		return no_memory(err);
	return 0;
}

static int run_session(struct ks_session *s, struct kl_evidence *ev, struct kl_error *err)
{
	int64_t begun = kl_now_ns();
	int64_t built;
	bool ok = false;

	if (describe_submission(s, ev, err))
		return -1;
	if (ev->refused.n)
		return 0;
	if (choose_flavours(s, err) ||
	    kl_policy_source(s->exercise, s->submission, &ev->policy, err))
		return -1;
	/* What the policy refuses is neither built nor run. */
	if (kl_policy_refusal(&ev->policy))
		return 0;
	if (build_modules(s, ev, &ok, err))
		return -1;
	if (ok && plan_checks(s, err))
		return -1;
	built = kl_now_ns();
	ev->build_ms = (built - begun) / 1000000;
	if (open_templates(s, err) || ks_run_all(s, err) || collect(s, ev, err) ||
	    ks_control(s, ev, err) || describe_environment(s, ev, err))
		return -1;
	ev->vm_ms = (kl_now_ns() - built) / 1000000;
	return 0;
}

int ks_run(struct ks_session *s, struct kl_evidence *ret, struct kl_error *err)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence ev = { 0 };
	int failed = run_session(s, &ev, err);

	session_deinit(s);
	if (failed)
		return -1;
	*ret = ev;
	ev = (struct kl_evidence){ 0 };
	return 0;
}

int kl_session_run(const struct kl_exercise *e, const struct kl_submission *sub,
		   const struct kl_session_options *o, struct kl_evidence *ret,
		   struct kl_error *err)
{
	struct ks_session s = { .exercise = e, .submission = sub, .options = o };

	return ks_run(&s, ret, err);
}
