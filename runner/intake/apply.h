/* One patch text onto the files of a folder. */
#ifndef INTAKE_APPLY_H
#define INTAKE_APPLY_H

#include <klinic/exercise.h>

/*
 * Parses text, holds it against the exercise, and applies it to the files in
 * dir (below home) unless anything was refused. *ret_sections: how many files
 * the text spoke of. Reasons begin with where.
 */
int kl_apply_text(const struct kl_exercise *e, const char *home, const char *dir, const char *where,
		  const char *text, size_t len, size_t *ret_sections, struct kl_strv *refused,
		  struct kl_error *err);

#endif
