/* What a result takes over from its evidence unjudged: names, builds, times, digests. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "parts.h"

static int carry_text(char **to, const char *from)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -1;
}

static int carry_build(struct kl_build_evidence *to, const struct kl_build_evidence *from)
{
	to->ok = from->ok;
	to->timed_out = from->timed_out;
	to->wall_ms = from->wall_ms;
	if (carry_text(&to->flavour, from->flavour) || carry_text(&to->log, from->log))
		return -1;
	to->diagnostics = calloc(from->n ? from->n : 1, sizeof(*to->diagnostics));
	if (!to->diagnostics)
		return -1;
	for (size_t i = 0; i < from->n; i++) {
		const struct kl_diagnostic *f = &from->diagnostics[i];
		struct kl_diagnostic *t = &to->diagnostics[to->n++];

		t->line = f->line;
		t->column = f->column;
		if (carry_text(&t->file, f->file) || carry_text(&t->severity, f->severity) ||
		    carry_text(&t->text, f->text))
			return -1;
	}
	return 0;
}

static int carry_builds(const struct kl_evidence *ev, struct kl_result *res)
{
	res->builds = calloc(ev->n_builds ? ev->n_builds : 1, sizeof(*res->builds));
	if (!res->builds)
		return -1;
	for (size_t i = 0; i < ev->n_builds; i++)
		if (carry_build(&res->builds[res->n_builds++], &ev->builds[i]))
			return -1;
	return 0;
}

static int carry_policy(const struct kl_evidence *ev, struct kl_result *res)
{
	for (size_t i = 0; i < ev->policy.n; i++)
		if (kl_policy_add(&res->policy, &ev->policy.v[i]))
			return -1;
	return 0;
}

int kl_carry(const struct kl_exercise *e, const struct kl_evidence *ev, struct kl_result *res,
	     struct kl_error *err)
{
	res->intake_ms = ev->intake_ms;
	res->build_ms = ev->build_ms;
	res->vm_ms = ev->vm_ms;
	res->total_ms = ev->total_ms;
	memcpy(res->template_ram, ev->template_ram, sizeof(res->template_ram));
	memcpy(res->exercise_digest, ev->exercise_digest, sizeof(res->exercise_digest));
	memcpy(res->submission_digest, ev->submission_digest, sizeof(res->submission_digest));
	if (carry_text(&res->exercise, e->id) || carry_text(&res->title, e->title) ||
	    carry_text(&res->submission, ev->submission) || carry_text(&res->diff, ev->diff) ||
	    carry_text(&res->kernel, ev->kernel) || carry_text(&res->qemu, ev->qemu) ||
	    carry_text(&res->accel, ev->accel) || kl_strv_copy(&res->refused, &ev->refused) ||
	    carry_policy(ev, res) || carry_builds(ev, res))
		return kl_fail(err, KL_INFRA, "no memory for the result");
	return 0;
}
