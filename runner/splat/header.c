/*
 * Recognises the first lines of the kernel's reports. The wordings are those of
 * Linux 6.1 (mm/kasan/report.c, kernel/locking/lockdep.c, …) and, where
 * they changed since, the newer ones too.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "splat/header_words.h"

static bool sanitizer(struct kl_header *h, const char *p)
{
	static const struct {
		const char *name;
		enum kl_kind kind;
		enum kl_form form;
	} tools[] = {
		{ "KASAN: ", KL_KIND_KASAN, KL_FORM_KASAN },
		{ "KCSAN: ", KL_KIND_KCSAN, KL_FORM_FRAMES },
		{ "KFENCE: ", KL_KIND_KFENCE, KL_FORM_FRAMES },
		{ "KMSAN: ", KL_KIND_KMSAN, KL_FORM_FRAMES },
	};

	for (size_t i = 0; i < KL_ARRAY_SIZE(tools); i++) {
		const char *what = kh_after(p, tools[i].name), *in;

		if (!what)
			continue;
		h->kind = tools[i].kind;
		h->form = tools[i].form;
		in = strstr(what, " in ");
		if (in)
			kh_frame(h, in + 4);
		kh_title(h, "%s%.*s", tools[i].name, (int)(in ? in - what : (long)strlen(what)),
			 what);
		if (h->kind == KL_KIND_KFENCE && in) {
			size_t n = (size_t)(in - what);

			if (n > 5 && !strncmp(in - 5, " read", 5))
				kh_put(h->access, sizeof(h->access), "read", 4);
			else if (n > 6 && !strncmp(in - 6, " write", 6))
				kh_put(h->access, sizeof(h->access), "write", 5);
			else if (n > 5 && !strncmp(in - 5, " free", 5))
				kh_put(h->access, sizeof(h->access), "free", 4);
		}
		if (h->kind == KL_KIND_KCSAN && in && strstr(in, " / "))
			kl_frame_function(strstr(in, " / ") + 3, h->other, sizeof(h->other));
		return true;
	}
	return false;
}

/* "BUG kmalloc-96 (Tainted: G    B      ): Poison overwritten" (mm/slub.c, slab_bug). */
static bool slub(struct kl_header *h, const char *text)
{
	const char *name = kh_after(text, "BUG "), *end, *what;

	if (!name)
		return false;
	end = strchr(name, ' ');
	if (!end || (!kh_after(end, " (Tainted") && !kh_after(end, " (Not tainted")))
		return false;
	what = strstr(end, "): ");
	if (!what)
		return false;
	h->kind = KL_KIND_SLUB;
	h->form = KL_FORM_TRACE;
	kh_title(h, "SLUB: %.*s: %s", (int)(end - name), name, what + 3);
	return true;
}

static bool lockup(struct kl_header *h, const char *p)
{
	if (kh_after(p, "soft lockup - CPU#")) {
		h->kind = KL_KIND_SOFT_LOCKUP;
		h->form = KL_FORM_LOCKUP;
		kh_title(h, "soft lockup");
		return true;
	}
	return false;
}

static bool bug(struct kl_header *h, const char *text)
{
	const char *p = kh_after(text, "BUG: "), *q;

	if (!p)
		return slub(h, text);
	if (sanitizer(h, p) || lockup(h, p))
		return true;
	h->form = KL_FORM_TRACE;
	if (kh_after(p, "using ") && (q = strstr(p, " in preemptible "))) {
		h->kind = KL_KIND_OTHER;
		kh_title(h, "BUG: %.*s in preemptible code", (int)(q - p), p);
	} else if (kh_after(p, "workqueue lockup - pool")) {
		h->kind = KL_KIND_OTHER;
		kh_title(h, "BUG: workqueue lockup");
	} else if (kh_after(p, "workqueue leaked ")) {
		h->kind = KL_KIND_OTHER;
		kh_title(h, "BUG: %.*s", (int)strcspn(p, ":"), p);
	} else if ((q = kh_after(p, "sleeping function called from invalid context"))) {
		h->kind = KL_KIND_SLEEP_IN_ATOMIC;
		kh_title(h, "sleeping function called from invalid context");
		if ((q = kh_after(q, " at ")))
			(void)kh_place(h, q);
	} else if (kh_after(p, "scheduling while atomic")) {
		h->kind = KL_KIND_SLEEP_IN_ATOMIC;
		kh_title(h, "scheduling while atomic");
	} else if (kh_after(p, "kernel NULL pointer dereference") ||
		   kh_after(p, "unable to handle kernel NULL pointer dereference")) {
		h->kind = KL_KIND_PAGE_FAULT;
		h->form = KL_FORM_OOPS;
		kh_title(h, "NULL pointer dereference");
	} else if (kh_after(p, "unable to handle page fault") ||
		   kh_after(p, "unable to handle kernel paging request")) {
		h->kind = KL_KIND_PAGE_FAULT;
		h->form = KL_FORM_OOPS;
		kh_title(h, "page fault");
	} else {
		h->kind = KL_KIND_OTHER;
		h->vague = true;
		kh_title(h, "BUG: %s", p);
	}
	return true;
}

/*
 * WARN(): "CPU: 0 PID: 1 at fs/pipe.c:12 f+0x1/0x2"; since late 2025
 * "[condition] fs/pipe.c:12 at f+0x1/0x2, CPU#0: task/1".
 */
static bool warn(struct kl_header *h, const char *p)
{
	const char *at, *q;
	struct kl_frame f;

	if (kh_after(p, "CPU: ")) {
		at = strstr(p, " at ");
		if (!at || !strstr(p, " PID: "))
			return false;
		q = kh_place(h, at + 4);
		q = q ? kh_after(q, " ") : at + 4;
	} else {
		if (*p == '[' && strstr(p, "] "))
			p = strstr(p, "] ") + 2;
		q = kh_place(h, p);
		q = kh_after(q, " at ");
		if (!q || !kl_frame_prefix(q, &f, &at) || !kh_after(at, ", CPU#"))
			return false;
	}
	if (q)
		kh_frame(h, q);
	h->kind = KL_KIND_WARN;
	h->form = KL_FORM_OOPS;
	kh_title(h, "WARNING");
	return true;
}

static bool lockdep(struct kl_header *h, const char *p)
{
	static const char *const starts[] = {
		"possible circular locking dependency",
		"possible recursive locking",
		"possible irq lock inversion",
		"HARDIRQ-safe -> HARDIRQ-unsafe lock order",
		"SOFTIRQ-safe -> SOFTIRQ-unsafe lock order",
		"RECLAIM_FS-safe -> RECLAIM_FS-unsafe lock order",
		"inconsistent lock state",
		"bad unlock balance detected",
		"bad contention detected",
		"Nested lock was not taken",
		"held lock freed",
		"lock held when returning to user space",
		"chain_key collision",
		"Invalid wait context",
		"trying to register non-static key",
		"nested lock was not taken",
	};
	const char *held = strstr(p, " still has locks held!");
	size_t n;

	h->kind = KL_KIND_LOCKDEP;
	h->form = KL_FORM_LOCKDEP;
	if (held && !held[22]) {
		kh_title(h, "lockdep: task still has locks held");
		return true;
	}
	for (size_t i = 0; i < KL_ARRAY_SIZE(starts); i++) {
		if (!kh_after(p, starts[i]))
			continue;
		n = strlen(p);
		while (n && (p[n - 1] == '!' || p[n - 1] == '.' || p[n - 1] == ' '))
			n--;
		kh_title(h, "lockdep: %.*s", (int)n, p);
		return true;
	}
	return false;
}

/* The unwinder's complaints about the stack it walks, in the midst of another report. */
static bool is_unwinder(const char *p)
{
	static const char *const starts[] = {
		/* arch/x86/kernel/unwind_frame.c, dumpstack_64.c, unwind_orc.c */
		"stack recursion on stack",
		"kernel stack ",
		"can't access registers",
		"unrecognized unwind",
		"bad lookup ",
		"missing R10 value",
		"missing R13 value",
		"missing RDI value",
		"missing DX value",
		"unknown SP base reg",
		"unknown unwind hint type",
		"unknown .orc_unwind entry type",
		"invalid ORC entry type",
	};

	for (size_t i = 0; i < KL_ARRAY_SIZE(starts); i++)
		if (kh_after(p, starts[i]))
			return true;
	return false;
}

static bool warning(struct kl_header *h, const char *text)
{
	const char *p = kh_after(text, "WARNING: ");

	if (!p)
		return false;
	if (warn(h, p) || lockdep(h, p))
		return true;
	h->frame[0] = '\0';
	h->file[0] = '\0';
	h->line = 0;
	h->form = KL_FORM_TRACE;
	if (kh_after(p, "suspicious RCU usage")) {
		h->kind = KL_KIND_RCU;
		kh_title(h, "suspicious RCU usage");
		return true;
	}
	if (is_unwinder(p))
		return false;
	h->kind = KL_KIND_OTHER;
	h->vague = true;
	kh_title(h, "WARNING: %s", p);
	return true;
}

static bool info(struct kl_header *h, const char *text)
{
	const char *p = kh_after(text, "INFO: "), *q;

	if (!p)
		return false;
	h->form = KL_FORM_TRACE;
	if ((q = kh_after(p, "task "))) {
		const char *blocked = strstr(q, " blocked for more than ");
		const char *colon;

		/* Since 6.17 it tells those who wait for a disk. */
		blocked = blocked ? blocked : strstr(q, " blocked in I/O wait for more than ");
		colon = blocked;

		while (colon && colon > q && *colon != ':')
			colon--;
		if (!colon || *colon != ':' || !strstr(blocked, " seconds"))
			return false;
		h->kind = KL_KIND_HUNG_TASK;
		/* A task may have no name: any can rename itself. */
		kh_title(h, colon > q ? "hung task %.*s" : "hung task without a name%.*s",
			 (int)(colon - q), q);
		return true;
	}
	if (strstr(p, " self-detected stall on CPU") || strstr(p, " detected stalls on ") ||
	    strstr(p, " detected expedited stalls on ")) {
		h->kind = KL_KIND_RCU_STALL;
		h->form = KL_FORM_LOCKUP;
		kh_title(h, "RCU stall");
		return true;
	}
	return kh_after(p, "trying to register non-static key") && lockdep(h, p);
}

static bool leak(struct kl_header *h, const char *text)
{
	const char *said = kh_after(text, "kmemleak: "), *p, *size;
	char *end;
	unsigned long n;

	/* From debugfs; with kmemleak's verbose=1 also through printk, line by line. */
	p = kh_after(said ? said : text, "unreferenced object 0x");
	h->kind = KL_KIND_KMEMLEAK;
	if (p && (size = strstr(p, " (size "))) {
		h->form = KL_FORM_LEAK;
		kh_title(h, "memory leak of %lu bytes", strtoul(size + 7, NULL, 10));
		return true;
	}
	p = said;
	if (!p)
		return false;
	n = strtoul(p, &end, 10);
	if (end == p || !kh_after(end, " new suspected memory leaks"))
		return false;
	h->form = KL_FORM_LINE;
	kh_title(h, "kmemleak: %lu new suspected memory leaks", n);
	return true;
}

/* What CHECK_DATA_CORRUPTION, refcount_warn_saturate and debug_print_object say before their WARN. */
static bool message(struct kl_header *h, const char *text)
{
	const char *p;

	h->form = KL_FORM_MESSAGE;
	if (kh_after(text, "list_add corruption") || kh_after(text, "list_del corruption") ||
	    kh_after(text, "list_add double add")) {
		h->kind = KL_KIND_LIST;
		kh_title(h, "%.19s", text); /* all three have this length */
		return true;
	}
	if ((p = kh_after(text, "refcount_t: "))) {
		h->kind = KL_KIND_REFCOUNT;
		kh_title(h, "refcount_t: %.*s", (int)strcspn(p, "."), p);
		return true;
	}
	p = kh_after(text, "ODEBUG: ");
	if (p && strstr(p, " (active state ") && strstr(p, " object type: ")) {
		const char *type = strstr(p, " object type: ") + 14;

		h->kind = KL_KIND_ODEBUG;
		kh_title(h, "ODEBUG: %.*s %.*s", (int)(strstr(p, " (active state ") - p), p,
			 (int)strcspn(type, " "), type);
		return true;
	}
	return false;
}

static bool hard_lockup(struct kl_header *h, const char *text)
{
	const char *p = kh_after(text, "CPU");

	/* Since 6.6 "CPU0: " stands before it. */
	p = p ? p + strspn(p, "0123456789") : NULL;
	p = p && kh_after(p, ": ") ? kh_after(p, ": ") : text;
	if (!kh_after(p, "Watchdog detected hard LOCKUP"))
		return false;
	h->kind = KL_KIND_OTHER;
	h->form = KL_FORM_LOCKUP;
	kh_title(h, "hard lockup");
	return true;
}

static bool touched(const struct kl_header *h)
{
	return h->kind || h->form || h->title[0] || h->frame[0] || h->file[0];
}

bool kl_header_parse(const char *text, struct kl_header *ret)
{
	/* pr_fmt of kernel/watchdog.c and kernel/rcu; no other prefix belongs to a report. */
	static const char *const prefixes[] = { "watchdog: ", "NMI watchdog: ", "rcu: " };
	static bool (*const kinds[])(struct kl_header *, const char *) = {
		bug,	     warning, info,	kh_kernel_bug, kh_ubsan,	 leak,
		hard_lockup, message, kh_panic, kh_trap,       kh_cannot_handle, kh_cfi,
	};
	const char *p = text, *q;
	size_t n;

	/* Most lines of reports, and rows between them, are told by their first byte. */
	if (!*text || *text == ' ' || *text == '-' || *text == '=')
		return false;
	for (size_t i = 0; i < KL_ARRAY_SIZE(prefixes); i++)
		if ((q = kh_after(p, prefixes[i])))
			p = q;
	*ret = (struct kl_header){ 0 };
	/* "[ BUG: Invalid wait context ]" */
	if ((q = kh_after(p, "[ BUG: "))) {
		char inner[KL_HEADER_TEXT];

		n = strlen(q);
		if (n < 3 || strcmp(q + n - 2, " ]") != 0)
			return false;
		kh_put(inner, sizeof(inner), q, n - 2);
		return lockdep(ret, inner);
	}
	for (size_t i = 0; i < KL_ARRAY_SIZE(kinds); i++) {
		if (kinds[i](ret, p))
			return true;
		if (touched(ret))
			*ret = (struct kl_header){ 0 };
	}
	return false;
}
