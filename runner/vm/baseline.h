/* What a template's memory says before any candidate's code: what a run's is held against. */
#ifndef KLINIC_VM_BASELINE_H
#define KLINIC_VM_BASELINE_H

#include "vm/anatomy.h"
#include "vm/ring.h"
#include "vm/switches.h"

struct kl_baseline {
	bool known; /* false only in tests without a kernel */
	struct kl_anatomy anatomy;
	struct kl_ring ring;
	struct kl_switches switches;
	uint32_t oopses, warnings;
};

/* ram_fd: the template's RAM, KL_VM_RAM_SIZE bytes. */
int kl_baseline_init(struct kl_baseline *b, const char *vmlinux, int ram_fd, struct kl_error *err);
void kl_baseline_deinit(struct kl_baseline *b);

#endif
