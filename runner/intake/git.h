/* git, in a folder of ours, as if nobody had ever configured it. */
#ifndef INTAKE_GIT_H
#define INTAKE_GIT_H

#include <klinic/command.h>

/* home is a private folder, cwd lies below it: no repository above is found. Add the verb and its arguments. */
struct kl_command *kl_git_create(const char *home, const char *cwd);

/*
 * -1 KL_INFRA when git could not run or did not end by itself; otherwise its
 * exit status, whatever it is. out and errout may be NULL.
 */
int kl_git_run(struct kl_command *c, struct kl_buf *out, struct kl_buf *errout, int *ret_status,
	       struct kl_error *err);

#endif
