/*
 * Controls: a check that finds nothing says something only if it finds what is
 * there. So for every check that a submission did not fail, code that is known
 * to be wrong must fail it, in the same session and under the same seeds.
 *
 * That code is the handout itself where hidden/variants.yaml lets it fail the
 * check (by an entry for broken, or by none), and else a decoy that the check is
 * said to catch: not every check is about the planted fault, many hold what a
 * lazy fix would lose.
 *
 * A control has a submission digest of its own, hence challenges of its own: not
 * those of the submission that it stands beside. So its outcome is the same for
 * every submission, and is kept in the cache under everything that it depends on.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/intake.h>
#include <klinic/json.h>

#include "session/internal.h"

#define RECORD_MAX 65536

/* A check whose silence wants a control. */
struct wish {
	const struct ks_plan *plan;
	struct kl_control *control; /* in the evidence */
	bool settled;
};

struct search {
	const struct ks_session *s;
	struct kl_variants variants;
	struct wish *wish;
	size_t n;
};

static void search_deinit(struct search *q)
{
	kl_variants_deinit(&q->variants);
	free(q->wish);
}

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

/* All runs made, and nothing to say against any. */
static bool silent(const struct kl_check_evidence *c)
{
	for (size_t i = 0; i < c->n_runs; i++)
		if (ks_is_infra(&c->runs[i]) || ks_failed(c, &c->runs[i]))
			return false;
	return c->n_runs && c->n_runs == c->planned;
}

static bool could_fail(const struct kl_variant *v, const char *check)
{
	if (v->role != KL_ROLE_BROKEN && v->role != KL_ROLE_DECOY)
		return false;
	return !v->caught_by.n || kl_strv_has(&v->caught_by, check);
}

/* Broken first; of decoys those first that fewest checks are said to catch: they fail most surely. */
static int by_promise(const void *a, const void *b)
{
	const struct kl_variant *x = a, *y = b;

	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	if (x->caught_by.n != y->caught_by.n) {
		if (!x->caught_by.n || !y->caught_by.n)
			return x->caught_by.n ? -1 : 1;
		return x->caught_by.n < y->caught_by.n ? -1 : 1;
	}
	return strcmp(x->name, y->name);
}

static int record_path(const struct ks_session *s, const struct ks_plan *p,
		       const struct kl_variant *v, char **ret, struct kl_error *err)
{
	const struct kl_template *t = p->flavour->template[p->check->mode];
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };
	KL_AUTO_FREE char *dir = NULL, *seeds = NULL;
	char hex[KL_DIGEST_HEX];

	seeds = kl_asprintf("%u from %" PRIu64, p->runs, p->first_seed);
	if (!seeds)
		return no_memory(err);
	if (kl_cache_dir("controls", &dir, err) || kl_digest_init(&d, err))
		return -1;
	kl_digest_text(&d, "judging", KL_JUDGING);
	kl_digest_text(&d, "exercise", s->exercise->digest); /* covers the variant's patch */
	kl_digest_text(&d, "variant", v->name);
	kl_digest_text(&d, "check", p->check->id);
	kl_digest_text(&d, "mode", kl_mode_name(p->check->mode));
	kl_digest_text(&d, "seeds", seeds);
	kl_digest_text(&d, "kernel", p->flavour->kernel.digest);
	kl_digest_text(&d, "template", kl_template_digest(t));
	kl_digest_text(&d, "ram", kl_template_ram_digest(t));
	if (kl_digest_file(&d, "program", p->program, err))
		return -1;
	kl_digest_final(&d, hex);
	*ret = kl_asprintf("%s/%s.json", dir, hex);
	return *ret ? 0 : no_memory(err);
}

/* What cannot be read is made again. */
static bool recall(const char *path, unsigned int *ret_runs, unsigned int *ret_failures)
{
	KL_AUTO_JSON json_t *j = NULL;
	int runs, failures;

	if (!kl_file_exists(path) || kl_json_load(path, RECORD_MAX, &j, NULL) ||
	    json_unpack(j, "{s:i, s:i}", "runs", &runs, "failures", &failures) || failures < 0 ||
	    runs < failures)
		return false;
	*ret_runs = (unsigned int)runs;
	*ret_failures = (unsigned int)failures;
	return true;
}

static int record(const char *path, const struct ks_plan *p, const char *variant, unsigned int runs,
		  unsigned int failures, struct kl_error *err)
{
	KL_AUTO_JSON json_t *j = NULL;

	/* Parallel runs are samples: that none failed is nothing to hold on to. */
	if (p->check->mode == KL_MODE_PARALLEL && !failures)
		return 0;
	j = json_pack("{s:s, s:s, s:i, s:i}", "variant", variant, "check", p->check->id, "runs",
		      (int)runs, "failures", (int)failures);
	return j ? kl_json_write(j, path, err) : no_memory(err);
}

/* The first variant that fails it is the control; when none does, the first that should have. */
static int note(struct wish *w, const char *variant, unsigned int runs, unsigned int failures,
		bool cached, struct kl_error *err)
{
	struct kl_control *c = w->control;

	w->settled = failures != 0;
	if (c->variant && !failures)
		return 0;
	free(c->variant);
	c->variant = strdup(variant);
	c->runs = runs;
	c->failures = failures;
	c->cached = cached;
	return c->variant ? 0 : no_memory(err);
}

static int note_infra(struct wish *w, const char *why, struct kl_error *err)
{
	w->settled = true;
	w->control->infra = strdup(why);
	return w->control->infra ? 0 : no_memory(err);
}

static int make_runs(const struct ks_session *s, const struct kl_variant *v,
		     const struct kl_strv *checks, struct kl_evidence *ret, struct kl_error *err)
{
	struct kl_session_options o = *s->options;
	KL_AUTO(kl_submission_deinit) struct kl_submission sub = { 0 };
	struct ks_session beside = {
		.exercise = s->exercise, .submission = &sub, .options = &o, .only = checks
	};

	o.control = o.all_seeds = o.rebuild_template = false;
	o.on_console = NULL;
	if (v->path ? kl_intake(s->exercise, v->path, &sub, err)
		    : kl_intake_unchanged(s->exercise, &sub, err))
		return -1;
	return ks_run(&beside, ret, err);
}

/* Without evidence of the check (refused, or not built) it did not fail it either. */
static int take(const struct search *q, struct wish *w, const struct kl_variant *v,
		const struct kl_evidence *ev, struct kl_error *err)
{
	const struct kl_check_evidence *c = NULL;
	KL_AUTO_FREE char *path = NULL;
	unsigned int failures = 0, lost = 0, runs = 0;

	for (size_t i = 0; i < ev->n_checks && !c; i++)
		if (kl_str_eq(ev->checks[i].check, w->plan->check->id))
			c = &ev->checks[i];
	for (size_t i = 0; c && i < c->n_runs; i++) {
		failures += ks_failed(c, &c->runs[i]);
		lost += ks_is_infra(&c->runs[i]);
		runs++;
	}
	if (!failures && lost)
		return note_infra(w, "a run was lost by the machine.", err);
	if (record_path(q->s, w->plan, v, &path, err) ||
	    record(path, w->plan, v->name, runs, failures, err))
		return -1;
	return note(w, v->name, runs, failures, false, err);
}

/* From the cache what it has, and a session for the rest. */
static int ask(struct search *q, const struct kl_variant *v, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv missing = { 0 };
	KL_AUTO(kl_evidence_deinit) struct kl_evidence ev = { 0 };
	struct kl_error why = KL_ERROR_INIT;

	for (size_t i = 0; i < q->n; i++) {
		struct wish *w = &q->wish[i];
		KL_AUTO_FREE char *path = NULL;
		unsigned int runs, failures;

		if (w->settled || !could_fail(v, w->plan->check->id))
			continue;
		if (record_path(q->s, w->plan, v, &path, err))
			return -1;
		if (recall(path, &runs, &failures)) {
			if (note(w, v->name, runs, failures, true, err))
				return -1;
		} else if (kl_strv_add(&missing, w->plan->check->id)) {
			return no_memory(err);
		}
	}
	if (!missing.n)
		return 0;
	if (make_runs(q->s, v, &missing, &ev, &why) && why.class != KL_INFRA) {
		*err = why;
		return kl_error_prepend(err, "control %s", v->name);
	}
	for (size_t i = 0; i < q->n; i++) {
		struct wish *w = &q->wish[i];

		if (!kl_strv_has(&missing, w->plan->check->id))
			continue;
		if (*why.message ? note_infra(w, why.message, err) : take(q, w, v, &ev, err))
			return -1;
	}
	return 0;
}

static bool satisfied(const struct search *q)
{
	for (size_t i = 0; i < q->n; i++)
		if (!q->wish[i].settled)
			return false;
	return true;
}

static int make_wishes(struct search *q, struct kl_evidence *ev, struct kl_error *err)
{
	q->wish = calloc(ev->n_checks ? ev->n_checks : 1, sizeof(*q->wish));
	if (!q->wish)
		return no_memory(err);
	for (size_t i = 0; i < ev->n_checks; i++) {
		struct kl_control *c = &ev->checks[i].control;

		c->asked = silent(&ev->checks[i]);
		if (c->asked)
			q->wish[q->n++] = (struct wish){ .plan = &q->s->plan[i], .control = c };
	}
	return 0;
}

int ks_control(const struct ks_session *s, struct kl_evidence *ev, struct kl_error *err)
{
	KL_AUTO(search_deinit) struct search q = { .s = s };

	if (!s->options->control)
		return 0;
	if (make_wishes(&q, ev, err))
		return -1;
	if (q.n && kl_variants_load(s->exercise, &q.variants, err))
		return -1;
	if (q.variants.n)
		qsort(q.variants.v, q.variants.n, sizeof(*q.variants.v), by_promise);
	for (size_t i = 0; i < q.variants.n && !satisfied(&q); i++)
		if (ask(&q, &q.variants.v[i], err))
			return -1;
	return 0;
}
