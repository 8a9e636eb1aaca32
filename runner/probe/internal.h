/* What the files of this room share. */
#ifndef KLINIC_PROBE_INTERNAL_H
#define KLINIC_PROBE_INTERNAL_H

#include <stdint.h>

#include <klinic/str.h>

/* What drgn must know of a kernel before it can read anything; all of it the host's own knowledge. */
struct kp_kernel {
	const char *release; /* uname -r */
	uint64_t page_table; /* address of init_top_pgt, from vmlinux's symbols */
};

/*
 * Mends the dump in fd so that drgn 0.0.22 reads it (dump.c). The file grows by
 * notes and program headers at its end. A dump that is not as QEMU writes them
 * is KL_INFRA and left as it is. *registers gets struct pt_regs of each CPU, in
 * hex, with commas between.
 */
int kp_mend(int fd, const struct kp_kernel *k, struct kl_buf *registers, struct kl_error *err);

/* Address of a symbol of vmlinux. KL_INFRA when it has none. symbol.c */
int kp_symbol(const char *vmlinux, const char *name, uint64_t *ret, struct kl_error *err);

#endif
