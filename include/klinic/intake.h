/*
 * Intake: a submission held against what its exercise lets it touch. PATH is a
 * unified diff, a git-format-patch(1) mbox, or a folder with editable files.
 * Parsing is ours and strict; applying is git-apply(1)'s, in a folder of its own.
 */
#ifndef KLINIC_INTAKE_H
#define KLINIC_INTAKE_H

#include <klinic/exercise.h>
#include <klinic/submission.h>

#define KL_SUBMISSION_MAX (1UL << 20) /* bytes of a patch, or of one file */

/*
 * 0 with ret->refused filled when the submission is refused (each reason one
 * sentence with place and remedy); -1 only for KL_INFRA or a PATH that cannot
 * be read (KL_USAGE).
 */
int kl_intake(const struct kl_exercise *e, const char *path, struct kl_submission *ret,
	      struct kl_error *err);
/* The handout as it stands: what "broken" and "noop" submit. */
int kl_intake_unchanged(const struct kl_exercise *e, struct kl_submission *ret,
			struct kl_error *err);

#endif
