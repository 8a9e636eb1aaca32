/*
 * A candidate's workspace: the handout, and in .klinic which exercise it is of.
 * The file names nothing that hidden/ has a part in (the digest is the
 * handout's, not the exercise's).
 */
#ifndef KLINIC_CLI_WORKSPACE_H
#define KLINIC_CLI_WORKSPACE_H

#include "cli/cli.h"

#define CLI_WORKSPACE_FILE ".klinic"

/* Over brief.md and handout/: what a workspace was made of. */
int cli_handout_digest(const struct kl_exercise *e, char ret[KL_DIGEST_HEX], struct kl_error *err);
/* The text of .klinic. */
int cli_workspace_text(const struct kl_exercise *e, struct kl_buf *ret, struct kl_error *err);
/*
 * The workspace at dir, or, when dir is NULL, the one that holds the working
 * directory. Says on stderr when the exercise has changed since.
 */
int cli_workspace_open(const char *dir, char **ret_dir, struct kl_exercise *ret,
		       struct kl_error *err);

#endif
