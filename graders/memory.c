/*
 * What the host read in the guest's memory, judged: traces of faults that the log
 * does not show, and traces of hands in what watches the candidate's code.
 */
#include <inttypes.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "draft.h"

/*
 * Bits of tainted_mask that only a fault sets (include/linux/panic.h), and the
 * kinds whose tolerated report accounts for them. Out-of-tree (O), unsigned (E)
 * and forced (F) modules are the normal case here; the rest say what the
 * machine or its firmware is, not what happened.
 */
static const struct {
	unsigned int bit;
	const char *what;
	uint64_t explained_by;
} taints[] = {
	{ 4, "M: a machine check", 0 },
	{ 5, "B: a bad page or a memory checker's report",
	  KIND(KL_KIND_KASAN) | KIND(KL_KIND_KFENCE) | KIND(KL_KIND_KMSAN) | KIND(KL_KIND_SLUB) },
	{ 7, "D: the kernel has oopsed",
	  KIND(KL_KIND_PAGE_FAULT) | KIND(KL_KIND_GPF) | KIND(KL_KIND_BUG) | KIND(KL_KIND_LIST) },
	{ 9, "W: a kernel warning",
	  KIND(KL_KIND_WARN) | KIND(KL_KIND_SLEEP_IN_ATOMIC) | KIND(KL_KIND_REFCOUNT) |
		  KIND(KL_KIND_ODEBUG) | KIND(KL_KIND_LIST) },
	{ 14, "L: a soft lockup", KIND(KL_KIND_SOFT_LOCKUP) },
};
#define TAINT_P 0 /* a module of another licence: switches lockdep off, too */

/* What check_panic_on_warn() counts: kernel/panic.c and its callers. */
static const uint64_t warnings_explained_by =
	KIND(KL_KIND_WARN) | KIND(KL_KIND_SLEEP_IN_ATOMIC) | KIND(KL_KIND_REFCOUNT) |
	KIND(KL_KIND_ODEBUG) | KIND(KL_KIND_LIST) | KIND(KL_KIND_KASAN) | KIND(KL_KIND_KCSAN) |
	KIND(KL_KIND_KFENCE) | KIND(KL_KIND_KMSAN) | KIND(KL_KIND_UBSAN);
#define OOPS_KINDS \
	(KIND(KL_KIND_PAGE_FAULT) | KIND(KL_KIND_GPF) | KIND(KL_KIND_BUG) | KIND(KL_KIND_LIST))

/* Switches that a report itself moves (runner/vm/switches.c has them all); the rest only a hand. */
static const struct {
	const char *name;
	uint64_t explained_by;
} moved_by_reports[] = {
	{ "console_printk", LOCKDEP_OFF_KINDS }, /* console_verbose() */
	{ "kasan_flags", KIND(KL_KIND_KASAN) },
	{ "debug_objects_warnings", KIND(KL_KIND_ODEBUG) },
	{ "die_counter", OOPS_KINDS },
	{ "__bug_table", KIND(KL_KIND_WARN) | KIND(KL_KIND_SLEEP_IN_ATOMIC) |
				 KIND(KL_KIND_REFCOUNT) | KIND(KL_KIND_ODEBUG) |
				 KIND(KL_KIND_LIST) },
	{ "sysctl_hung_task_warnings", KIND(KL_KIND_HUNG_TASK) },
	{ "hung_task_show_lock", KIND(KL_KIND_HUNG_TASK) },
};

static bool may_have_moved(const struct draft *d, const char *name)
{
	for (size_t i = 0; i < KL_ARRAY_SIZE(moved_by_reports); i++)
		if (kl_str_eq(moved_by_reports[i].name, name))
			return explained(d, moved_by_reports[i].explained_by);
	return false;
}

static void judge_switches(struct draft *d)
{
	const struct kl_strv *v = &d->run->switches_changed;
	bool said = false;

	for (size_t i = 0; i < v->n; i++) {
		if (may_have_moved(d, v->v[i]))
			continue;
		if (!said && !reason(d))
			return;
		kl_buf_puts(&d->detail,
			    said ? ", "
				 : "variables that steer the kernel's detectors are not "
				   "what they were: ");
		kl_buf_safe(&d->detail, v->v[i], strlen(v->v[i]), 200);
		said = true;
	}
	if (said)
		remark(d, "The kernel's detectors were changed during the check.");
}

static void judge_counters(struct draft *d)
{
	const struct kl_run *r = d->run;

	if (r->oopses && !explained(d, OOPS_KINDS) && reason(d)) {
		kl_buf_printf(&d->detail,
			      "the kernel counted %" PRIu64 " oopses that its log does not show",
			      r->oopses);
		remark(d, "The kernel noted a fault that its log does not show.");
	}
	if (r->warnings && !explained(d, warnings_explained_by) && reason(d)) {
		kl_buf_printf(&d->detail,
			      "the kernel counted %" PRIu64 " reports that its log does not show",
			      r->warnings);
		remark(d, "The kernel noted a fault that its log does not show.");
	}
}

/* What no fault of a module does by itself, whatever else convicts. */
static void judge_tampering(struct draft *d)
{
	const struct kl_run *r = d->run;

	if (r->text_changed && reason(d)) {
		kl_buf_printf(&d->detail,
			      "%" PRIu64
			      " bytes of the kernel's text or read-only data were changed, "
			      "the first at %s",
			      r->text_changed, r->text_where ? r->text_where : "an unknown place");
		remark(d, "The kernel's own code was changed during the check.");
	}
	if (r->log_differs && reason(d)) {
		kl_buf_printf(&d->detail,
			      "console and memory have different logs in %" PRIu64
			      " places, the first ",
			      r->log_differs);
		kl_buf_safe(&d->detail, r->log_where ? r->log_where : "unknown",
			    r->log_where ? strlen(r->log_where) : 7, 400);
		remark(d, "The kernel's log was changed during the check.");
	}
	if (r->modules_wrong && reason(d)) {
		kl_buf_puts(&d->detail, "the kernel's list of modules is wrong: ");
		kl_buf_safe(&d->detail, r->modules_wrong, strlen(r->modules_wrong), 400);
		remark(d, "The kernel's list of modules was changed during the check.");
	}
}

/* Only when nothing else convicts: after a report the traces of it are no news. */
static void judge_traces(struct draft *d)
{
	const struct kl_run *r = d->run;

	for (size_t i = 0; i < KL_ARRAY_SIZE(taints); i++) {
		if (!(r->tainted >> taints[i].bit & 1) || explained(d, taints[i].explained_by) ||
		    !reason(d))
			continue;
		kl_buf_printf(&d->detail,
			      "the kernel's memory says what its log does not: taint flag %s",
			      taints[i].what);
		remark(d, "The kernel noted a fault that its log does not show.");
	}
	judge_counters(d);
	judge_switches(d);
	if (r->debug_locks || explained(d, LOCKDEP_OFF_KINDS) || d->reasons || !reason(d))
		return;
	kl_buf_puts(&d->detail, "lockdep was no longer listening at the end (debug_locks is 0 in "
				"guest memory), and the log does not say why");
	if (r->tainted >> TAINT_P & 1)
		kl_buf_puts(&d->detail, "; a module whose licence is not the GPL switches it off");
	remark(d, "The kernel's lock checker was switched off during the check.");
}

void kl_judge_memory(struct draft *d)
{
	if (!d->run->memory_read)
		return;
	judge_tampering(d);
	if (!d->reasons)
		judge_traces(d);
}
