/*
 * The headers tree: what `make -C headers M=…` needs and no kernel source, the
 * way distributions' linux-headers packages have it. Hard links, so it costs
 * directories only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

#define DEPTH_MAX 24

static int put(const char *from, const char *to, struct kl_error *err)
{
	if (link(from, to) && errno != EEXIST)
		return kl_fail_errno(err, errno, "cannot link %s to %s", from, to);
	return 0;
}

static int put_file(const char *tree, const char *headers, const char *file, struct kl_error *err)
{
	KL_AUTO_FREE char *from = kl_path_join(tree, file);
	KL_AUTO_FREE char *to = kl_path_join(headers, file);
	char *slash;

	if (!from || !to)
		return kl_fail(err, KL_INFRA, "out of memory");
	slash = strrchr(to, '/');
	*slash = '\0';
	if (kl_mkdirs(to, 0755, err))
		return -1;
	*slash = '/';
	return put(from, to, err);
}

/* Sources and objects of the host's tools, and what make remembered of them, stay behind. */
static bool wanted(const char *name)
{
	return !kl_str_ends(name, ".c") && !kl_str_ends(name, ".o") && !kl_str_ends(name, ".y") &&
	       !kl_str_ends(name, ".l") && !kl_str_ends(name, ".cmd");
}

static int put_tree(const char *from, const char *to, unsigned int depth, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	if (depth > DEPTH_MAX)
		return kl_fail(err, KL_CONTENT, "%s lies too deep", from);
	if (kl_dir_list(from, &names, err) || kl_mkdirs(to, 0755, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *f = kl_path_join(from, names.v[i]);
		KL_AUTO_FREE char *t = kl_path_join(to, names.v[i]);
		struct stat st;

		if (!f || !t)
			return kl_fail(err, KL_INFRA, "out of memory");
		if (lstat(f, &st))
			return kl_fail_errno(err, errno, "cannot look at %s", f);
		if (S_ISDIR(st.st_mode) && put_tree(f, t, depth + 1, err))
			return -1;
		if (S_ISREG(st.st_mode) && wanted(names.v[i]) && put(f, t, err))
			return -1;
	}
	return 0;
}

static int put_folder(const char *tree, const char *headers, const char *folder,
		      struct kl_error *err)
{
	KL_AUTO_FREE char *from = kl_path_join(tree, folder);
	KL_AUTO_FREE char *to = kl_path_join(headers, folder);

	if (!from || !to)
		return kl_fail(err, KL_INFRA, "out of memory");
	return kl_file_is_dir(from) ? put_tree(from, to, 0, err) : 0;
}

/* Makefile, Makefile.um, Makefile_32.cpu: what the architecture's Makefile includes. */
static int put_arch_makefiles(const char *tree, const char *headers, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO_FREE char *arch = kl_path_join(tree, "arch/x86");

	if (!arch)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_dir_list(arch, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *file = kl_path_join("arch/x86", names.v[i]);

		if (!file)
			return kl_fail(err, KL_INFRA, "out of memory");
		if (kl_str_starts(names.v[i], "Makefile") && put_file(tree, headers, file, err))
			return -1;
	}
	return 0;
}

int kb_headers_make(const char *tree, const char *headers, struct kl_error *err)
{
	static const char *const files[] = { "Makefile", ".config", "Module.symvers",
					     "tools/objtool/objtool" };
	static const char *const folders[] = { "include", "scripts", "arch/x86/include" };

	for (size_t i = 0; i < KL_ARRAY_SIZE(files); i++)
		if (put_file(tree, headers, files[i], err))
			return -1;
	for (size_t i = 0; i < KL_ARRAY_SIZE(folders); i++)
		if (put_folder(tree, headers, folders[i], err))
			return -1;
	return put_arch_makefiles(tree, headers, err);
}
