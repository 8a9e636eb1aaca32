/*
 * Unified diffs, read strictly. What is understood is written again from the
 * parse (kl_patch_print), so that git-apply(1) never sees a byte of a header
 * that came from outside: it and we cannot understand a patch differently.
 */
#ifndef INTAKE_PATCH_H
#define INTAKE_PATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <klinic/error.h>
#include <klinic/exercise.h>
#include <klinic/str.h>

struct kl_hunk {
	size_t line; /* of the patch, 1-based */
	unsigned int old_start, old_count, new_start, new_count;
	const char *body; /* in the patch's text: what follows the @@ line */
	size_t len;
	bool context; /* it has lines that stay */
};

/* The part of a patch that speaks of one file. */
struct kl_section {
	size_t line; /* of the patch, 1-based */
	char *git_names; /* "a/x b/x" of a "diff --git" line, or NULL */
	char *old_name, *new_name; /* as written after --- and +++, or NULL */
	char *path; /* set by kl_patch_resolve(): one of the editable files */
	struct kl_hunk *hunks;
	size_t n;
	bool refused; /* a reason was given: say no more of this section */
};

struct kl_patch {
	const char *where; /* “Patch”, “Message 2's patch”: reasons begin with it; not owned */
	struct kl_section *sections;
	size_t n;
};

/* text must stay as long as ret. -1 only without memory; what is wrong is appended to refused. */
int kl_patch_parse(const char *where, const char *text, size_t len, struct kl_patch *ret,
		   struct kl_strv *refused, struct kl_error *err);
/* Chooses -p1 or -p0, whichever touches editable files, and gives each section its path. */
int kl_patch_resolve(const struct kl_exercise *e, struct kl_patch *p, struct kl_strv *refused,
		     struct kl_error *err);
/* For git apply -p1. */
int kl_patch_print(const struct kl_patch *p, struct kl_buf *ret, struct kl_error *err);
/* The hunk for line old_start of path, or NULL. */
const struct kl_hunk *kl_patch_find_hunk(const struct kl_patch *p, const char *path,
					 unsigned long old_start);
void kl_patch_deinit(struct kl_patch *p);

#endif
