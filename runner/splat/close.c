/*
 * What a report has said, as a finding: the function to blame, its place, a title.
 *
 * The function is the one that the kernel names (KASAN's "in", lockdep's "at:",
 * RIP). Where the kernel names a function that only serves others, or none, it
 * is the first frame of the trace that neither reports nor merely serves
 * (frame.c), and for misuse of a service (sleeping, locks, lists, counters,
 * objects, frees) the first frame of a module if the trace has one: a driver
 * that sleeps under its spinlock deep in the kernel is still the one to mend.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "splat/report.h"

static const char *first_own_frame(const struct kl_report *r, bool prefer_module)
{
	const char *own = NULL;

	for (size_t i = 0; i < r->trace.n; i++) {
		const char *frame = r->trace.v[i];

		if (!strchr(frame, '+') || kl_frame_is_helper(frame))
			continue;
		if (!own)
			own = frame;
		if (!prefer_module || kl_frame_in_module(frame))
			return frame;
	}
	if (own)
		return own;
	for (size_t i = 0; i < r->trace.n; i++)
		if (strchr(r->trace.v[i], '+'))
			return r->trace.v[i];
	return NULL;
}

/* The panic that only ends what an earlier report began. */
static bool is_aftermath(const struct kl_report *r)
{
	const char *t = r->header.title;

	return strstr(t, "panic_on_warn set") || strstr(t, "Fatal exception") ||
	       strstr(t, "hung_task: blocked tasks");
}

/* A header may name a service: "kernel-infoleak in _copy_to_user". */
static const char *named_or_own(const struct kl_report *r)
{
	const char *named = r->header.frame[0] ? r->header.frame : NULL, *own;

	if (named && !kl_frame_is_helper(named))
		return named;
	own = first_own_frame(r, false);
	return own ? own : named;
}

/* *ret_moved: the function is not the one whose file and line the header gives. */
static const char *blame(const struct kl_report *r, bool *ret_moved)
{
	const struct kl_header *h = &r->header;
	const char *named = h->frame[0] ? h->frame : NULL;
	const char *frame;

	*ret_moved = false;
	switch (h->kind) {
	case KL_KIND_KASAN:
		/* An allocator that is told to free twice is not where the fault is. */
		if (!strcmp(h->access, "free") && (frame = first_own_frame(r, true)))
			return frame;
		return named_or_own(r);
	case KL_KIND_KCSAN:
	case KL_KIND_KFENCE:
	case KL_KIND_KMSAN:
		return named_or_own(r);
	case KL_KIND_UBSAN:
		return first_own_frame(r, false);
	case KL_KIND_LOCKDEP:
		return named ? named : first_own_frame(r, true);
	case KL_KIND_WARN:
		if (named && !kl_frame_is_helper(named))
			return named;
		frame = first_own_frame(r, false);
		*ret_moved = frame != NULL;
		return frame ? frame : named;
	case KL_KIND_PAGE_FAULT:
	case KL_KIND_GPF:
	case KL_KIND_BUG:
		if (r->has_rip && r->trace.n && strchr(r->trace.v[0], '+') &&
		    !kl_frame_is_helper(r->trace.v[0]))
			return r->trace.v[0];
		/* A place that memcpy() or fortify_panic() gives is not the caller's. */
		frame = first_own_frame(r, false);
		*ret_moved = r->has_rip && frame;
		return r->has_rip && frame ? frame : named ? named : frame;
	case KL_KIND_PANIC:
		return is_aftermath(r) ? NULL : named ? named : first_own_frame(r, false);
	case KL_KIND_OTHER:
		return named ? named : first_own_frame(r, h->vague);
	case KL_KIND_RCU:
	case KL_KIND_SLEEP_IN_ATOMIC:
	case KL_KIND_HUNG_TASK:
	case KL_KIND_SOFT_LOCKUP:
	case KL_KIND_RCU_STALL:
	case KL_KIND_KMEMLEAK:
	case KL_KIND_SLUB:
		return first_own_frame(r, h->kind != KL_KIND_RCU);
	case KL_KIND_REFCOUNT:
	case KL_KIND_LIST:
	case KL_KIND_ODEBUG:
		*ret_moved = true;
		return first_own_frame(r, true);
	case KL_KIND_COUNT:
		break;
	}
	return NULL;
}

static char *make_title(const struct kl_report *r, const char *function)
{
	const struct kl_header *h = &r->header;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)kl_buf_puts(&b, h->title);
	if (r->usage[0])
		(void)kl_buf_printf(&b, " %s", r->usage);
	if (h->kind == KL_KIND_LOCKDEP) {
		if (r->lock[0] && r->held[0])
			(void)kl_buf_printf(&b, " (%s vs %s)", r->lock, r->held);
		else if (r->lock[0])
			(void)kl_buf_printf(&b, " (%s)", r->lock);
	}
	/* What panics say is the title; summaries have no place. */
	if (function && h->kind != KL_KIND_PANIC)
		(void)kl_buf_printf(&b, " in %s", function);
	if (h->other[0])
		(void)kl_buf_printf(&b, " / %s", h->other);
	if (r->message[0])
		(void)kl_buf_printf(&b, h->kind == KL_KIND_WARN ? ": %s" : " (%s)", r->message);
	return b.failed ? NULL : kl_buf_steal(&b);
}

/*
 * The header's place as a path of the tree it belongs to. Kernels print paths
 * relative to their tree; out-of-tree modules print where they were built.
 */
static const char *relative(const char *path, bool in_module)
{
	while (!strncmp(path, "./", 2))
		path += 2;
	while (!strncmp(path, "../", 3))
		path += 3;
	if (path[0] == '/' && in_module)
		return kl_path_base(path);
	return path;
}

static int fill(struct kl_report *r, struct kl_finding *f)
{
	const struct kl_header *h = &r->header;
	char function[KL_FRAME_MAX];
	bool moved = false;
	const char *frame = blame(r, &moved);

	f->kind = h->kind;
	f->offset = r->offset;
	f->length = r->end - r->offset;
	f->time_us = r->time_us;
	if (frame) {
		kl_frame_function(frame, function, sizeof(function));
		if (!(f->function = strdup(function)))
			return -1;
	}
	if (h->file[0] && !moved) {
		f->line = h->line;
		f->file = strdup(relative(h->file, frame && kl_frame_in_module(frame)));
		if (!f->file)
			return -1;
	}
	if (h->access[0] && !(f->access = strdup(h->access)))
		return -1;
	/* A lock held on return to user space has no trace but the place where it was taken. */
	if (!r->trace.n && frame && strchr(frame, '+') && kl_strv_add(&f->trace, frame) < 0)
		return -1;
	f->title = make_title(r, f->function);
	if (!f->title)
		return -1;
	if (r->trace.n) {
		f->trace = r->trace;
		r->trace = (struct kl_strv){ 0 };
	}
	return 0;
}

int kl_report_close(struct kl_report *r, struct kl_finding *ret)
{
	struct kl_finding f = { 0 };
	int rc = fill(r, &f);

	if (rc < 0)
		kl_finding_deinit(&f);
	else
		*ret = f;
	kl_report_deinit(r);
	return rc;
}
