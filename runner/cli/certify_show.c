/* A certification as a document and as a table. */
#include <inttypes.h>
#include <string.h>

#include <klinic/json.h>

#include "cli/certify.h"

static json_t *seeds_json(const uint64_t *seeds, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; a && i < n; i++)
		json_array_append_new(a, json_integer((json_int_t)seeds[i]));
	return a;
}

static const struct kl_run *find_run(const struct kl_evidence *ev, const char *check, uint64_t seed)
{
	for (size_t i = 0; i < ev->n_checks; i++)
		for (size_t k = 0; k < ev->checks[i].n_runs; k++)
			if (kl_str_eq(ev->checks[i].check, check) &&
			    ev->checks[i].runs[k].seed == seed)
				return &ev->checks[i].runs[k];
	return NULL;
}

/*
 * Guest clocks of the failing runs: at the end of the run (0 where the guest did
 * not live to tell), and on the first report of the kernel log (null without one).
 */
static void put_times(json_t *o, const struct kl_check_result *c, const struct kl_evidence *ev)
{
	json_t *ends = json_array();
	json_t *reports = json_array();

	for (size_t i = 0; i < c->n_seeds_failed; i++) {
		const struct kl_run *r = find_run(ev, c->id, c->seeds_failed[i]);
		bool reported = r && r->findings.n;

		json_array_append_new(ends, json_integer(r ? (json_int_t)r->guest_ns : 0));
		json_array_append_new(reports,
				      reported ? json_integer((json_int_t)r->findings.v[0].time_us)
					       : json_null());
	}
	json_object_set_new(o, "guest_ns", ends);
	json_object_set_new(o, "report_us", reports);
}

static json_t *check_json(const struct kl_check_result *c, const struct kl_evidence *ev)
{
	json_t *o = json_object();
	json_t *kinds = json_array();

	for (size_t i = 0; i < c->findings.n; i++)
		json_array_append_new(kinds, kl_json_text(c->findings.v[i].title));
	json_object_set_new(o, "id", kl_json_text(c->id));
	json_object_set_new(o, "verdict", json_string(kl_verdict_name(c->verdict)));
	json_object_set_new(o, "runs", json_integer(c->runs));
	json_object_set_new(o, "failures", json_integer(c->failures));
	json_object_set_new(o, "seeds_failed", seeds_json(c->seeds_failed, c->n_seeds_failed));
	put_times(o, c, ev);
	json_object_set_new(o, "findings", kinds);
	json_object_set_new(o, "detail", kl_json_text(c->detail));
	return o;
}

static void count_runs(const struct kl_result *r, unsigned int *ret_runs,
		       unsigned int *ret_failures)
{
	*ret_runs = *ret_failures = 0;
	for (size_t i = 0; i < r->n_checks; i++) {
		*ret_runs += r->checks[i].runs;
		*ret_failures += r->checks[i].failures;
	}
}

static json_t *outcome_json(const struct cli_outcome *out)
{
	const struct kl_result *r = &out->judgement.result;
	json_t *o = json_object();
	json_t *checks = json_array();
	unsigned int runs, failures;

	count_runs(r, &runs, &failures);
	for (size_t i = 0; i < r->n_checks; i++)
		json_array_append_new(checks, check_json(&r->checks[i], &out->judgement.evidence));
	json_object_set_new(o, "name", kl_json_text(out->variant->name));
	json_object_set_new(o, "role", json_string(kl_role_name(out->variant->role)));
	json_object_set_new(o, "expected", json_string(kl_verdict_name(out->expected)));
	json_object_set_new(o, "verdict", json_string(kl_verdict_name(r->verdict)));
	json_object_set_new(o, "runs", json_integer(runs));
	json_object_set_new(o, "failures", json_integer(failures));
	json_object_set_new(o, "objection", kl_json_text(out->objection));
	/* Noop is broken once more: what catches the one catches the other. */
	json_object_set_new(o, "confidence",
			    r->verdict == KL_VERDICT_FAIL && out->variant->role != KL_ROLE_NOOP
				    ? json_real(out->confidence)
				    : json_null());
	json_object_set_new(o, "hangs_on", kl_json_text(out->hangs_on ? out->hangs_on->id : NULL));
	json_object_set_new(o, "caught_by", kl_json_strv(&out->variant->caught_by));
	json_object_set_new(o, "checks", checks);
	return o;
}

static json_t *rate_json(const char *key, const char *name, const struct cli_rate *rate)
{
	json_t *o = json_object();

	json_object_set_new(o, key, kl_json_text(name));
	json_object_set_new(o, "runs", json_integer(rate->runs));
	json_object_set_new(o, "failures", json_integer(rate->failures));
	json_object_set_new(o, "rate",
			    json_real(rate->runs ? (double)rate->failures / rate->runs : 0));
	json_object_set_new(o, "seeds_failed", seeds_json(rate->seeds_failed, rate->failures));
	return o;
}

static json_t *proof_json(const struct cli_proof *p)
{
	json_t *o = json_object();
	json_t *rates = json_array();
	const struct kl_check *check = p->check;

	for (size_t i = 0; i < p->n_rates; i++)
		json_array_append_new(
			rates, rate_json("variant", p->rates[i].variant->name, &p->rates[i]));
	json_object_set_new(o, "id", kl_json_text(check->id));
	json_object_set_new(o, "mode", json_string(kl_mode_name(check->mode)));
	json_object_set_new(o, "schedule", json_string(kl_schedule_name(check->schedule)));
	json_object_set_new(o, "seeds", json_integer(check->seeds));
	json_object_set_new(o, "seeds_needed",
			    p->seeds_needed ? json_integer(p->seeds_needed) : json_null());
	json_object_set_new(o, "control", kl_json_text(p->control ? p->control->name : NULL));
	json_object_set_new(o, "known",
			    p->known ? rate_json("variant", p->known->variant->name, p->known)
				     : json_null());
	json_object_set_new(o, "rates", rates);
	json_object_set_new(o, "objection", kl_json_text(p->objection));
	return o;
}

/* The broken module's rate in a check with the schedule driver, or NULL. */
static const struct cli_rate *race_of(const struct cli_proof *p)
{
	if (p->check->schedule == KL_SCHEDULE_NONE || p->check->mode != KL_MODE_EXACT)
		return NULL;
	for (size_t i = 0; i < p->n_rates; i++)
		if (p->rates[i].variant->role == KL_ROLE_BROKEN)
			return &p->rates[i];
	return NULL;
}

static json_t *environment_json(const struct cli_certification *c)
{
	const struct kl_result *r = NULL;
	json_t *o = json_object();

	/* A variant that was refused or did not build met no kernel. */
	for (size_t i = 0; i < c->n_outcomes && !(r && r->qemu); i++)
		r = &c->outcomes[i].judgement.result;
	json_object_set_new(o, "klinic", json_string(cli_version()));
	json_object_set_new(o, "kernel", kl_json_text(r ? r->kernel : NULL));
	json_object_set_new(o, "qemu", kl_json_text(r ? r->qemu : NULL));
	json_object_set_new(o, "accel", kl_json_text(r ? r->accel : NULL));
	json_object_set_new(o, "template_ram", json_string(r ? r->template_ram : ""));
	json_object_set_new(o, "exercise_digest", json_string(c->exercise.digest));
	return o;
}

json_t *cli_certification_json(const struct cli_certification *c)
{
	json_t *o = json_object();
	json_t *variants = json_array();
	json_t *checks = json_array();
	json_t *races = json_array();

	for (size_t i = 0; i < c->n_outcomes; i++)
		json_array_append_new(variants, outcome_json(&c->outcomes[i]));
	for (size_t i = 0; i < c->n_proofs; i++) {
		const struct cli_rate *race = race_of(&c->proofs[i]);

		json_array_append_new(checks, proof_json(&c->proofs[i]));
		if (race)
			json_array_append_new(races,
					      rate_json("check", c->proofs[i].check->id, race));
	}
	json_object_set_new(o, "exercise", kl_json_text(c->exercise.id));
	json_object_set_new(o, "certified", json_boolean(c->certified && c->whole));
	json_object_set_new(o, "whole", json_boolean(c->whole));
	json_object_set_new(o, "variants", variants);
	json_object_set_new(o, "checks", checks);
	json_object_set_new(o, "races", races);
	json_object_set_new(o, "environment", environment_json(c));
	return o;
}

#define NAME_WIDTH 24

static const char *paint(const struct kl_text_style *s, bool good)
{
	return !s->color ? "" : good ? "\033[32m" : "\033[31m";
}

static void seeds_text(struct kl_buf *b, const uint64_t *seeds, size_t n)
{
	for (size_t i = 0; i < n && i < 16; i++)
		kl_buf_printf(b, "%s%" PRIu64, i ? "," : "", seeds[i]);
	if (n > 16)
		kl_buf_printf(b, " and %zu more", n - 16);
}

/* "by early-unlock 3/8 (seeds 1,4,7); count 1/1" */
static void catchers_text(const struct kl_result *r, struct kl_buf *b)
{
	bool first = true;

	for (size_t i = 0; i < r->n_checks; i++) {
		const struct kl_check_result *c = &r->checks[i];

		if (c->verdict != KL_VERDICT_FAIL)
			continue;
		kl_buf_printf(b, "%s%s %u/%u", first ? "" : "; ", c->id, c->failures, c->runs);
		first = false;
		if (c->runs > 1) {
			kl_buf_puts(b, " (");
			seeds_text(b, c->seeds_failed, c->n_seeds_failed);
			kl_buf_puts(b, ")");
		}
	}
}

static void outcome_text(const struct cli_outcome *out, const struct kl_text_style *s,
			 struct kl_buf *b)
{
	const struct kl_result *r = &out->judgement.result;
	const char *good = s->unicode ? "✓" : "+", *bad = s->unicode ? "✗" : "x";
	unsigned int runs, failures;

	count_runs(r, &runs, &failures);
	kl_buf_printf(b, "%s%s%s %-*s  %-11s  %-8s  %-12s  %4u/%-4u  ", paint(s, !out->objection),
		      out->objection ? bad : good, s->color ? "\033[0m" : "", NAME_WIDTH,
		      out->variant->name, kl_role_name(out->variant->role),
		      kl_verdict_name(out->expected), kl_verdict_name(r->verdict), failures, runs);
	catchers_text(r, b);
	kl_buf_puts(b, "\n");
	if (out->objection) {
		kl_buf_puts(b, "    ");
		kl_buf_safe(b, out->objection, strlen(out->objection), 1000);
		kl_buf_puts(b, "\n");
	}
}

/* Rounded down: what is said to be caught with 0.9990 is. */
static void caught_text(double confidence, struct kl_buf *b)
{
	if (confidence >= 0.9999)
		kl_buf_puts(b, " (caught with more than 0.9999)");
	else
		kl_buf_printf(b, " (caught with %.4f)", (double)(long)(confidence * 1e4) / 1e4);
}

/* "race, 8 seeds: broken 24/32, null-check 6/32 (caught with 0.8233); 34 seeds would do." */
static void rates_text(const struct cli_certification *c, const struct cli_proof *p,
		       struct kl_buf *b)
{
	kl_buf_printf(b, "%s, %u %s%s:", p->check->id, p->check->seeds,
		      p->check->mode == KL_MODE_PARALLEL ? "parallel run" : "seed",
		      p->check->seeds == 1 ? "" : "s");
	for (size_t i = 0; i < p->n_rates; i++) {
		const struct cli_rate *rate = &p->rates[i];

		kl_buf_printf(b, "%s %s %u/%u", i ? "," : "", rate->variant->name, rate->failures,
			      rate->runs);
		for (size_t k = 0; k < c->n_outcomes; k++)
			if (c->outcomes[k].variant == rate->variant &&
			    c->outcomes[k].hangs_on == p->check)
				caught_text(c->outcomes[k].confidence, b);
	}
	if (p->seeds_needed)
		kl_buf_printf(b, "; %u seed%s would do", p->seeds_needed,
			      p->seeds_needed == 1 ? "" : "s");
	kl_buf_puts(b, ".\n");
}

/* Is there an objection to it? */
static bool proof_text(const struct cli_certification *c, const struct cli_proof *p,
		       struct kl_buf *b, bool *begun)
{
	if (!*begun && (p->n_rates || p->objection)) {
		kl_buf_puts(b, "\n");
		*begun = true;
	}
	if (p->n_rates)
		rates_text(c, p, b);
	if (p->objection)
		kl_buf_printf(b, "%s: %s.\n", p->check->id, p->objection);
	return p->objection != NULL;
}

void cli_certification_text(const struct cli_certification *c, const struct kl_text_style *style,
			    struct kl_buf *b)
{
	size_t wrong = 0, wrong_checks = 0;
	bool begun = false;

	kl_buf_printf(b, "  %-*s  %-11s  %-8s  %-12s  %9s  %s\n", NAME_WIDTH, "variant", "role",
		      "expected", "verdict", "failed", "checks that fail (seeds)");
	for (size_t i = 0; i < c->n_outcomes; i++) {
		outcome_text(&c->outcomes[i], style, b);
		wrong += c->outcomes[i].objection != NULL;
	}
	for (size_t i = 0; i < c->n_proofs; i++)
		wrong_checks += proof_text(c, &c->proofs[i], b, &begun);
	kl_buf_puts(b, "\n");
	if (wrong)
		kl_buf_printf(b,
			      "%s is not certified: %zu of %zu variants are not judged as they "
			      "should be.\n",
			      c->exercise.id, wrong, c->n_outcomes);
	else if (wrong_checks)
		kl_buf_printf(b, "%s is not certified: %zu of %zu checks prove nothing.\n",
			      c->exercise.id, wrong_checks, c->n_proofs);
	else if (!c->whole)
		kl_buf_printf(b,
			      "As it should be. This was a part only: %s is not certified by it.\n",
			      c->exercise.id);
	else
		kl_buf_printf(b, "%s is certified: %zu variants, each judged as it should be.\n",
			      c->exercise.id, c->n_outcomes);
}
