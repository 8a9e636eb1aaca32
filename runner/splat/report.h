/* One report while it is read, line by line, from one caller. */
#ifndef KL_SPLAT_REPORT_H
#define KL_SPLAT_REPORT_H

#include <stdbool.h>

#include <klinic/finding.h>

#include "splat/header.h"
#include "splat/line.h"

#define KL_REPORT_MAX_FRAMES 64
#define KL_REPORT_MAX_LINES  4096 /* the longest lockdep reports have some hundreds */

enum kl_report_trace {
	KL_TRACE_NONE,
	KL_TRACE_RUNNING,
	KL_TRACE_DONE,
};

struct kl_report {
	struct kl_header header;
	size_t offset, end; /* bytes of the log */
	uint64_t time_us;
	unsigned int lines;
	enum kl_report_trace trace_state;
	struct kl_strv trace; /* reliable frames, innermost first */
	bool has_rip; /* trace.v[0] is where the CPU was, not a return address */
	bool dropped; /* over the cap of findings: only counted */
	bool answered; /* KL_FORM_MESSAGE: its WARN or BUG has come */
	bool expect_held; /* lockdep: the next lock named is the other one */
	char message[KL_HEADER_TEXT]; /* of a WARN; note of an oops */
	char lock[128], held[128], usage[96];
};

enum kl_report_next {
	KL_REPORT_GOES_ON,
	KL_REPORT_ENDS, /* with this line */
	KL_REPORT_ENDED, /* before this line */
	KL_REPORT_NO_MEMORY,
};

void kl_report_open(struct kl_report *r, const struct kl_header *h, const struct kl_line *l);
/* A header that is part of r: the WARN that bears a message, the trap that follows a BUG. */
bool kl_report_absorbs(struct kl_report *r, const struct kl_header *h, const struct kl_line *l);
enum kl_report_next kl_report_line(struct kl_report *r, const struct kl_line *l);
/* Makes the finding; r is emptied whatever comes. -1 without memory. */
int kl_report_close(struct kl_report *r, struct kl_finding *ret);
void kl_report_deinit(struct kl_report *r);

/* A row of at least 20 of c and nothing else. */
bool kl_is_row(const char *text, char c);

#endif
