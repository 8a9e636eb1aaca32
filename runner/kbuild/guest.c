/*
 * What klinic itself brings into the guest: the agent, as /init of an initramfs,
 * and modules for one kernel, the schedule driver and the canary. Built from
 * runner/guest when their sources or the compiler are new; a change there costs
 * seconds and not a kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

#define GUEST_DIR  "runner/guest"
#define SOURCE_MAX (1UL << 20)
#define TOOL_MS	   120000

static const struct guest_module {
	const char *source, *name;
} sched = { "sched.c", "klinic_sched" }, canary = { "canary.c", "klinic_canary" };

struct guest_build {
	char *guest; /* runner/guest */
	char *runner; /* for -I */
	char *include;
	const char *headers; /* of the kernel */
};

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static void guest_build_deinit(struct guest_build *g)
{
	free(g->guest);
	free(g->runner);
	free(g->include);
}

/* What runs in the guest from its boot on, and every header that it may include. */
static int digest_sources(const struct guest_build *g, const char *kernel, const char *compiler,
			  char ret[KL_DIGEST_HEX], struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO_FREE char *check = kl_path_join(g->include, "klinic/check.h");

	if (!check)
		return no_memory(err);
	if (kl_dir_list(g->guest, &names, err) || kl_digest_init(&d, err))
		return -1;
	kl_digest_text(&d, "recipe", KB_RECIPE_VERSION);
	kl_digest_text(&d, "kernel", kernel);
	kl_digest_text(&d, "compiler", compiler);
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *path = kl_path_join(g->guest, names.v[i]);

		if (!path)
			return no_memory(err);
		if (!kl_str_ends(names.v[i], ".h") && !kl_str_eq(names.v[i], "agent.c") &&
		    !kl_str_eq(names.v[i], sched.source) && !kl_str_eq(names.v[i], canary.source))
			continue;
		if (kl_digest_file(&d, names.v[i], path, err))
			return -1;
	}
	if (kl_digest_file(&d, "check.h", check, err))
		return -1;
	kl_digest_final(&d, ret);
	return 0;
}

static int compile_agent(const struct guest_build *g, const char *to, int lock_fd,
			 struct kl_error *err)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kb_tool("gcc", lock_fd);
	KL_AUTO_FREE char *source = kl_path_join(g->guest, "agent.c");

	if (!c || !source)
		return no_memory(err);
	kl_command_args(c, "-std=gnu11", "-D_GNU_SOURCE", "-static", "-O2", "-s", "-I", g->runner,
			"-I", g->include, NULL);
	kl_command_argf(c, "-ffile-prefix-map=%s=guest", g->guest);
	kl_command_args(c, "-o", to, source, NULL);
	if (kl_command_check(c, kl_deadline_ms(TOOL_MS), NULL, KL_INFRA, err))
		return kl_error_prepend(err, "cannot compile the guest's agent");
	return 0;
}

/* The same second for all, so that equal sources give equal archives. */
static int set_time(const char *root, const char *name, struct kl_error *err)
{
	const struct timespec when[2] = { { .tv_sec = 0 }, { .tv_sec = 0 } };
	KL_AUTO_FREE char *path = kl_path_join(root, name);

	if (!path)
		return no_memory(err);
	if (utimensat(AT_FDCWD, path, when, 0))
		return kl_fail_errno(err, errno, "cannot set the time of %s", path);
	return 0;
}

static int pack(const char *root, const char *to, int lock_fd, struct kl_error *err)
{
	static const char *const folders[] = { "dev", "proc", "run", "sys", "tmp" };
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kb_tool("cpio", lock_fd);
	KL_AUTO(kl_buf_deinit) struct kl_buf list = KL_BUF_INIT;

	if (!c)
		return no_memory(err);
	for (size_t i = 0; i < KL_ARRAY_SIZE(folders); i++) {
		KL_AUTO_FREE char *path = kl_path_join(root, folders[i]);

		if (!path)
			return no_memory(err);
		if (kl_mkdirs(path, 0755, err) || set_time(root, folders[i], err))
			return -1;
		kl_buf_printf(&list, "%s\n", folders[i]);
	}
	kl_buf_puts(&list, "init\n");
	if (set_time(root, "init", err) || kl_buf_check(&list, "the list of files", err))
		return -1;
	kl_command_args(c, "--create", "--format=newc", "--reproducible", "--owner=+0:+0",
			"--quiet", NULL);
	kl_command_argf(c, "--file=%s", to);
	kl_command_cwd(c, root);
	kl_command_stdin_data(c, list.data, list.len);
	return kl_command_check(c, kl_deadline_ms(TOOL_MS), NULL, KL_INFRA, err);
}

static int make_initramfs(const struct guest_build *g, const char *dir, int lock_fd,
			  struct kl_error *err)
{
	KL_AUTO(kl_tempdir_destroy_p) char *root = NULL;
	KL_AUTO_FREE char *init = NULL, *to = kl_path_join(dir, "initramfs");

	if (kl_tempdir_create(&root, err))
		return -1;
	init = kl_path_join(root, "init");
	if (!init || !to)
		return no_memory(err);
	return compile_agent(g, init, lock_fd, err) ? -1 : pack(root, to, lock_fd, err);
}

/* Its source and the headers beside it, as an exercise's handout would be. */
static int lay_out_module(const struct guest_build *g, const struct guest_module *m, const char *in,
			  struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 }, sources = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf kbuild = KL_BUF_INIT;
	KL_AUTO_FREE char *path = kl_path_join(in, "Kbuild");

	if (!path || kl_strv_add(&sources, m->source))
		return no_memory(err);
	if (kl_dir_list(g->guest, &names, err) ||
	    kb_module_kbuild(m->name, &sources, &kbuild, err) ||
	    kl_file_write(path, kbuild.data, kbuild.len, 0644, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *from = kl_path_join(g->guest, names.v[i]);
		KL_AUTO_FREE char *to = kl_path_join(in, names.v[i]);

		if (!from || !to)
			return no_memory(err);
		if (!kl_str_ends(names.v[i], ".h") && !kl_str_eq(names.v[i], m->source))
			continue;
		if (kl_file_copy(from, to, 0644, err))
			return -1;
	}
	return 0;
}

static int make_module(const struct guest_build *g, const struct guest_module *m, const char *dir,
		       struct kl_error *err)
{
	KL_AUTO(kl_tempdir_destroy_p) char *work = NULL;
	KL_AUTO(kb_module_end_deinit) struct kb_module_end end = { 0 };
	KL_AUTO_FREE char *in = NULL;

	if (kl_tempdir_create(&work, err))
		return -1;
	in = kl_path_join(work, "in");
	if (!in)
		return no_memory(err);
	if (kl_mkdirs(in, 0755, err) || lay_out_module(g, m, in, err))
		return -1;
	struct kb_module_job job = { g->headers, in, dir, m->name };

	if (kb_module_make(&job, &end, err))
		return -1;
	if (!end.ok)
		return kl_fail(err, KL_INFRA, "cannot compile %s for the guest: %.1200s", m->source,
			       kl_buf_str(&end.log));
	return 0;
}

static int build_guest(const char *dir, int lock_fd, void *arg, json_t **ret_stamp,
		       struct kl_error *err)
{
	const struct guest_build *g = arg;

	if (make_initramfs(g, dir, lock_fd, err) || make_module(g, &sched, dir, err) ||
	    make_module(g, &canary, dir, err))
		return -1;
	*ret_stamp = json_pack("{s:s}", "parts", "initramfs klinic_sched.ko klinic_canary.ko");
	return *ret_stamp ? 0 : no_memory(err);
}

int kb_guest_open(const char *kernel_digest, const char *compiler, struct kl_kernel *k,
		  struct kl_error *err)
{
	KL_AUTO(guest_build_deinit) struct guest_build g = { .headers = k->headers };
	KL_AUTO_FREE char *guests = kl_path_join(k->dir, "guest"), *dir = NULL;

	if (!guests)
		return no_memory(err);
	if (kl_content_dir(GUEST_DIR, &g.guest, err) || kl_content_dir("runner", &g.runner, err) ||
	    kl_content_dir("include", &g.include, err) || kl_mkdirs(guests, 0700, err) ||
	    digest_sources(&g, kernel_digest, compiler, k->digest, err))
		return -1;
	dir = kl_path_join(guests, k->digest);
	if (!dir)
		return no_memory(err);
	if (kb_entry_make(dir, build_guest, &g, NULL, err))
		return -1;
	k->initramfs = kl_path_join(dir, "initramfs");
	k->sched_ko = kl_asprintf("%s/%s.ko", dir, sched.name);
	k->canary_ko = kl_asprintf("%s/%s.ko", dir, canary.name);
	return k->initramfs && k->sched_ko && k->canary_ko ? 0 : no_memory(err);
}
