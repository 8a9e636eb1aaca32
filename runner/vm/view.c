/* A view of a machine's memory: pieces kept, kernel addresses translated within bounds. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "vm/anatomy.h"
#include "vm/view.h"

/* Intel SDM vol. 3A, 4.5: 4-level paging (X86_5LEVEL=n). */
#define PAGE	      4096UL
#define ENTRY_PRESENT 1ULL
#define ENTRY_LARGE   (1ULL << 7)
#define ENTRY_ADDRESS 0x000ffffffffff000ULL
#define KERNEL_HALF   0xffff800000000000ULL

void kl_view_deinit(struct kl_view *v)
{
	for (uint64_t i = 0; v->piece && i < v->ram / KL_VIEW_PIECE; i++)
		free(v->piece[i]);
	free(v->piece);
	v->piece = NULL;
}

/* NULL and err when it cannot be had. */
static const uint8_t *piece_of(struct kl_view *v, uint64_t phys, struct kl_error *err)
{
	uint64_t i = phys / KL_VIEW_PIECE;

	if (!v->piece)
		v->piece = calloc(v->ram / KL_VIEW_PIECE, sizeof(*v->piece));
	if (v->piece && v->piece[i])
		return v->piece[i];
	if (v->piece)
		v->piece[i] = malloc(KL_VIEW_PIECE);
	if (!v->piece || !v->piece[i]) {
		kl_fail(err, KL_INFRA, "out of memory");
		return NULL;
	}
	if (v->read(v->arg, i * KL_VIEW_PIECE, v->piece[i], KL_VIEW_PIECE, err)) {
		free(v->piece[i]);
		v->piece[i] = NULL;
	}
	return v->piece[i];
}

int kl_view_phys(struct kl_view *v, uint64_t phys, void *buf, size_t len, struct kl_error *err)
{
	uint8_t *to = buf;

	if (phys >= v->ram || len > v->ram - phys)
		return kl_fail(err, KL_CONTENT, "an address leads out of RAM: %#llx",
			       (unsigned long long)phys);
	while (len) {
		size_t at = phys % KL_VIEW_PIECE;
		size_t n = len < KL_VIEW_PIECE - at ? len : KL_VIEW_PIECE - at;
		const uint8_t *piece = piece_of(v, phys, err);

		if (!piece)
			return -1;
		memcpy(to, piece + at, n);
		to += n;
		phys += n;
		len -= n;
	}
	return 0;
}

/* Four steps at most, whatever the tables say. */
static int walk(struct kl_view *v, uint64_t addr, uint64_t *ret, struct kl_error *err)
{
	uint64_t table = v->page_tables;

	for (unsigned int shift = 39;; shift -= 9) {
		uint64_t page = (1ULL << shift) - 1;
		uint64_t entry = 0;

		if (kl_view_phys(v, table + (addr >> shift & 511) * 8, &entry, 8, err))
			return -1;
		if (!(entry & ENTRY_PRESENT))
			return kl_fail(err, KL_CONTENT, "nothing is mapped at %#llx",
				       (unsigned long long)addr);
		if (shift == 12 || (shift < 39 && (entry & ENTRY_LARGE))) {
			*ret = (entry & ENTRY_ADDRESS & ~page) | (addr & page);
			return 0;
		}
		table = entry & ENTRY_ADDRESS;
	}
}

static int translate(struct kl_view *v, uint64_t addr, uint64_t *ret, struct kl_error *err)
{
	if (addr >= KL_KERNEL_MAP && addr - KL_KERNEL_MAP < KL_KERNEL_MAP_SIZE)
		*ret = addr - KL_KERNEL_MAP;
	else if (addr >= KL_DIRECT_MAP && addr - KL_DIRECT_MAP < v->ram)
		*ret = addr - KL_DIRECT_MAP;
	else if (addr >= KERNEL_HALF)
		return walk(v, addr, ret, err);
	else
		return kl_fail(err, KL_CONTENT, "no address of the kernel: %#llx",
			       (unsigned long long)addr);
	return 0;
}

int kl_view_virt(struct kl_view *v, uint64_t addr, void *buf, size_t len, struct kl_error *err)
{
	uint8_t *to = buf;

	/* Page by page: the next one may lie anywhere. */
	while (len) {
		size_t room = PAGE - addr % PAGE;
		size_t n = len < room ? len : room;
		uint64_t phys = 0;

		if (translate(v, addr, &phys, err) || kl_view_phys(v, phys, to, n, err))
			return -1;
		to += n;
		addr += n;
		len -= n;
	}
	return 0;
}

int kl_view_pointer(struct kl_view *v, uint64_t addr, uint64_t *ret, struct kl_error *err)
{
	return kl_view_virt(v, addr, ret, sizeof(*ret), err);
}
