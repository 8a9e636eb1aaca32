/*
 * What a candidate may see of a result. report/ leaves hidden things out of its
 * formats by itself; this takes them out of the document, for JSON. A hidden
 * check keeps its public title, its verdict and the remark that was written for
 * the candidate.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static int redact_check(struct kl_check_result *c, size_t number)
{
	char *id = kl_asprintf("hidden-%zu", number);

	if (!id)
		return -1;
	free(c->id);
	c->id = id;
	free(c->detail);
	free(c->console);
	free(c->memory);
	c->detail = c->console = c->memory = NULL;
	c->runs = c->failures = 0;
	c->n_seeds_failed = 0;
	c->rate = c->confidence = 0;
	c->guest_ns = 0;
	kl_findings_deinit(&c->findings);
	return 0;
}

/* Those of the checks that are left, each once. */
static int unite_findings(struct kl_result *r)
{
	kl_findings_deinit(&r->findings);
	for (size_t i = 0; i < r->n_checks; i++)
		if (kl_findings_unite(&r->findings, &r->checks[i].findings))
			return -1;
	return 0;
}

/* What the policy only points out is for those who review. */
static int redact_policy(struct kl_policy *p)
{
	struct kl_policy left = { 0 };

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].refused && kl_policy_add(&left, &p->v[i])) {
			kl_policy_deinit(&left);
			return -1;
		}
	kl_policy_deinit(p);
	*p = left;
	return 0;
}

int cli_redact(struct kl_result *r, struct kl_error *err)
{
	size_t hidden = 0;

	for (size_t i = 0; i < r->n_checks; i++) {
		struct kl_check_result *c = &r->checks[i];

		/* The panel's words may quote the check's own, also of a visible one. */
		free(c->detail);
		c->detail = NULL;
		/* They name variants of the hidden half. */
		kl_control_deinit(&c->control);
		kl_known_deinit(&c->known);
		if (c->hidden && redact_check(c, ++hidden))
			return kl_fail(err, KL_INFRA, "out of memory");
	}
	/* It keys the challenges (session/): nobody who is judged may have it. */
	r->exercise_digest[0] = '\0';
	return redact_policy(&r->policy) || unite_findings(r)
		       ? kl_fail(err, KL_INFRA, "out of memory")
		       : 0;
}
