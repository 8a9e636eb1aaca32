/* A folder with the editable files: a workspace, or the files alone. */
#ifndef INTAKE_FOLDER_H
#define INTAKE_FOLDER_H

#include <klinic/exercise.h>
#include <klinic/submission.h>

/* Takes the editable files of path into s and refuses what else was changed. */
int kl_folder_take(const struct kl_exercise *e, const char *path, struct kl_submission *s,
		   struct kl_error *err);

#endif
