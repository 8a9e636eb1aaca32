/* Where exercises, rubrics and flavours live. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/exercise.h>
#include <klinic/file.h>

static bool has_folder(const char *root, const char *name)
{
	KL_AUTO_FREE char *path = kl_path_join(root, name);

	return path && kl_file_is_dir(path);
}

/* The checkout that the running program was built in, or NULL. */
static char *root_of_executable(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	while ((slash = strrchr(path, '/')) && slash != path) {
		*slash = '\0';
		if (has_folder(path, "rubrics") && has_folder(path, "broken-kernels"))
			return strdup(path);
	}
	return NULL;
}

int kl_content_dir(const char *sub, char **ret, struct kl_error *err)
{
	const char *named = getenv("KLINIC_ROOT");
	KL_AUTO_FREE char *root = NULL;
	char *path;

	if (named && *named)
		root = strdup(named);
	else if (!(root = root_of_executable()))
		root = strdup(".");
	path = root && sub ? kl_path_join(root, sub) : kl_take(root);
	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (!kl_file_is_dir(path)) {
		kl_fail(err, KL_USAGE,
			"%s is no folder: set KLINIC_ROOT to the checkout that has exercises/ and "
			"rubrics/",
			path);
		free(path);
		return -1;
	}
	*ret = path;
	return 0;
}
