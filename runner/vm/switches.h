/*
 * The detectors' switches: variables of the kernel that nothing changes between
 * the template and the end of a run, unless a detector has spoken or somebody
 * wants it silent. Compared with the template's own values.
 */
#ifndef KLINIC_VM_SWITCHES_H
#define KLINIC_VM_SWITCHES_H

#include <klinic/str.h>

#include "vm/view.h"

#define KL_SWITCHES_MAX 96

struct kl_switch {
	const char *name; /* static */
	uint64_t phys;
	uint64_t size;
	bool chain; /* phys is the head of a notifier chain, whose links count */
	uint8_t *was; /* what the template says */
};

struct kl_switches {
	struct kl_switch v[KL_SWITCHES_MAX];
	size_t n;
};

/* Those of them that the kernel has; v is the template's memory. */
int kl_switches_init(struct kl_switches *s, const char *vmlinux, struct kl_view *v,
		     struct kl_error *err);
void kl_switches_deinit(struct kl_switches *s);
/* Adds the names of those that differ. */
int kl_switches_compare(const struct kl_switches *s, struct kl_view *v, struct kl_strv *ret,
			struct kl_error *err);

#endif
