/* Reasons for refusing a submission: one sentence each, safe for a terminal, not too many. */
#ifndef INTAKE_REFUSE_H
#define INTAKE_REFUSE_H

#include <klinic/error.h>
#include <klinic/exercise.h>
#include <klinic/str.h>

#define KL_REASONS_MAX 20

/* Appends a reason; the text may contain the candidate's bytes. -1 only without memory. */
int kl_refuse(struct kl_strv *refused, struct kl_error *err, const char *fmt, ...) KL_PRINTF(3, 4);
/* “stashbox.c, stashbox.h”: the files that may be changed. NULL without memory. */
char *kl_editable_text(const struct kl_exercise *e);

#endif
