/*
 * Guest memory, asked after a run: what the exercise wants asked, and of the first
 * run of a check that hung or panicked the tasks, so that whoever reads the result
 * sees who hung where. That is information only: without drgn it is left out, and
 * no verdict depends on it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/probe.h>

#include "session/internal.h"

#define DUMP_MS 300000 /* the net of something that takes a fraction of a second */

static bool hung(const struct kl_run *run)
{
	return run->end == KL_END_GUEST_TIME || run->end == KL_END_PANIC ||
	       (run->end == KL_END_ANSWERED && run->program == KL_PROGRAM_TIMED_OUT);
}

/* Is this the first run of its check, in the order of seeds, so far? */
static bool is_first(struct ks_plan *p, unsigned int index)
{
	unsigned int first = atomic_load(&p->hung);

	while (index < first)
		if (atomic_compare_exchange_weak(&p->hung, &first, index))
			return true;
	return false;
}

static bool any(const bool which[KL_PROBE_COUNT])
{
	for (int i = 0; i < KL_PROBE_COUNT; i++)
		if (which[i])
			return true;
	return false;
}

static void on_stopped(struct kl_stopped *s, const struct kl_run *run, void *arg)
{
	struct ks_look *l = arg;

	memcpy(l->which, l->plan->check->probes, sizeof(l->which));
	if (hung(run) && !kl_probe_ready(NULL) && is_first(l->plan, l->index))
		l->which[KL_PROBE_TASKS] = true;
	if (!any(l->which))
		return;
	l->dump = memfd_create("dump", MFD_CLOEXEC);
	if (l->dump < 0) {
		kl_fail(&l->err, KL_INFRA, "no memory for a dump of the guest's");
		return;
	}
	if (kl_stopped_dump(s, l->dump, kl_deadline_ms(DUMP_MS), &l->err)) {
		close(l->dump);
		l->dump = -1;
	}
}

void ks_look_prepare(struct ks_look *l, struct ks_plan *p, unsigned int index, struct kl_job *job)
{
	*l = (struct ks_look){ .plan = p, .index = index, .dump = -1 };
	job->on_stopped = on_stopped;
	job->stopped_arg = l;
}

void ks_look_deinit(struct ks_look *l)
{
	if (l->dump >= 0)
		close(l->dump);
	l->dump = -1;
}

static int ask(struct ks_look *l, const struct kl_exercise *e, struct kl_inspection *ret,
	       struct kl_error *err)
{
	const struct ks_flavour *f = l->plan->flavour;
	const struct kl_probe_target t = {
		.vmlinux = f->kernel.vmlinux,
		.release = f->kernel.release,
		.module = e->module,
		.debug_ko = f->module.debug_ko,
	};

	if (l->dump < 0) {
		*err = l->err;
		return -1;
	}
	return kl_probe_ask(&t, l->dump, l->which, ret, err);
}

int ks_look_ask(struct ks_look *l, const struct kl_exercise *e, struct kl_run *run,
		struct kl_error *err)
{
	struct kl_error why = KL_ERROR_INIT;

	if (!any(l->which))
		return 0;
	if (ask(l, e, &run->inspection, &why)) {
		if (why.class == KL_INTERRUPTED) {
			*err = why;
			return -1;
		}
		run->inspection.why = strdup(why.message);
	}
	memcpy(run->inspection.asked, l->plan->check->probes, sizeof(run->inspection.asked));
	ks_look_deinit(l); /* it is as large as the guest's memory */
	return 0;
}

void ks_look_drop(struct ks_plan *p)
{
	unsigned int first = atomic_load(&p->hung);

	for (unsigned int i = 0; i < p->runs; i++) {
		if (i <= first || !p->done[i] || p->check->probes[KL_PROBE_TASKS])
			continue;
		if (any(p->check->probes))
			kl_inspection_forget_tasks(&p->run[i].inspection);
		else
			kl_inspection_deinit(&p->run[i].inspection);
	}
}
