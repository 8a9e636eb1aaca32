/*
 * klinic certify: every solution that an exercise knows, graded with all its
 * seeds and held against what is expected of it. A solution that is refused or
 * does not build fails, but proves nothing: then the exercise is wrong.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <klinic/deadline.h>

#include "cli/certify.h"
#include "cli/cli.h"

static const struct kl_session_options whole = {
	.hidden = true,
	.visible = true,
	.all_seeds = true,
	.build_kernel = true,
	.progress = cli_progress,
};

struct order {
	const char *variant; /* or NULL: all */
	bool quick; /* verdicts without rates: the first failure of a check ends it */
	bool keep; /* the certificate, when it is whole */
	enum cli_format format;
	struct kl_session_options session;
};

static void outcome_deinit(struct cli_outcome *o)
{
	cli_judgement_deinit(&o->judgement);
	free(o->objection);
}

void cli_certification_deinit(struct cli_certification *c)
{
	for (size_t i = 0; i < c->n_outcomes; i++)
		outcome_deinit(&c->outcomes[i]);
	for (size_t i = 0; i < c->n_proofs; i++)
		cli_proof_deinit(&c->proofs[i]);
	free(c->outcomes);
	free(c->proofs);
	kl_variants_deinit(&c->variants);
	kl_exercise_deinit(&c->exercise);
}

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static enum kl_verdict expected_of(enum kl_role role)
{
	return role == KL_ROLE_REFERENCE || role == KL_ROLE_ALTERNATIVE ? KL_VERDICT_PASS
									: KL_VERDICT_FAIL;
}

static bool builds(const struct kl_result *r)
{
	for (size_t i = 0; i < r->n_builds; i++)
		if (!r->builds[i].ok)
			return false;
	return true;
}

static enum kl_verdict verdict_in(const struct kl_result *r, const char *check)
{
	for (size_t i = 0; i < r->n_checks; i++)
		if (kl_str_eq(r->checks[i].id, check))
			return r->checks[i].verdict;
	return KL_VERDICT_COUNT;
}

/* Broken is to fail all that it is said to fail: they are its controls. A part may not have all of them. */
static bool fails_as_said(const struct kl_variant *v, const struct kl_result *r)
{
	for (size_t i = 0; i < v->caught_by.n; i++)
		if (verdict_in(r, v->caught_by.v[i]) == KL_VERDICT_PASS)
			return false;
	return true;
}

static bool caught_as_said(const struct kl_variant *v, const struct kl_result *r)
{
	if (v->role == KL_ROLE_BROKEN)
		return fails_as_said(v, r);
	/* What the policy refuses is not run: caught before the check that would have caught it. */
	if (kl_policy_refusal(&r->policy))
		return true;
	for (size_t i = 0; i < r->n_checks; i++)
		if (r->checks[i].verdict == KL_VERDICT_FAIL &&
		    kl_strv_has(&v->caught_by, r->checks[i].id))
			return true;
	return !v->caught_by.n;
}

static char *join(const struct kl_strv *sv)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	for (size_t i = 0; i < sv->n; i++)
		kl_buf_printf(&b, "%s%s", i ? ", " : "", sv->v[i]);
	return kl_buf_steal(&b);
}

/* What a variant that must pass fails by, in the panel's words; the author is to mend it. */
static char *first_detail(const struct kl_result *r)
{
	for (size_t i = 0; i < r->n_checks; i++)
		if (r->checks[i].verdict != KL_VERDICT_PASS && r->checks[i].detail)
			return kl_asprintf("%s: %s", r->checks[i].id, r->checks[i].detail);
	return strdup(r->summary);
}

/* NULL into *ret when everything is as it should be. */
static int object(const struct kl_variant *v, const struct kl_result *r, char **ret,
		  struct kl_error *err)
{
	KL_AUTO_FREE char *checks = NULL;

	*ret = NULL;
	if (r->refused.n)
		*ret = kl_asprintf("refused: %s", r->refused.v[0]);
	else if (!builds(r))
		*ret = strdup(r->summary);
	else if (r->verdict != expected_of(v->role))
		*ret = first_detail(r);
	else if (r->verdict == KL_VERDICT_PASS || caught_as_said(v, r))
		return 0;
	else if ((checks = join(&v->caught_by)))
		*ret = kl_asprintf(v->role == KL_ROLE_BROKEN
					   ? "fails, but not all of what it is said to fail: %s"
					   : "fails, but none of the checks that are to catch it "
					     "does: %s",
				   checks);
	return *ret ? 0 : no_memory(err);
}

/* Kernel logs are most of what a judgement holds, and no certificate shows them. */
static void forget_logs(struct cli_judgement *j)
{
	for (size_t i = 0; i < j->evidence.n_checks; i++) {
		struct kl_check_evidence *c = &j->evidence.checks[i];

		for (size_t k = 0; k < c->n_runs; k++) {
			free(c->runs[k].console);
			c->runs[k].console = NULL;
		}
	}
	for (size_t i = 0; i < j->result.n_checks; i++) {
		free(j->result.checks[i].console);
		j->result.checks[i].console = NULL;
	}
}

int cli_certify_judge(const struct kl_exercise *e, const struct kl_session_options *session,
		      const struct kl_variant *v, struct cli_judgement *ret, struct kl_error *err)
{
	if (cli_intake(e, v->path, ret, err) || cli_judge(e, session, ret, err))
		return kl_error_prepend(err, "variant %s", v->name);
	return 0;
}

/* In a hurry only the checks that are to catch a decoy are asked, until one does. */
static int judge_decoy(const struct kl_exercise *e, const struct kl_session_options *o,
		       const struct kl_variant *v, struct cli_judgement *ret, struct kl_error *err)
{
	for (size_t i = 0; i < v->caught_by.n; i++) {
		struct kl_session_options session = *o;

		session.only_check = v->caught_by.v[i];
		cli_judgement_deinit(ret);
		*ret = (struct cli_judgement){ 0 };
		if (cli_certify_judge(e, &session, v, ret, err))
			return -1;
		if (ret->result.verdict == KL_VERDICT_FAIL)
			break;
	}
	return 0;
}

static int grade_variant(const struct kl_exercise *e, const struct order *o,
			 const struct kl_session_options *session, struct cli_outcome *ret,
			 struct kl_error *err)
{
	const struct kl_variant *v = ret->variant;
	struct kl_session_options once = *session;
	bool narrow = o->quick && v->role == KL_ROLE_DECOY && v->caught_by.n;

	ret->expected = expected_of(v->role);
	/* An unchanged submission is the broken code: how often that fails is measured there. */
	if (v->role == KL_ROLE_NOOP) {
		once.all_seeds = false;
		session = &once;
	}
	if (narrow ? judge_decoy(e, session, v, &ret->judgement, err)
		   : cli_certify_judge(e, session, v, &ret->judgement, err))
		return -1;
	forget_logs(&ret->judgement);
	return 0;
}

/* Parallel checks pass only with a known rate, which is there only now. */
static int grade_known(struct cli_certification *c, struct kl_error *err)
{
	for (size_t i = 0; i < c->n_outcomes; i++) {
		struct cli_judgement *j = &c->outcomes[i].judgement;
		bool changed = false;

		for (size_t k = 0; k < c->n_proofs * j->evidence.n_checks; k++) {
			const struct cli_proof *p = &c->proofs[k / j->evidence.n_checks];
			struct kl_check_evidence *ev =
				&j->evidence.checks[k % j->evidence.n_checks];

			if (!p->known || !kl_str_eq(ev->check, p->check->id))
				continue;
			const struct kl_known known = { .variant = p->known->variant->name,
							.runs = p->known->runs,
							.failures = p->known->failures };

			if (kl_known_copy(&ev->known, &known, err))
				return -1;
			changed = true;
		}
		if (changed && cli_regrade(&c->exercise, j, err))
			return -1;
	}
	return 0;
}

/* What the outcomes say together. */
static int conclude(struct cli_certification *c, const struct order *o, struct kl_error *err)
{
	if (cli_certify_measure(c, &o->session, o->quick, err) || grade_known(c, err))
		return -1;
	for (size_t i = 0; i < c->n_outcomes; i++) {
		struct cli_outcome *out = &c->outcomes[i];

		if (object(out->variant, &out->judgement.result, &out->objection, err))
			return -1;
	}
	if (!o->quick && cli_certify_weigh(c, err))
		return -1;
	c->certified = true;
	for (size_t i = 0; i < c->n_outcomes; i++) {
		c->certified &= !c->outcomes[i].objection;
		c->infra |= c->outcomes[i].judgement.result.verdict == KL_VERDICT_INFRA;
	}
	return c->whole ? cli_certify_controls(c, err) : 0;
}

/* Solutions side by side: while one is built, another has a guest. */
struct pool {
	struct cli_certification *c;
	const struct order *o;
	struct kl_session_options session;
	pthread_mutex_t lock;
	size_t next, done;
	int64_t begun;
	size_t failed_at; /* the first in order counts, whoever was faster; n_outcomes: none */
	struct kl_error err;
};

/* Of a session's progress only what comes before the runs: those of two would mix. */
static void show_preparation(const char *phase, unsigned long done, unsigned long total,
			     int64_t elapsed_ms, int64_t expected_ms, void *arg)
{
	if (strcmp(phase, "run") != 0)
		cli_progress(phase, done, total, elapsed_ms, expected_ms, arg);
}

static void show_done(struct pool *p)
{
	cli_progress("solution", p->done, p->c->n_outcomes, (kl_now_ns() - p->begun) / 1000000, 0,
		     NULL);
}

static void *grade_some(void *arg)
{
	struct pool *p = arg;

	for (;;) {
		struct kl_error err = KL_ERROR_INIT;
		struct cli_outcome *out = NULL;
		size_t i;
		int failed;

		pthread_mutex_lock(&p->lock);
		i = p->next;
		if (i < p->failed_at) {
			out = &p->c->outcomes[i];
			p->next++;
		}
		pthread_mutex_unlock(&p->lock);
		if (!out)
			return NULL;
		failed = grade_variant(&p->c->exercise, p->o, &p->session, out, &err);
		pthread_mutex_lock(&p->lock);
		if (failed && i < p->failed_at) {
			p->failed_at = i;
			p->err = err;
		}
		p->done++;
		show_done(p);
		pthread_mutex_unlock(&p->lock);
	}
}

static int grade_variants(struct cli_certification *c, const struct order *o, struct kl_error *err)
{
	struct pool p = { .c = c,
			  .o = o,
			  .session = o->session,
			  .lock = PTHREAD_MUTEX_INITIALIZER,
			  .begun = kl_now_ns(),
			  .failed_at = c->n_outcomes };
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t guests = cores > 0 ? (size_t)cores : 1, n, started = 0;
	KL_AUTO_FREE pthread_t *worker = NULL;

	if (o->session.jobs && o->session.jobs < guests)
		guests = o->session.jobs;
	n = guests < c->n_outcomes ? guests : c->n_outcomes;
	worker = calloc(n + 1, sizeof(*worker));
	if (!worker)
		return no_memory(err);
	p.session.progress = show_preparation;
	p.session.jobs = n ? (unsigned int)(guests / n) : 1;
	while (started < n && !pthread_create(&worker[started], NULL, grade_some, &p))
		started++;
	if (!started)
		grade_some(&p);
	for (size_t i = 0; i < started; i++)
		pthread_join(worker[i], NULL);
	if (p.failed_at == c->n_outcomes)
		return 0;
	*err = p.err;
	return -1;
}

static int certify(struct cli_certification *c, const struct order *o, struct kl_error *err)
{
	c->outcomes = calloc(c->variants.n + 1, sizeof(*c->outcomes));
	if (!c->outcomes)
		return no_memory(err);
	for (size_t i = 0; i < c->variants.n; i++) {
		const struct kl_variant *v = &c->variants.v[i];

		if (o->variant && strcmp(o->variant, v->name) != 0)
			continue;
		c->outcomes[c->n_outcomes++].variant = v;
	}
	return grade_variants(c, o, err) || conclude(c, o, err) ? -1 : 0;
}

static int variant_exists(const struct kl_variants *vs, const char *name, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO_FREE char *all = NULL;

	for (size_t i = 0; i < vs->n; i++)
		if (kl_strv_add(&names, vs->v[i].name))
			return no_memory(err);
	if (!name || kl_strv_has(&names, name))
		return 0;
	all = join(&names);
	return kl_fail(err, KL_USAGE, "there is no variant “%s”, but %s", name, all ? all : "");
}

static int read_order(const struct cli_args *a, struct order *o, struct kl_error *err)
{
	int format = cli_choice(a, "format", cli_text_or_json, err);
	uint64_t seeds = 0, jobs = 0;

	if (format < 0 || cli_number(a, "seeds", 1, 1024, &seeds, err) ||
	    cli_number(a, "jobs", 1, 1024, &jobs, err) ||
	    cli_output_probe(cli_value(a, "output"), err))
		return -1;
	*o = (struct order){ .variant = cli_value(a, "variant"),
			     .format = (enum cli_format)format,
			     .session = whole };
	o->session.seeds = (unsigned int)seeds;
	o->session.jobs = (unsigned int)jobs;
	o->quick = cli_flag(a, "quick");
	o->session.all_seeds = !o->quick;
	o->keep = !o->variant && !seeds && !o->quick;
	return 0;
}

static int print(const struct cli_args *a, const struct order *o, const struct cli_certification *c,
		 const json_t *j, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	const struct kl_text_style style = cli_style(cli_flag(a, "output"));

	if (o->format == CLI_JSON) {
		if (kl_json_dump(j, &b, err))
			return -1;
	} else {
		cli_certification_text(c, &style, &b);
	}
	return cli_output(a, &b, err);
}

/* What is in the cache, as it is. */
static int show_kept(const struct cli_args *a, const struct kl_exercise *e, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *j = cli_certificate_load(e);
	KL_AUTO_FREE char *path = NULL;

	if (!j)
		return cli_certificate_path(e, &path, err)
			       ? -1
			       : kl_fail(err, KL_CONTENT,
					 "%s has no certificate for what would judge it now: run "
					 "klinic certify %s, which keeps it as %s",
					 e->id, e->id, path);
	return kl_json_dump(j, &b, err) || cli_output(a, &b, err) ? -1 : CLI_DONE;
}

int cli_verb_certify(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(cli_certification_deinit) struct cli_certification c = { 0 };
	KL_AUTO_JSON json_t *j = NULL;
	struct order o;

	if (read_order(a, &o, err) || kl_exercise_find(a->positional[0], &c.exercise, err))
		return -1;
	if (cli_flag(a, "kept"))
		return show_kept(a, &c.exercise, err);
	if (kl_variants_load(&c.exercise, &c.variants, err) ||
	    variant_exists(&c.variants, o.variant, err))
		return -1;
	cli_progress_begin("certifying");
	c.whole = o.keep;
	if (certify(&c, &o, err))
		return -1;
	cli_progress_end();
	j = cli_certification_json(&c);
	if (!j)
		return no_memory(err);
	/* A machine that failed says nothing about the exercise: an earlier certificate stays. */
	if (o.keep && !c.infra && cli_certificate_save(&c.exercise, j, err))
		return -1;
	if (print(a, &o, &c, j, err))
		return -1;
	return c.certified ? CLI_DONE : c.infra ? CLI_INFRA : CLI_FAILED;
}
