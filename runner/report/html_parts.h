/* The page's parts. Private to report/. */
#ifndef KLINIC_REPORT_HTML_PARTS_H
#define KLINIC_REPORT_HTML_PARTS_H

#include <klinic/report.h>

struct kl_page {
	struct kl_buf *b;
	const struct kl_result *r;
	enum kl_audience a;
};

/* The style sheet; the page's policy allows this text and no other. */
extern const char kl_html_style[];

/* open, escaped text, close. Nothing when text is NULL or "". */
void kl_html_text(struct kl_page *p, const char *open, const char *text, const char *close);
/* A kernel log, folded: capped, its first lines of reports marked. */
void kl_html_log(struct kl_page *p, const char *title, const char *log);
/* A unified diff with its added and removed lines coloured. */
void kl_html_diff(struct kl_page *p, const char *diff);
/* Each failing check with its findings, traces and log. */
void kl_html_findings(struct kl_page *p);
void kl_html_build(struct kl_page *p);

#endif
