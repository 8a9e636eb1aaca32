/* What the files of this room share: the built command, and starting and reaping its child. */
#ifndef PROC_CHILD_H
#define PROC_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include <klinic/command.h>

struct kl_fd_map {
	int from, to;
};

struct kl_env_var {
	char *name;
	char *value; /* NULL: unset */
};

struct kl_limit {
	int resource;
	rlim_t value;
};

struct kl_command {
	struct kl_strv argv; /* [0] is the program as it was named */
	bool env_clear;
	struct kl_env_var *env;
	size_t n_env;
	char *cwd;
	struct kl_fd_map *fds;
	size_t n_fds;
	struct kl_limit *limits;
	size_t n_limits;
	void *input;
	size_t input_len;
	bool has_input, inherit_input, inherit_output, merge;
	bool first_to_die; /* oom_score_adj 1000, proc(5) */
	char *output_path;
	void (*on_line)(const char *line, void *arg);
	void *on_line_arg;
	struct kl_error deferred; /* class KL_CLASS_NONE while building went well */
};

/* The first failure of building is kept for the start. */
void kl_command_defer(struct kl_command *c, enum kl_class class, const char *fmt, ...)
	KL_PRINTF(3, 4);

/* NULL when unknown. */
const char *kl_package_of(const char *program);

/*
 * Starts the child with stdio as its descriptors 0 to 2; -1 means /dev/null.
 * The descriptors stay the caller's.
 */
int kl_child_start(const struct kl_command *c, const int stdio[3], struct kl_process *ret,
		   struct kl_error *err);
/* What goes to descriptor 0: -1 (/dev/null), 0 (ours), or a memfd. *ret_close is to be closed by the caller. */
int kl_child_input(const struct kl_command *c, int *ret_fd, int *ret_close, struct kl_error *err);
/* The output file, opened; -1 in *ret_fd when there is none. */
int kl_child_output(const struct kl_command *c, int *ret_fd, struct kl_error *err);
/* Kills what is left of the group and reaps the leader, which has ended or is being killed. */
int kl_child_reap(struct kl_process *p, struct kl_exit *ret, struct kl_error *err);

#endif
