/*
 * The kernel's source: Debian's linux-source archive, or whatever archive or
 * tree $KLINIC_SOURCE names. It is unpacked once into the cache; builds take it
 * as hard links and never change a file of it.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

#define SOURCE_DIR "/usr/src"
#define UNPACKED   (2ULL << 30)

static bool is_archive(const char *name)
{
	return kl_str_starts(name, "linux-source-") && kl_str_ends(name, ".tar.xz");
}

const char *kb_source_newest(const struct kl_strv *names)
{
	const char *best = NULL;

	for (size_t i = 0; i < names->n; i++)
		if (is_archive(names->v[i]) && (!best || strverscmp(names->v[i], best) > 0))
			best = names->v[i];
	return best;
}

static int find_debian(char **ret, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	const char *best;

	if (kl_file_is_dir(SOURCE_DIR) && kl_dir_list(SOURCE_DIR, &names, err))
		return -1;
	best = kb_source_newest(&names);
	if (!best)
		return kl_fail(err, KL_INFRA,
			       "there is no kernel source in " SOURCE_DIR
			       ": install linux-source-6.1 (make deps), or name an archive or a "
			       "tree in KLINIC_SOURCE");
	*ret = kl_path_join(SOURCE_DIR, best);
	return *ret ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

static int digest_of(const char *path, char ret[KL_DIGEST_HEX], struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };

	if (!kl_file_is_dir(path))
		return kl_sha256_file_cached(path, ret, err);
	if (kl_digest_init(&d, err) || kl_digest_tree(&d, "tree", path, err))
		return -1;
	kl_digest_final(&d, ret);
	return 0;
}

int kb_source_find(char **ret_path, char ret_digest[KL_DIGEST_HEX], struct kl_error *err)
{
	const char *named = getenv("KLINIC_SOURCE");
	KL_AUTO_FREE char *path = NULL;

	if (named && *named) {
		if (!kl_file_exists(named))
			return kl_fail(err, KL_INFRA,
				       "KLINIC_SOURCE names %s, which does not exist", named);
		path = strdup(named);
		if (!path)
			return kl_fail(err, KL_INFRA, "out of memory");
	} else if (find_debian(&path, err)) {
		return -1;
	}
	if (digest_of(path, ret_digest, err))
		return -1;
	*ret_path = kl_take(path);
	return 0;
}

static int unpack(const char *path, const char *tree, int lock_fd, struct kl_error *err)
{
	bool copy = kl_file_is_dir(path);
	KL_AUTO(kl_command_destroy_p)
	struct kl_command *c = kb_tool(copy ? "cp" : "tar", lock_fd);

	if (!c)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (copy)
		kl_command_args(c, "-a", "--", path, tree, NULL);
	else
		kl_command_args(c, "-x", "--strip-components=1", "--no-same-owner", "-C", tree,
				"-f", path, NULL);
	if (!copy && kl_mkdirs(tree, 0755, err))
		return -1;
	if (kl_command_check(c, KL_FOREVER, NULL, KL_INFRA, err))
		return kl_error_prepend(err, "cannot unpack %s", path);
	return 0;
}

/* A tree that somebody has built in would be taken as built by us. */
static int check_tree(const char *tree, const char *path, struct kl_error *err)
{
	static const char *const must[] = { "Makefile", "Kconfig", "scripts/kconfig/Makefile" };
	static const char *const must_not[] = { ".config", "include/config", "vmlinux" };

	for (size_t i = 0; i < KL_ARRAY_SIZE(must); i++) {
		KL_AUTO_FREE char *p = kl_path_join(tree, must[i]);

		if (!p || !kl_file_exists(p))
			return kl_fail(err, KL_CONTENT, "%s is no kernel source: it holds no %s",
				       path, must[i]);
	}
	for (size_t i = 0; i < KL_ARRAY_SIZE(must_not); i++) {
		KL_AUTO_FREE char *p = kl_path_join(tree, must_not[i]);

		if (!p || kl_file_exists(p))
			return kl_fail(err, KL_CONTENT,
				       "%s has been built in (%s); clean it with make mrproper",
				       path, must_not[i]);
	}
	return 0;
}

struct source {
	const char *path;
};

static int build_source(const char *dir, int lock_fd, void *arg, json_t **ret_stamp,
			struct kl_error *err)
{
	const struct source *s = arg;
	KL_AUTO_FREE char *tree = kl_path_join(dir, "tree");

	if (!tree)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kb_need_space(dir, UNPACKED, "unpacking the kernel's source", err) ||
	    unpack(s->path, tree, lock_fd, err) || check_tree(tree, s->path, err))
		return -1;
	*ret_stamp = json_pack("{s:o}", "source", kl_json_text(s->path));
	return *ret_stamp ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

int kb_source_open(const char *path, const char *digest, char **ret_tree, struct kl_error *err)
{
	KL_AUTO_FREE char *dir = NULL, *sources = NULL;
	struct source s = { .path = path };

	if (kl_cache_dir("sources", &sources, err))
		return -1;
	dir = kl_path_join(sources, digest);
	if (!dir)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kb_entry_make(dir, build_source, &s, NULL, err))
		return -1;
	*ret_tree = kl_path_join(dir, "tree");
	return *ret_tree ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}
