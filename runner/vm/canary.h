/* The canary's way into a stopped guest. */
#ifndef KLINIC_VM_CANARY_H
#define KLINIC_VM_CANARY_H

#include <klinic/vm.h>

/*
 * Writes the job's canary, with its token, into the mailbox from offset at on. due: the
 * detectors that it calls on, and that must therefore speak.
 */
int kl_canary_put(const struct kl_job *job, int mailbox, uint64_t at, bool due[KL_KIND_COUNT],
		  struct kl_error *err);

#endif
