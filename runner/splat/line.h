/* A line of a kernel log without what printk put before it. */
#ifndef KL_SPLAT_LINE_H
#define KL_SPLAT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KL_SPLAT_CALLER 16

struct kl_line {
	const char *text; /* terminated; control bytes are blanked */
	char caller
		[KL_SPLAT_CALLER]; /* "T29" or "C1", "" without tags, "?" without stamp and tag */
	bool stamped; /* had a time stamp or a caller tag: it came through printk */
	bool user; /* in a raw log ("<12>…"): user space wrote it to /dev/kmsg */
	uint64_t time_us;
	size_t offset, end; /* bytes of the log, newline included */
};

/* Fills text, caller, stamped, user and time_us from the len bytes at raw, which it may change. raw[len] is NUL. */
void kl_line_split(struct kl_line *l, char *raw, size_t len);
/*
 * Where a time stamp begins inside of a line that does not begin with one: what
 * user space wrote to the console without a newline stands before it. 0 for nowhere.
 */
size_t kl_line_stamp_inside(const char *raw, size_t len);

#endif
