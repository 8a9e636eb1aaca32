/*
 * What a probe (klinic/probe.h) found in the memory of a guest that stood still.
 * All text is hostile: it was read where the candidate's code could write.
 */
#ifndef KLINIC_INSPECTION_H
#define KLINIC_INSPECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <klinic/enum.h>
#include <klinic/json.h>
#include <klinic/str.h>

/* The questions: graders/probes/NAME.py with _ for -. */
enum kl_probe {
	KL_PROBE_TASKS, /* tasks with state and stack */
	KL_PROBE_PENDING, /* timers, work items and RCU callbacks whose code is a module's */
	KL_PROBE_HELD_LOCKS, /* of each task, as lockdep has noted it */
	KL_PROBE_SLABS, /* objects in use by cache; a module's by place of allocation */
	KL_PROBE_COUNT,
};
KL_ENUM_DECLARE(kl_probe, enum kl_probe);

/* Whose code. */
enum kl_place {
	KL_PLACE_KERNEL,
	KL_PLACE_OTHER, /* a module that is not under test, or a trampoline */
	KL_PLACE_MODULE, /* the module under test, still loaded */
	KL_PLACE_GONE, /* of a module that is no longer there: not mapped */
	KL_PLACE_COUNT,
};
KL_ENUM_DECLARE(kl_place, enum kl_place);

struct kl_seen_task {
	unsigned int pid;
	char *comm;
	char *state; /* "R", "D", …, as ps(1) has them */
	bool user; /* not a kernel thread */
	enum kl_place place; /* the worst of its frames' */
	struct kl_strv frames; /* innermost first: "function+0x12 [module] at file:line" */
};

struct kl_seen_pending {
	char *kind; /* timer, hrtimer, delayed-work, work, running-work, rcu */
	char *function;
	enum kl_place place;
};

struct kl_seen_lock {
	unsigned int pid;
	char *comm;
	char *lock; /* its class */
	char *taken; /* where */
	enum kl_place place; /* of taken */
};

/* Objects in use that the module's own code allocated. */
struct kl_seen_site {
	char *site; /* where */
	char *cache;
	unsigned int size; /* bytes of one */
	uint64_t objects;
	enum kl_place place;
};

struct kl_seen_cache {
	char *cache;
	unsigned int size;
	uint64_t objects; /* with those that KASAN keeps in quarantine */
};

struct kl_inspection {
	bool asked[KL_PROBE_COUNT]; /* by the exercise: judged. Others are information */
	bool answered[KL_PROBE_COUNT];
	bool complete[KL_PROBE_COUNT]; /* nothing was cut off or unreadable on the way */
	char *why; /* what was asked and not answered, and why; or NULL */
	struct kl_seen_task *tasks; /* without kernel threads that wait for work */
	size_t n_tasks;
	unsigned int waiting; /* those */
	struct kl_seen_pending *pending;
	size_t n_pending;
	struct kl_seen_lock *locks;
	size_t n_locks;
	struct kl_seen_site *sites;
	size_t n_sites;
	struct kl_seen_cache *caches;
	size_t n_caches;
};

void kl_inspection_deinit(struct kl_inspection *i);
/* As if nobody had asked for tasks. */
void kl_inspection_forget_tasks(struct kl_inspection *i);
/* Was anything asked or answered at all? */
bool kl_inspection_any(const struct kl_inspection *i);
json_t *kl_inspection_json(const struct kl_inspection *i);
/* j may be anybody's; NULL is an older document: nothing was asked. */
int kl_inspection_from_json(const json_t *j, struct kl_inspection *ret, struct kl_error *err);

#endif
