/*
 * A candidate's workspace: the handout's files to work on, and in .klinic/ what
 * run and check need of the exercise: its public text, its brief, and the handout
 * as it was. It needs no catalogue and holds nothing that hidden/ has a part in.
 * Who changes .klinic/ fools himself: grading takes the panel's exercise.
 */
#ifndef KLINIC_CLI_WORKSPACE_H
#define KLINIC_CLI_WORKSPACE_H

#include "cli/cli.h"

#define CLI_WORKSPACE_DIR  ".klinic" /* below it ID/exercise.yaml, ID/brief.md, ID/handout/ */
#define CLI_WORKSPACE_FILE ".klinic/workspace.json"

/* The text of CLI_WORKSPACE_FILE, for a public exercise. */
int cli_workspace_text(const struct kl_exercise *e, struct kl_buf *ret, struct kl_error *err);
/* Fills the empty folder dir from a public exercise. On failure dir holds what was made so far. */
int cli_workspace_make(const struct kl_exercise *e, const char *dir, struct kl_error *err);
/*
 * The workspace at dir, or, when dir is NULL, the one that holds the working
 * directory. ret is public. Says on stderr when its copy of the exercise was
 * changed, or the catalogue's has changed since.
 */
int cli_workspace_open(const char *dir, char **ret_dir, struct kl_exercise *ret,
		       struct kl_error *err);

#endif
