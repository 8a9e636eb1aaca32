/*
 * bubblewrap's argument list, and the limits around it.
 *
 * Beyond what bwrap(1) does by default: / and /dev become read-only once
 * everything is mounted, because both are memory that no limit counts; inside,
 * no further user namespace can be made; a crash leaves no core, not even in
 * the host's core_pattern pipe.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/sandbox.h>

#include "proc/child.h"

#define TMP_BYTES_DEFAULT (64UL << 20)
#define PROBE_MS	  20000

struct kl_sandbox {
	struct kl_sandbox_limits limits;
	struct kl_strv binds; /* option, host, inside, … */
	struct kl_strv env; /* name, value, … */
	char *cwd;
	bool failed; /* out of memory while building */
};

struct kl_sandbox *kl_sandbox_create(const struct kl_sandbox_limits *limits)
{
	struct kl_sandbox *s = calloc(1, sizeof(*s));

	if (s && limits)
		s->limits = *limits;
	return s;
}

void kl_sandbox_destroy(struct kl_sandbox *s)
{
	if (!s)
		return;
	kl_strv_deinit(&s->binds);
	kl_strv_deinit(&s->env);
	free(s->cwd);
	free(s);
}

void kl_sandbox_destroy_p(struct kl_sandbox **s)
{
	kl_sandbox_destroy(*s);
}

static void add(struct kl_sandbox *s, struct kl_strv *to, const char *a, const char *b,
		const char *c)
{
	const char *const all[] = { a, b, c };

	for (size_t i = 0; i < KL_ARRAY_SIZE(all); i++)
		if (all[i] && kl_strv_add(to, all[i]) < 0)
			s->failed = true;
}

void kl_sandbox_bind_ro(struct kl_sandbox *s, const char *host, const char *inside)
{
	if (s)
		add(s, &s->binds, "--ro-bind", host, inside);
}

void kl_sandbox_bind_rw(struct kl_sandbox *s, const char *host, const char *inside)
{
	if (s)
		add(s, &s->binds, "--bind", host, inside);
}

void kl_sandbox_env(struct kl_sandbox *s, const char *name, const char *value)
{
	if (s)
		add(s, &s->env, name, value, NULL);
}

void kl_sandbox_cwd(struct kl_sandbox *s, const char *inside)
{
	if (!s)
		return;
	free(s->cwd);
	s->cwd = strdup(inside);
	s->failed |= !s->cwd;
}

static void isolate(struct kl_command *c)
{
	/* --unshare-all alone would go on without a user namespace when run by root. */
	kl_command_args(c, "--unshare-all", "--unshare-user", "--disable-userns",
			"--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname",
			"klinic", NULL);
}

static void mount_system(const struct kl_sandbox *s, struct kl_command *c)
{
	uint64_t tmp = s->limits.tmp_bytes ? s->limits.tmp_bytes : TMP_BYTES_DEFAULT;

	kl_command_args(c, "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink",
			"usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib", "--symlink",
			"usr/lib64", "/lib64", NULL);
	/* awk and cc are links into it. */
	kl_command_args(c, "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", NULL);
	kl_command_args(c, "--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", NULL);
	kl_command_argf(c, "%llu", (unsigned long long)tmp);
	kl_command_args(c, "--tmpfs", "/tmp", NULL);
}

static void set_env(const struct kl_sandbox *s, struct kl_command *c)
{
	kl_command_args(c, "--clearenv", "--setenv", "PATH", "/usr/bin:/bin:/usr/sbin:/sbin",
			"--setenv", "LC_ALL", "C", "--setenv", "HOME", "/tmp", NULL);
	for (size_t i = 0; i + 1 < s->env.n; i += 2)
		kl_command_args(c, "--setenv", s->env.v[i], s->env.v[i + 1], NULL);
}

static void limit(struct kl_command *c, int resource, uint64_t value)
{
	if (value)
		kl_command_rlimit(c, resource, (rlim_t)value);
}

/* Set on bwrap and inherited; without CAP_SYS_RESOURCE on the host nobody inside can raise them. */
static void set_limits(const struct kl_sandbox *s, struct kl_command *c)
{
	limit(c, RLIMIT_CPU, s->limits.cpu_seconds);
	limit(c, RLIMIT_AS, s->limits.memory_bytes);
	limit(c, RLIMIT_FSIZE, s->limits.file_bytes);
	/* 1, not 0: fs/coredump.c ignores the limit for a core_pattern pipe unless it is 1. */
	kl_command_rlimit(c, RLIMIT_CORE, 1);
	c->first_to_die = true;
}

/* A program that the host's /usr lacks is missing inside as well: say so in our words, not bwrap's. */
static void check_installed(struct kl_command *c, const char *program)
{
	struct kl_error missing = KL_ERROR_INIT;
	KL_AUTO_FREE char *found = NULL;

	if (kl_program_find(program, &found, &missing) < 0)
		kl_command_defer(c, missing.class, "%s", missing.message);
}

struct kl_command *kl_sandbox_command(const struct kl_sandbox *s, const char *program)
{
	struct kl_command *c = s ? kl_command_create("bwrap") : NULL;

	if (!c)
		return NULL;
	if (s->failed)
		kl_command_defer(c, KL_INFRA, "out of memory while preparing the sandbox");
	kl_command_env_clear(c);
	isolate(c);
	mount_system(s, c);
	for (size_t i = 0; i < s->binds.n; i++)
		kl_command_arg(c, s->binds.v[i]);
	kl_command_args(c, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir",
			s->cwd ? s->cwd : "/", NULL);
	set_env(s, c);
	set_limits(s, c);
	kl_command_arg(c, "--");
	if (s->limits.processes) {
		/*
		 * Processes are counted per user and user namespace, and each outer
		 * namespace against the limit of the process that made the inner one:
		 * set on bwrap, it would count everything that the user runs.
		 */
		kl_command_arg(c, "/usr/bin/prlimit");
		kl_command_argf(c, "--nproc=%llu", (unsigned long long)s->limits.processes);
		kl_command_arg(c, "--");
	}
	kl_command_arg(c, program);
	check_installed(c, program);
	return c;
}

int kl_sandbox_probe(struct kl_error *err)
{
	KL_AUTO(kl_sandbox_destroy_p) struct kl_sandbox *s = kl_sandbox_create(NULL);
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kl_sandbox_command(s, "true");
	KL_AUTO(kl_buf_deinit) struct kl_buf words = KL_BUF_CAPPED(4096);
	KL_AUTO(kl_buf_deinit) struct kl_buf safe = KL_BUF_INIT;
	struct kl_exit e;

	if (kl_command_run(c, kl_deadline_ms(PROBE_MS), NULL, &words, &e, err) < 0)
		return -1;
	if (e.exited && !e.status)
		return 0;
	while (words.len && words.data[words.len - 1] == '\n')
		words.data[--words.len] = '\0';
	kl_buf_safe(&safe, kl_buf_str(&words), words.len, 300);
	return kl_fail(err, KL_INFRA,
		       "the sandbox does not start (%s): user namespaces must be allowed: "
		       "sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000; "
		       "in a container, run it with user namespaces and an unmasked /proc",
		       words.len ? kl_buf_str(&safe) : "bwrap said nothing");
}
