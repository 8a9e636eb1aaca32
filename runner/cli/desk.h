/* The candidate's desk: what run and check share. */
#ifndef KLINIC_CLI_DESK_H
#define KLINIC_CLI_DESK_H

#include "cli/workspace.h"

/* Visible checks only, as the options say. */
int cli_desk_options(const struct cli_args *a, struct kl_session_options *ret,
		     struct kl_error *err);
/* Is id (NULL is) a visible check? KL_USAGE otherwise. */
int cli_desk_check(const struct kl_exercise *e, const char *id, struct kl_error *err);
/* A result for the candidate, in short. */
void cli_desk_text(const struct kl_result *r, struct kl_buf *b);

#endif
