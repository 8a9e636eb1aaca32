/*
 * Grader of fixes: evidence in, result out.
 *
 * A submission that intake or the policy refuses, and one that does not build,
 * fail without a run. Else the checks decide: any fail → fail, else any infra → infra, else any inconclusive
 * → inconclusive, else pass. The summary is read by candidates, too: it names
 * checks by their public titles and quotes remarks, never details.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/grader.h>

#include "parts.h"
#include "words.h"

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "no memory for the result");
}

static const struct kl_build_evidence *failed_build(const struct kl_evidence *ev,
						    const char *flavour)
{
	for (size_t i = 0; i < ev->n_builds; i++)
		if (!ev->builds[i].ok && (!flavour || kl_str_eq(ev->builds[i].flavour, flavour)))
			return &ev->builds[i];
	return NULL;
}

static int grade_checks(const struct kl_exercise *e, const struct kl_evidence *ev,
			struct kl_result *res, struct kl_error *err)
{
	res->checks = calloc(ev->n_checks ? ev->n_checks : 1, sizeof(*res->checks));
	if (!res->checks)
		return no_memory(err);
	for (size_t i = 0; i < ev->n_checks; i++) {
		const struct kl_check_evidence *c = &ev->checks[i];
		const struct kl_check *check = kl_exercise_check(e, c->check);
		struct kl_check_result *ret = &res->checks[res->n_checks];

		if (!check)
			return kl_fail(err, KL_CONTENT,
				       "the evidence has a check “%s” that exercise “%s” does not",
				       c->check ? c->check : "", e->id);
		res->n_checks++;
		if (kl_grade_check(check, c, failed_build(ev, c->flavour) != NULL, ret, err))
			return -1;
		res->points += ret->points;
		res->points_max += ret->points_max;
	}
	return 0;
}

static int unite_findings(struct kl_result *res, struct kl_error *err)
{
	for (size_t i = 0; i < res->n_checks; i++)
		if (kl_findings_unite(&res->findings, &res->checks[i].findings))
			return no_memory(err);
	return 0;
}

static unsigned int count(const struct kl_result *res, enum kl_verdict v)
{
	unsigned int n = 0;

	for (size_t i = 0; i < res->n_checks; i++)
		n += res->checks[i].verdict == v;
	return n;
}

/* Such a submission was not run, whatever else the evidence claims. */
static bool unrunnable(const struct kl_evidence *ev)
{
	return ev->refused.n || kl_policy_refusal(&ev->policy);
}

static enum kl_verdict overall(const struct kl_evidence *ev, const struct kl_result *res)
{
	if (unrunnable(ev) || failed_build(ev, NULL) || count(res, KL_VERDICT_FAIL))
		return KL_VERDICT_FAIL;
	if (count(res, KL_VERDICT_INFRA))
		return KL_VERDICT_INFRA;
	if (count(res, KL_VERDICT_INCONCLUSIVE) || !res->n_checks)
		return KL_VERDICT_INCONCLUSIVE;
	return KL_VERDICT_PASS;
}

static const struct kl_check_result *first_with(const struct kl_result *res, enum kl_verdict v)
{
	for (size_t i = 0; i < res->n_checks; i++)
		if (res->checks[i].verdict == v)
			return &res->checks[i];
	return NULL;
}

static void end_sentence(struct kl_buf *b)
{
	if (!b->len || !strchr(".?!", b->data[b->len - 1]))
		kl_buf_puts(b, ".");
}

static void summarise_build(struct kl_buf *b, const struct kl_build_evidence *build)
{
	if (build->timed_out) {
		kl_buf_puts(b, "The submission fails: compiling it took too long and was stopped.");
		return;
	}
	kl_buf_puts(b, "The submission fails: the module does not build");
	for (size_t i = 0; i < build->n; i++) {
		const struct kl_diagnostic *d = &build->diagnostics[i];

		if (!kl_str_eq(d->severity, "error"))
			continue;
		kl_buf_puts(b, ": ");
		kl_buf_safe(b, d->file ? d->file : "?", strlen(d->file ? d->file : "?"), 200);
		kl_buf_printf(b, ":%u: ", d->line);
		kl_buf_safe(b, d->text ? d->text : "", d->text ? strlen(d->text) : 0, 300);
		break;
	}
	end_sentence(b);
}

static void summarise_policy(struct kl_buf *b, const struct kl_policy *policy)
{
	const struct kl_policy_note *first = kl_policy_refusal(policy);
	size_t n = 0;

	for (size_t i = 0; i < policy->n; i++)
		n += policy->v[i].refused;
	kl_buf_puts(b, "The submission fails and was not run: ");
	kl_buf_safe(b, first->file, strlen(first->file), 200);
	if (first->line)
		kl_buf_printf(b, ":%u:%u", first->line, first->column);
	kl_buf_printf(b, " breaks the rule “%s”", first->rule);
	if (n > 1)
		kl_buf_printf(b, " (and %zu more)", n - 1);
	kl_buf_puts(b, ": ");
	kl_buf_safe(b, first->text, strlen(first->text), 400);
	end_sentence(b);
}

/* A remark as the rest of a sentence: "The kernel …" goes on in lower case. */
static void go_on(struct kl_buf *b, const char *remark)
{
	char first[2] = { 0 };

	if (!*remark)
		return;
	first[0] = remark[0] >= 'A' && remark[0] <= 'Z' ? (char)(remark[0] - 'A' + 'a') : remark[0];
	kl_buf_puts(b, first);
	kl_buf_puts(b, remark + 1);
}

static void summarise_fail(struct kl_buf *b, const struct kl_result *res)
{
	const struct kl_check_result *c = first_with(res, KL_VERDICT_FAIL);
	unsigned int n = count(res, KL_VERDICT_FAIL);

	kl_buf_printf(b, "The submission fails %u of %zu checks. %s is “%s”: ", n, res->n_checks,
		      n == 1 ? "It" : "The first", c->title);
	go_on(b, c->remark);
}

static void summarise_open(struct kl_buf *b, const struct kl_result *res, enum kl_verdict v)
{
	const struct kl_check_result *c = first_with(res, v);

	if (!c) {
		kl_buf_puts(b, "No verdict: no check was run.");
		return;
	}
	kl_buf_printf(
		b, "No verdict, and no points lost: %u of %zu checks could not be decided%s. ",
		count(res, KL_VERDICT_INFRA) + count(res, KL_VERDICT_INCONCLUSIVE), res->n_checks,
		v == KL_VERDICT_INFRA ? " because the grading machine failed" : "");
	kl_buf_printf(b, "“%s”: ", c->title);
	go_on(b, c->remark);
}

static void summarise_pass(struct kl_buf *b, const struct kl_result *res)
{
	unsigned int runs = 0;

	for (size_t i = 0; i < res->n_checks; i++)
		runs += res->checks[i].runs;
	kl_buf_printf(
		b, "The submission passes: %zu of %zu checks hold, in %u run%s of a real kernel.",
		res->n_checks, res->n_checks, runs, runs == 1 ? "" : "s");
}

static int summarise(const struct kl_evidence *ev, struct kl_result *res, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	const struct kl_build_evidence *build = failed_build(ev, NULL);

	if (ev->refused.n) {
		const char *why = ev->refused.v[0];

		kl_buf_puts(&b, "The submission was refused and not built: ");
		kl_buf_safe(&b, why, strlen(why), 400);
		if (ev->refused.n > 1)
			kl_buf_printf(&b, " (and %zu more)", ev->refused.n - 1);
		end_sentence(&b);
	} else if (kl_policy_refusal(&ev->policy)) {
		summarise_policy(&b, &ev->policy);
	} else if (build) {
		summarise_build(&b, build);
	} else if (res->verdict == KL_VERDICT_FAIL) {
		summarise_fail(&b, res);
	} else if (res->verdict == KL_VERDICT_PASS) {
		summarise_pass(&b, res);
	} else {
		summarise_open(&b, res, res->verdict);
	}
	if (b.failed)
		return no_memory(err);
	res->summary = kl_buf_steal(&b);
	return res->summary ? 0 : no_memory(err);
}

/* Without a single check's result the score is still out of what could have been had. */
static void score_unrun(const struct kl_exercise *e, const struct kl_evidence *ev,
			struct kl_result *res)
{
	if (res->n_checks || (!unrunnable(ev) && !failed_build(ev, NULL)))
		return;
	for (size_t i = 0; i < e->n_checks; i++)
		res->points_max += e->checks[i].points;
}

int kl_grade_fix(const struct kl_exercise *e, const struct kl_rubric *r,
		 const struct kl_evidence *ev, struct kl_result *ret, struct kl_error *err)
{
	KL_AUTO(kl_result_deinit) struct kl_result res = { 0 };

	if (kl_carry(e, ev, &res, err))
		return -1;
	if (!unrunnable(ev) && (grade_checks(e, ev, &res, err) || unite_findings(&res, err)))
		return -1;
	score_unrun(e, ev, &res);
	res.verdict = overall(ev, &res);
	if (summarise(ev, &res, err) || kl_rubric_score(e, r, &res, err))
		return -1;
	*ret = res;
	res = (struct kl_result){ 0 };
	return 0;
}
