/* What drgn saw in a run's memory, judged and put into words. Private to graders/. */
#ifndef KLINIC_GRADERS_INSPECT_H
#define KLINIC_GRADERS_INSPECT_H

#include <klinic/evidence.h>
#include <klinic/str.h>

/*
 * Calls say() for everything in the run's memory that convicts, of what the check
 * asked: detail is for the panel, remark for the candidate.
 */
void kl_inspection_judge(const struct kl_inspection *i,
			 void (*say)(void *arg, const char *detail, const char *remark), void *arg);
/* Was something asked that has no whole answer? */
bool kl_inspection_lacks(const struct kl_inspection *i);
/* What of it helps to see what happened, for the panel: lines, or nothing. */
void kl_inspection_words(struct kl_buf *b, const struct kl_inspection *i);

#endif
