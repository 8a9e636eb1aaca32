/* Findings, errors and times as people read them. */
#include <inttypes.h>
#include <string.h>

#include "words.h"

#define WORDS_MAX 400 /* bytes of any one text of the guest's in a sentence of ours */

static const char *const classes[KL_KIND_COUNT] = {
	[KL_KIND_KASAN] = "an invalid memory access",
	[KL_KIND_KCSAN] = "a data race",
	[KL_KIND_KFENCE] = "an invalid memory access",
	[KL_KIND_KMSAN] = "a use of uninitialised memory",
	[KL_KIND_UBSAN] = "undefined behaviour",
	[KL_KIND_LOCKDEP] = "a breach of the locking rules",
	[KL_KIND_RCU] = "a breach of the RCU rules",
	[KL_KIND_SLEEP_IN_ATOMIC] = "sleeping where sleeping is not allowed",
	[KL_KIND_HUNG_TASK] = "a task that hung",
	[KL_KIND_SOFT_LOCKUP] = "a CPU that was stuck",
	[KL_KIND_RCU_STALL] = "a CPU that was stuck",
	[KL_KIND_KMEMLEAK] = "leaked memory",
	[KL_KIND_REFCOUNT] = "a reference count that went wrong",
	[KL_KIND_LIST] = "a corrupted list",
	[KL_KIND_ODEBUG] = "an object used against its life cycle",
	[KL_KIND_SLUB] = "corrupted slab memory",
	[KL_KIND_PAGE_FAULT] = "a bad memory access",
	[KL_KIND_GPF] = "a bad memory access",
	[KL_KIND_BUG] = "a failed assertion",
	[KL_KIND_WARN] = "a warning",
	[KL_KIND_PANIC] = "a panic",
	[KL_KIND_OTHER] = "a fault",
};

/* What the memory checkers call a fault (report_kasan etc., mm/kasan/report.c) and what we do. */
static const struct {
	const char *term, *class;
} memory_faults[] = {
	{ "use-after-free", "a use-after-free" },
	{ "out-of-bounds", "an access out of bounds" },
	{ "double-free", "a double free" },
	{ "invalid-free", "an invalid free" },
	{ "invalid free", "an invalid free" },
	{ "null-ptr-deref", "a null pointer dereference" },
	{ "corruption", "corrupted memory" },
};

const char *kl_finding_class(const struct kl_finding *f)
{
	if ((size_t)f->kind >= KL_KIND_COUNT)
		return "a fault";
	if (f->kind == KL_KIND_KASAN || f->kind == KL_KIND_KFENCE)
		for (size_t i = 0; i < sizeof(memory_faults) / sizeof(memory_faults[0]); i++)
			if (strstr(f->title, memory_faults[i].term))
				return memory_faults[i].class;
	if (f->kind == KL_KIND_PAGE_FAULT && strcasestr(f->title, "null pointer"))
		return "a null pointer dereference";
	return classes[f->kind];
}

void kl_finding_words(struct kl_buf *b, const struct kl_finding *f)
{
	bool in_title = f->function && strstr(f->title, f->function);

	kl_buf_safe(b, f->title, strlen(f->title), WORDS_MAX);
	if (f->function && !in_title) {
		kl_buf_puts(b, " in ");
		kl_buf_safe(b, f->function, strlen(f->function), WORDS_MAX);
	}
	if (f->file) {
		kl_buf_puts(b, " (");
		kl_buf_safe(b, f->file, strlen(f->file), WORDS_MAX);
		if (f->line)
			kl_buf_printf(b, ":%u", f->line);
		kl_buf_puts(b, ")");
	}
}

void kl_errno_words(struct kl_buf *b, int status)
{
	const char *name = strerrorname_np(status < 0 ? -status : status);

	if (name)
		kl_buf_puts(b, name);
	else
		kl_buf_printf(b, "error %d", status);
}

void kl_guest_time_words(struct kl_buf *b, uint64_t ns)
{
	kl_buf_printf(b, "%" PRIu64 ".%09" PRIu64 " s", ns / 1000000000, ns % 1000000000);
}
