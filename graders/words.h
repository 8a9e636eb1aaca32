/* How the graders put into words what a run has shown. Private to graders/. */
#ifndef KLINIC_GRADERS_WORDS_H
#define KLINIC_GRADERS_WORDS_H

#include <klinic/evidence.h>
#include <klinic/str.h>

/* "a use-after-free": the class of a finding, fixed words, nothing that the guest wrote. */
const char *kl_finding_class(const struct kl_finding *f);
/* "KASAN: … in stash_read (stashbox.c:120)": the report's own words. */
void kl_finding_words(struct kl_buf *b, const struct kl_finding *f);
/* "EBUSY" of -EBUSY; "error N" for what no errno is called. */
void kl_errno_words(struct kl_buf *b, int status);
/* "8.594620774 s" */
void kl_guest_time_words(struct kl_buf *b, uint64_t ns);

#endif
