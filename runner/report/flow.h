/* Lines for a terminal: wrapping, indenting, colour. Private to report/. */
#ifndef KLINIC_REPORT_FLOW_H
#define KLINIC_REPORT_FLOW_H

#include <klinic/report.h>

enum kl_paint {
	KL_PAINT_NONE,
	KL_PAINT_BOLD,
	KL_PAINT_DIM,
	KL_PAINT_RED,
	KL_PAINT_GREEN,
	KL_PAINT_YELLOW
};

struct kl_flow {
	struct kl_buf *b;
	bool color;
	bool unicode;
	unsigned int width;
};

/* Takes what is sensible of a style; s may be NULL. */
struct kl_flow kl_flow_of(struct kl_buf *b, const struct kl_text_style *s);
/*
 * Text of whatever origin as whole lines: made safe, white space folded, wrapped
 * at the width. The first line is indented by first columns, or continues a line
 * that was begun and is first columns long (begun true); others by rest.
 */
void kl_flow_text(struct kl_flow *f, bool begun, unsigned int first, unsigned int rest,
		  enum kl_paint paint, const char *text);
/* Text within a line: made safe, not wrapped. Returns its columns. */
unsigned int kl_flow_word(struct kl_flow *f, enum kl_paint paint, const char *text);
void kl_flow_spaces(struct kl_flow *f, unsigned int n);
/* Columns of text, once it has been made safe for this flow. */
unsigned int kl_flow_columns(const struct kl_flow *f, const char *text);

#endif
