/*
 * Kernels: from a recipe to kernels/<digest>/, which holds
 *
 *	tree/		the source, as hard links, built in place: paths inside the image
 *			and in its debug info are relative, whoever built it and where
 *	headers/	what a module build may see of it
 *	vmlinux, bzImage, Module.symvers, config
 *	guest/<digest>/	initramfs and schedule driver for it
 *	flavour		its name, for those who find an unfinished one
 *	ready		the stamp
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

#define BUILD_SPACE  (6ULL << 30)
#define CONFIG_MAX   (4UL << 20)
#define LOG_MAX	     (8UL << 20)
#define TYPICAL_STEP 1580 /* lines of make for flavour kasan, and what they take on one CPU */
#define TYPICAL_MS   600000

struct kernel_build {
	const struct kb_recipe *recipe;
	struct kb_progress progress;
	unsigned long expected_steps;
	const char *dir;
	char *tree;
	int lock_fd;
};

static unsigned int cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : (unsigned int)CPU_COUNT(&set);
}

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

/* make(1) in the tree, so that nothing of this machine, user or hour gets into the image. */
static struct kl_command *make(const struct kernel_build *b)
{
	struct kl_command *c = kb_tool("make", b->lock_fd);

	if (!c)
		return NULL;
	kl_command_args(c, "-C", b->tree, "--no-print-directory", "ARCH=x86", NULL);
	kl_command_argf(c, "-j%u", cpus());
	kl_command_argf(c, "LOCALVERSION=-klinic-%s", b->recipe->flavour);
	kl_command_argf(c, "KCFLAGS=-fdebug-prefix-map=%s=.", b->tree);
	kl_command_argf(c, "KAFLAGS=-fdebug-prefix-map=%s=.", b->tree);
	kl_command_env(c, "KBUILD_BUILD_TIMESTAMP", "Thu Jan  1 00:00:00 UTC 2026");
	kl_command_env(c, "KBUILD_BUILD_USER", "klinic");
	kl_command_env(c, "KBUILD_BUILD_HOST", "klinic");
	kl_command_env(c, "KBUILD_BUILD_VERSION", "1");
	return c;
}

/* Runs make for targets; its words stay in LOG beside the entry when it fails. */
static int run_make(struct kernel_build *b, const char *target, const char *also,
		    struct kl_error *err)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = make(b);
	KL_AUTO(kl_buf_deinit) struct kl_buf out = KL_BUF_CAPPED(LOG_MAX);
	KL_AUTO(kl_buf_deinit) struct kl_buf said = KL_BUF_CAPPED(LOG_MAX);
	KL_AUTO_FREE char *log = kl_asprintf("%s.log", b->dir);
	struct kl_exit end;

	if (!c || !log)
		return no_memory(err);
	unlink(log);
	kl_command_args(c, target, also, NULL);
	kl_command_on_line(c, kb_progress_line, &b->progress);
	if (kl_command_run(c, KL_FOREVER, &out, &said, &end, err))
		return -1;
	if (end.interrupted)
		return kl_fail(err, KL_INTERRUPTED, "interrupted");
	if (end.exited && !end.status)
		return 0;
	kl_buf_puts(&out, kl_buf_str(&said));
	kl_file_write(log, kl_buf_str(&out), out.len, 0600, NULL);
	return kl_fail(err, KL_INFRA, "make %s of kernel %s failed; what it said stands in %s",
		       target, b->recipe->flavour, log);
}

static int apply_patches(struct kernel_build *b, struct kl_error *err)
{
	for (size_t i = 0; i < b->recipe->patches.n; i++) {
		KL_AUTO(kl_command_destroy_p)
		struct kl_command *c = kb_tool("patch", b->lock_fd);
		const char *patch = b->recipe->patches.v[i];

		if (!c)
			return no_memory(err);
		/* patch(1) renames a new file into place: the link to sources/ is cut, not followed. */
		kl_command_args(c, "-p1", "--batch", "--forward", "--fuzz=0",
				"--no-backup-if-mismatch", "-d", b->tree, "-i", patch, NULL);
		if (kl_command_check(c, KL_FOREVER, NULL, KL_CONTENT, err))
			return kl_error_prepend(err, "%s does not apply", patch);
	}
	return 0;
}

static int lay_out(struct kernel_build *b, struct kl_error *err)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kb_tool("cp", b->lock_fd);
	KL_AUTO_FREE char *source = NULL, *flavour = kl_path_join(b->dir, "flavour");

	kb_progress_phase(&b->progress, "unpack", 0);
	if (!c || !flavour)
		return no_memory(err);
	if (kl_file_write(flavour, b->recipe->flavour, strlen(b->recipe->flavour), 0600, err) ||
	    kb_source_open(b->recipe->source, b->recipe->source_digest, &source, err))
		return -1;
	kl_command_args(c, "-a", "-l", "--", source, b->tree, NULL);
	if (kl_command_check(c, KL_FOREVER, NULL, KL_INFRA, err))
		return kl_error_prepend(err, "cannot lay out the kernel's source");
	return apply_patches(b, err);
}

static int configure(struct kernel_build *b, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf config = KL_BUF_INIT;
	KL_AUTO_FREE char *path = kl_path_join(b->tree, ".config");
	const char *fragment = kl_buf_str(&b->recipe->config);

	kb_progress_phase(&b->progress, "configure", 0);
	if (!path)
		return no_memory(err);
	if (run_make(b, "tinyconfig", NULL, err) || kl_file_read(path, CONFIG_MAX, &config, err))
		return -1;
	/* Of two lines with one name kconfig takes the later. */
	kl_buf_puts(&config, "\n");
	kl_buf_puts(&config, fragment);
	if (kl_buf_check(&config, "the kernel's configuration", err) ||
	    kl_file_write(path, config.data, config.len, 0644, err) ||
	    run_make(b, "olddefconfig", NULL, err) || kl_file_read(path, CONFIG_MAX, &config, err))
		return -1;
	return kb_fragment_verify(b->recipe->fragment, fragment, kl_buf_str(&config), err);
}

static int compile(struct kernel_build *b, struct kl_error *err)
{
	kb_progress_phase(&b->progress, "compile", b->expected_steps);
	return run_make(b, "bzImage", "modules", err);
}

/* In-tree builds to come replace these in the tree; the entry keeps its own. */
static int keep(const struct kernel_build *b, struct kl_error *err)
{
	static const char *const files[][2] = { { "vmlinux", "vmlinux" },
						{ "arch/x86/boot/bzImage", "bzImage" },
						{ "Module.symvers", "Module.symvers" },
						{ ".config", "config" } };

	for (size_t i = 0; i < KL_ARRAY_SIZE(files); i++) {
		KL_AUTO_FREE char *from = kl_path_join(b->tree, files[i][0]);
		KL_AUTO_FREE char *to = kl_path_join(b->dir, files[i][1]);

		if (!from || !to)
			return no_memory(err);
		if (kl_file_copy(from, to, 0644, err))
			return kl_error_prepend(err, "the kernel build left no %s", files[i][0]);
	}
	return 0;
}

static int64_t size_of(const char *dir, const char *name)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, name);
	struct stat st;

	return path && !stat(path, &st) ? st.st_size : -1;
}

static int stamp(const struct kernel_build *b, json_t **ret, struct kl_error *err)
{
	const struct kb_recipe *r = b->recipe;
	KL_AUTO_FREE char *path = kl_path_join(b->tree, "include/config/kernel.release");
	KL_AUTO(kl_buf_deinit) struct kl_buf release = KL_BUF_INIT;

	if (!path)
		return no_memory(err);
	if (kl_file_read(path, 256, &release, err))
		return -1;
	release.data[strcspn(kl_buf_str(&release), "\n")] = '\0';
	*ret = json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:i, s:I, s:I, s:I, s:I, s:I}", "flavour", r->flavour,
		"release", kl_buf_str(&release), "source_digest", r->source_digest, "compiler",
		kl_json_text(r->compiler), "source", kl_json_text(r->source), "patches",
		(int)r->patches.n, "steps", (json_int_t)b->progress.compiled, "build_ms",
		(json_int_t)((kl_now_ns() - b->progress.began_ns) / 1000000), "built_at",
		(json_int_t)time(NULL), "bzimage_bytes", (json_int_t)size_of(b->dir, "bzImage"),
		"vmlinux_bytes", (json_int_t)size_of(b->dir, "vmlinux"));
	return *ret ? 0 : no_memory(err);
}

static char *estimate_path(const char *flavour)
{
	KL_AUTO_FREE char *dir = NULL;

	return kl_cache_dir("kernels", &dir, NULL) ? NULL
						   : kl_asprintf("%s/%s.estimate", dir, flavour);
}

static void recall(struct kernel_build *b)
{
	KL_AUTO_FREE char *path = estimate_path(b->recipe->flavour);
	KL_AUTO_JSON json_t *j = NULL;
	json_int_t steps = 0, ms = 0;

	b->expected_steps = TYPICAL_STEP;
	b->progress.expected_ms = TYPICAL_MS / cpus();
	if (!path || kl_json_load(path, 4096, &j, NULL) ||
	    json_unpack(j, "{s:I, s:I}", "steps", &steps, "build_ms", &ms) || steps <= 0 || ms <= 0)
		return;
	b->expected_steps = (unsigned long)steps;
	b->progress.expected_ms = ms;
}

/* The next build of the flavour expects what this one took. Only a convenience: no error. */
static void remember(const struct kernel_build *b)
{
	KL_AUTO_FREE char *path = estimate_path(b->recipe->flavour);
	KL_AUTO_JSON json_t *j =
		json_pack("{s:I, s:I}", "steps", (json_int_t)b->progress.compiled, "build_ms",
			  (json_int_t)((kl_now_ns() - b->progress.began_ns) / 1000000));

	if (path && j)
		kl_json_write(j, path, NULL);
}

static int build_kernel(const char *dir, int lock_fd, void *arg, json_t **ret_stamp,
			struct kl_error *err)
{
	struct kernel_build *b = arg;
	KL_AUTO_FREE char *tree = kl_path_join(dir, "tree");
	KL_AUTO_FREE char *headers = kl_path_join(dir, "headers");

	if (!tree || !headers)
		return no_memory(err);
	b->dir = dir;
	b->tree = tree;
	b->lock_fd = lock_fd;
	b->progress.began_ns = kl_now_ns();
	recall(b);
	if (kb_need_space(dir, BUILD_SPACE, "building a kernel", err) || lay_out(b, err) ||
	    configure(b, err) || compile(b, err))
		return -1;
	kb_progress_phase(&b->progress, "headers", 0);
	if (keep(b, err) || kb_headers_make(tree, headers, err) || stamp(b, ret_stamp, err))
		return -1;
	remember(b);
	return 0;
}

int kb_kernel_dir(const char *digest, char **ret, struct kl_error *err)
{
	KL_AUTO_FREE char *kernels = NULL;

	if (kl_cache_dir("kernels", &kernels, err))
		return -1;
	*ret = kl_path_join(kernels, digest);
	return *ret ? 0 : no_memory(err);
}

/* A stamp is believed as long as the images are what it says. */
static bool whole(const char *dir, json_t **ret_stamp)
{
	KL_AUTO_JSON json_t *j = NULL;
	json_int_t bzimage, vmlinux;
	const char *release;

	if (!kb_entry_ready(dir, &j) ||
	    json_unpack(j, "{s:s, s:I, s:I}", "release", &release, "bzimage_bytes", &bzimage,
			"vmlinux_bytes", &vmlinux))
		return false;
	if (size_of(dir, "bzImage") != bzimage || size_of(dir, "vmlinux") != vmlinux ||
	    size_of(dir, "headers/Module.symvers") < 0)
		return false;
	*ret_stamp = kl_take(j);
	return true;
}

/* Waits for whoever builds it now, and takes the stamp from a kernel that is no longer whole. */
static int prepare(const char *dir, struct kb_progress *p, struct kl_error *err)
{
	KL_AUTO_CLOSE int lock = -1;
	KL_AUTO_FREE char *ready = kl_path_join(dir, "ready");
	KL_AUTO_FREE char *path = kl_asprintf("%s.lock", dir);
	KL_AUTO_JSON json_t *j = NULL;

	if (!ready || !path)
		return no_memory(err);
	p->began_ns = kl_now_ns();
	if (!kl_try_lock(path, &lock, NULL)) {
		kb_progress_phase(p, "wait", 0);
		if (kb_entry_lock(dir, &lock, err))
			return -1;
	}
	if (!whole(dir, &j))
		unlink(ready);
	return 0;
}

static int find_or_build(const struct kb_recipe *r, const char *dir, bool build,
			 kl_progress_fn progress, void *arg, json_t **ret_stamp,
			 struct kl_error *err)
{
	struct kernel_build b = { .recipe = r, .progress = { .fn = progress, .arg = arg } };

	if (whole(dir, ret_stamp))
		return 0;
	if (!build)
		return kl_fail(err, KL_INFRA,
			       "kernel %s is not built (or no longer whole): run klinic kernel "
			       "build %s",
			       r->flavour, r->flavour);
	if (prepare(dir, &b.progress, err) || kb_entry_make(dir, build_kernel, &b, ret_stamp, err))
		return kl_error_prepend(err, "kernel %s", r->flavour);
	return 0;
}

static int fill(const struct kb_recipe *r, const char *dir, const json_t *j, struct kl_kernel *k,
		struct kl_error *err)
{
	const char *release = json_string_value(json_object_get(j, "release"));

	k->flavour = strdup(r->flavour);
	k->release = strdup(release ? release : "?");
	k->dir = strdup(dir);
	k->bzimage = kl_path_join(dir, "bzImage");
	k->vmlinux = kl_path_join(dir, "vmlinux");
	k->headers = kl_path_join(dir, "headers");
	if (!k->flavour || !k->release || !k->dir || !k->bzimage || !k->vmlinux || !k->headers)
		return no_memory(err);
	return kb_guest_open(r->digest, r->compiler, k, err);
}

int kl_kernel_open(const char *flavour, bool build, kl_progress_fn progress, void *arg,
		   struct kl_kernel *ret, struct kl_error *err)
{
	KL_AUTO(kb_recipe_deinit) struct kb_recipe r = { 0 };
	KL_AUTO(kl_kernel_deinit) struct kl_kernel k = { 0 };
	KL_AUTO_FREE char *dir = NULL;
	KL_AUTO_JSON json_t *j = NULL;

	if (kb_recipe_load(flavour, &r, err) || kb_kernel_dir(r.digest, &dir, err) ||
	    find_or_build(&r, dir, build, progress, arg, &j, err) || fill(&r, dir, j, &k, err))
		return -1;
	*ret = k;
	k = (struct kl_kernel){ 0 };
	return 0;
}

void kl_kernel_deinit(struct kl_kernel *k)
{
	free(k->flavour);
	free(k->release);
	free(k->dir);
	free(k->bzimage);
	free(k->vmlinux);
	free(k->headers);
	free(k->initramfs);
	free(k->sched_ko);
	free(k->canary_ko);
	*k = (struct kl_kernel){ 0 };
}
