/* A submission after intake: the editable files as the candidate wants them. */
#ifndef KLINIC_SUBMISSION_H
#define KLINIC_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>

#include <klinic/digest.h>
#include <klinic/str.h>

struct kl_submission_file {
	char *path; /* relative to handout/, one of the exercise's editable files */
	char *data;
	size_t len;
	bool changed; /* differs from handout/ */
};

struct kl_submission {
	char *source; /* PATH as given; a name for messages */
	struct kl_submission_file *files; /* every editable file, in the exercise's order */
	size_t n;
	char *diff; /* unified diff against handout/ (a/ and b/ prefixes), "" when nothing changed */
	char *message; /* commit message(s) of an mbox, or NULL */
	char digest
		[KL_DIGEST_HEX]; /* over path and content of the files; not the form they came in */
	struct kl_strv refused; /* reasons; not empty: do not build it */
};

void kl_submission_deinit(struct kl_submission *s);

#endif
