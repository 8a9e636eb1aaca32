/* Lists of the kernel's in a stopped machine's memory: modules and tasks. Hostile: bounded, and no cycle holds anybody up. */
#ifndef KLINIC_VM_LISTS_H
#define KLINIC_VM_LISTS_H

#include <klinic/str.h>

#include "vm/anatomy.h"
#include "vm/view.h"

#define KL_MODULES_MAX 64
#define KL_TASKS_MAX   16384

/* Names of the loaded modules, hostile text made visible. KL_CONTENT when the list is none. */
int kl_list_modules(const struct kl_anatomy *a, struct kl_view *v, struct kl_strv *ret,
		    struct kl_error *err);

/*
 * Adds "kasan_depth of kworker/0:1" for each sleeping task, and for the agent, for which
 * a detector has been told to look away: neither is inside a section of the kernel's own
 * that does.
 */
int kl_list_unwatched(const struct kl_anatomy *a, struct kl_view *v, struct kl_strv *ret,
		      struct kl_error *err);

#endif
