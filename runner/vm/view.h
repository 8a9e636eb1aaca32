/*
 * A view of a machine's memory, for reading structures that point at each other.
 * Everything in it may be hostile: an address that leads out of RAM is KL_CONTENT
 * (somebody wrote it there), memory that cannot be had is KL_INFRA. Pieces are
 * fetched once: pmemsave costs a round trip for each call.
 */
#ifndef KLINIC_VM_VIEW_H
#define KLINIC_VM_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include <klinic/error.h>

#define KL_VIEW_PIECE 262144UL

struct kl_view {
	/* Fills len bytes from guest-physical phys, which lie in RAM. */
	int (*read)(void *arg, uint64_t phys, void *buf, size_t len, struct kl_error *err);
	void *arg;
	uint64_t ram; /* bytes, from physical zero; a multiple of KL_VIEW_PIECE */
	uint64_t page_tables; /* guest-physical: the kernel's own top table */
	uint8_t **piece; /* ours; one for each KL_VIEW_PIECE bytes, or NULL */
};

void kl_view_deinit(struct kl_view *v);

int kl_view_phys(struct kl_view *v, uint64_t phys, void *buf, size_t len, struct kl_error *err);
/* By a kernel address: image and direct map are constants, anything else is walked. */
int kl_view_virt(struct kl_view *v, uint64_t addr, void *buf, size_t len, struct kl_error *err);
int kl_view_pointer(struct kl_view *v, uint64_t addr, uint64_t *ret, struct kl_error *err);

#endif
