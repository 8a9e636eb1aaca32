/*
 * One check from its runs. Any failing run fails it; else what the machine owes
 * (runs lost, runs never made) keeps it from a verdict; else it passes.
 *
 * Confidence speaks about schedules that were not run. An exact run is a
 * function of its seed, so what was run is certain: 1. Parallel runs are
 * samples: 1-(1-p)^n with p the chance of a run of known-bad code to fail, which
 * the exercise's certificate has and cli puts into the evidence (kl_known).
 * Without it the confidence is unknown (0), and unknown is no pass: a parallel
 * check without failures is inconclusive. A failure needs no confidence.
 *
 * Nor does a failure need a control: that a check can speak is shown when it
 * does. Its silence counts only if known-bad code made it speak under the same
 * seeds.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/grader.h>

#include "inspect.h"
#include "parts.h"

#define CONFIDENCE_TO_PASS 0.999

/* The runs, judged; the first of each verdict keeps its words. */
struct tally {
	unsigned int of[KL_VERDICT_COUNT];
	struct kl_run_judgement first[KL_VERDICT_COUNT];
	const struct kl_run *first_failing;
};

static void tally_deinit(struct tally *t)
{
	for (size_t i = 0; i < KL_VERDICT_COUNT; i++)
		kl_run_judgement_deinit(&t->first[i]);
}

static int set_text(char **to, const char *text, struct kl_error *err)
{
	free(*to);
	*to = strdup(text ? text : "");
	return *to ? 0 : kl_fail(err, KL_INFRA, "no memory to grade a check");
}

static double confidence(const struct kl_check_evidence *c)
{
	if (c->mode == KL_MODE_EXACT)
		return c->n_runs ? 1 : 0;
	return c->known.variant ? kl_confidence(kl_chance(c->known.runs, c->known.failures),
						(unsigned int)c->n_runs)
				: 0;
}

static int judge_runs(const struct kl_check_evidence *c, struct tally *t,
		      struct kl_check_result *ret, struct kl_error *err)
{
	ret->seeds_failed = calloc(c->n_runs ? c->n_runs : 1, sizeof(*ret->seeds_failed));
	if (!ret->seeds_failed)
		return kl_fail(err, KL_INFRA, "no memory to grade a check");
	for (size_t i = 0; i < c->n_runs; i++) {
		KL_AUTO(kl_run_judgement_deinit) struct kl_run_judgement j = { 0 };

		if (kl_judge_run(c, &c->runs[i], &j, err))
			return -1;
		if (j.verdict == KL_VERDICT_FAIL) {
			ret->seeds_failed[ret->n_seeds_failed++] = c->runs[i].seed;
			if (!t->first_failing)
				t->first_failing = &c->runs[i];
		}
		if (t->of[j.verdict]++ == 0) {
			t->first[j.verdict] = j;
			j = (struct kl_run_judgement){ 0 };
		}
	}
	ret->runs = (unsigned int)c->n_runs;
	ret->failures = t->of[KL_VERDICT_FAIL];
	ret->rate = ret->runs ? (double)ret->failures / ret->runs : 0;
	ret->confidence = confidence(c);
	return 0;
}

/* What is tolerated did not fail the check, so it is not shown as if it had. */
static int show_failing_run(const struct kl_check_evidence *c, const struct kl_run *run,
			    struct kl_check_result *ret, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf memory = KL_BUF_INIT;

	ret->guest_ns = run->guest_ns;
	for (size_t i = 0; i < run->findings.n; i++) {
		const struct kl_findings one = { .v = &run->findings.v[i], .n = 1 };

		if ((size_t)one.v->kind < KL_KIND_COUNT && c->tolerate[one.v->kind])
			continue;
		if (kl_findings_copy(&ret->findings, &one))
			return kl_fail(err, KL_INFRA, "no memory to grade a check");
	}
	kl_inspection_words(&memory, &run->inspection);
	if (kl_buf_check(&memory, "what a guest's memory said", err) ||
	    (memory.len && set_text(&ret->memory, memory.data, err)))
		return -1;
	return run->console ? set_text(&ret->console, run->console, err) : 0;
}

static int conclude(struct kl_check_result *ret, enum kl_verdict v, const char *detail,
		    const char *remark, struct kl_error *err)
{
	ret->verdict = v;
	if (set_text(&ret->detail, detail, err) || set_text(&ret->remark, remark, err))
		return -1;
	return 0;
}

static int conclude_from(struct kl_check_result *ret, const struct tally *t, enum kl_verdict v,
			 struct kl_error *err)
{
	return conclude(ret, v, t->first[v].detail, t->first[v].remark, err);
}

static int conclude_infra(const struct kl_check_evidence *c, struct kl_check_result *ret,
			  struct kl_error *err)
{
	/* The reason may name paths of hidden/: it is for the panel only. */
	return conclude(ret, KL_VERDICT_INFRA,
			c->infra && *c->infra ? c->infra : "No run was made, for no stated reason.",
			"The machine could not run this check; grade again.", err);
}

static int conclude_short(const struct kl_check_evidence *c, struct kl_check_result *ret,
			  struct kl_error *err)
{
	KL_AUTO_FREE char *detail = kl_asprintf(
		"Only %zu of %u planned runs were made, and none failed.", c->n_runs, c->planned);

	return conclude(ret, KL_VERDICT_INCONCLUSIVE, detail,
			"Not all of its runs were made; grade again.", err);
}

static int conclude_unsure(const struct kl_check_evidence *c, struct kl_check_result *ret,
			   struct kl_error *err)
{
	static const char *const remark = "No run failed, but that is not yet evidence enough.";
	KL_AUTO_FREE char *detail = NULL;

	if (!c->known.variant)
		return conclude(
			ret, KL_VERDICT_INCONCLUSIVE,
			"No run failed, but how often known-bad code fails in parallel runs "
			"is not known, so this is no pass. klinic certify measures it.",
			remark, err);
	detail = kl_asprintf(
		"None of %u runs failed, but %s fails only %u of %u parallel runs: with "
		"p = %.4f this is no pass with confidence %.4f, and %.4f is needed.",
		ret->runs, c->known.variant, c->known.failures, c->known.runs,
		kl_chance(c->known.runs, c->known.failures), ret->confidence, CONFIDENCE_TO_PASS);
	return detail ? conclude(ret, KL_VERDICT_INCONCLUSIVE, detail, remark, err)
		      : kl_fail(err, KL_INFRA, "no memory to grade a check");
}

static bool controlled(const struct kl_control *c)
{
	return !c->asked || (!c->infra && c->variant && c->failures);
}

static int conclude_uncontrolled(const struct kl_control *c, struct kl_check_result *ret,
				 struct kl_error *err)
{
	static const char *const remark =
		"No run failed, but nothing shows that this check notices a fault; grade again.";
	KL_AUTO_FREE char *detail = NULL;

	if (c->infra)
		detail = kl_asprintf("No run failed, but the control could not be run: %s",
				     c->infra);
	else if (!c->variant)
		detail = kl_asprintf("No run failed, but nothing that is known to be wrong is said "
				     "to fail this check, so its silence says nothing: "
				     "hidden/variants.yaml wants a decoy that it catches.");
	else
		detail = kl_asprintf(
			"No run failed, but neither did the control: %s, which is known "
			"to be wrong, passed in %u run%s under the same seeds. So the "
			"check's silence says nothing.",
			c->variant, c->runs, c->runs == 1 ? "" : "s");
	if (!detail)
		return kl_fail(err, KL_INFRA, "no memory to grade a check");
	return conclude(ret, c->infra ? KL_VERDICT_INFRA : KL_VERDICT_INCONCLUSIVE, detail,
			c->infra ? "The machine could not run this check; grade again." : remark,
			err);
}

static int verdict(const struct kl_check_evidence *c, const struct tally *t, bool unbuilt,
		   struct kl_check_result *ret, struct kl_error *err)
{
	if (t->of[KL_VERDICT_FAIL])
		return conclude_from(ret, t, KL_VERDICT_FAIL, err);
	if (unbuilt && !c->n_runs)
		return conclude(ret, KL_VERDICT_FAIL, "Not run: the module does not build.",
				"Not run: the module does not build.", err);
	if (t->of[KL_VERDICT_INFRA])
		return conclude_from(ret, t, KL_VERDICT_INFRA, err);
	if (c->infra || !c->n_runs)
		return conclude_infra(c, ret, err);
	if (t->of[KL_VERDICT_INCONCLUSIVE])
		return conclude_from(ret, t, KL_VERDICT_INCONCLUSIVE, err);
	if (c->n_runs < c->planned)
		return conclude_short(c, ret, err);
	if (ret->confidence < CONFIDENCE_TO_PASS)
		return conclude_unsure(c, ret, err);
	if (!controlled(&c->control))
		return conclude_uncontrolled(&c->control, ret, err);
	return conclude(ret, KL_VERDICT_PASS, NULL, NULL, err);
}

int kl_grade_check(const struct kl_check *check, const struct kl_check_evidence *c, bool unbuilt,
		   struct kl_check_result *ret, struct kl_error *err)
{
	KL_AUTO(tally_deinit) struct tally t = { 0 };

	ret->hidden = c->hidden || check->hidden;
	ret->mode = c->mode;
	if (kl_control_copy(&ret->control, &c->control, err) ||
	    kl_known_copy(&ret->known, &c->known, err))
		return -1;
	if (set_text(&ret->id, check->id, err) || set_text(&ret->title, check->title, err) ||
	    set_text(&ret->flavour, c->flavour, err) || judge_runs(c, &t, ret, err))
		return -1;
	if (t.first_failing && show_failing_run(c, t.first_failing, ret, err))
		return -1;
	if (!t.first_failing && c->n_runs)
		ret->guest_ns = c->runs[0].guest_ns;
	if (verdict(c, &t, unbuilt, ret, err))
		return -1;
	/* Infra and inconclusive never cost points: what was not decided is not counted. */
	if (ret->verdict == KL_VERDICT_PASS || ret->verdict == KL_VERDICT_FAIL)
		ret->points_max = check->points;
	if (ret->verdict == KL_VERDICT_PASS)
		ret->points = check->points;
	return 0;
}
