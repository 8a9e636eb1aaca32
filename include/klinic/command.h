/*
 * Child processes: one builder, with deferred errors, absolute deadlines and
 * group kill. fork, exec, system and popen are used nowhere else.
 *
 * Building never fails: a failure (no memory) is kept and told by the function
 * that starts the child. Each child runs in its own process group and gets
 * PR_SET_PDEATHSIG SIGKILL (prctl(2)), so that nothing outlives klinic; the
 * thread that starts a child must therefore outlive it. Children inherit
 * stdin/out/err as told and no other descriptor but those that were passed.
 */
#ifndef KLINIC_COMMAND_H
#define KLINIC_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <klinic/deadline.h>
#include <klinic/error.h>
#include <klinic/interrupt.h>
#include <klinic/str.h>

struct kl_command;

struct kl_command *kl_command_create(
	const char *program); /* looked up on PATH when it has no slash */
void kl_command_destroy(struct kl_command *c);
void kl_command_destroy_p(struct kl_command **c);

void kl_command_arg(struct kl_command *c, const char *arg);
void kl_command_argf(struct kl_command *c, const char *fmt, ...) KL_PRINTF(2, 3);
void kl_command_args(struct kl_command *c, ...) __attribute__((sentinel)); /* const char *…, NULL */
/* Environment: inherited until the first of these; clear starts from nothing but PATH and LC_ALL=C. */
void kl_command_env_clear(struct kl_command *c);
void kl_command_env(struct kl_command *c, const char *name, const char *value); /* NULL unsets */
void kl_command_cwd(struct kl_command *c, const char *path);
/* Descriptor fd of ours becomes child_fd of the child. fd stays ours. */
void kl_command_pass_fd(struct kl_command *c, int fd, int child_fd);
void kl_command_rlimit(struct kl_command *c, int resource,
		       rlim_t limit); /* setrlimit(2), soft and hard */
void kl_command_stdin_data(struct kl_command *c, const void *data, size_t len); /* copied */
/* By default stdin is /dev/null and stdout, stderr go to /dev/null. */
void kl_command_inherit_output(struct kl_command *c);
void kl_command_inherit_stdin(struct kl_command *c);
/* Both streams appended to one buffer or one file (created, truncated). */
void kl_command_stderr_to_stdout(struct kl_command *c);
void kl_command_output_file(struct kl_command *c, const char *path);
/* Called for each complete line of stdout as it comes (without newline); for progress. */
void kl_command_on_line(struct kl_command *c, void (*fn)(const char *line, void *arg), void *arg);

/* As a shell would need it, quoted; for dry runs, golden tests and messages. */
int kl_command_print(const struct kl_command *c, struct kl_buf *ret);
/* NULL-terminated argument list, owned by the command. */
char *const *kl_command_argv(const struct kl_command *c);

struct kl_exit {
	bool exited; /* false: ended by a signal or by us */
	int status; /* exit status when exited */
	int signal; /* the signal otherwise */
	bool timed_out; /* we killed it at the deadline */
	bool interrupted; /* we killed it because kl_interrupted() */
	bool out_truncated; /* output went over the cap; the child was left to finish */
	int64_t wall_ns;
	struct rusage usage;
};

/*
 * Runs to the end or to the deadline, then kills the group and reaps. out and
 * errout may be NULL; their caps bound what is kept. 0 when the child was
 * started and reaped, whatever its exit; -1 KL_INFRA when it could not start
 * (not installed: the message names the Debian package if it is known); -1
 * KL_INTERRUPTED, with *ret filled if the child had started, after kl_interrupt().
 * What the child leaves running in its group is killed when the child ends;
 * what left the group and holds our pipes is waited for one second at most.
 */
int kl_command_run(struct kl_command *c, kl_deadline deadline, struct kl_buf *out,
		   struct kl_buf *errout, struct kl_exit *ret, struct kl_error *err);
/* The same, and a non-zero exit is an error of class, with the last lines of stderr. */
int kl_command_check(struct kl_command *c, kl_deadline deadline, struct kl_buf *out,
		     enum kl_class class, struct kl_error *err);

/*
 * The file that a program's name stands for, as execve(2) wants it; looked up on PATH
 * when it has no slash. -1 KL_INFRA names the package when it is not installed.
 */
int kl_program_find(const char *program, char **ret, struct kl_error *err);

/* A child that goes on beside us. */
struct kl_process {
	pid_t pid;
	int pidfd; /* pidfd_open(2): readable when it has ended */
	int64_t started_ns; /* kl_now_ns() then */
};
#define KL_PROCESS_INIT ((struct kl_process){ .pid = -1, .pidfd = -1 })

int kl_command_start(struct kl_command *c, struct kl_process *ret, struct kl_error *err);
/* 0 and *ret when it ended before the deadline, 1 when it is still running, -1 on error. */
int kl_process_wait(struct kl_process *p, kl_deadline deadline, struct kl_exit *ret,
		    struct kl_error *err);
void kl_process_kill(struct kl_process *p); /* kills the group and reaps; harmless when ended */
void kl_process_deinit(struct kl_process *p); /* kills, reaps, closes */

#endif
