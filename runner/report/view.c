/* Who sees what, and the words that every format shares. */
#include <inttypes.h>
#include <string.h>

#include "report/view.h"

#define SEEDS_SHOWN 12

bool kl_view_open(const struct kl_check_result *c, enum kl_audience a)
{
	return a == KL_AUDIENCE_PANEL || !c->hidden;
}

bool kl_view_detail(const struct kl_check_result *c, enum kl_audience a)
{
	return a == KL_AUDIENCE_PANEL && c->detail && *c->detail;
}

const char *kl_view_why(const struct kl_check_result *c, enum kl_audience a)
{
	if (kl_view_detail(c, a))
		return c->detail;
	return c->remark ? c->remark : "";
}

void kl_view_known(struct kl_buf *b, const struct kl_check_result *c, enum kl_audience a)
{
	if (a != KL_AUDIENCE_PANEL)
		return;
	if (c->known.variant)
		kl_buf_printf(b, " (%s fails %u of %u)", c->known.variant, c->known.failures,
			      c->known.runs);
	if (!c->control.asked)
		return;
	if (!c->control.variant)
		kl_buf_puts(b, ", no control");
	else
		kl_buf_printf(b, ", control: %s %s", c->control.variant,
			      c->control.failures ? "fails it" : "does not fail it");
}

bool kl_view_note(const struct kl_policy_note *n, bool refused, enum kl_audience a)
{
	return n->refused == refused && (refused || a == KL_AUDIENCE_PANEL);
}

size_t kl_view_notes(const struct kl_result *r, bool refused, enum kl_audience a)
{
	size_t n = 0;

	for (size_t i = 0; i < r->policy.n; i++)
		n += kl_view_note(&r->policy.v[i], refused, a);
	return n;
}

void kl_view_note_words(struct kl_buf *b, const struct kl_policy_note *n)
{
	kl_buf_puts(b, n->file);
	if (n->line)
		kl_buf_printf(b, ":%u:%u", n->line, n->column);
	kl_buf_printf(b, ": %s: %s", n->rule, n->text);
}

int kl_view_findings(const struct kl_result *r, enum kl_audience a, struct kl_findings *ret,
		     struct kl_error *err)
{
	for (size_t i = 0; i < r->n_checks; i++)
		if (kl_view_open(&r->checks[i], a) &&
		    kl_findings_unite(ret, &r->checks[i].findings))
			return kl_fail(err, KL_INFRA, "no memory for the report");
	return 0;
}

#define BAD_ACCESS                                                                         \
	"A bad memory access: take the faulting address and the register that held it. A " \
	"small address is a member of a NULL structure, a poison pattern is freed or "     \
	"uninitialised memory."
#define STUCK                                                                          \
	"A CPU was stuck: look for a loop whose end depends on somebody else, or for " \
	"work done with preemption or interrupts disabled."

static const char *const remedies[KL_KIND_COUNT] = {
	[KL_KIND_KASAN] =
		"KASAN prints three stacks: the access, the allocation, the free. Ask who "
		"dropped the object while the access still counted on it, and what would "
		"have to keep it alive.",
	[KL_KIND_KCSAN] = "A data race: both stacks touch the same word. Name the lock or the "
			  "ordering that is meant to keep them apart.",
	[KL_KIND_KFENCE] = "KFENCE prints the access, the allocation and the free: ask who dropped "
			   "the object while the access still counted on it.",
	[KL_KIND_KMSAN] = "Uninitialised memory was used: follow the origin stack to the path that "
			  "does not fill the object.",
	[KL_KIND_UBSAN] = "Undefined behaviour: check the range of the operands before the "
			  "operation, above all those that user space supplies.",
	[KL_KIND_LOCKDEP] =
		"Lockdep needs no deadlock to report one: read its scenario, then write "
		"down for each lock in which contexts it is taken and in which order.",
	[KL_KIND_RCU] = "An RCU pointer was read outside a read-side section, or without the lock "
			"that protects the update.",
	[KL_KIND_SLEEP_IN_ATOMIC] = "Something that may sleep was called with a spinlock held or "
				    "preemption off: find where the atomic section begins.",
	[KL_KIND_HUNG_TASK] = "A task waits for ever: its stack says for what. Ask who should have "
			      "woken it, and on which path nobody does.",
	[KL_KIND_SOFT_LOCKUP] = STUCK,
	[KL_KIND_RCU_STALL] = STUCK,
	[KL_KIND_KMEMLEAK] = "Memory was leaked: go from the allocation in the trace along every "
			     "way out, the error paths first.",
	[KL_KIND_REFCOUNT] = "A reference count went wrong: pair every get with its put, on the "
			     "error paths, too.",
	[KL_KIND_LIST] = "A list was corrupted: look for an entry removed twice, added twice, or "
			 "freed while still linked, and for the lock around the list.",
	[KL_KIND_ODEBUG] =
		"An object was freed or set up again while in use: stop its timer or work "
		"first, and wait until it has ended.",
	[KL_KIND_SLUB] = "Slab memory was corrupted: look for a write past the end of an object or "
			 "after its free.",
	[KL_KIND_PAGE_FAULT] = BAD_ACCESS,
	[KL_KIND_GPF] = BAD_ACCESS,
	[KL_KIND_BUG] = "An assertion failed: read what it asserts at the line of the report.",
	[KL_KIND_WARN] = "A warning fired: read its condition at the line of the report.",
};

static int add(struct kl_strv *sv, const char *s)
{
	return !s || kl_strv_has(sv, s) ? 0 : kl_strv_add(sv, s);
}

static int add_for_check(struct kl_strv *ret, const struct kl_check_result *c)
{
	switch (c->verdict) {
	case KL_VERDICT_FAIL:
		if (!c->runs)
			return 0;
		if (!c->findings.n)
			return add(ret,
				   "Where no detector spoke, the behaviour itself is wrong: read "
				   "in the brief what must hold, and follow each path that can "
				   "break it.");
		for (size_t i = 0; i < c->findings.n; i++)
			if ((size_t)c->findings.v[i].kind < KL_KIND_COUNT &&
			    add(ret, remedies[c->findings.v[i].kind]))
				return -1;
		return 0;
	case KL_VERDICT_INFRA:
		return add(ret,
			   "The grading machine failed: `klinic doctor` says what it lacks. Then "
			   "grade again.");
	case KL_VERDICT_INCONCLUSIVE:
		return add(ret, "Something could not be decided: grade again. If it stays so, "
				"ask whoever runs the grading machine.");
	case KL_VERDICT_PASS:
	case KL_VERDICT_COUNT:
		break;
	}
	return 0;
}

int kl_view_remedies(const struct kl_result *r, struct kl_strv *ret, struct kl_error *err)
{
	int bad = 0;

	if (r->refused.n)
		bad |= add(ret,
			   "Change only what the exercise calls editable: `klinic show` lists the "
			   "files. Then submit again.");
	if (kl_policy_refusal(&r->policy))
		bad |= add(ret,
			   "Mend the driver with what drivers use, and leave alone what watches "
			   "it. `klinic check` names what it refuses, with its place.");
	if (kl_view_failed_build(r))
		bad |= add(ret, "Build in the workspace with `klinic run` until the compiler is "
				"content, then submit again.");
	for (size_t i = 0; i < r->n_checks; i++)
		bad |= add_for_check(ret, &r->checks[i]);
	return bad ? kl_fail(err, KL_INFRA, "no memory for the report") : 0;
}

void kl_view_runs(struct kl_buf *b, const struct kl_check_result *c)
{
	if (!c->runs) {
		kl_buf_puts(b, "not run");
		return;
	}
	if (!c->failures) {
		kl_buf_printf(b, "%u run%s, none failed", c->runs, c->runs == 1 ? "" : "s");
		return;
	}
	kl_buf_printf(b, "%u of %u run%s failed", c->failures, c->runs, c->runs == 1 ? "" : "s");
	for (size_t i = 0; i < c->n_seeds_failed && i < SEEDS_SHOWN; i++)
		kl_buf_printf(b, "%s%" PRIu64,
			      i			       ? ", "
			      : c->n_seeds_failed == 1 ? ": seed "
						       : ": seeds ",
			      c->seeds_failed[i]);
	if (c->n_seeds_failed > SEEDS_SHOWN)
		kl_buf_printf(b, " and %zu more", c->n_seeds_failed - SEEDS_SHOWN);
}

void kl_view_guest_time(struct kl_buf *b, uint64_t ns)
{
	if (ns)
		kl_buf_printf(b, "%" PRIu64 ".%09" PRIu64 " s", ns / 1000000000, ns % 1000000000);
}

void kl_view_score(struct kl_buf *b, const struct kl_result *r)
{
	bool open = false;

	for (size_t i = 0; i < r->n_checks; i++)
		open |= r->checks[i].verdict == KL_VERDICT_INFRA ||
			r->checks[i].verdict == KL_VERDICT_INCONCLUSIVE;
	kl_buf_printf(b, "%g of %g points%s", r->points, r->points_max,
		      open ? " that could be decided" : "");
}

void kl_view_assessed(struct kl_buf *b, const struct kl_result *r)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < r->n_dimensions; i++)
		if (r->dimensions[i].assessed)
			sum += r->dimensions[i].weight;
	if (sum)
		kl_buf_printf(b,
			      "The machine speaks to %u %% of the weight; raters fill in the rest.",
			      sum);
	else
		kl_buf_puts(b, "No check was decided, so the machine says nothing here.");
}

const struct kl_build_evidence *kl_view_failed_build(const struct kl_result *r)
{
	for (size_t i = 0; i < r->n_builds; i++)
		if (!r->builds[i].ok)
			return &r->builds[i];
	return NULL;
}

bool kl_view_title_names(const struct kl_finding *f)
{
	return f->function && f->title && strstr(f->title, f->function);
}

void kl_view_receipt(struct kl_buf *b, const struct kl_result *r)
{
	const struct kl_receipt *c = &r->receipt;

	if (!c->public_hex[0])
		return;
	if (r->receipt_state == KL_RECEIPT_GOOD)
		kl_buf_printf(b, "signed by %s, result %.12s", c->fingerprint,
			      c->digest[KL_RECEIPT_RESULT]);
	else
		kl_buf_puts(b, "does not fit: this is not what was signed");
}
