/* A finding: one thing that the kernel (or klinic itself) reported, typed. */
#ifndef KLINIC_FINDING_H
#define KLINIC_FINDING_H

#include <stddef.h>
#include <stdint.h>

#include <klinic/enum.h>
#include <klinic/json.h>
#include <klinic/str.h>

/* Spellings are part of the command's contract: docs/architecture.md. */
enum kl_kind {
	KL_KIND_KASAN,
	KL_KIND_KCSAN,
	KL_KIND_KFENCE,
	KL_KIND_KMSAN,
	KL_KIND_UBSAN,
	KL_KIND_LOCKDEP,
	KL_KIND_RCU,
	KL_KIND_SLEEP_IN_ATOMIC,
	KL_KIND_HUNG_TASK,
	KL_KIND_SOFT_LOCKUP,
	KL_KIND_RCU_STALL,
	KL_KIND_KMEMLEAK,
	KL_KIND_REFCOUNT,
	KL_KIND_LIST,
	KL_KIND_ODEBUG,
	KL_KIND_SLUB,
	KL_KIND_PAGE_FAULT,
	KL_KIND_GPF,
	KL_KIND_BUG,
	KL_KIND_WARN,
	KL_KIND_PANIC,
	KL_KIND_OTHER,
	KL_KIND_COUNT,
};
KL_ENUM_DECLARE(kl_kind, enum kl_kind);

struct kl_finding {
	enum kl_kind kind;
	char *title; /* "KASAN: slab-use-after-free Read in stash_read"; never NULL */
	char *function; /* where it was seen, or NULL */
	char *file; /* source file, relative to its module or kernel tree, or NULL */
	unsigned int line; /* 0 when unknown */
	char *access; /* "read of size 8", or NULL */
	struct kl_strv trace; /* call trace, innermost first: "stash_read+0x4e/0x120 [stashbox]" */
	size_t offset, length; /* bytes of the log it was read from */
	uint64_t time_us; /* printk time stamp, 0 when the log has none */
};

struct kl_findings {
	struct kl_finding *v;
	size_t n;
};

/* Moves *f (emptied) to the end. -1 without memory. */
int kl_findings_push(struct kl_findings *fs, struct kl_finding *f);
int kl_findings_copy(struct kl_findings *to, const struct kl_findings *from); /* appends */
/* Appends those that to has none of yet of the same kind, title and function. -1 without memory. */
int kl_findings_unite(struct kl_findings *to, const struct kl_findings *from);
void kl_finding_deinit(struct kl_finding *f);
void kl_findings_deinit(struct kl_findings *fs);
/* {kind, title, function, file, line, access, trace}: absent values are null. */
json_t *kl_finding_json(const struct kl_finding *f);
json_t *kl_findings_json(const struct kl_findings *fs);
int kl_findings_from_json(const json_t *j, struct kl_findings *ret, struct kl_error *err);

#endif
