/* The judgement of one run while it is written: reasons pile up, the first one is the candidate's. */
#ifndef KLINIC_GRADERS_DRAFT_H
#define KLINIC_GRADERS_DRAFT_H

#include <klinic/evidence.h>
#include <klinic/str.h>

#define MAX_REASONS 6 /* further ones are counted */

struct draft {
	const struct kl_check_evidence *check;
	const struct kl_run *run;
	unsigned int reasons;
	struct kl_buf detail;
	struct kl_buf remark; /* of the first reason only */
};

static inline void draft_deinit(struct draft *d)
{
	kl_buf_deinit(&d->detail);
	kl_buf_deinit(&d->remark);
}

/* Begins another reason. False when there are enough: then leave its words out. */
static inline bool reason(struct draft *d)
{
	if (d->reasons++ >= MAX_REASONS)
		return false;
	if (d->reasons > 1)
		kl_buf_puts(&d->detail, "; ");
	return true;
}

static inline void remark(struct draft *d, const char *text)
{
	if (d->reasons == 1 && !d->remark.len)
		kl_buf_puts(&d->remark, text);
}

static inline bool tolerated(const struct draft *d, enum kl_kind kind)
{
	return (size_t)kind < KL_KIND_COUNT && d->check->tolerate[kind];
}

#define KIND(k) (UINT64_C(1) << (k))
/* What calls debug_locks_off(): lockdep itself, and add_taint(…, LOCKDEP_NOW_UNRELIABLE). */
#define LOCKDEP_OFF_KINDS                                                                          \
	(KIND(KL_KIND_LOCKDEP) | KIND(KL_KIND_KASAN) | KIND(KL_KIND_KFENCE) |                      \
	 KIND(KL_KIND_KMSAN) | KIND(KL_KIND_SLUB) | KIND(KL_KIND_PAGE_FAULT) | KIND(KL_KIND_GPF) | \
	 KIND(KL_KIND_BUG) | KIND(KL_KIND_LIST) | KIND(KL_KIND_SOFT_LOCKUP))

/* A report of one of these kinds is tolerated: then what it leaves behind is no news. */
static inline bool explained(const struct draft *d, uint64_t kinds)
{
	for (unsigned int k = 0; k < KL_KIND_COUNT; k++)
		if ((kinds & KIND(k)) && d->check->tolerate[k])
			return true;
	return false;
}

/* What the host read in the guest's memory. graders/memory.c */
void kl_judge_memory(struct draft *d);

#endif
