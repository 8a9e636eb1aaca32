/* git, in a folder of ours (git.h). */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <klinic/cleanup.h>

#include "intake/git.h"

#define GIT_DEADLINE_MS 60000
#define GIT_FILE_MAX	(64UL << 20)
#define GIT_CPU_SECONDS 30

/* A ceiling stops only who starts below it: git run in home itself needs the folder above. */
static void set_ceiling(struct kl_command *c, const char *home)
{
	KL_AUTO_FREE char *above = strdup(home);
	char *slash = above ? strrchr(above, '/') : NULL;

	if (slash && slash != above)
		*slash = '\0';
	kl_command_env(c, "GIT_CEILING_DIRECTORIES", above ? above : home);
}

struct kl_command *kl_git_create(const char *home, const char *cwd)
{
	struct kl_command *c = kl_command_create("git");

	kl_command_env_clear(c);
	kl_command_env(c, "HOME", home);
	kl_command_env(c, "XDG_CONFIG_HOME", home);
	kl_command_env(c, "TMPDIR", home);
	kl_command_env(c, "GIT_CONFIG_NOSYSTEM", "1");
	kl_command_env(c, "GIT_CONFIG_GLOBAL", "/dev/null");
	kl_command_env(c, "GIT_ATTR_NOSYSTEM", "1");
	set_ceiling(c, home);
	kl_command_env(c, "GIT_TERMINAL_PROMPT", "0");
	kl_command_env(c, "GIT_PAGER", "cat");
	kl_command_cwd(c, cwd);
	kl_command_rlimit(c, RLIMIT_FSIZE, GIT_FILE_MAX);
	kl_command_rlimit(c, RLIMIT_CPU, GIT_CPU_SECONDS);
	kl_command_rlimit(c, RLIMIT_CORE, 0);
	return c;
}

int kl_git_run(struct kl_command *c, struct kl_buf *out, struct kl_buf *errout, int *ret_status,
	       struct kl_error *err)
{
	struct kl_exit ended = { 0 };

	if (kl_command_run(c, kl_deadline_ms(GIT_DEADLINE_MS), out, errout, &ended, err))
		return -1;
	if (!ended.exited)
		return kl_fail(err, KL_INFRA, "git did not finish within its limits");
	*ret_status = ended.status;
	return 0;
}
