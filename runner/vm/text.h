/*
 * The kernel's text and read-only data, compared with the template's after a
 * run: a module at ring 0 may have patched what judges it. Reading and comparing
 * 16 MB took 30 ms where this was measured, so every run that answers is looked at.
 */
#ifndef KLINIC_VM_TEXT_H
#define KLINIC_VM_TEXT_H

#include <klinic/error.h>

#include "vm/qemu.h"

#define KL_TEXT_RANGES 2

struct kl_text_range {
	uint64_t phys;
	size_t len;
};

/* Places that the kernel itself rewrites when a static key, a static call or a tracer is switched. */
struct kl_text {
	struct kl_text_range range[KL_TEXT_RANGES];
	uint64_t *sites; /* guest-physical, sorted */
	size_t n_sites;
};

#define KL_TEXT_SITE_BYTES 5 /* a jump or a call of arch/x86: the longest that is rewritten */

int kl_text_init(struct kl_text *t, const char *vmlinux, struct kl_error *err);
void kl_text_deinit(struct kl_text *t);

/* Bytes that differ outside of the sites, and where the first one is (guest-physical; 0 when none). */
uint64_t kl_text_differences(const struct kl_text *t, uint64_t phys, const uint8_t *was,
			     const uint8_t *is, size_t len, uint64_t *first);
/* The same over all ranges of a stopped machine. ram_fd: the template's RAM. */
int kl_text_compare(const struct kl_text *t, int ram_fd, struct kl_qemu *q, kl_deadline deadline,
		    uint64_t *ret_changed, uint64_t *ret_first, struct kl_error *err);

#endif
