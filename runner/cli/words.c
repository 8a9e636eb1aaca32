/* Findings for people who are new to kernel reports: what it is, where, and what such a report means. */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"

#define TRACE_SHOWN 8

#define STUCK \
	"A CPU did nothing but one thing for too long: it loops, or waits with preemption off."

static const char *const meanings[KL_KIND_COUNT] = {
	[KL_KIND_KASAN] =
		"KASAN checks every memory access: this one touched memory that was freed, or that "
		"lies outside of its object.",
	[KL_KIND_KCSAN] = "Two CPUs touched the same memory at once, one of them writing, and "
			  "nothing orders them.",
	[KL_KIND_KFENCE] = "KFENCE guards a sample of the heap: memory was used after its free or "
			   "beyond its end.",
	[KL_KIND_KMSAN] = "A decision or a copy depended on memory that was never initialised.",
	[KL_KIND_UBSAN] = "The C code did what C does not define: an overflow, a bad shift, an "
			  "index out of bounds.",
	[KL_KIND_LOCKDEP] =
		"Lockdep learns the order and the contexts in which locks are taken: these can "
		"deadlock, even if they did not this time.",
	[KL_KIND_RCU] = "A pointer under RCU was used without what must protect it.",
	[KL_KIND_SLEEP_IN_ATOMIC] = "Something that may sleep was called where sleeping is "
				    "forbidden: under a spinlock, or with interrupts or preemption "
				    "off.",
	[KL_KIND_HUNG_TASK] = "A task has waited without a chance to be interrupted for longer "
			      "than anything should: who was to wake it?",
	[KL_KIND_SOFT_LOCKUP] = STUCK,
	[KL_KIND_RCU_STALL] = STUCK,
	[KL_KIND_KMEMLEAK] = "Memory was allocated, never freed, and nothing points to it any "
			     "more.",
	[KL_KIND_REFCOUNT] = "A reference counter went below zero, over its top, or up from zero: "
			     "gets and puts do not pair.",
	[KL_KIND_LIST] = "The links of a list do not agree: an entry was added or removed twice, "
			 "or without its lock, or was freed while on it.",
	[KL_KIND_ODEBUG] = "A timer, a work item or the like was freed or set up again while it "
			   "was still active.",
	[KL_KIND_SLUB] = "The allocator found its own marks overwritten: something writes beyond "
			 "its object, or after the free.",
	[KL_KIND_PAGE_FAULT] = "The kernel followed a pointer that leads nowhere.",
	[KL_KIND_GPF] = "The kernel followed an address that cannot be one, often poison of freed "
			"memory.",
	[KL_KIND_BUG] = "The code itself says that this cannot happen (BUG_ON, BUG), and stops.",
	[KL_KIND_WARN] = "The code itself says that this should not happen (WARN_ON), and goes on.",
	[KL_KIND_PANIC] = "The kernel gave up.",
	[KL_KIND_OTHER] = "The kernel complained in a way that klinic has no name for.",
};

static void safe(struct kl_buf *b, const char *s)
{
	kl_buf_safe(b, s, strlen(s), 512);
}

static void place(const struct kl_finding *f, struct kl_buf *b)
{
	if (!f->function && !f->file && !f->access)
		return;
	kl_buf_puts(b, "    ");
	if (f->function) {
		kl_buf_puts(b, "in ");
		safe(b, f->function);
	}
	if (f->file) {
		kl_buf_puts(b, f->function ? ", " : "at ");
		safe(b, f->file);
		if (f->line)
			kl_buf_printf(b, ":%u", f->line);
	}
	if (f->access) {
		kl_buf_puts(b, f->function || f->file ? ", " : "");
		safe(b, f->access);
	}
	kl_buf_puts(b, "\n");
}

static void trace(const struct kl_finding *f, struct kl_buf *b)
{
	if (!f->trace.n)
		return;
	kl_buf_puts(b, "    called by: ");
	for (size_t i = 0; i < f->trace.n && i < TRACE_SHOWN; i++) {
		kl_buf_puts(b, i ? " < " : "");
		safe(b, f->trace.v[i]);
	}
	kl_buf_puts(b, f->trace.n > TRACE_SHOWN ? " < …\n" : "\n");
}

void cli_findings_text(const struct kl_findings *fs, bool explain, struct kl_buf *b)
{
	for (size_t i = 0; i < fs->n; i++) {
		const struct kl_finding *f = &fs->v[i];

		kl_buf_printf(b, "%zu. %s: ", i + 1, kl_kind_name(f->kind));
		safe(b, f->title);
		kl_buf_puts(b, "\n");
		place(f, b);
		trace(f, b);
		if (explain && (size_t)f->kind < KL_KIND_COUNT && meanings[f->kind])
			kl_buf_printf(b, "    %s\n", meanings[f->kind]);
	}
}

void cli_bytes_text(struct kl_buf *b, uint64_t bytes)
{
	if (bytes >= 1ULL << 30)
		kl_buf_printf(b, "%.1f GiB", (double)bytes / (double)(1ULL << 30));
	else
		kl_buf_printf(b, "%" PRIu64 " MiB", (uint64_t)((bytes + (1ULL << 20) - 1) >> 20));
}
