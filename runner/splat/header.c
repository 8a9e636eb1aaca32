/*
 * Recognises the first lines of the kernel's reports. The wordings are those of
 * Linux 6.1 (mm/kasan/report.c, kernel/locking/lockdep.c, lib/ubsan.c, …) and,
 * where they changed since, the newer ones too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "splat/header.h"

/* Steps over literal text; NULL when it is not there. */
static const char *after(const char *p, const char *literal)
{
	size_t n = strlen(literal);

	return p && !strncmp(p, literal, n) ? p + n : NULL;
}

static void put(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

static void title(struct kl_header *h, const char *fmt, ...) KL_PRINTF(2, 3);
static void title(struct kl_header *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(h->title, sizeof(h->title), fmt, ap);
	va_end(ap);
}

/* A function as a header names it: with an offset, or without (KCSAN). */
static void header_frame(struct kl_header *h, const char *p)
{
	struct kl_frame f;
	const char *rest;

	if (kl_frame_prefix(p, &f, &rest))
		put(h->frame, sizeof(h->frame), f.text, strlen(f.text));
	else
		put(h->frame, sizeof(h->frame), p, strcspn(p, " "));
}

/* "fs/pipe.c:123" up to a blank, "!" or ":column"; returns what follows or NULL. */
static const char *place(struct kl_header *h, const char *p)
{
	const char *end = p + strcspn(p, " !"), *colon;
	char *digits_end;
	unsigned long line;

	for (colon = p; colon < end; colon++) {
		if (*colon != ':' || colon == p)
			continue;
		line = strtoul(colon + 1, &digits_end, 10);
		if (digits_end == colon + 1 || line == 0 || line > 10000000)
			continue;
		put(h->file, sizeof(h->file), p, (size_t)(colon - p));
		h->line = (unsigned int)line;
		return digits_end;
	}
	return NULL;
}

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
		const char *what = after(p, tools[i].name), *in;

		if (!what)
			continue;
		h->kind = tools[i].kind;
		h->form = tools[i].form;
		in = strstr(what, " in ");
		if (in)
			header_frame(h, in + 4);
		title(h, "%s%.*s", tools[i].name, (int)(in ? in - what : (long)strlen(what)), what);
		if (h->kind == KL_KIND_KFENCE && in) {
			size_t n = (size_t)(in - what);

			if (n > 5 && !strncmp(in - 5, " read", 5))
				put(h->access, sizeof(h->access), "read", 4);
			else if (n > 6 && !strncmp(in - 6, " write", 6))
				put(h->access, sizeof(h->access), "write", 5);
			else if (n > 5 && !strncmp(in - 5, " free", 5))
				put(h->access, sizeof(h->access), "free", 4);
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
	const char *name = after(text, "BUG "), *end, *what;

	if (!name)
		return false;
	end = strchr(name, ' ');
	if (!end || (!after(end, " (Tainted") && !after(end, " (Not tainted")))
		return false;
	what = strstr(end, "): ");
	if (!what)
		return false;
	h->kind = KL_KIND_SLUB;
	h->form = KL_FORM_TRACE;
	title(h, "SLUB: %.*s: %s", (int)(end - name), name, what + 3);
	return true;
}

static bool lockup(struct kl_header *h, const char *p)
{
	if (after(p, "soft lockup - CPU#")) {
		h->kind = KL_KIND_SOFT_LOCKUP;
		h->form = KL_FORM_LOCKUP;
		title(h, "soft lockup");
		return true;
	}
	return false;
}

static bool bug(struct kl_header *h, const char *text)
{
	const char *p = after(text, "BUG: "), *q;

	if (!p)
		return slub(h, text);
	if (sanitizer(h, p) || lockup(h, p))
		return true;
	h->form = KL_FORM_TRACE;
	if ((q = after(p, "sleeping function called from invalid context"))) {
		h->kind = KL_KIND_SLEEP_IN_ATOMIC;
		title(h, "sleeping function called from invalid context");
		if ((q = after(q, " at ")))
			(void)place(h, q);
	} else if (after(p, "scheduling while atomic")) {
		h->kind = KL_KIND_SLEEP_IN_ATOMIC;
		title(h, "scheduling while atomic");
	} else if (after(p, "kernel NULL pointer dereference") ||
		   after(p, "unable to handle kernel NULL pointer dereference")) {
		h->kind = KL_KIND_PAGE_FAULT;
		h->form = KL_FORM_OOPS;
		title(h, "NULL pointer dereference");
	} else if (after(p, "unable to handle page fault") ||
		   after(p, "unable to handle kernel paging request")) {
		h->kind = KL_KIND_PAGE_FAULT;
		h->form = KL_FORM_OOPS;
		title(h, "page fault");
	} else {
		h->kind = KL_KIND_OTHER;
		h->vague = true;
		title(h, "BUG: %s", p);
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

	if (after(p, "CPU: ")) {
		at = strstr(p, " at ");
		if (!at || !strstr(p, " PID: "))
			return false;
		q = place(h, at + 4);
		q = q ? after(q, " ") : at + 4;
	} else {
		if (*p == '[' && strstr(p, "] "))
			p = strstr(p, "] ") + 2;
		q = place(h, p);
		q = after(q, " at ");
		if (!q || !kl_frame_prefix(q, &f, &at) || !after(at, ", CPU#"))
			return false;
	}
	if (q)
		header_frame(h, q);
	h->kind = KL_KIND_WARN;
	h->form = KL_FORM_OOPS;
	title(h, "WARNING");
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
		title(h, "lockdep: task still has locks held");
		return true;
	}
	for (size_t i = 0; i < KL_ARRAY_SIZE(starts); i++) {
		if (!after(p, starts[i]))
			continue;
		n = strlen(p);
		while (n && (p[n - 1] == '!' || p[n - 1] == '.' || p[n - 1] == ' '))
			n--;
		title(h, "lockdep: %.*s", (int)n, p);
		return true;
	}
	return false;
}

static bool warning(struct kl_header *h, const char *text)
{
	const char *p = after(text, "WARNING: ");

	if (!p)
		return false;
	if (warn(h, p) || lockdep(h, p))
		return true;
	h->frame[0] = '\0';
	h->file[0] = '\0';
	h->line = 0;
	h->form = KL_FORM_TRACE;
	if (after(p, "suspicious RCU usage")) {
		h->kind = KL_KIND_RCU;
		title(h, "suspicious RCU usage");
		return true;
	}
	/* The unwinder's complaints about the stack it walks, in the midst of another report. */
	if (after(p, "stack recursion on stack") || after(p, "kernel stack ") ||
	    after(p, "can't access registers") || after(p, "unrecognized unwind"))
		return false;
	h->kind = KL_KIND_OTHER;
	h->vague = true;
	title(h, "WARNING: %s", p);
	return true;
}

static bool info(struct kl_header *h, const char *text)
{
	const char *p = after(text, "INFO: "), *q;

	if (!p)
		return false;
	h->form = KL_FORM_TRACE;
	if ((q = after(p, "task "))) {
		const char *blocked = strstr(q, " blocked for more than ");
		const char *colon = blocked;

		while (colon && colon > q && *colon != ':')
			colon--;
		if (!colon || colon == q || !strstr(blocked, " seconds"))
			return false;
		h->kind = KL_KIND_HUNG_TASK;
		title(h, "hung task %.*s", (int)(colon - q), q);
		return true;
	}
	if (strstr(p, " self-detected stall on CPU") || strstr(p, " detected stalls on ") ||
	    strstr(p, " detected expedited stalls on ")) {
		h->kind = KL_KIND_RCU_STALL;
		h->form = KL_FORM_LOCKUP;
		title(h, "RCU stall");
		return true;
	}
	return after(p, "trying to register non-static key") && lockdep(h, p);
}

/* "general protection fault, …: 0000 [#1] PREEMPT SMP", "Oops: 0002 [#1]", "divide error: 0000 [#1]". */
static bool trap(struct kl_header *h, const char *text)
{
	const char *number = strstr(text, " [#"), *p = after(text, "Oops: ");
	size_t n, code;

	if (!number || number[3] < '1' || number[3] > '9')
		return false;
	n = (size_t)(number - text);
	for (code = 0; n > code && strchr("0123456789abcdef", text[n - 1 - code]); code++)
		;
	if (code < 4 || n < code + 3 || text[n - code - 1] != ' ' || text[n - code - 2] != ':')
		return false;
	h->form = KL_FORM_TRAP;
	if (p && p == text + n - code) {
		h->kind = KL_KIND_PAGE_FAULT;
		title(h, "page fault");
		return true;
	}
	p = p ? p : text;
	if (after(p, "general protection fault")) {
		h->kind = KL_KIND_GPF;
		h->form = KL_FORM_OOPS;
		title(h, "general protection fault");
		return true;
	}
	/* A trap's name is words: "invalid opcode", "divide error", "stack segment". */
	for (size_t i = 0; p + i < text + n - code - 2; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || p[i] == ' ' || p[i] == '-' ||
		      (p[i] >= '0' && p[i] <= '9')))
			return false;
	h->kind = KL_KIND_OTHER;
	title(h, "%.*s", (int)(text + n - code - 2 - p), p);
	return true;
}

static bool kernel_bug(struct kl_header *h, const char *text)
{
	const char *p = after(text, "kernel BUG at ");

	p = p ? p : after(text, "Kernel BUG at ");
	if (!p)
		return false;
	h->kind = KL_KIND_BUG;
	h->form = KL_FORM_OOPS;
	title(h, "kernel BUG");
	if (!place(h, p))
		header_frame(h, p);
	return true;
}

static bool ubsan(struct kl_header *h, const char *text)
{
	const char *p = after(text, "UBSAN: "), *in;

	if (!p || !(in = strstr(p, " in ")) || !place(h, in + 4))
		return false;
	h->kind = KL_KIND_UBSAN;
	h->form = KL_FORM_KASAN;
	title(h, "UBSAN: %.*s", (int)(in - p), p);
	return true;
}

static bool leak(struct kl_header *h, const char *text)
{
	const char *p = after(text, "unreferenced object 0x"), *size;
	char *end;
	unsigned long n;

	h->kind = KL_KIND_KMEMLEAK;
	if (p && (size = strstr(p, " (size "))) {
		h->form = KL_FORM_LEAK;
		title(h, "memory leak of %lu bytes", strtoul(size + 7, NULL, 10));
		return true;
	}
	p = after(text, "kmemleak: ");
	if (!p)
		return false;
	n = strtoul(p, &end, 10);
	if (end == p || !after(end, " new suspected memory leaks"))
		return false;
	h->form = KL_FORM_LINE;
	title(h, "kmemleak: %lu new suspected memory leaks", n);
	return true;
}

/* What CHECK_DATA_CORRUPTION, refcount_warn_saturate and debug_print_object say before their WARN. */
static bool message(struct kl_header *h, const char *text)
{
	const char *p;

	h->form = KL_FORM_MESSAGE;
	if (after(text, "list_add corruption") || after(text, "list_del corruption") ||
	    after(text, "list_add double add")) {
		h->kind = KL_KIND_LIST;
		title(h, "%.19s", text); /* all three have this length */
		return true;
	}
	if ((p = after(text, "refcount_t: "))) {
		h->kind = KL_KIND_REFCOUNT;
		title(h, "refcount_t: %.*s", (int)strcspn(p, "."), p);
		return true;
	}
	p = after(text, "ODEBUG: ");
	if (p && strstr(p, " (active state ") && strstr(p, " object type: ")) {
		const char *type = strstr(p, " object type: ") + 14;

		h->kind = KL_KIND_ODEBUG;
		title(h, "ODEBUG: %.*s %.*s", (int)(strstr(p, " (active state ") - p), p,
		      (int)strcspn(type, " "), type);
		return true;
	}
	return false;
}

static bool panic(struct kl_header *h, const char *text)
{
	const char *p = after(text, "Kernel panic - not syncing: ");

	if (!p)
		return false;
	h->kind = KL_KIND_PANIC;
	h->form = KL_FORM_PANIC;
	title(h, "kernel panic: %s", p);
	return true;
}

static bool hard_lockup(struct kl_header *h, const char *text)
{
	if (!after(text, "Watchdog detected hard LOCKUP"))
		return false;
	h->kind = KL_KIND_OTHER;
	h->form = KL_FORM_LOCKUP;
	title(h, "hard lockup");
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
		bug, warning, info, kernel_bug, ubsan, leak, hard_lockup, message, panic, trap,
	};
	const char *p = text, *q;
	size_t n;

	/* Most lines of reports, and rows between them, are told by their first byte. */
	if (!*text || *text == ' ' || *text == '-' || *text == '=')
		return false;
	for (size_t i = 0; i < KL_ARRAY_SIZE(prefixes); i++)
		if ((q = after(p, prefixes[i])))
			p = q;
	*ret = (struct kl_header){ 0 };
	/* "[ BUG: Invalid wait context ]" */
	if ((q = after(p, "[ BUG: "))) {
		char inner[KL_HEADER_TEXT];

		n = strlen(q);
		if (n < 3 || strcmp(q + n - 2, " ]") != 0)
			return false;
		put(inner, sizeof(inner), q, n - 2);
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
