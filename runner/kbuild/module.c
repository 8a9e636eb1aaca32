/*
 * Modules, compiled in the sandbox. The candidate's code is hostile from the
 * first #include on: the compiler sees the kernel's headers, the files of this
 * module and /usr, works in memory of its own, and can write the two results.
 * The Makefile is ours; what comes out is treated as bytes from a stranger.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/elf.h>
#include <klinic/file.h>
#include <klinic/sandbox.h>

#include "kbuild/internal.h"

#define WORK	"/tmp/m" /* inside; it is in the module's debug info, so it never changes */
#define WALL_MS 120000
#define LOG_MAX (256UL << 10)
#define KO_MAX	(64UL << 20)

static const struct kl_sandbox_limits limits = {
	.cpu_seconds = 60,
	.memory_bytes = 2ULL << 30,
	.file_bytes = 64ULL << 20,
	.processes = 64,
	.tmp_bytes = 256ULL << 20,
};

/* .began tells a build that failed from a sandbox that never ran. Kbuild writes beside its sources. */
static const char script[] = ": >/out/.began && cp -r /in " WORK " && "
			     "make -C /kernel --no-print-directory ARCH=x86 M=" WORK " modules && "
			     "objcopy --strip-debug " WORK "/\"$1\".ko " WORK "/stripped.ko && "
			     "cp " WORK "/\"$1\".ko /out/debug.ko && "
			     "mv " WORK "/stripped.ko /out/\"$1\".ko";

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static bool is_module_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n && n <= 48 && !name[n] && *name != '-';
}

int kb_module_kbuild(const char *name, const struct kl_strv *sources, struct kl_buf *ret,
		     struct kl_error *err)
{
	if (!is_module_name(name))
		return kl_fail(err, KL_CONTENT, "\"%.64s\" cannot be a module's name", name);
	kl_buf_printf(ret, "obj-m := %s.o\n", name);
	for (size_t i = 0; i < sources->n; i++) {
		const char *s = sources->v[i];
		size_t n = strlen(s);

		if (!kl_path_is_plain(s) || n < 3 || !kl_str_ends(s, ".c") ||
		    strpbrk(s, " \t#$:=\\"))
			return kl_fail(err, KL_CONTENT,
				       "module source \"%.200s\" is no plain "
				       "name of a .c file",
				       s);
		if (n - 2 != strlen(name) || strncmp(s, name, n - 2) != 0)
			kl_buf_printf(ret, "%s-y += %.*s.o\n", name, (int)(n - 2), s);
		else if (sources->n > 1)
			return kl_fail(err, KL_CONTENT,
				       "module %s has several sources, so none of them can be "
				       "called %s: rename the file or the module",
				       name, s);
	}
	kl_buf_puts(ret, "ccflags-y := -I$(src) -ffile-prefix-map=" WORK "/= "
			 "-fdebug-prefix-map=/kernel=.\n");
	return kl_buf_check(ret, "Kbuild", err);
}

static struct kl_command *sandboxed(const struct kb_module_job *job, struct kl_sandbox *s)
{
	struct kl_command *c;

	kl_sandbox_bind_ro(s, job->headers, "/kernel");
	kl_sandbox_bind_ro(s, job->in, "/in");
	kl_sandbox_bind_rw(s, job->out, "/out");
	kl_sandbox_cwd(s, "/tmp");
	c = kl_sandbox_command(s, "sh");
	if (!c)
		return NULL;
	kl_command_args(c, "-c", script, "sh", job->name, NULL);
	kl_command_stderr_to_stdout(c);
	return c;
}

/* 1 and removed when the sandbox got as far as our first command. */
static bool began(const struct kb_module_job *job)
{
	KL_AUTO_FREE char *path = kl_path_join(job->out, ".began");

	return path && !unlink(path);
}

static int judge(const struct kb_module_job *job, const struct kl_exit *end,
		 const struct kl_buf *raw, struct kb_module_end *ret, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf safe = KL_BUF_INIT;
	const char *log = kl_buf_str(raw);

	if (end->interrupted)
		return kl_fail(err, KL_INTERRUPTED, "interrupted");
	if (!began(job) && !end->timed_out) {
		kl_buf_safe(&safe, log, strcspn(log, "\n"), 300);
		return kl_fail(err, KL_INFRA,
			       "the sandbox did not start (%s); klinic doctor says what it needs",
			       *log ? kl_buf_str(&safe) : "it said nothing");
	}
	ret->ok = end->exited && !end->status;
	ret->wall_ms = end->wall_ns / 1000000;
	/* A process over its CPU limit fails the build without a word that survives the cap. */
	ret->timed_out =
		end->timed_out || (!ret->ok && ret->wall_ms >= (int64_t)limits.cpu_seconds * 1000);
	if (kb_text_without(log, WORK "/", &ret->log) ||
	    (end->out_truncated &&
	     kl_buf_puts(&ret->log, "\n[the rest of the output was cut off]\n")))
		return no_memory(err);
	return 0;
}

int kb_module_make(const struct kb_module_job *job, struct kb_module_end *ret, struct kl_error *err)
{
	KL_AUTO(kl_sandbox_destroy_p) struct kl_sandbox *s = kl_sandbox_create(&limits);
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = NULL;
	KL_AUTO(kl_buf_deinit) struct kl_buf raw = KL_BUF_CAPPED(LOG_MAX);
	struct kl_exit end;

	if (!is_module_name(job->name))
		return kl_fail(err, KL_CONTENT, "\"%.64s\" cannot be a module's name", job->name);
	c = s ? sandboxed(job, s) : NULL;
	if (!c)
		return no_memory(err);
	if (kl_command_run(c, kl_deadline_ms(WALL_MS), &raw, NULL, &end, err))
		return -1;
	return judge(job, &end, &raw, ret, err);
}

void kb_module_end_deinit(struct kb_module_end *e)
{
	kl_buf_deinit(&e->log);
}

static int put(const char *in, const char *name, const void *data, size_t len, struct kl_error *err)
{
	KL_AUTO_FREE char *path = kl_path_join(in, name);
	char *slash;

	if (!path)
		return no_memory(err);
	if (!kl_path_is_plain(name))
		return kl_fail(err, KL_CONTENT, "\"%.200s\" is no plain path", name);
	slash = strrchr(path, '/');
	*slash = '\0';
	if (kl_mkdirs(path, 0755, err))
		return -1;
	*slash = '/';
	return kl_file_write(path, data, len, 0644, err);
}

/* What kbuild would obey, and what only C reads. */
static bool compiles(const char *path)
{
	return kl_str_ends(path, ".c") || kl_str_ends(path, ".h");
}

static int put_handout(const struct kl_exercise *e, const char *sub, const char *in,
		       unsigned int depth, struct kl_error *err)
{
	KL_AUTO_FREE char *dir = kl_asprintf("%s/handout/%s", e->dir, sub);
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	if (!dir)
		return no_memory(err);
	if (kl_dir_list(dir, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_INIT;
		KL_AUTO_FREE char *rel = *sub ? kl_path_join(sub, names.v[i]) : strdup(names.v[i]);
		KL_AUTO_FREE char *path = kl_path_join(dir, names.v[i]);
		struct stat st;

		if (!rel || !path)
			return no_memory(err);
		if (lstat(path, &st))
			return kl_fail_errno(err, errno, "cannot look at %s", path);
		if (S_ISDIR(st.st_mode) && depth < 8 && put_handout(e, rel, in, depth + 1, err))
			return -1;
		/* A reproducer's .c is no source of the module. */
		if (!S_ISREG(st.st_mode) ||
		    !(kl_strv_has(&e->sources, rel) || kl_str_ends(rel, ".h")))
			continue;
		if (kl_file_read(path, KL_BUF_CAP_DEFAULT, &text, err) ||
		    put(in, rel, kl_buf_str(&text), text.len, err))
			return -1;
	}
	return 0;
}

static int lay_out(const struct kl_exercise *e, const struct kl_submission *s, const char *in,
		   struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf kbuild = KL_BUF_INIT;

	if (kb_module_kbuild(e->module, &e->sources, &kbuild, err) ||
	    put_handout(e, "", in, 0, err))
		return -1;
	for (size_t i = 0; i < s->n; i++)
		if (compiles(s->files[i].path) &&
		    put(in, s->files[i].path, s->files[i].data, s->files[i].len, err))
			return -1;
	return put(in, "Kbuild", kbuild.data, kbuild.len, err);
}

static int fill_evidence(struct kb_module_end *end, struct kl_build_evidence *b,
			 struct kl_error *err)
{
	b->timed_out = end->timed_out;
	b->wall_ms = end->wall_ms;
	if (kb_diagnostics_parse(kl_buf_str(&end->log), "", &b->diagnostics, &b->n))
		return no_memory(err);
	b->log = end->log.len ? kl_buf_steal(&end->log) : strdup("");
	return b->log ? 0 : no_memory(err);
}

/* Whatever ran in the sandbox could write here: a link would have us read a file of the host. */
static int check_output(const char *path, struct kl_error *err)
{
	struct stat st;

	if (lstat(path, &st))
		return kl_fail(err, KL_CONTENT, "the build left no %s", kl_path_base(path));
	if (!S_ISREG(st.st_mode))
		return kl_fail(err, KL_CONTENT, "the build left %s that is no regular file",
			       kl_path_base(path));
	return 0;
}

int kb_module_read(const char *ko, const char *debug_ko, struct kl_strv *ret_undefined,
		   struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf bytes = KL_BUF_INIT;

	if (check_output(ko, err) || check_output(debug_ko, err) ||
	    kl_file_read(ko, KO_MAX, &bytes, err))
		return -1;
	return kl_elf_undefined(bytes.data, bytes.len, ret_undefined, err);
}

/* A module that cannot be read is a build that failed, and says so in the build's own log. */
static int read_module(const char *dir, const char *name, struct kl_module *m,
		       struct kl_build_evidence *b, struct kl_error *err)
{
	struct kl_error bad = KL_ERROR_INIT;

	m->ko = kl_asprintf("%s/%s.ko", dir, name);
	m->debug_ko = kl_path_join(dir, "debug.ko");
	if (!m->ko || !m->debug_ko)
		return no_memory(err);
	if (!kb_module_read(m->ko, m->debug_ko, &m->undefined, &bad)) {
		b->ok = true;
		return 0;
	}
	free(b->log);
	b->log = kl_asprintf("%s\n", bad.message);
	return b->log ? 0 : no_memory(err);
}

static int build(const struct kl_exercise *e, const struct kl_kernel *k,
		 const struct kl_submission *s, struct kl_build_evidence *b, struct kl_module *m,
		 struct kl_error *err)
{
	KL_AUTO(kb_module_end_deinit) struct kb_module_end end = { 0 };
	KL_AUTO(kl_tempdir_destroy_p) char *work = NULL;
	KL_AUTO_FREE char *in = NULL;
	struct kb_module_job job = { .headers = k->headers, .name = e->module };

	if (kl_tempdir_create(&work, err) || kl_tempdir_create(&m->dir, err))
		return -1;
	in = kl_path_join(work, "in");
	if (!in)
		return no_memory(err);
	job.in = in;
	job.out = m->dir;
	if (kl_mkdirs(in, 0755, err) || lay_out(e, s, in, err) || kb_module_make(&job, &end, err) ||
	    fill_evidence(&end, b, err))
		return -1;
	return end.ok ? read_module(m->dir, e->module, m, b, err) : 0;
}

int kl_module_build(const struct kl_exercise *e, const struct kl_kernel *k,
		    const struct kl_submission *s, struct kl_build_evidence *ret_build,
		    struct kl_module *ret, struct kl_error *err)
{
	KL_AUTO(kl_module_deinit) struct kl_module m = { 0 };
	struct kl_build_evidence b = { .flavour = strdup(k->flavour) };
	int failed = b.flavour ? build(e, k, s, &b, &m, err) : no_memory(err);

	*ret_build = b;
	if (failed)
		return -1;
	if (b.ok) {
		*ret = m;
		m = (struct kl_module){ 0 };
	}
	return 0;
}

void kl_module_deinit(struct kl_module *m)
{
	free(m->ko);
	free(m->debug_ko);
	kl_tempdir_destroy(m->dir);
	kl_strv_deinit(&m->undefined);
	*m = (struct kl_module){ 0 };
}
