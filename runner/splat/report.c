/* Reads the lines of one report: accesses, locks, registers, call trace, end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "splat/report.h"

#define UNANSWERED_LINES 4

bool kl_is_row(const char *text, char c)
{
	size_t n = 0;

	while (text[n] == c)
		n++;
	return n >= 20 && !text[n + strspn(text + n, " ")];
}

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static void put(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

void kl_report_open(struct kl_report *r, const struct kl_header *h, const struct kl_line *l)
{
	*r = (struct kl_report){
		.header = *h,
		.offset = l->offset,
		.end = l->end,
		.time_us = l->time_us,
	};
}

void kl_report_deinit(struct kl_report *r)
{
	kl_strv_deinit(&r->trace);
	*r = (struct kl_report){ 0 };
}

bool kl_report_absorbs(struct kl_report *r, const struct kl_header *h, const struct kl_line *l)
{
	struct kl_header *mine = &r->header;
	bool yes = false;

	if (r->trace_state != KL_TRACE_NONE || r->has_rip)
		return false;
	if (mine->form == KL_FORM_MESSAGE && !r->answered)
		yes = r->answered = h->kind == KL_KIND_WARN || h->kind == KL_KIND_BUG ||
				    h->form == KL_FORM_TRAP;
	else if (h->form == KL_FORM_TRAP)
		yes = mine->form == KL_FORM_OOPS || mine->form == KL_FORM_MESSAGE || mine->vague;
	else if (h->form == KL_FORM_MESSAGE && mine->kind == KL_KIND_WARN && !r->message[0]) {
		/* Where WARN is no trap the message comes after the header. */
		yes = true;
		*mine = *h;
		r->answered = true;
	}
	if (yes)
		r->end = l->end;
	return yes;
}

/* "mutex_lock" of "ffff… (mutex_lock){+.+.}-{3:3}, at: …"; the name may hold parentheses. */
static bool lock_name(const char *text, char *ret, size_t size)
{
	const char *open = strchr(text, '('), *close = open ? strstr(open, "){") : NULL;

	if (!close)
		return false;
	put(ret, size, open + 1, (size_t)(close - open - 1));
	return true;
}

static void lock_at(struct kl_report *r, const char *text, const char *at)
{
	struct kl_frame f;
	const char *rest;
	char name[128];

	if (!lock_name(text, name, sizeof(name)))
		return;
	if (r->expect_held) {
		r->expect_held = false;
		put(r->held, sizeof(r->held), name, strlen(name));
		return;
	}
	if (r->lock[0] || !at)
		return;
	put(r->lock, sizeof(r->lock), name, strlen(name));
	if (kl_frame_prefix(at, &f, &rest))
		put(r->header.frame, sizeof(r->header.frame), f.text, strlen(f.text));
}

static void lockdep_line(struct kl_report *r, const char *text)
{
	const char *at = strstr(text, "}, at: "), *p;
	struct kl_frame f;

	if (at) {
		lock_at(r, text, at + 7);
	} else if (strstr(text, "already holding") || starts(text, "but this lock ")) {
		r->expect_held = true;
	} else if (r->expect_held && text[0] == ' ') {
		lock_at(r, text, NULL);
	} else if (starts(text, "inconsistent {") && strstr(text, "} usage")) {
		p = strstr(text, "} usage");
		put(r->usage, sizeof(r->usage), text + 13, (size_t)(p + 1 - (text + 13)));
	} else if ((p = strstr(text, " lock (")) && strstr(p, ") at:")) {
		/* "init/29 is trying to release lock (stash_lock) at:", and the frame on a line of its own */
		put(r->lock, sizeof(r->lock), p + 7, (size_t)(strstr(p, ") at:") - (p + 7)));
	} else if (strstr(r->header.title, ": bad ") && r->lock[0] && !r->header.frame[0] &&
		   kl_frame_parse(text, &f)) {
		put(r->header.frame, sizeof(r->header.frame), f.text, strlen(f.text));
	}
}

/* "Read of size 8 at addr …", "Free of addr …" */
static void kasan_line(struct kl_report *r, const char *text)
{
	static const struct {
		const char *start, *access;
	} accesses[] = {
		{ "Read of size ", "read of size " },
		{ "Write of size ", "write of size " },
	};
	struct kl_header *h = &r->header;
	size_t n = strlen(h->title);

	if (h->kind != KL_KIND_KASAN || h->access[0])
		return;
	for (size_t i = 0; i < KL_ARRAY_SIZE(accesses); i++) {
		unsigned long size;

		if (!starts(text, accesses[i].start))
			continue;
		size = strtoul(text + strlen(accesses[i].start), NULL, 10);
		(void)snprintf(h->access, sizeof(h->access), "%s%lu", accesses[i].access, size);
		(void)snprintf(h->title + n, sizeof(h->title) - n, "%s", i ? " Write" : " Read");
	}
	if (starts(text, "Free of addr "))
		put(h->access, sizeof(h->access), "free", 4);
}

/* Is the trace so far that of the function that the header names first? */
static bool has_own_trace(const struct kl_report *r)
{
	char named[KL_FRAME_MAX], first[KL_FRAME_MAX];

	if (!r->trace.n)
		return false;
	kl_frame_function(r->header.frame, named, sizeof(named));
	kl_frame_function(r->trace.v[0], first, sizeof(first));
	return !strcmp(named, first);
}

/*
 * KCSAN: "write (marked) to 0xffff… of 8 bytes by task 12 on cpu 0:", then frames,
 * for both sides; the header sorts them by name (kernel/kcsan/report.c).
 */
static void kcsan_line(struct kl_report *r, const char *text)
{
	struct kl_header *h = &r->header;
	const char *verb = text, *of = strstr(text, " of ");
	size_t n;

	if (h->kind != KL_KIND_KCSAN || !of || !strstr(of, " bytes by ") || has_own_trace(r))
		return;
	if (starts(text, "race at unknown origin, with "))
		verb = text + 29;
	n = strcspn(verb, " ");
	if (!starts(verb, "read") && !starts(verb, "write"))
		return;
	(void)snprintf(h->access, sizeof(h->access), "%.*s of size %lu", (int)(n < 16 ? n : 16),
		       verb, strtoul(of + 4, NULL, 10));
	kl_strv_deinit(&r->trace);
	r->trace_state = KL_TRACE_NONE;
}

static void oops_line(struct kl_report *r, const char *text)
{
	struct kl_header *h = &r->header;
	const char *access = NULL, *note;
	size_t n;

	if (starts(text, "#PF: ") && strstr(text, " in kernel mode")) {
		if (strstr(text, " write access"))
			access = "write";
		else if (strstr(text, " read access"))
			access = "read";
		else if (strstr(text, " instruction fetch"))
			access = "instruction fetch";
		if (access)
			put(h->access, sizeof(h->access), access, strlen(access));
	} else if (h->kind == KL_KIND_PAGE_FAULT && (note = strstr(text, "WnR = "))) {
		access = note[6] == '1' ? "write" : "read"; /* arm64 */
		put(h->access, sizeof(h->access), access, strlen(access));
	} else if (starts(text, "KASAN: ") && (note = strstr(text, " in range ["))) {
		n = (size_t)(note - (text + 7));
		put(r->message, sizeof(r->message), text + 7, n);
	} else if (h->kind == KL_KIND_WARN && !r->message[0] && r->lines == 1 && text[0] &&
		   !starts(text, "Modules linked in") && !starts(text, "CPU: ")) {
		put(r->message, sizeof(r->message), text, strlen(text));
	}
}

/*
 * Who is meant, where the trace is of whoever noticed: DEBUG_PREEMPT's "caller is
 * f+0x1/0x2 [m]", the work item that a worker has run or hangs in.
 */
static void culprit_line(struct kl_report *r, const char *text)
{
	static const char *const words[] = { "caller is ",
					     "last function: ", "workfn=", "in-flight: " };
	struct kl_header *h = &r->header;

	if (h->kind != KL_KIND_OTHER || h->frame[0])
		return;
	for (size_t i = 0; i < KL_ARRAY_SIZE(words); i++) {
		const char *p = strstr(text, words[i]), *rest;
		struct kl_frame f;
		size_t n;

		if (!p)
			continue;
		p += strlen(words[i]);
		/* "in-flight: 29:stash_work [stashbox]" */
		if (i == 3)
			p += strspn(p, "0123456789:");
		if (kl_frame_prefix(p, &f, &rest)) {
			put(h->frame, sizeof(h->frame), f.text, strlen(f.text));
			return;
		}
		n = strcspn(p, " ");
		if (p[n] == ' ' && p[n + 1] == '[' && strchr(p + n, ']'))
			n = (size_t)(strchr(p + n, ']') + 1 - p);
		put(h->frame, sizeof(h->frame), p, n);
		return;
	}
}

/* "RIP: 0010:f+0x1/0x2", arm64 "pc : f+0x1/0x2"; false for user space's (RIP: 0033:…). */
static bool rip(const char *text, struct kl_frame *ret)
{
	const char *p, *rest;

	if (starts(text, "RIP: 0010:"))
		p = text + 10;
	else if (starts(text, "RIP: "))
		p = text + 5;
	else if (starts(text, "pc : "))
		p = text + 5;
	else
		return false;
	if (kl_frame_prefix(p, ret, &rest))
		return true;
	/* A jump to nowhere: keep the address, so that what follows stays a return address. */
	if (!starts(text, "RIP: 0010:0x"))
		return false;
	put(ret->text, sizeof(ret->text), p, strcspn(p, " "));
	return true;
}

static int add_frame(struct kl_report *r, const char *frame)
{
	if (r->dropped || r->trace.n >= KL_REPORT_MAX_FRAMES)
		return 0;
	/* The reporters' own frames are innermost; a frame is printed twice where RIP repeats it. */
	if (!r->trace.n && kl_frame_is_machinery(frame))
		return 0;
	if (r->has_rip && r->trace.n == 1 && kl_str_eq(r->trace.v[0], frame))
		return 0;
	return kl_strv_add(&r->trace, frame);
}

static int add_rip(struct kl_report *r, const struct kl_frame *f)
{
	struct kl_strv none = { 0 };

	if (r->header.form == KL_FORM_LOCKUP && !r->has_rip) {
		/* What stands before is the interrupt that found the lockup. */
		kl_strv_deinit(&r->trace);
		r->trace = none;
	} else if (r->has_rip || r->trace_state != KL_TRACE_NONE) {
		return 0;
	}
	r->has_rip = true;
	return r->dropped ? 0 : kl_strv_add(&r->trace, f->text);
}

/* Lines inside of a call trace that are no frames: markers, and registers where an entry's were saved. */
static bool trace_filler(const char *text)
{
	static const char *const registers[] = { "RIP: ", "RSP: ", "Code: ", "RAX: ",	"RDX: ",
						 "RBP: ", "R10: ", "R13: ",  "EFLAGS: " };

	while (*text == ' ')
		text++;
	if (*text == '<')
		return true;
	/* An address that no symbol covers, such as one of an init section: "? 0xffffffffa0008000". */
	if (starts(text, "? 0x") || starts(text, "0x"))
		return true;
	for (size_t i = 0; i < KL_ARRAY_SIZE(registers); i++)
		if (starts(text, registers[i]))
			return true;
	return false;
}

static bool bare_frames(const struct kl_report *r)
{
	return r->header.form == KL_FORM_FRAMES;
}

/* Advances the trace; *ret_part says that the line belongs to it. */
static int trace_line(struct kl_report *r, const char *text, bool *ret_part)
{
	struct kl_frame f;

	*ret_part = true;
	if (rip(text, &f))
		return add_rip(r, &f);
	if (r->trace_state == KL_TRACE_NONE) {
		if (starts(text, "Call Trace:") || starts(text, "Call trace:") ||
		    (r->header.form == KL_FORM_LEAK && starts(text, "  backtrace"))) {
			r->trace_state = KL_TRACE_RUNNING;
			return 0;
		}
		*ret_part = false;
		if (!bare_frames(r) || !kl_frame_parse(text, &f))
			return 0;
		*ret_part = true;
		r->trace_state = KL_TRACE_RUNNING;
		return f.guess ? 0 : add_frame(r, f.text);
	}
	if (r->trace_state == KL_TRACE_RUNNING) {
		if (kl_frame_parse(text, &f))
			return f.guess ? 0 : add_frame(r, f.text);
		if (strstr(text, "</TASK>"))
			r->trace_state = KL_TRACE_DONE;
		else if (!trace_filler(text)) {
			r->trace_state = KL_TRACE_DONE;
			*ret_part = false;
		}
		return 0;
	}
	*ret_part = false;
	return 0;
}

/* Does the report end here, and is this line its last? */
static enum kl_report_next ending(const struct kl_report *r, const char *text, bool part)
{
	bool done = r->trace_state == KL_TRACE_DONE;

	/* No WARN has come: then the message was all. */
	if (r->header.form == KL_FORM_MESSAGE && !r->answered && r->lines > UNANSWERED_LINES)
		return KL_REPORT_ENDED;
	/* The one report of lockdep without a call trace ends after the locks. */
	if (r->lock[0] && strstr(r->header.title, "returning to user space") && text[0] != ' ')
		return KL_REPORT_ENDED;

	switch (r->header.form) {
	case KL_FORM_KASAN:
	case KL_FORM_FRAMES:
		return kl_is_row(text, '=') || starts(text, "---[ end trace") ? KL_REPORT_ENDS
									      : KL_REPORT_GOES_ON;
	case KL_FORM_OOPS:
	case KL_FORM_TRAP:
	case KL_FORM_MESSAGE:
		return starts(text, "---[ end trace") ? KL_REPORT_ENDS : KL_REPORT_GOES_ON;
	case KL_FORM_PANIC:
		return starts(text, "---[ end Kernel panic") ? KL_REPORT_ENDS : KL_REPORT_GOES_ON;
	case KL_FORM_LOCKDEP:
	case KL_FORM_TRACE:
	case KL_FORM_LOCKUP:
	case KL_FORM_LEAK:
		if (done)
			return part ? KL_REPORT_ENDS : KL_REPORT_ENDED;
		return KL_REPORT_GOES_ON;
	case KL_FORM_LINE:
		return KL_REPORT_ENDED;
	}
	return KL_REPORT_GOES_ON;
}

/* "net/core/dev.c:12 suspicious rcu_dereference_check() usage!" */
static void rcu_line(struct kl_report *r, const char *text)
{
	const char *colon = strchr(text, ':'), *blank = strchr(text, ' ');
	char *end;
	unsigned long line;

	if (r->header.kind != KL_KIND_RCU || r->header.file[0] || !colon || !blank ||
	    colon > blank || !strstr(text, " usage!"))
		return;
	line = strtoul(colon + 1, &end, 10);
	if (end != blank || line == 0 || line > 10000000)
		return;
	put(r->header.file, sizeof(r->header.file), text, (size_t)(colon - text));
	r->header.line = (unsigned int)line;
}

enum kl_report_next kl_report_line(struct kl_report *r, const struct kl_line *l)
{
	enum kl_report_next next;
	const char *text = l->text;
	bool part;

	if (r->header.form == KL_FORM_LEAK && starts(text, "kmemleak: "))
		text += strlen("kmemleak: ");
	if (++r->lines > KL_REPORT_MAX_LINES || r->header.form == KL_FORM_LINE)
		return KL_REPORT_ENDED;
	if (trace_line(r, text, &part) < 0)
		return KL_REPORT_NO_MEMORY;
	next = ending(r, text, part);
	if (next == KL_REPORT_ENDED)
		return next;
	if (!part)
		kcsan_line(r, text);
	if (!part && r->trace_state == KL_TRACE_NONE) {
		kasan_line(r, text);
		rcu_line(r, text);
		culprit_line(r, text);
		if (r->header.form == KL_FORM_LOCKDEP)
			lockdep_line(r, text);
		else if (r->header.form == KL_FORM_OOPS)
			oops_line(r, text);
	}
	r->end = l->end;
	return next;
}
