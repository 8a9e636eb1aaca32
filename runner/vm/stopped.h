/* What kl_stopped_dump() needs of a run that stands still. */
#ifndef KLINIC_VM_STOPPED_H
#define KLINIC_VM_STOPPED_H

#include <klinic/vm.h>

#include "vm/qemu.h"

struct kl_stopped {
	struct kl_qemu *qemu;
};

#endif
