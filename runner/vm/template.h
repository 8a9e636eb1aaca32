/* What runs need of a template beside its public face. */
#ifndef KLINIC_VM_TEMPLATE_H
#define KLINIC_VM_TEMPLATE_H

#include <klinic/json.h>
#include <klinic/vm.h>

#include "vm/baseline.h"
#include "vm/text.h"

struct kl_template {
	struct kl_machine machine; /* a copy */
	char digest[KL_DIGEST_HEX];
	char ram_digest[KL_DIGEST_HEX];
	char *qemu_version;
	/*
	 * Open for reading: another klinic may boot the same template anew, or prune it, at
	 * any time; what was opened, and checked, is what every fork gets.
	 */
	int ram, state;
	int64_t boot_ms; /* wall */
	int64_t boot_guest_ms;
	bool fresh;
	uint64_t debug_locks; /* guest-physical addresses; 0: this kernel has none */
	uint64_t tainted_mask;
	uint64_t kmemleak_enabled;
	int64_t net_ms; /* tests only: the wall-clock net of a run; 0: as it is reckoned */
	struct kl_text text;
	struct kl_baseline baseline;
};

/* What an event of QEMU that ends a run says; ANSWERED is then for the mailbox to prove. vm/run.c */
enum kl_end kl_vm_end(const json_t *event);

/* Guest-physical address of a variable of vmlinux; 0 when there is none. vm/symbols.c */
int kl_vm_symbols(const char *vmlinux, const char *const *names, size_t n, uint64_t *ret_phys,
		  struct kl_error *err);

/* "symbol+0x12" of an address of the kernel image; the address itself when no symbol is near. */
char *kl_vm_symbol_at(const char *vmlinux, uint64_t phys);
/* May the schedule driver put a probe on it? vm/points.c */
bool kl_vm_is_point(const char *symbol);

#endif
