/* The parts of the page that quote a guest or a candidate: findings, logs, compiler, diff. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "report/html_parts.h"
#include "report/markup.h"
#include "report/view.h"

#define LOG_HEAD (128U << 10)
#define LOG_TAIL (128U << 10)
#define DIFF_MAX (512U << 10)

/* Where a report begins in a kernel log; only for the eye. */
static const char *const report_starts[] = {
	"BUG: ",	 "WARNING: ", "Kernel panic - ",    "Oops: ",
	"kernel BUG at", "UBSAN: ",   "unreferenced object"
};

static bool starts_report(const char *line, size_t len)
{
	for (size_t i = 0; i < KL_ARRAY_SIZE(report_starts); i++)
		if (memmem(line, len, report_starts[i], strlen(report_starts[i])))
			return true;
	return false;
}

static void log_lines(struct kl_page *p, const char *log, size_t len)
{
	const char *end = log + len;

	while (log < end) {
		const char *nl = memchr(log, '\n', (size_t)(end - log));
		size_t n = nl ? (size_t)(nl - log) : (size_t)(end - log);
		bool hot = starts_report(log, n);

		kl_buf_puts(p->b, hot ? "<mark>" : "");
		kl_markup_textn(p->b, log, n);
		kl_buf_puts(p->b, hot ? "</mark>" : "");
		kl_buf_puts(p->b, "\n");
		log += n + 1;
	}
}

void kl_html_log(struct kl_page *p, const char *title, const char *log)
{
	size_t len = log ? strlen(log) : 0;

	if (!len)
		return;
	kl_buf_puts(p->b, "<details><summary>");
	kl_markup_text(p->b, title);
	kl_buf_puts(p->b, "</summary>\n<pre tabindex=\"0\">");
	if (len > LOG_HEAD + LOG_TAIL) {
		log_lines(p, log, LOG_HEAD);
		kl_buf_printf(p->b, "<mark>… %zu bytes left out …</mark>\n",
			      len - LOG_HEAD - LOG_TAIL);
		log_lines(p, log + len - LOG_TAIL, LOG_TAIL);
	} else {
		log_lines(p, log, len);
	}
	kl_buf_puts(p->b, "</pre></details>\n");
}

/* Lines that are still to come of the hunk: "@@ -1,7 +1,9 @@" counts them. */
struct hunk {
	unsigned long before, after;
};

static unsigned long hunk_count(const char **s)
{
	char *end;
	unsigned long n = 1; /* "@@ -5 +5 @@": the line without a count */

	(void)strtoul(*s, &end, 10);
	if (*end == ',')
		n = strtoul(end + 1, &end, 10);
	*s = end;
	return n;
}

/* The class of a line of a diff; a file's header may look like a hunk's line, so the hunk is counted. */
static const char *diff_class(struct hunk *h, const char *line)
{
	if (!h->before && !h->after) {
		if (!kl_str_starts(line, "@@ -"))
			return "f";
		line += 4;
		h->before = hunk_count(&line);
		line += strspn(line, " +");
		h->after = hunk_count(&line);
		return "h";
	}
	if (line[0] == '\\') /* "\ No newline at end of file" */
		return "c";
	if (line[0] != '-' && h->after)
		h->after--;
	if (line[0] != '+' && h->before)
		h->before--;
	return line[0] == '+' ? "a" : line[0] == '-' ? "d" : "c";
}

void kl_html_diff(struct kl_page *p, const char *diff)
{
	size_t len = diff ? strlen(diff) : 0;
	size_t shown = len < DIFF_MAX ? len : DIFF_MAX;
	const char *end = diff + shown;
	struct hunk h = { 0 };

	kl_buf_puts(p->b, "<h2>The change</h2>\n");
	if (!len) {
		kl_buf_puts(p->b, "<p class=\"soft\">Nothing was changed.</p>\n");
		return;
	}
	kl_buf_puts(p->b, "<pre class=\"diff\" tabindex=\"0\">");
	while (diff < end) {
		const char *nl = memchr(diff, '\n', (size_t)(end - diff));
		size_t n = nl ? (size_t)(nl - diff) : (size_t)(end - diff);

		kl_buf_printf(p->b, "<span class=\"%s\">", diff_class(&h, diff));
		kl_markup_textn(p->b, n ? diff : " ", n ? n : 1);
		kl_buf_puts(p->b, "</span>");
		diff += n + 1;
	}
	kl_buf_puts(p->b, "</pre>\n");
	if (shown < len)
		kl_buf_printf(p->b, "<p class=\"soft\">%zu more bytes left out.</p>\n",
			      len - shown);
}

static void trace(struct kl_page *p, const struct kl_strv *t)
{
	if (!t->n)
		return;
	kl_buf_puts(p->b, "<details><summary>Call trace</summary>\n<pre tabindex=\"0\">");
	for (size_t i = 0; i < t->n; i++) {
		kl_markup_text(p->b, t->v[i]);
		kl_buf_puts(p->b, "\n");
	}
	kl_buf_puts(p->b, "</pre></details>\n");
}

static void finding(struct kl_page *p, const struct kl_finding *f)
{
	kl_buf_printf(p->b, "<div class=\"finding\"><span class=\"kind\">%s</span><b>",
		      kl_kind_name(f->kind));
	kl_markup_text(p->b, f->title);
	kl_buf_puts(p->b, "</b>");
	if (f->function || f->file || f->access) {
		kl_buf_puts(p->b, "<br><span class=\"soft\">");
		kl_html_text(p, "<code>", f->function, "</code> ");
		kl_html_text(p, "<code>", f->file, "");
		if (f->file)
			kl_buf_printf(p->b, "%s%.0u</code> ", f->line ? ":" : "", f->line);
		kl_html_text(p, f->function || f->file ? "· " : "", f->access, "");
		kl_buf_puts(p->b, "</span>");
	}
	trace(p, &f->trace);
	kl_buf_puts(p->b, "</div>\n");
}

static void failing_check(struct kl_page *p, const struct kl_check_result *c)
{
	bool open = kl_view_open(c, p->a);

	kl_buf_printf(p->b, "<section class=\"card%s\"><h3>",
		      c->verdict == KL_VERDICT_FAIL ? "" : " open");
	kl_markup_text(p->b, c->title);
	kl_buf_puts(p->b, "</h3>\n");
	kl_html_text(p, "<p>", kl_view_why(c, p->a), "</p>\n");
	for (size_t i = 0; i < c->findings.n && open; i++)
		finding(p, &c->findings.v[i]);
	if (open)
		kl_html_log(p, "Guest memory at the end of the first failing run", c->memory);
	if (open)
		kl_html_log(p, "Kernel log of the first failing run", c->console);
	kl_buf_puts(p->b, "</section>\n");
}

void kl_html_findings(struct kl_page *p)
{
	bool any = false;

	for (size_t i = 0; i < p->r->n_checks; i++) {
		const struct kl_check_result *c = &p->r->checks[i];

		/* Failed without a run: the build says why, once. */
		if (c->verdict == KL_VERDICT_PASS || (c->verdict == KL_VERDICT_FAIL && !c->runs))
			continue;
		if (!any)
			kl_buf_puts(p->b, "<h2>What was found</h2>\n");
		any = true;
		failing_check(p, c);
	}
}

void kl_html_build(struct kl_page *p)
{
	const struct kl_build_evidence *build = kl_view_failed_build(p->r);

	if (!build)
		return;
	kl_buf_puts(p->b, "<h2>Build</h2>\n<section class=\"card\">");
	if (build->timed_out)
		kl_buf_puts(p->b, "<p>Compiling took too long and was stopped.</p>");
	if (build->n)
		kl_buf_puts(p->b, "<pre class=\"wrap\" tabindex=\"0\">");
	for (size_t i = 0; i < build->n; i++) {
		const struct kl_diagnostic *d = &build->diagnostics[i];

		kl_markup_text(p->b, d->file ? d->file : "?");
		kl_buf_printf(p->b, ":%u:%u: ", d->line, d->column);
		kl_markup_text(p->b, d->severity ? d->severity : "note");
		kl_buf_puts(p->b, ": ");
		kl_markup_text(p->b, d->text);
		kl_buf_puts(p->b, "\n");
	}
	if (build->n)
		kl_buf_puts(p->b, "</pre>");
	kl_html_log(p, "The compiler's output", build->log);
	kl_buf_puts(p->b, "</section>\n");
}
