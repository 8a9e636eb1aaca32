/*
 * Starting, killing and reaping one child. Everything that may allocate or
 * lock happens before fork(2); between fork and execve(2) the child of a
 * threaded program may call only what signal-safety(7) lists.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <klinic/cleanup.h>

#include "proc/child.h"

/* A killed process may be stuck in the kernel; that is the machine's failure, told after this long. */
#define REAP_MS 30000

enum step { STEP_SETUP, STEP_DESCRIPTORS, STEP_CWD, STEP_LIMITS, STEP_EXEC };

struct complaint {
	enum step step;
	int sys_errno;
};

/* All that the child needs, allocated beforehand. */
struct plan {
	char *path;
	struct kl_strv env;
	struct kl_fd_map *map; /* sorted by .to */
	size_t n_map;
	int *moved; /* scratch: n_map numbers */
	int top; /* above every .to */
	int report; /* write end: a struct complaint, or closed by exec */
	int null;
	pid_t parent;
	bool take_terminal;
};

static void plan_deinit(struct plan *p)
{
	free(p->path);
	kl_strv_deinit(&p->env);
	free(p->map);
	free(p->moved);
	if (p->null >= 0)
		close(p->null);
}

static int make_env(const struct kl_command *c, struct kl_strv *ret)
{
	static const char *const bare[] = { "PATH", "LC_ALL", NULL };
	int rc = 0;

	for (size_t i = 0; !c->env_clear && environ && environ[i]; i++) {
		bool replaced = false;
		size_t name_len = strcspn(environ[i], "=");

		for (size_t k = 0; k < c->n_env; k++)
			replaced |= strlen(c->env[k].name) == name_len &&
				    !strncmp(c->env[k].name, environ[i], name_len);
		if (!replaced)
			rc |= kl_strv_add(ret, environ[i]);
	}
	for (size_t i = 0; c->env_clear && bare[i]; i++) {
		const char *path = getenv("PATH");
		bool replaced = false;

		for (size_t k = 0; k < c->n_env; k++)
			replaced |= !strcmp(c->env[k].name, bare[i]);
		if (!replaced)
			rc |= kl_strv_addf(ret, "%s=%s", bare[i],
					   i ? "C" : (path ? path : "/usr/bin:/bin"));
	}
	for (size_t i = 0; i < c->n_env; i++)
		if (c->env[i].value)
			rc |= kl_strv_addf(ret, "%s=%s", c->env[i].name, c->env[i].value);
	return rc;
}

static int by_target(const void *a, const void *b)
{
	return ((const struct kl_fd_map *)a)->to - ((const struct kl_fd_map *)b)->to;
}

static int make_map(const struct kl_command *c, const int stdio[3], struct plan *p)
{
	p->map = calloc(c->n_fds + 3, sizeof(*p->map));
	p->moved = calloc(c->n_fds + 3, sizeof(*p->moved));
	if (!p->map || !p->moved)
		return -1;
	for (size_t i = 0; i < c->n_fds; i++)
		p->map[p->n_map++] = c->fds[i];
	for (int to = 0; to < 3; to++) {
		bool passed = false;

		for (size_t i = 0; i < c->n_fds; i++)
			passed |= c->fds[i].to == to;
		if (!passed)
			p->map[p->n_map++] = (struct kl_fd_map){
				.from = stdio[to] < 0 ? p->null : stdio[to],
				.to = to,
			};
	}
	qsort(p->map, p->n_map, sizeof(*p->map), by_target);
	p->top = p->map[p->n_map - 1].to + 1;
	return 0;
}

static _Noreturn void child_fail(const struct plan *p, enum step step)
{
	struct complaint why = { .step = step, .sys_errno = errno };
	ssize_t ignored = write(p->report, &why, sizeof(why));

	(void)ignored;
	_exit(127);
}

static void mark_cloexec(unsigned int first, unsigned int last)
{
	if (!close_range(first, last, CLOSE_RANGE_CLOEXEC))
		return;
	/* CLOSE_RANGE_CLOEXEC is Linux 5.11; before it, one by one. */
	struct rlimit open_files = { .rlim_cur = 1024 };

	getrlimit(RLIMIT_NOFILE, &open_files);
	for (unsigned int fd = first; fd <= last && fd < open_files.rlim_cur; fd++)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
}

/* Sources first move above every target, so that no dup2(2) overwrites one that is still needed. */
static void child_descriptors(struct plan *p)
{
	unsigned int next = 0;

	p->report = fcntl(p->report, F_DUPFD_CLOEXEC, p->top);
	for (size_t i = 0; i < p->n_map; i++) {
		p->moved[i] = fcntl(p->map[i].from, F_DUPFD_CLOEXEC, p->top);
		if (p->moved[i] < 0)
			child_fail(p, STEP_DESCRIPTORS);
	}
	for (size_t i = 0; i < p->n_map; i++) {
		unsigned int to = (unsigned int)p->map[i].to;

		if (dup2(p->moved[i], p->map[i].to) < 0)
			child_fail(p, STEP_DESCRIPTORS);
		if (to > next)
			mark_cloexec(next, to - 1);
		next = to + 1;
	}
	mark_cloexec(next, ~0U);
}

static void child_limits(const struct kl_command *c, const struct plan *p)
{
	for (size_t i = 0; i < c->n_limits; i++) {
		struct rlimit now, wanted = { c->limits[i].value, c->limits[i].value };

		/* A stricter limit than asked for may be in force already; only root could lift it. */
		if (!getrlimit(c->limits[i].resource, &now) && now.rlim_max < wanted.rlim_max)
			wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
		if (setrlimit(c->limits[i].resource, &wanted) < 0)
			child_fail(p, STEP_LIMITS);
	}
}

static void child_first_to_die(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t ignored = fd < 0 ? 0 : write(fd, "1000", 4);

	(void)ignored;
}

/* Signals stay blocked until their handlers, which are our parent's, are gone. */
static void child_signals(void)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		sigaction(sig, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child_main(const struct kl_command *c, struct plan *p)
{
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		child_fail(p, STEP_SETUP);
	/* The parent may have died before prctl(2); then nobody is left to tell. */
	if (getppid() != p->parent)
		_exit(127);
	if (p->take_terminal)
		tcsetpgrp(STDIN_FILENO, getpid());
	child_descriptors(p);
	if (c->cwd && chdir(c->cwd) < 0)
		child_fail(p, STEP_CWD);
	if (c->first_to_die)
		child_first_to_die();
	child_limits(c, p);
	child_signals();
	execve(p->path, c->argv.v, p->env.v);
	child_fail(p, STEP_EXEC);
}

static int explain(const struct kl_command *c, const struct complaint *why, struct kl_error *err)
{
	const char *program = c->argv.v[0];
	const char *package = kl_package_of(program);

	switch (why->step) {
	case STEP_CWD:
		return kl_fail_errno(err, why->sys_errno, "cannot start %s in folder %s", program,
				     c->cwd);
	case STEP_LIMITS:
		return kl_fail_errno(err, why->sys_errno, "cannot limit the resources of %s",
				     program);
	case STEP_EXEC:
		if (why->sys_errno == ENOENT && package)
			return kl_fail(err, KL_INFRA, "%s is not installed: apt install %s",
				       program, package);
		return kl_fail_errno(err, why->sys_errno, "cannot run %s", program);
	default:
		return kl_fail_errno(err, why->sys_errno, "cannot set up a child for %s", program);
	}
}

/* fork(2) with every signal blocked in the child, so that none of our handlers runs there. */
static pid_t fork_blocked(const struct kl_command *c, struct plan *p)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		child_main(c, p);
	int saved = errno;

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return pid;
}

/* Waits for exec, which closes the pipe, or for the complaint. */
static int await_exec(const struct kl_command *c, int report, pid_t pid, struct kl_error *err)
{
	struct complaint why;
	ssize_t n;

	do {
		n = read(report, &why, sizeof(why));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(why))
		return kl_fail(err, KL_INFRA, "lost %s while starting it", c->argv.v[0]);
	return explain(c, &why, err);
}

static int launch(const struct kl_command *c, struct plan *p, struct kl_process *ret,
		  struct kl_error *err)
{
	int64_t now = kl_now_ns();
	int ends[2], pidfd, saved;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return kl_fail_errno(err, errno, "cannot make a pipe for %s", c->argv.v[0]);
	p->report = ends[1];
	p->parent = getpid();
	pid = fork_blocked(c, p);
	saved = errno;
	close(ends[1]);
	KL_AUTO_CLOSE int report = ends[0];

	if (pid < 0)
		return kl_fail_errno(err, saved, "cannot fork for %s", c->argv.v[0]);
	if (await_exec(c, report, pid, err) < 0)
		return -1;
	pidfd = pidfd_open(pid, 0); /* close-on-exec by itself, pidfd_open(2) */
	if (pidfd < 0) {
		saved = errno;
		kill(-pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return kl_fail_errno(err, saved, "cannot watch %s", c->argv.v[0]);
	}
	*ret = (struct kl_process){ .pid = pid, .pidfd = pidfd, .started_ns = now };
	return 0;
}

int kl_child_start(const struct kl_command *c, const int stdio[3], struct kl_process *ret,
		   struct kl_error *err)
{
	KL_AUTO(plan_deinit) struct plan p = { .null = -1 };

	if (kl_interrupted())
		return kl_fail(err, KL_INTERRUPTED, "interrupted");
	if (kl_program_find(c->argv.v[0], &p.path, err) < 0)
		return -1;
	p.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (p.null < 0)
		return kl_fail_errno(err, errno, "cannot open /dev/null");
	if (make_env(c, &p.env) < 0 || make_map(c, stdio, &p) < 0)
		return kl_fail(err, KL_INFRA, "out of memory while starting %s", c->argv.v[0]);
	/* A child that reads our terminal must be its foreground group (credentials(7)). */
	p.take_terminal = stdio[0] == STDIN_FILENO && tcgetpgrp(STDIN_FILENO) == getpgrp();
	return launch(c, &p, ret, err);
}

int kl_child_input(const struct kl_command *c, int *ret_fd, int *ret_close, struct kl_error *err)
{
	size_t done = 0;

	if (!c->has_input) {
		*ret_fd = c->inherit_input ? STDIN_FILENO : -1;
		*ret_close = -1;
		return 0;
	}
	/* A file in memory: no pump, no SIGPIPE, no deadlock with a child that never reads. */
	KL_AUTO_CLOSE int fd = memfd_create("stdin", MFD_CLOEXEC);

	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot make the input of %s", c->argv.v[0]);
	while (done < c->input_len) {
		ssize_t n = write(fd, (const char *)c->input + done, c->input_len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kl_fail_errno(err, errno, "cannot write the input of %s",
					     c->argv.v[0]);
		done += (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	*ret_fd = fd;
	*ret_close = kl_take_fd(fd);
	return 0;
}

int kl_child_output(const struct kl_command *c, int *ret_fd, struct kl_error *err)
{
	int fd = -1;

	if (c->output_path) {
		/* O_APPEND: two streams share it and must not overwrite each other. */
		fd = open(c->output_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
			  0644);
		if (fd < 0)
			return kl_fail_errno(err, errno, "cannot write %s", c->output_path);
	}
	*ret_fd = fd;
	return 0;
}

static void take_terminal_back(pid_t pid)
{
	sigset_t stop, before;

	if (tcgetpgrp(STDIN_FILENO) != pid)
		return;
	/* From the background tcsetpgrp(3) would stop us. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &stop, &before);
	tcsetpgrp(STDIN_FILENO, getpgrp());
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int kl_child_reap(struct kl_process *p, struct kl_exit *ret, struct kl_error *err)
{
	struct pollfd ended = { .fd = p->pidfd, .events = POLLIN };
	kl_deadline give_up = kl_deadline_ms(REAP_MS);
	struct rusage usage = { 0 };
	int status = 0, n;
	pid_t pid = p->pid;

	/* While the leader is not reaped its number, and so the group's, belongs to nobody else. */
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	do {
		n = poll(&ended, 1, kl_deadline_poll_ms(give_up));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return kl_fail(err, KL_INFRA, "process %d does not die, not even of SIGKILL",
			       (int)pid);
	do {
		n = wait4(pid, &status, 0, &usage);
	} while (n < 0 && errno == EINTR);
	take_terminal_back(pid);
	p->pid = -1;
	if (n < 0)
		return kl_fail_errno(err, errno, "lost the status of process %d", (int)pid);
	if (!ret)
		return 0;
	ret->exited = WIFEXITED(status);
	ret->status = ret->exited ? WEXITSTATUS(status) : 0;
	ret->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	ret->wall_ns = kl_now_ns() - p->started_ns;
	ret->usage = usage;
	return 0;
}
