/* Facts about a run that the host reads by itself in the stopped guest's memory. */
#ifndef KLINIC_VM_FACTS_H
#define KLINIC_VM_FACTS_H

#include <klinic/vm.h>

#include "vm/qemu.h"
#include "vm/template.h"

/* The console must have been read already. A machine that cannot be asked leaves memory_read false. */
void kl_vm_read_facts(const struct kl_template *t, const struct kl_job *job, struct kl_qemu *q,
		      struct kl_run *run);

#endif
