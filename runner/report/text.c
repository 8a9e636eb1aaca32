/* A result on a terminal: the verdict first, then what it stands on. */
#include <inttypes.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "report/flow.h"
#include "report/view.h"

#define INDENT 2

struct page {
	struct kl_flow f;
	const struct kl_result *r;
	enum kl_audience a;
};

static enum kl_paint paint_of(enum kl_verdict v)
{
	switch (v) {
	case KL_VERDICT_PASS:
		return KL_PAINT_GREEN;
	case KL_VERDICT_FAIL:
		return KL_PAINT_RED;
	case KL_VERDICT_INCONCLUSIVE:
	case KL_VERDICT_INFRA:
	case KL_VERDICT_COUNT:
		break;
	}
	return KL_PAINT_YELLOW;
}

static const char *mark_of(enum kl_verdict v)
{
	switch (v) {
	case KL_VERDICT_PASS:
		return "✓";
	case KL_VERDICT_FAIL:
		return "✗";
	case KL_VERDICT_INCONCLUSIVE:
		return "?";
	case KL_VERDICT_INFRA:
	case KL_VERDICT_COUNT:
		break;
	}
	return "!";
}

static const char *headline(enum kl_verdict v)
{
	switch (v) {
	case KL_VERDICT_PASS:
		return "PASS";
	case KL_VERDICT_FAIL:
		return "FAIL";
	case KL_VERDICT_INCONCLUSIVE:
		return "INCONCLUSIVE";
	case KL_VERDICT_INFRA:
	case KL_VERDICT_COUNT:
		break;
	}
	return "INFRA";
}

static void line(struct page *p)
{
	kl_buf_puts(p->f.b, "\n");
}

static void heading(struct page *p, const char *text)
{
	line(p);
	kl_flow_word(&p->f, KL_PAINT_BOLD, text);
	line(p);
}

static void field(struct page *p, const char *name, const char *value)
{
	unsigned int at = kl_flow_word(&p->f, KL_PAINT_DIM, name);

	if (!value || !*value)
		value = "-";
	kl_flow_spaces(&p->f, at < 12 ? 12 - at : 1);
	kl_flow_text(&p->f, true, 12, 12, KL_PAINT_NONE, value);
}

static void top(struct page *p)
{
	const struct kl_result *r = p->r;
	KL_AUTO(kl_buf_deinit) struct kl_buf score = KL_BUF_INIT;
	unsigned int at = kl_flow_word(&p->f, paint_of(r->verdict), headline(r->verdict));

	kl_flow_spaces(&p->f, 2);
	kl_flow_text(&p->f, true, at + 2, at + 2, KL_PAINT_BOLD, r->title ? r->title : r->exercise);
	line(p);
	if (r->summary)
		kl_flow_text(&p->f, false, 0, 0, KL_PAINT_NONE, r->summary);
	line(p);
	field(p, "Exercise", r->exercise);
	field(p, "Submission", r->submission);
	kl_view_score(&score, r);
	field(p, "Score", kl_buf_str(&score));
}

static void refusals(struct page *p)
{
	if (!p->r->refused.n)
		return;
	heading(p, "Refused");
	for (size_t i = 0; i < p->r->refused.n; i++) {
		kl_flow_word(&p->f, KL_PAINT_NONE, "  - ");
		kl_flow_text(&p->f, true, 4, 4, KL_PAINT_NONE, p->r->refused.v[i]);
	}
}

static void notes(struct page *p, bool refused, const char *title)
{
	if (!kl_view_notes(p->r, refused, p->a))
		return;
	heading(p, title);
	for (size_t i = 0; i < p->r->policy.n; i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

		if (!kl_view_note(&p->r->policy.v[i], refused, p->a))
			continue;
		kl_view_note_words(&b, &p->r->policy.v[i]);
		kl_flow_word(&p->f, KL_PAINT_NONE, "  - ");
		kl_flow_text(&p->f, true, 4, 4, KL_PAINT_NONE, kl_buf_str(&b));
		if (b.failed)
			p->f.b->failed = true;
	}
}

static void diagnostic(struct page *p, const struct kl_diagnostic *d)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	kl_buf_printf(&b, "%s:%u:%u: %s: %s", d->file ? d->file : "?", d->line, d->column,
		      d->severity ? d->severity : "note", d->text ? d->text : "");
	kl_flow_text(&p->f, false, INDENT, INDENT + 2, KL_PAINT_NONE, kl_buf_str(&b));
}

static void builds(struct page *p)
{
	const struct kl_build_evidence *build = kl_view_failed_build(p->r);

	if (!build)
		return;
	heading(p, "Build");
	if (build->timed_out)
		kl_flow_text(&p->f, false, INDENT, INDENT, KL_PAINT_NONE,
			     "Compiling took too long and was stopped.");
	for (size_t i = 0; i < build->n; i++)
		diagnostic(p, &build->diagnostics[i]);
	if (!build->n && build->log)
		kl_flow_text(&p->f, false, INDENT, INDENT, KL_PAINT_NONE, build->log);
}

static unsigned int widest_dimension(const struct page *p)
{
	unsigned int w = 0;

	for (size_t i = 0; i < p->r->n_dimensions; i++) {
		unsigned int n = kl_flow_columns(&p->f, p->r->dimensions[i].title);

		w = n > w ? n : w;
	}
	return w;
}

static void scorecard(struct page *p)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf note = KL_BUF_INIT;
	unsigned int w = widest_dimension(p);

	if (!p->r->n_dimensions)
		return;
	heading(p, "Scorecard");
	for (size_t i = 0; i < p->r->n_dimensions; i++) {
		const struct kl_dimension_score *d = &p->r->dimensions[i];
		unsigned int at;

		kl_flow_spaces(&p->f, INDENT);
		at = kl_flow_word(&p->f, KL_PAINT_NONE, d->title);
		kl_flow_spaces(&p->f, w - at);
		kl_buf_printf(p->f.b, "  %3u %%  ", d->weight);
		if (d->assessed)
			kl_buf_printf(p->f.b, "%.1f of 4\n", d->score);
		else
			kl_flow_text(&p->f, true, 0, 0, KL_PAINT_DIM, "not assessed");
	}
	kl_view_assessed(&note, p->r);
	kl_flow_text(&p->f, false, INDENT, INDENT, KL_PAINT_DIM, kl_buf_str(&note));
}

static void facts(struct page *p, const struct kl_check_result *c)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (p->a == KL_AUDIENCE_PANEL)
		kl_buf_printf(&b, "%s, %s, ", c->id, c->hidden ? "hidden" : "visible");
	kl_buf_printf(&b, "%s, %s, ", c->flavour, kl_mode_name(c->mode));
	kl_view_runs(&b, c);
	if (c->mode == KL_MODE_PARALLEL && c->runs)
		kl_buf_printf(&b, ", confidence %.4f", c->confidence);
	kl_view_known(&b, c, p->a);
	kl_buf_printf(&b, ", points %u/%u", c->points, c->points_max);
	kl_flow_text(&p->f, false, INDENT + 2, INDENT + 2, KL_PAINT_DIM, kl_buf_str(&b));
	if (b.failed)
		p->f.b->failed = true;
}

/* Where tasks hung, mostly: shown whole, it is bounded by what drgn lists. */
static void memory(struct page *p, const char *text)
{
	for (const char *at = text; at && *at;) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
		size_t len = strcspn(at, "\n"), indent = strspn(at, " ");

		kl_buf_append(&b, at + indent, len - indent);
		kl_flow_text(&p->f, false, INDENT + 2 + (unsigned int)(indent ? 2 : 0), INDENT + 6,
			     KL_PAINT_DIM, kl_buf_str(&b));
		p->f.b->failed |= b.failed;
		at += len + (at[len] == '\n');
	}
}

static void check(struct page *p, const struct kl_check_result *c)
{
	const char *why = kl_view_why(c, p->a);

	kl_flow_spaces(&p->f, INDENT);
	kl_flow_word(&p->f, paint_of(c->verdict), mark_of(c->verdict));
	kl_flow_spaces(&p->f, 1);
	kl_flow_text(&p->f, true, INDENT + 2, INDENT + 2, KL_PAINT_NONE, c->title);
	if (kl_view_open(c, p->a))
		facts(p, c);
	if (c->verdict != KL_VERDICT_PASS && *why)
		kl_flow_text(&p->f, false, INDENT + 2, INDENT + 2, KL_PAINT_NONE, why);
	if (kl_view_open(c, p->a))
		memory(p, c->memory);
}

static void checks(struct page *p)
{
	if (!p->r->n_checks)
		return;
	heading(p, "Checks");
	for (size_t i = 0; i < p->r->n_checks; i++)
		check(p, &p->r->checks[i]);
}

static void finding(struct page *p, const struct kl_finding *f)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	unsigned int at;

	kl_flow_spaces(&p->f, INDENT);
	at = INDENT + kl_flow_word(&p->f, KL_PAINT_BOLD, kl_kind_name(f->kind)) + 2;
	kl_flow_spaces(&p->f, 2);
	kl_buf_puts(&b, f->title);
	if (f->function && !kl_view_title_names(f))
		kl_buf_printf(&b, " in %s", f->function);
	if (f->file)
		kl_buf_printf(&b, ", %s:%u", f->file, f->line);
	if (f->access)
		kl_buf_printf(&b, ", %s", f->access);
	kl_flow_text(&p->f, true, at, INDENT + 2, KL_PAINT_NONE, kl_buf_str(&b));
	if (b.failed)
		p->f.b->failed = true;
}

static int findings(struct page *p, struct kl_error *err)
{
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };

	if (kl_view_findings(p->r, p->a, &fs, err))
		return -1;
	if (!fs.n)
		return 0;
	heading(p, "Findings");
	for (size_t i = 0; i < fs.n; i++)
		finding(p, &fs.v[i]);
	return 0;
}

static int next(struct page *p, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv hints = { 0 };

	if (kl_view_remedies(p->r, &hints, err))
		return -1;
	if (!hints.n)
		return 0;
	heading(p, "Where to look next");
	for (size_t i = 0; i < hints.n; i++) {
		kl_flow_word(&p->f, KL_PAINT_NONE, "  - ");
		kl_flow_text(&p->f, true, 4, 4, KL_PAINT_NONE, hints.v[i]);
	}
	return 0;
}

static void environment(struct page *p)
{
	const struct kl_result *r = p->r;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf receipt = KL_BUF_INIT;

	kl_buf_printf(&b, "klinic %s, kernel %s, QEMU %s (%s); ", r->klinic ? r->klinic : "?",
		      r->kernel ? r->kernel : "?", r->qemu ? r->qemu : "?",
		      r->accel ? r->accel : "?");
	/* It covers the hidden half: twelve digits of it are a way to recognise one. */
	if (p->a == KL_AUDIENCE_PANEL)
		kl_buf_printf(&b, "exercise %.12s, ", r->exercise_digest);
	kl_buf_printf(&b, "submission %.12s", r->submission_digest);
	if (r->template_ram[0])
		kl_buf_printf(&b, ", template %.12s", r->template_ram);
	kl_view_receipt(&receipt, r);
	if (receipt.len)
		kl_buf_printf(&b, "; receipt: %s", kl_buf_str(&receipt));
	line(p);
	kl_flow_text(&p->f, false, 0, 0, KL_PAINT_DIM, kl_buf_str(&b));
}

int kl_report_text(const struct kl_result *r, enum kl_audience a, const struct kl_text_style *s,
		   struct kl_buf *ret, struct kl_error *err)
{
	struct page p = { .f = kl_flow_of(ret, s), .r = r, .a = a };

	top(&p);
	refusals(&p);
	notes(&p, true, "Against the rules");
	builds(&p);
	scorecard(&p);
	checks(&p);
	if (findings(&p, err))
		return -1;
	notes(&p, false, "For the reviewer");
	if (next(&p, err))
		return -1;
	environment(&p);
	return kl_buf_check(ret, "the report", err);
}
