/* Frames of call traces: "stash_read+0x4e/0x120 [stashbox]". */
#ifndef KL_SPLAT_FRAME_H
#define KL_SPLAT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KL_FRAME_MAX 384 /* longer symbols are no frames */

struct kl_frame {
	char text[KL_FRAME_MAX]; /* normalised: "symbol+0x4e/0x120 [module]" */
	bool guess; /* "? ": the unwinder does not vouch for it */
};

/*
 * A whole line as a frame: blanks, "[<address>]", "? " before it are dropped;
 * anything but a module's name after it makes it no frame.
 */
bool kl_frame_parse(const char *line, struct kl_frame *ret);
/* The same for a frame at the start of longer text; *ret_rest is what follows. */
bool kl_frame_prefix(const char *text, struct kl_frame *ret, const char **ret_rest);

/*
 * The function as the source spells it: without offset and without what the
 * compiler appended (.isra.0, .constprop.0, .cold). Cut to size.
 */
void kl_frame_function(const char *frame, char *ret, size_t size);
bool kl_frame_in_module(const char *frame);

/* Parts of a normalised frame, for looking it up. false when it has no offset. */
struct kl_frame_parts {
	char symbol[KL_FRAME_MAX]; /* with the compiler's suffix */
	char module[64]; /* "" in the kernel proper */
	uint64_t offset, size;
};
bool kl_frame_split(const char *frame, struct kl_frame_parts *ret);

/* What prints reports: never interesting, cut from the inner end of traces. */
bool kl_frame_is_machinery(const char *frame);
/* Locks, allocators, sleeping, copying, lists, counters: what the culprit called. */
bool kl_frame_is_helper(const char *frame);

#endif
