/* The editable files of a submission: in memory, and in a folder of ours. */
#ifndef INTAKE_FILES_H
#define INTAKE_FILES_H

#include <klinic/exercise.h>
#include <klinic/intake.h>

/* Every editable file as the handout has it. -1 KL_CONTENT when the exercise is damaged. */
int kl_files_load_handout(const struct kl_exercise *e, struct kl_submission *ret,
			  struct kl_error *err);
/* Replaces a file's content (data is taken) and sets changed. */
void kl_files_replace(struct kl_submission_file *f, char *data, size_t len);
struct kl_submission_file *kl_files_find(const struct kl_submission *s, const char *path);
/* Writes the files below dir, which is made. which: all of them, or those that changed in like. */
int kl_files_write(const struct kl_submission *s, const struct kl_submission *like, const char *dir,
		   struct kl_error *err);
/*
 * Reads them back after git changed them. What is not one of them, not regular,
 * too large, or holds NUL bytes is refused.
 */
int kl_files_read(struct kl_submission *s, const char *dir, struct kl_error *err);
/* s->diff, against base, and s->digest. home is a private folder. */
int kl_files_finish(struct kl_submission *s, const struct kl_submission *base, const char *home,
		    struct kl_error *err);

#endif
