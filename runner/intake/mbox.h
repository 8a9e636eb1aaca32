/* git-format-patch(1) mail: one message or a series. */
#ifndef INTAKE_MBOX_H
#define INTAKE_MBOX_H

#include <stdbool.h>
#include <stddef.h>

#include <klinic/exercise.h>

/* Does the text begin as mail does? */
bool kl_mbox_is(const char *text, size_t len);
/*
 * Splits and decodes with git-mailsplit(1) and git-mailinfo(1) and applies the
 * messages in order to the files in dir. *ret_message: the commit messages.
 */
int kl_mbox_apply(const struct kl_exercise *e, const char *home, const char *dir, const char *text,
		  size_t len, char **ret_message, struct kl_strv *refused, struct kl_error *err);

#endif
