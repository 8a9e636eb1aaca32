/* What a guest wrote into its mailbox, as facts of a run. */
#ifndef KLINIC_VM_ANSWERS_H
#define KLINIC_VM_ANSWERS_H

#include <klinic/vm.h>

#include "guest/mailbox.h"

/*
 * a is the host's own copy: hostile, but nobody changes it any more. run->end is
 * how the machine stopped; it becomes RESET when ANSWERED is all that pvpanic
 * said and the agent's last word is missing. Without an answer nothing else of
 * the mailbox is taken. -1 only without memory.
 */
int kl_vm_take_answers(const struct kl_mail_answers *a, struct kl_run *run, struct kl_slots *slots,
		       struct kl_error *err);

#endif
