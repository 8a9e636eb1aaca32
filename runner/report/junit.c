/*
 * JUnit XML for CI servers: one suite an exercise, one case a check. The
 * candidate's fault is <failure>, the machine's <error>, what could not be
 * decided is <skipped>. Times are guest time, so that they do not vary.
 */
#include <inttypes.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "report/markup.h"
#include "report/view.h"

#define LOG_MAX (256U << 10)

struct suite {
	struct kl_buf *b;
	const struct kl_result *r;
	enum kl_audience a;
};

static void attr(struct suite *s, const char *name, const char *value)
{
	kl_buf_printf(s->b, " %s=\"", name);
	kl_markup_attr(s->b, value);
	kl_buf_puts(s->b, "\"");
}

static void seconds(struct suite *s, uint64_t ns)
{
	kl_buf_printf(s->b, " time=\"%" PRIu64 ".%06" PRIu64 "\"", ns / 1000000000,
		      ns / 1000 % 1000000);
}

static void open_case(struct suite *s, const char *class, const char *name)
{
	kl_buf_puts(s->b, "    <testcase");
	kl_buf_puts(s->b, " classname=\"");
	kl_markup_attr(s->b, s->r->exercise);
	kl_buf_puts(s->b, ".");
	kl_markup_attr(s->b, class);
	kl_buf_puts(s->b, "\"");
	attr(s, "name", name);
}

/* A case that fails before any check: intake or build. */
static void early_failure(struct suite *s, const char *name, const char *type, const char *text)
{
	open_case(s, "submission", name);
	kl_buf_puts(s->b, ">\n      <failure");
	attr(s, "type", type);
	attr(s, "message", s->r->summary);
	kl_buf_puts(s->b, ">");
	kl_markup_text(s->b, text);
	kl_buf_puts(s->b, "</failure>\n    </testcase>\n");
}

static void refused(struct suite *s)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	for (size_t i = 0; i < s->r->refused.n; i++)
		kl_buf_printf(&b, "%s\n", s->r->refused.v[i]);
	early_failure(s, "intake", "refused", kl_buf_str(&b));
	if (b.failed)
		s->b->failed = true;
}

static void notes(struct suite *s, bool refused, struct kl_buf *to)
{
	for (size_t i = 0; i < s->r->policy.n; i++) {
		if (!kl_view_note(&s->r->policy.v[i], refused, s->a))
			continue;
		kl_view_note_words(to, &s->r->policy.v[i]);
		kl_buf_puts(to, "\n");
	}
	if (to->failed)
		s->b->failed = true;
}

/* A case of its own, that fails when something was refused; what is for the reviewer is its output. */
static void policy(struct suite *s)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf refusals = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf flags = KL_BUF_INIT;

	notes(s, true, &refusals);
	notes(s, false, &flags);
	if (!refusals.len && !flags.len)
		return;
	open_case(s, "submission", "policy");
	kl_buf_puts(s->b, ">\n");
	if (refusals.len) {
		kl_buf_puts(s->b, "      <failure");
		attr(s, "type", "policy");
		attr(s, "message", s->r->summary);
		kl_buf_puts(s->b, ">");
		kl_markup_text(s->b, refusals.data);
		kl_buf_puts(s->b, "</failure>\n");
	}
	if (flags.len) {
		kl_buf_puts(s->b, "      <system-out>For the reviewer:\n");
		kl_markup_text(s->b, flags.data);
		kl_buf_puts(s->b, "</system-out>\n");
	}
	kl_buf_puts(s->b, "    </testcase>\n");
}

static void unbuilt(struct suite *s, const struct kl_build_evidence *build)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	for (size_t i = 0; i < build->n; i++) {
		const struct kl_diagnostic *d = &build->diagnostics[i];

		kl_buf_printf(&b, "%s:%u:%u: %s: %s\n", d->file ? d->file : "?", d->line, d->column,
			      d->severity ? d->severity : "note", d->text ? d->text : "");
	}
	early_failure(s, "build", build->timed_out ? "build-timed-out" : "build", kl_buf_str(&b));
	if (b.failed)
		s->b->failed = true;
}

static const char *element(enum kl_verdict v)
{
	switch (v) {
	case KL_VERDICT_FAIL:
		return "failure";
	case KL_VERDICT_INCONCLUSIVE:
		return "skipped";
	case KL_VERDICT_INFRA:
	case KL_VERDICT_COUNT:
		return "error";
	case KL_VERDICT_PASS:
		break;
	}
	return NULL;
}

static void findings(struct suite *s, const struct kl_check_result *c)
{
	for (size_t i = 0; i < c->findings.n; i++) {
		const struct kl_finding *f = &c->findings.v[i];

		kl_buf_printf(s->b, "%s: ", kl_kind_name(f->kind));
		kl_markup_text(s->b, f->title);
		if (f->file) {
			kl_buf_puts(s->b, " (");
			kl_markup_text(s->b, f->file);
			kl_buf_printf(s->b, ":%u)", f->line);
		}
		kl_buf_puts(s->b, "\n");
		for (size_t k = 0; k < f->trace.n; k++) {
			kl_buf_puts(s->b, "  ");
			kl_markup_text(s->b, f->trace.v[k]);
			kl_buf_puts(s->b, "\n");
		}
	}
}

static void outcome(struct suite *s, const struct kl_check_result *c)
{
	const char *name = element(c->verdict);
	const char *why = kl_view_why(c, s->a);
	bool open = kl_view_open(c, s->a);

	kl_buf_printf(s->b, "      <%s", name);
	if (c->verdict != KL_VERDICT_INCONCLUSIVE) /* <skipped> has a message only */
		attr(s, "type",
		     c->verdict == KL_VERDICT_FAIL && c->findings.n
			     ? kl_kind_name(c->findings.v[0].kind)
			     : kl_verdict_name(c->verdict));
	attr(s, "message", why);
	kl_buf_puts(s->b, ">");
	if (open && c->verdict == KL_VERDICT_FAIL)
		findings(s, c);
	kl_buf_printf(s->b, "</%s>\n", name);
	if (open && c->console) {
		size_t len = strlen(c->console);

		kl_buf_puts(s->b, "      <system-out>");
		kl_markup_textn(s->b, c->console, len < LOG_MAX ? len : LOG_MAX);
		kl_buf_puts(s->b, "</system-out>\n");
	}
	if (open && c->memory) {
		kl_buf_puts(s->b, "      <system-err>");
		kl_markup_textn(s->b, c->memory, strnlen(c->memory, LOG_MAX));
		kl_buf_puts(s->b, "</system-err>\n");
	}
}

static void check(struct suite *s, const struct kl_check_result *c)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf name = KL_BUF_INIT;

	if (s->a == KL_AUDIENCE_PANEL)
		kl_buf_printf(&name, "%s: %s", c->id, c->title);
	else
		kl_buf_puts(&name, c->title);
	open_case(s, c->flavour, kl_buf_str(&name));
	if (name.failed)
		s->b->failed = true;
	if (kl_view_open(c, s->a) && c->guest_ns)
		seconds(s, c->guest_ns);
	if (!element(c->verdict)) {
		kl_buf_puts(s->b, "/>\n");
		return;
	}
	kl_buf_puts(s->b, ">\n");
	outcome(s, c);
	kl_buf_puts(s->b, "    </testcase>\n");
}

static void counts(struct suite *s)
{
	unsigned int of[KL_VERDICT_COUNT + 1] = { 0 };
	bool forbidden = kl_policy_refusal(&s->r->policy);
	size_t early = (s->r->refused.n > 0) + (kl_view_failed_build(s->r) != NULL) + forbidden;
	bool flagged = !forbidden && kl_view_notes(s->r, false, s->a);

	for (size_t i = 0; i < s->r->n_checks; i++)
		if ((size_t)s->r->checks[i].verdict < KL_VERDICT_COUNT)
			of[s->r->checks[i].verdict]++;
	kl_buf_printf(s->b, " tests=\"%zu\" failures=\"%zu\" errors=\"%u\" skipped=\"%u\"",
		      s->r->n_checks + early + flagged, of[KL_VERDICT_FAIL] + early,
		      of[KL_VERDICT_INFRA], of[KL_VERDICT_INCONCLUSIVE]);
}

static void properties(struct suite *s)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf receipt = KL_BUF_INIT;

	kl_view_receipt(&receipt, s->r);
	const struct {
		const char *name, *value;
	} p[] = {
		{ "verdict", kl_verdict_name(s->r->verdict) },
		{ "submission", s->r->submission },
		{ "submission_digest", s->r->submission_digest },
		/* It covers the hidden half: nothing for candidates. */
		{ "exercise_digest", s->a == KL_AUDIENCE_PANEL ? s->r->exercise_digest : NULL },
		{ "kernel", s->r->kernel },
		{ "qemu", s->r->qemu },
		{ "accel", s->r->accel },
		{ "klinic", s->r->klinic },
		{ "receipt", kl_buf_str(&receipt) },
	};

	kl_buf_puts(s->b, "    <properties>\n");
	for (size_t i = 0; i < KL_ARRAY_SIZE(p); i++) {
		if (!p[i].value || !*p[i].value)
			continue;
		kl_buf_puts(s->b, "      <property");
		attr(s, "name", p[i].name);
		attr(s, "value", p[i].value);
		kl_buf_puts(s->b, "/>\n");
	}
	kl_buf_puts(s->b, "    </properties>\n");
}

int kl_report_junit(const struct kl_result *r, enum kl_audience a, struct kl_buf *ret,
		    struct kl_error *err)
{
	struct suite s = { .b = ret, .r = r, .a = a };

	kl_buf_puts(ret, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"klinic\"");
	counts(&s);
	kl_buf_puts(ret, ">\n  <testsuite");
	attr(&s, "name", r->exercise);
	counts(&s);
	kl_buf_puts(ret, ">\n");
	properties(&s);
	if (r->refused.n)
		refused(&s);
	policy(&s);
	if (kl_view_failed_build(r))
		unbuilt(&s, kl_view_failed_build(r));
	for (size_t i = 0; i < r->n_checks; i++)
		check(&s, &r->checks[i]);
	kl_buf_puts(ret, "  </testsuite>\n</testsuites>\n");
	return kl_buf_check(ret, "the report", err);
}
