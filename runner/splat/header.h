/* First lines of kernel reports: which kind, and what the line itself says. */
#ifndef KL_SPLAT_HEADER_H
#define KL_SPLAT_HEADER_H

#include <stdbool.h>

#include <klinic/finding.h>

#include "splat/frame.h"

#define KL_HEADER_TEXT 256

/* How what follows is to be read. */
enum kl_form {
	KL_FORM_KASAN, /* "Read of size 8", a call trace, until a row of = */
	KL_FORM_FRAMES, /* KCSAN, KFENCE, KMSAN: bare frames, until a row of = */
	KL_FORM_LOCKDEP, /* "at: frame" lines before the call trace */
	KL_FORM_TRACE, /* a call trace, over where the trace ends */
	KL_FORM_OOPS, /* RIP, registers and a call trace, until "end trace" */
	KL_FORM_LOCKUP, /* the trace begins at the RIP that was interrupted */
	KL_FORM_MESSAGE, /* what a WARN or BUG that follows has to say: list, refcount, ODEBUG */
	KL_FORM_LEAK, /* backtrace of an unreferenced object */
	KL_FORM_LINE, /* nothing follows */
	KL_FORM_PANIC,
	KL_FORM_TRAP, /* "Oops: 0002 [#1]": belongs to the line before, or stands for it */
};

struct kl_header {
	enum kl_kind kind;
	enum kl_form form;
	char title[KL_HEADER_TEXT]; /* "KASAN: use-after-free"; the function is added at the end */
	char frame[KL_FRAME_MAX]; /* function named by the header, or "" */
	char other[128]; /* the other side of a race */
	char file[KL_HEADER_TEXT]; /* place named by the header, or "" */
	unsigned int line;
	char access[64];
	bool vague; /* nothing but "BUG:" or "WARNING:" speaks for it */
};

/* Only ever at the start of a line: text with such words inside is no report. */
bool kl_header_parse(const char *text, struct kl_header *ret);

#endif
