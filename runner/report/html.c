/*
 * A result as one page that stands alone: no script, no resource from anywhere,
 * and a policy that allows nothing but its own style sheet, named by its hash.
 * Markup that slipped in from a guest would still load and run nothing.
 */
#include <sodium.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "report/html_parts.h"
#include "report/markup.h"
#include "report/view.h"

void kl_html_text(struct kl_page *p, const char *open, const char *text, const char *close)
{
	if (!text || !*text)
		return;
	kl_buf_puts(p->b, open);
	kl_markup_text(p->b, text);
	kl_buf_puts(p->b, close);
}

static const char *class_of(enum kl_verdict v)
{
	return v == KL_VERDICT_PASS ? "pass" : v == KL_VERDICT_FAIL ? "fail" : "open";
}

static const char *words_of(enum kl_verdict v)
{
	switch (v) {
	case KL_VERDICT_PASS:
		return "Pass";
	case KL_VERDICT_FAIL:
		return "Fail";
	case KL_VERDICT_INCONCLUSIVE:
		return "Inconclusive";
	case KL_VERDICT_INFRA:
	case KL_VERDICT_COUNT:
		break;
	}
	return "Infrastructure failed";
}

static const char *mark_of(enum kl_verdict v)
{
	return v == KL_VERDICT_PASS ? "✓" : v == KL_VERDICT_FAIL ? "✗" : "?";
}

static void head(struct kl_page *p)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(sizeof(hash), sodium_base64_VARIANT_ORIGINAL)];

	crypto_hash_sha256(hash, (const unsigned char *)kl_html_style, strlen(kl_html_style));
	sodium_bin2base64(text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
	kl_buf_puts(p->b,
		    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	kl_buf_printf(p->b,
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		      "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n",
		      text);
	kl_buf_puts(p->b,
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<meta name=\"referrer\" content=\"no-referrer\">\n"
		    "<meta name=\"robots\" content=\"noindex\">\n<title>");
	kl_buf_printf(p->b, "%s: ", words_of(p->r->verdict));
	kl_markup_text(p->b, p->r->title ? p->r->title : p->r->exercise);
	kl_buf_puts(p->b, "</title>\n<style>");
	kl_buf_puts(p->b, kl_html_style);
	kl_buf_puts(p->b, "</style>\n</head>\n");
}

static void top(struct kl_page *p)
{
	const struct kl_result *r = p->r;

	kl_buf_printf(p->b, "<header class=\"%s\">\n<p class=\"kicker\">klinic",
		      class_of(r->verdict));
	kl_html_text(p, " · ", r->exercise, "");
	kl_html_text(p, " · ", r->submission, "");
	kl_buf_puts(p->b, "</p>\n<h1>");
	kl_markup_text(p->b, r->title ? r->title : r->exercise);
	kl_buf_printf(p->b, "</h1>\n<p class=\"verdict\"><span class=\"pill\">%s</span><span>",
		      words_of(r->verdict));
	kl_view_score(p->b, r);
	kl_buf_puts(p->b, "</span></p>\n");
	kl_html_text(p, "<p class=\"summary\">", r->summary, "</p>\n");
	kl_buf_puts(p->b, "</header>\n");
}

/* A sentence with `commands` in it. */
static void sentence(struct kl_page *p, const char *s)
{
	bool code = false;

	while (*s) {
		size_t n = strcspn(s, "`");

		kl_markup_textn(p->b, s, n);
		s += n;
		if (!*s)
			break;
		code = !code;
		kl_buf_puts(p->b, code ? "<code>" : "</code>");
		s++;
	}
	kl_buf_puts(p->b, code ? "</code>" : "");
}

static void list(struct kl_page *p, const char *title, const struct kl_strv *sv)
{
	if (!sv->n)
		return;
	kl_buf_printf(p->b, "<h2>%s</h2>\n<ul>\n", title);
	for (size_t i = 0; i < sv->n; i++) {
		kl_buf_puts(p->b, "<li>");
		sentence(p, sv->v[i]);
		kl_buf_puts(p->b, "</li>\n");
	}
	kl_buf_puts(p->b, "</ul>\n");
}

static void notes(struct kl_page *p, bool refused, const char *title)
{
	if (!kl_view_notes(p->r, refused, p->a))
		return;
	kl_buf_printf(p->b, "<h2>%s</h2>\n<ul>\n", title);
	for (size_t i = 0; i < p->r->policy.n; i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

		if (!kl_view_note(&p->r->policy.v[i], refused, p->a))
			continue;
		kl_view_note_words(&b, &p->r->policy.v[i]);
		kl_html_text(p, "<li>", kl_buf_str(&b), "</li>\n");
		if (b.failed)
			p->b->failed = true;
	}
	kl_buf_puts(p->b, "</ul>\n");
}

static void dimension(struct kl_page *p, const struct kl_dimension_score *d)
{
	kl_buf_puts(p->b, "<tr><th scope=\"row\">");
	kl_markup_text(p->b, d->title);
	kl_buf_printf(p->b, "</th><td class=\"num\">%u&nbsp;%%</td>", d->weight);
	if (!d->assessed) {
		kl_buf_puts(p->b, "<td class=\"bar\"></td><td class=\"num na\">not assessed</td>"
				  "</tr>\n");
		return;
	}
	kl_buf_printf(p->b,
		      "<td class=\"bar\"><svg viewBox=\"0 0 100 7\" preserveAspectRatio=\"none\" "
		      "aria-hidden=\"true\"><rect class=\"track\" width=\"100\" height=\"7\"/>"
		      "<rect class=\"fill\" width=\"%.1f\" height=\"7\"/></svg></td>"
		      "<td class=\"num\">%.1f of 4</td></tr>\n",
		      d->score * 25, d->score);
}

static void scorecard(struct kl_page *p)
{
	if (!p->r->n_dimensions)
		return;
	kl_buf_puts(p->b, "<h2>Scorecard</h2>\n<table>\n<thead><tr><th scope=\"col\">Dimension</th>"
			  "<th scope=\"col\" class=\"num\">Weight</th><th class=\"bar\"></th>"
			  "<th scope=\"col\" class=\"num\">Score</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < p->r->n_dimensions; i++)
		dimension(p, &p->r->dimensions[i]);
	kl_buf_puts(p->b, "</tbody></table>\n<p class=\"soft\">");
	kl_view_assessed(p->b, p->r);
	kl_buf_puts(p->b, "</p>\n");
}

static void check_facts(struct kl_page *p, const struct kl_check_result *c)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (!kl_view_open(c, p->a))
		return;
	if (p->a == KL_AUDIENCE_PANEL)
		kl_buf_printf(&b, "%s (%s) · ", c->id, c->hidden ? "hidden" : "visible");
	kl_buf_printf(&b, "%s, %s · ", c->flavour, kl_mode_name(c->mode));
	kl_view_runs(&b, c);
	if (c->mode == KL_MODE_PARALLEL && c->runs)
		kl_buf_printf(&b, " · confidence %.4f", c->confidence);
	kl_html_text(p, "<span class=\"why\">", kl_buf_str(&b), "</span>");
	if (b.failed)
		p->b->failed = true;
}

static void check(struct kl_page *p, const struct kl_check_result *c)
{
	kl_buf_printf(p->b, "<tr><td class=\"mark %s\">%s</td><td>", class_of(c->verdict),
		      mark_of(c->verdict));
	kl_markup_text(p->b, c->title);
	check_facts(p, c);
	kl_buf_printf(p->b, "</td><td class=\"wide\">%s</td>", kl_verdict_name(c->verdict));
	if (c->points_max)
		kl_buf_printf(p->b, "<td class=\"num\">%u of %u</td></tr>\n", c->points,
			      c->points_max);
	else
		kl_buf_puts(p->b, "<td class=\"num na\">not counted</td></tr>\n");
}

static void checks(struct kl_page *p)
{
	if (!p->r->n_checks)
		return;
	kl_buf_puts(p->b, "<h2>Checks</h2>\n<table>\n<thead><tr><th></th>"
			  "<th scope=\"col\">What must hold</th>"
			  "<th scope=\"col\" class=\"wide\">Verdict</th>"
			  "<th scope=\"col\" class=\"num\">Points</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < p->r->n_checks; i++)
		check(p, &p->r->checks[i]);
	kl_buf_puts(p->b, "</tbody></table>\n");
}

static void entry(struct kl_page *p, const char *name, const char *value, bool mono)
{
	if (!value || !*value)
		return;
	kl_buf_printf(p->b, "<dt>%s</dt><dd%s>", name, mono ? " class=\"mono\"" : "");
	kl_markup_text(p->b, value);
	kl_buf_puts(p->b, "</dd>\n");
}

static void foot(struct kl_page *p)
{
	const struct kl_result *r = p->r;
	KL_AUTO(kl_buf_deinit) struct kl_buf receipt = KL_BUF_INIT;
	char times[128];

	kl_view_receipt(&receipt, r);
	(void)snprintf(times, sizeof(times), "%.1f s in all: intake %.1f, build %.1f, guests %.1f",
		       (double)r->total_ms / 1000, (double)r->intake_ms / 1000,
		       (double)r->build_ms / 1000, (double)r->vm_ms / 1000);
	kl_buf_puts(p->b, "<footer>\n<dl>\n");
	entry(p, "klinic", r->klinic, false);
	entry(p, "Kernel", r->kernel, false);
	entry(p, "QEMU", r->qemu, false);
	entry(p, "Accelerator", r->accel, false);
	entry(p, "Time", r->total_ms ? times : NULL, false);
	entry(p, "Submission", r->submission_digest, true);
	/* It covers the hidden half: nothing for candidates. */
	if (p->a == KL_AUDIENCE_PANEL)
		entry(p, "Exercise", r->exercise_digest, true);
	entry(p, "Template", r->template_ram, true);
	entry(p, "Receipt", receipt.len ? kl_buf_str(&receipt) : NULL, false);
	kl_buf_puts(p->b, "</dl>\n</footer>\n");
}

int kl_report_html(const struct kl_result *r, enum kl_audience a, struct kl_buf *ret,
		   struct kl_error *err)
{
	struct kl_page p = { .b = ret, .r = r, .a = a };
	KL_AUTO(kl_strv_deinit) struct kl_strv hints = { 0 };

	if (kl_view_remedies(r, &hints, err))
		return -1;
	head(&p);
	kl_buf_puts(ret, "<body>\n<main>\n");
	top(&p);
	list(&p, "Refused because", &r->refused);
	notes(&p, true, "Against the rules");
	kl_html_build(&p);
	scorecard(&p);
	checks(&p);
	kl_html_findings(&p);
	notes(&p, false, "For the reviewer");
	list(&p, "Where to look next", &hints);
	if (!r->refused.n || (r->diff && *r->diff))
		kl_html_diff(&p, r->diff);
	foot(&p);
	kl_buf_puts(ret, "</main>\n</body>\n</html>\n");
	return kl_buf_check(ret, "the report", err);
}
