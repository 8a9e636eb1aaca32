/* The canary of a run: its secret, and who reported it. */
#include <stdio.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/splat.h>

#include "session/internal.h"

void ks_canary(const struct ks_session *s, const struct ks_plan *p, struct kl_job *job)
{
	uint8_t secret[32];

	job->canary_ko = p->flavour->kernel.canary_ko;
	ks_secret(s->exercise, s->submission, p->check, "canary\n", job->seed, secret);
	for (size_t i = 0; i < KL_CANARY_CHARS / 2; i++)
		snprintf(job->canary_token + 2 * i, 3, "%02x", secret[i]);
}

static bool names(const struct kl_finding *f, const char *symbol)
{
	if (strstr(f->title, symbol) || (f->function && strstr(f->function, symbol)))
		return true;
	for (size_t i = 0; i < f->trace.n; i++)
		if (strstr(f->trace.v[i], symbol))
			return true;
	return false;
}

static bool is_canarys(const struct kl_job *job, const struct kl_finding *f, struct kl_run *run)
{
	char symbol[128];

	if ((size_t)f->kind < KL_KIND_COUNT &&
	    !kl_canary_symbol(job->canary_token, f->kind, symbol, sizeof(symbol)) &&
	    names(f, symbol)) {
		run->canary_heard[f->kind] = run->canary_marked;
		return true;
	}
	return names(f, job->canary_token);
}

int ks_hear_canary(const struct kl_job *job, struct kl_run *run, struct kl_error *err)
{
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };

	if (!run->canary_log)
		return 0;
	if (kl_splat_parse(run->canary_log, strlen(run->canary_log), &fs, err))
		return -1;
	for (size_t i = 0; i < fs.n; i++)
		if ((!run->canary || !is_canarys(job, &fs.v[i], run)) &&
		    kl_findings_push(&run->findings, &fs.v[i]))
			return kl_fail(err, KL_INFRA, "out of memory");
	return 0;
}
