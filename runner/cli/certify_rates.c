/*
 * What certify finds out about checks: which known-bad code fails each of them,
 * and how surely, where a run is one of many: with the schedule driver, or in
 * parallel.
 *
 * A variant that fails a check which always runs the same way is caught. One that
 * does not hangs on seeds: with p the chance of a seed to fail it, n seeds catch a
 * fix of its kind with 1-(1-p)^n, and several checks miss it with the product of
 * what each misses. Below three nines the exercise is not certified: a candidate
 * may hand in much the same fix, meet other schedules (they depend on the
 * submission) and pass.
 *
 * p is measured in RATE_SEEDS runs, those of the exercise's own seeds included,
 * first in the check that fails most of them; in the next only when that is not
 * sure enough. What is caught anyway is not measured further: that is what makes
 * it affordable.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/certify.h"

#define RATE_SEEDS	 32
#define SURE		 0.999
#define SEEDS_MAX	 1024 /* of exercise.yaml */
#define SEEDS_AFFORDABLE 64 /* runs of one check in every grade */

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static bool sampled(const struct kl_check *check)
{
	return check->schedule != KL_SCHEDULE_NONE || check->mode == KL_MODE_PARALLEL;
}

static const struct kl_check_result *result_of(const struct kl_result *r, const char *id)
{
	for (size_t i = 0; i < r->n_checks; i++)
		if (kl_str_eq(r->checks[i].id, id))
			return &r->checks[i];
	return NULL;
}

static bool known_bad(const struct kl_variant *v)
{
	return v->role == KL_ROLE_BROKEN || v->role == KL_ROLE_DECOY;
}

/* Does variants.yaml let it fail the check? As session/control.c asks. */
static bool could_fail(const struct kl_variant *v, const struct kl_check *check)
{
	return known_bad(v) && (!v->caught_by.n || kl_strv_has(&v->caught_by, check->id));
}

static struct cli_rate *find_rate(const struct cli_proof *p, const struct kl_variant *v)
{
	for (size_t i = 0; i < p->n_rates; i++)
		if (p->rates[i].variant == v)
			return &p->rates[i];
	return NULL;
}

static int add_runs(struct cli_rate *rate, const struct kl_check_result *r, struct kl_error *err)
{
	size_t n = rate->failures + r->n_seeds_failed;
	uint64_t *seeds = reallocarray(rate->seeds_failed, n ? n : 1, sizeof(*seeds));

	if (!seeds)
		return no_memory(err);
	rate->seeds_failed = seeds;
	for (size_t i = 0; i < r->n_seeds_failed; i++)
		seeds[rate->failures++] = r->seeds_failed[i];
	rate->runs += r->runs;
	return 0;
}

/* The runs that were graded: of everything known to be wrong that failed, and of broken in any case. */
static int collect_rates(struct cli_certification *c, struct cli_proof *p, struct kl_error *err)
{
	p->rates = calloc(c->n_outcomes + 1, sizeof(*p->rates));
	if (!p->rates)
		return no_memory(err);
	for (size_t i = 0; i < c->n_outcomes; i++) {
		const struct cli_outcome *out = &c->outcomes[i];
		const struct kl_check_result *r = result_of(&out->judgement.result, p->check->id);
		struct cli_rate *rate = &p->rates[p->n_rates];

		if (!r || !known_bad(out->variant) ||
		    (!r->failures && out->variant->role != KL_ROLE_BROKEN))
			continue;
		p->n_rates++;
		rate->variant = out->variant;
		rate->own = r->runs;
		if (add_runs(rate, r, err))
			return -1;
	}
	return 0;
}

static int extend(struct cli_certification *c, const struct kl_session_options *o,
		  const struct cli_proof *p, struct cli_rate *rate, struct kl_error *err)
{
	KL_AUTO(cli_judgement_deinit) struct cli_judgement j = { 0 };
	struct kl_session_options session = *o;
	const struct kl_check_result *r;

	if (rate->runs >= RATE_SEEDS)
		return 0;
	cli_progress_part("%s, %u seeds of %s", rate->variant->name, RATE_SEEDS, p->check->id);
	session.all_seeds = true;
	session.skip_seeds = rate->runs;
	session.seeds = RATE_SEEDS - rate->runs;
	session.only_check = p->check->id;
	if (cli_certify_judge(&c->exercise, &session, rate->variant, &j, err))
		return kl_error_prepend(err, "rate in %s", p->check->id);
	r = result_of(&j.result, p->check->id);
	c->infra |= j.result.verdict == KL_VERDICT_INFRA;
	return r ? add_runs(rate, r, err) : 0;
}

static int extend_broken(struct cli_certification *c, const struct kl_session_options *o,
			 const struct cli_proof *p, struct kl_error *err)
{
	for (size_t i = 0; i < c->n_outcomes; i++) {
		const struct kl_variant *v = c->outcomes[i].variant;
		struct cli_rate *rate = find_rate(p, v);

		if (rate && v->role == KL_ROLE_BROKEN && could_fail(v, p->check) &&
		    extend(c, o, p, rate, err))
			return -1;
	}
	return 0;
}

/* Broken where it fails, else what is said to be caught by it. */
static const struct cli_rate *choose_known(const struct cli_proof *p)
{
	for (size_t i = 0; i < p->n_rates; i++)
		if (p->rates[i].failures && could_fail(p->rates[i].variant, p->check))
			return &p->rates[i];
	return NULL;
}

/* Does chance decide whether it is caught? */
static bool hangs(const struct cli_certification *c, const struct cli_outcome *out)
{
	const struct kl_result *r = &out->judgement.result;

	if (!known_bad(out->variant) || r->verdict != KL_VERDICT_FAIL || !r->n_checks)
		return false;
	for (size_t i = 0; i < r->n_checks; i++) {
		const struct kl_check *check = kl_exercise_check(&c->exercise, r->checks[i].id);

		if (r->checks[i].verdict == KL_VERDICT_FAIL && check && !sampled(check))
			return false;
	}
	return true;
}

static double missed(const struct cli_rate *rate)
{
	return 1 - kl_confidence(kl_chance(rate->runs, rate->failures), rate->own);
}

/* The product of what all checks miss, without one of them. */
static double missed_by_all(const struct cli_certification *c, const struct kl_variant *v,
			    const struct kl_check *but)
{
	double m = 1;

	for (size_t i = 0; i < c->n_proofs; i++) {
		const struct cli_rate *rate = find_rate(&c->proofs[i], v);

		if (rate && c->proofs[i].check != but)
			m *= missed(rate);
	}
	return m;
}

/* The check that fails most of its runs, of those still below RATE_SEEDS when fresh. */
static struct cli_proof *strongest(const struct cli_certification *c, const struct kl_variant *v,
				   bool fresh)
{
	struct cli_proof *best = NULL;
	double best_p = 0;

	for (size_t i = 0; i < c->n_proofs; i++) {
		const struct cli_rate *rate = find_rate(&c->proofs[i], v);
		double p = rate ? kl_chance(rate->runs, rate->failures) : 0;

		if (!rate || !rate->failures || (fresh && rate->runs >= RATE_SEEDS) || p <= best_p)
			continue;
		best = &c->proofs[i];
		best_p = p;
	}
	return best;
}

static int measure_variant(struct cli_certification *c, const struct kl_session_options *o,
			   struct cli_outcome *out, struct kl_error *err)
{
	struct cli_proof *p;

	while ((p = strongest(c, out->variant, true))) {
		if (extend(c, o, p, find_rate(p, out->variant), err))
			return -1;
		if (1 - missed_by_all(c, out->variant, NULL) >= SURE)
			break;
	}
	return 0;
}

static unsigned int seeds_for(double rest, double p)
{
	unsigned int n = 1;

	while (n <= SEEDS_MAX && rest * (1 - kl_confidence(p, n)) > 1 - SURE)
		n++;
	return n;
}

/* What a run of the check takes, by the reference's runs; 0 when they are not there. */
static double guest_seconds(const struct cli_certification *c, const struct kl_check *check)
{
	for (size_t i = 0; i < c->n_outcomes; i++) {
		const struct kl_evidence *ev = &c->outcomes[i].judgement.evidence;

		if (c->outcomes[i].variant->role != KL_ROLE_REFERENCE)
			continue;
		for (size_t k = 0; k < ev->n_checks; k++)
			if (kl_str_eq(ev->checks[k].check, check->id) && ev->checks[k].n_runs)
				return (double)ev->checks[k].runs[0].guest_ns / 1e9;
	}
	return 0;
}

static int object(const struct cli_certification *c, struct cli_outcome *out,
		  const struct cli_proof *p, unsigned int needed, struct kl_error *err)
{
	const struct cli_rate *rate = find_rate(p, out->variant);
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	kl_buf_printf(&b,
		      "hangs on seeds: %s fails it in %u of %u, so that the exercise's own (%u) "
		      "catch a fix of its kind with %.4f, and 0.999 is needed; ",
		      p->check->id, rate->failures, rate->runs, rate->own, out->confidence);
	if (needed <= SEEDS_AFFORDABLE)
		kl_buf_printf(&b, "seeds: %u would do", needed);
	else if (needed <= SEEDS_MAX)
		kl_buf_printf(
			&b,
			"%u runs of %.1f guest seconds each would be needed, which nobody can "
			"afford in every grade: widen the window",
			needed, guest_seconds(c, p->check));
	else
		kl_buf_puts(&b, "no number of seeds would do: widen the window");
	out->objection = kl_buf_steal(&b);
	return out->objection ? 0 : no_memory(err);
}

static int weigh(struct cli_certification *c, struct cli_outcome *out, struct kl_error *err)
{
	struct cli_proof *p = strongest(c, out->variant, false);
	const struct cli_rate *rate = p ? find_rate(p, out->variant) : NULL;
	unsigned int needed;

	if (!rate)
		return 0;
	needed = seeds_for(missed_by_all(c, out->variant, p->check),
			   kl_chance(rate->runs, rate->failures));
	if (needed > p->seeds_needed)
		p->seeds_needed = needed;
	out->hangs_on = p->check;
	out->confidence = 1 - missed_by_all(c, out->variant, NULL);
	if (out->confidence >= SURE || out->objection)
		return 0;
	return object(c, out, p, needed, err);
}

int cli_certify_measure(struct cli_certification *c, const struct kl_session_options *o, bool quick,
			struct kl_error *err)
{
	c->proofs = calloc(c->exercise.n_checks + 1, sizeof(*c->proofs));
	if (!c->proofs)
		return no_memory(err);
	for (size_t i = 0; i < c->exercise.n_checks; i++) {
		struct cli_proof *p = &c->proofs[c->n_proofs++];

		p->check = &c->exercise.checks[i];
		if (!sampled(p->check) || (quick && p->check->mode != KL_MODE_PARALLEL))
			continue;
		if (collect_rates(c, p, err) || extend_broken(c, o, p, err))
			return -1;
	}
	for (size_t i = 0; i < c->n_outcomes && !quick; i++)
		if (hangs(c, &c->outcomes[i]) && measure_variant(c, o, &c->outcomes[i], err))
			return -1;
	for (size_t i = 0; i < c->n_proofs; i++)
		if (c->exercise.checks[i].mode == KL_MODE_PARALLEL)
			c->proofs[i].known = choose_known(&c->proofs[i]);
	return 0;
}

int cli_certify_weigh(struct cli_certification *c, struct kl_error *err)
{
	for (size_t i = 0; i < c->n_outcomes; i++) {
		struct cli_outcome *out = &c->outcomes[i];

		out->confidence = out->judgement.result.verdict == KL_VERDICT_FAIL;
		if (hangs(c, out) && weigh(c, out, err))
			return -1;
	}
	return 0;
}

/* Of those that variants.yaml lets fail it: broken before decoys, as the outcomes stand. */
static const struct kl_variant *find_control(const struct cli_certification *c,
					     const struct kl_check *check)
{
	for (size_t i = 0; i < c->n_outcomes; i++) {
		const struct cli_outcome *out = &c->outcomes[i];
		const struct kl_check_result *r = result_of(&out->judgement.result, check->id);

		if (r && r->verdict == KL_VERDICT_FAIL && could_fail(out->variant, check))
			return out->variant;
	}
	return NULL;
}

int cli_certify_controls(struct cli_certification *c, struct kl_error *err)
{
	for (size_t i = 0; i < c->n_proofs; i++) {
		struct cli_proof *p = &c->proofs[i];

		p->control = find_control(c, p->check);
		if (p->control)
			continue;
		p->objection =
			strdup("nothing that is known to be wrong fails it, so that it proves "
			       "nothing: add a decoy that it catches, and name it in "
			       "caught_by");
		if (!p->objection)
			return no_memory(err);
		c->certified = false;
	}
	return 0;
}

void cli_proof_deinit(struct cli_proof *p)
{
	for (size_t i = 0; i < p->n_rates; i++)
		free(p->rates[i].seeds_failed);
	free(p->rates);
	free(p->objection);
	*p = (struct cli_proof){ 0 };
}
