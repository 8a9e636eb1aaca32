/* Evidence: the spelling of how runs end, and who owns what. */
#include <stdlib.h>
#include <string.h>

#include <klinic/evidence.h>

#include "model/documents.h"

static const char *const end_names[] = {
	[KL_END_ANSWERED] = "answered", [KL_END_PANIC] = "panic",
	[KL_END_RESET] = "reset",	[KL_END_GUEST_TIME] = "guest-time",
	[KL_END_WALL_NET] = "wall-net", [KL_END_LOST] = "lost",
};
KL_ENUM_DEFINE(kl_end, enum kl_end, end_names, KL_END_COUNT);

static const char *const program_end_names[] = {
	[KL_PROGRAM_NONE] = "none",
	[KL_PROGRAM_EXITED] = "exited",
	[KL_PROGRAM_SIGNALLED] = "signalled",
	[KL_PROGRAM_TIMED_OUT] = "timed-out",
};
KL_ENUM_DEFINE(kl_program_end, enum kl_program_end, program_end_names, KL_PROGRAM_COUNT);

void kl_run_deinit(struct kl_run *r)
{
	for (size_t i = 0; i < r->n_answers; i++)
		free(r->answers[i].label);
	free(r->answers);
	free(r->said);
	free(r->text_where);
	free(r->log_where);
	free(r->modules_wrong);
	kl_strv_deinit(&r->switches_changed);
	free(r->console);
	free(r->canary_log);
	kl_findings_deinit(&r->findings);
	kl_inspection_deinit(&r->inspection);
	*r = (struct kl_run){ 0 };
}

void kl_build_evidence_deinit(struct kl_build_evidence *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->diagnostics[i].file);
		free(b->diagnostics[i].severity);
		free(b->diagnostics[i].text);
	}
	free(b->diagnostics);
	free(b->flavour);
	free(b->log);
	*b = (struct kl_build_evidence){ 0 };
}

void kl_control_deinit(struct kl_control *c)
{
	free(c->variant);
	free(c->infra);
	*c = (struct kl_control){ 0 };
}

void kl_known_deinit(struct kl_known *k)
{
	free(k->variant);
	*k = (struct kl_known){ 0 };
}

static int copy_text(char **to, const char *from, struct kl_error *err)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? kl_fail(err, KL_INFRA, "out of memory") : 0;
}

int kl_control_copy(struct kl_control *to, const struct kl_control *from, struct kl_error *err)
{
	kl_control_deinit(to);
	*to = *from;
	to->variant = to->infra = NULL;
	return copy_text(&to->variant, from->variant, err) ||
			       copy_text(&to->infra, from->infra, err)
		       ? -1
		       : 0;
}

int kl_known_copy(struct kl_known *to, const struct kl_known *from, struct kl_error *err)
{
	kl_known_deinit(to);
	*to = *from;
	return copy_text(&to->variant, from->variant, err);
}

double kl_chance(unsigned int runs, unsigned int failures)
{
	return (double)failures / ((double)runs + 1);
}

double kl_confidence(double p, unsigned int n)
{
	double missed = 1;

	while (n--)
		missed *= 1 - p;
	return 1 - missed;
}

static void check_deinit(struct kl_check_evidence *c)
{
	for (size_t i = 0; i < c->n_runs; i++)
		kl_run_deinit(&c->runs[i]);
	free(c->runs);
	free(c->check);
	free(c->title);
	free(c->flavour);
	free(c->infra);
	kl_control_deinit(&c->control);
	kl_known_deinit(&c->known);
	*c = (struct kl_check_evidence){ 0 };
}

void kl_evidence_deinit(struct kl_evidence *e)
{
	for (size_t i = 0; i < e->n_builds; i++)
		kl_build_evidence_deinit(&e->builds[i]);
	for (size_t i = 0; i < e->n_checks; i++)
		check_deinit(&e->checks[i]);
	free(e->builds);
	free(e->checks);
	free(e->exercise);
	free(e->submission);
	free(e->diff);
	free(e->kernel);
	free(e->qemu);
	free(e->accel);
	kl_strv_deinit(&e->refused);
	kl_policy_deinit(&e->policy);
	*e = (struct kl_evidence){ 0 };
}
