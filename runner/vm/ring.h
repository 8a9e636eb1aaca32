/*
 * The kernel's log as it lies in memory (kernel/printk/printk_ringbuffer.h), held
 * against the console. The kernel puts each record on the console, so what one
 * has and the other lacks was hidden or forged.
 */
#ifndef KLINIC_VM_RING_H
#define KLINIC_VM_RING_H

#include <stdbool.h>

#include "vm/anatomy.h"
#include "vm/view.h"

/* Of the template: a run that moves one of these has hidden its log. */
struct kl_ring {
	uint64_t at, descs, infos, data; /* kernel addresses */
	uint32_t count_bits, size_bits;
	uint64_t fail; /* records that were lost so far */
	uint64_t next_seq; /* of the first record of a run */
	uint32_t loglevel; /* records of this level and above stay off the console */
};

/* The ring of a freshly booted template. */
int kl_ring_init(struct kl_ring *r, const struct kl_anatomy *a, struct kl_view *v,
		 struct kl_error *err);

struct kl_log_difference {
	uint64_t lines; /* that only one of the two has; counting ends at KL_LOG_DIFFERENCES_MAX */
	char *where; /* the first, and who has it; hostile text made visible. Owned by the caller. */
	bool lost; /* records fell out of ring and console: then neither says what was there */
};
#define KL_LOG_DIFFERENCES_MAX 64

/*
 * KL_CONTENT when the ring is none any more. lossy: another CPU may have been in
 * the middle of a record when the machine was stopped.
 */
int kl_ring_compare(const struct kl_ring *r, const struct kl_anatomy *a, struct kl_view *v,
		    const char *console, bool lossy, struct kl_log_difference *ret,
		    struct kl_error *err);

#endif
