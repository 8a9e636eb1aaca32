/*
 * Check programs: one source, compiled for the guest with the kit and for the
 * host as the oracle. The source is the exercise author's and trusted; a mistake
 * in it is told with its place. That of an exercise without its hidden half comes
 * from a workspace, which is its candidate's: it is compiled in the sandbox.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>
#include <klinic/sandbox.h>

#include "kbuild/internal.h"

#define TOOL_MS	    120000
#define MESSAGE_MAX (256UL << 10)

static const struct kl_sandbox_limits limits = {
	.cpu_seconds = 60,
	.memory_bytes = 2UL << 30,
	.file_bytes = 64UL << 20,
	.processes = 64,
};

/* Paths are absolute: they are the same inside a sandbox. */
struct program_build {
	char *source; /* of the check */
	char *handout;
	char *checks; /* hidden/checks; NULL without a hidden half */
	char *runner, *include;
};

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static void program_build_deinit(struct program_build *p)
{
	free(p->source);
	free(p->handout);
	free(p->checks);
	free(p->runner);
	free(p->include);
}

static int make_absolute(char **path, struct kl_error *err)
{
	char *real = realpath(*path, NULL);

	if (!real)
		return kl_fail_errno(err, errno, "cannot find %s", *path);
	free(*path);
	*path = real;
	return 0;
}

static int locate(const struct kl_exercise *e, const struct kl_check *c, struct program_build *p,
		  struct kl_error *err)
{
	p->source = kl_path_join(e->dir, c->program);
	p->handout = kl_path_join(e->dir, "handout");
	p->checks = e->whole ? kl_path_join(e->dir, "hidden/checks") : NULL;
	if (!p->source || !p->handout || (e->whole && !p->checks))
		return no_memory(err);
	if (kl_content_dir("runner", &p->runner, err) ||
	    kl_content_dir("include", &p->include, err))
		return -1;
	if (e->whole)
		return 0;
	return make_absolute(&p->source, err) || make_absolute(&p->handout, err) ||
			       make_absolute(&p->runner, err) || make_absolute(&p->include, err)
		       ? -1
		       : 0;
}

static int digest_tree(struct kl_digest *d, const char *label, const char *dir,
		       struct kl_error *err)
{
	return dir && kl_file_is_dir(dir) ? kl_digest_tree(d, label, dir, err) : 0;
}

/* Everything that the source can include, not only what it does: cheap, and never stale. */
static int digest(const struct program_build *p, const char *name, char ret[KL_DIGEST_HEX],
		  struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };
	KL_AUTO_FREE char *compiler = NULL, *guest = kl_path_join(p->runner, "guest");
	KL_AUTO_FREE char *api = kl_path_join(p->include, "klinic/check.h");

	if (!guest || !api)
		return no_memory(err);
	if (kb_compiler(&compiler, err) || kl_digest_init(&d, err))
		return -1;
	kl_digest_text(&d, "recipe", KB_RECIPE_VERSION);
	kl_digest_text(&d, "compiler", compiler);
	kl_digest_text(&d, "program", name);
	/* What a candidate's copy made is never what a grader takes. */
	if (!p->checks)
		kl_digest_text(&d, "half", "public");
	if (kl_digest_file(&d, "source", p->source, err) ||
	    digest_tree(&d, "handout", p->handout, err) ||
	    digest_tree(&d, "checks", p->checks, err) || digest_tree(&d, "kit", guest, err) ||
	    kl_digest_file(&d, "check.h", api, err))
		return -1;
	kl_digest_final(&d, ret);
	return 0;
}

/* The first error among gcc's words, as an error of ours. */
static int complain(const struct program_build *p, const char *words, struct kl_error *err)
{
	struct kl_diagnostic *v = NULL;
	size_t n = 0, i = 0;

	if (kb_diagnostics_parse(words, "", &v, &n))
		return no_memory(err);
	while (i < n && !kl_str_eq(v[i].severity, "error"))
		i++;
	if (i < n)
		kl_fail_at(err, v[i].file, v[i].line, v[i].column, "%s", v[i].text);
	else
		kl_fail_at(err, p->source, 0, 0, "does not link: %.1000s", words);
	kb_diagnostics_free(v, n);
	return -1;
}

static struct kl_command *sandboxed_gcc(const struct program_build *p, const char *dir)
{
	KL_AUTO(kl_sandbox_destroy_p) struct kl_sandbox *s = kl_sandbox_create(&limits);
	const char *const seen[] = { p->handout, p->runner, p->include };

	for (size_t i = 0; i < KL_ARRAY_SIZE(seen); i++)
		kl_sandbox_bind_ro(s, seen[i], seen[i]);
	kl_sandbox_bind_rw(s, dir, dir);
	kl_sandbox_cwd(s, "/tmp");
	return kl_sandbox_command(s, "gcc");
}

/* Into the file NAME of dir, which is the same inside a sandbox. */
static int compile(const struct program_build *p, bool guest, const char *dir, int lock_fd,
		   struct kl_error *err)
{
	KL_AUTO(kl_command_destroy_p)
	struct kl_command *c = p->checks ? kb_tool("gcc", lock_fd) : sandboxed_gcc(p, dir);
	KL_AUTO(kl_buf_deinit) struct kl_buf words = KL_BUF_CAPPED(MESSAGE_MAX);
	struct kl_exit end;

	if (!c)
		return no_memory(err);
	kl_command_args(c, "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-pthread", "-Wall", "-I",
			p->include, "-I", p->runner, "-I", p->handout, NULL);
	if (p->checks)
		kl_command_args(c, "-I", p->checks, NULL);
	if (guest)
		kl_command_args(c, "-DKL_GUEST", "-static", "-s", NULL);
	else
		kl_command_arg(c, "-DKL_ORACLE");
	kl_command_arg(c, "-o");
	kl_command_argf(c, "%s/%s", dir, guest ? "guest" : "oracle");
	kl_command_arg(c, p->source);
	kl_command_argf(c, "%s/guest/%s", p->runner, guest ? "kit.c" : "oracle.c");
	if (kl_command_run(c, kl_deadline_ms(TOOL_MS), NULL, &words, &end, err))
		return -1;
	if (end.interrupted)
		return kl_fail(err, KL_INTERRUPTED, "interrupted");
	if (end.timed_out)
		return kl_fail_at(err, p->source, 0, 0, "did not compile in %d seconds",
				  TOOL_MS / 1000);
	return end.exited && !end.status ? 0 : complain(p, kl_buf_str(&words), err);
}

static int build_program(const char *dir, int lock_fd, void *arg, json_t **ret_stamp,
			 struct kl_error *err)
{
	const struct program_build *p = arg;

	if (compile(p, true, dir, lock_fd, err) || compile(p, false, dir, lock_fd, err))
		return -1;
	*ret_stamp = json_pack("{s:o}", "source", kl_json_text(p->source));
	return *ret_stamp ? 0 : no_memory(err);
}

int kl_program_build(const struct kl_exercise *e, const struct kl_check *c, char **ret_program,
		     char **ret_oracle, struct kl_error *err)
{
	KL_AUTO(program_build_deinit) struct program_build p = { 0 };
	KL_AUTO_FREE char *programs = NULL, *dir = NULL, *guest = NULL, *oracle = NULL;
	char hex[KL_DIGEST_HEX];

	if (locate(e, c, &p, err) || digest(&p, c->program, hex, err) ||
	    kl_cache_dir("programs", &programs, err))
		return -1;
	dir = kl_path_join(programs, hex);
	if (!dir)
		return no_memory(err);
	if (kb_entry_make(dir, build_program, &p, NULL, err))
		return -1;
	guest = kl_path_join(dir, "guest");
	oracle = kl_path_join(dir, "oracle");
	if (!guest || !oracle)
		return no_memory(err);
	*ret_program = kl_take(guest);
	*ret_oracle = kl_take(oracle);
	return 0;
}
