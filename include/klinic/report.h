/* A result in every format. The terminal's text is for cli to print; these only fill buffers. */
#ifndef KLINIC_REPORT_H
#define KLINIC_REPORT_H

#include <stdbool.h>

#include <klinic/result.h>
#include <klinic/str.h>

enum kl_audience {
	KL_AUDIENCE_PANEL, /* everything */
	KL_AUDIENCE_CANDIDATE, /* no hidden ids, seeds, values, logs of hidden checks */
};

struct kl_text_style {
	bool color;
	bool unicode;
	unsigned int width; /* columns, 80 when unknown */
};

int kl_report_text(const struct kl_result *r, enum kl_audience a, const struct kl_text_style *s,
		   struct kl_buf *ret, struct kl_error *err);
/* One self-contained page: verdict, scorecard, checks, findings with the log folded under them, the diff. */
int kl_report_html(const struct kl_result *r, enum kl_audience a, struct kl_buf *ret,
		   struct kl_error *err);
/* JUnit XML: fail is <failure>, infra <error>, inconclusive <skipped>. */
int kl_report_junit(const struct kl_result *r, enum kl_audience a, struct kl_buf *ret,
		    struct kl_error *err);

#endif
