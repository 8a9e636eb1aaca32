/* Folders: making, listing, removing and measuring trees; the cache. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#define TREE_DEPTH_MAX 64

static void closedir_p(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

int kl_dir_list(const char *path, struct kl_strv *ret, struct kl_error *err)
{
	KL_AUTO(closedir_p) DIR *d = opendir(path);
	struct dirent *e;

	if (!d)
		return kl_fail_errno(err, errno, "cannot open the folder %s", path);
	while ((e = readdir(d)))
		if (!is_dots(e->d_name) && kl_strv_add(ret, e->d_name))
			return kl_fail(err, KL_INFRA, "out of memory");
	kl_strv_sort(ret);
	return 0;
}

int kl_mkdirs(const char *path, mode_t mode, struct kl_error *err)
{
	KL_AUTO_FREE char *p = strdup(path);

	if (!p)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (char *s = p + 1;; s++) {
		char c = *s;

		if (c && c != '/')
			continue;
		*s = '\0';
		if (mkdir(p, mode) && errno != EEXIST)
			return kl_fail_errno(err, errno, "cannot make the folder %s", p);
		*s = c;
		if (!c)
			break;
	}
	if (!kl_file_is_dir(path))
		return kl_fail_errno(err, ENOTDIR, "cannot make the folder %s", path);
	return 0;
}

/* Works below an open folder, so that a path swapped for a link in between is never followed. */
static int remove_at(int parent, const char *name, unsigned int depth)
{
	KL_AUTO(closedir_p) DIR *d = NULL;
	struct dirent *e;
	int fd;

	if (!unlinkat(parent, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (depth > TREE_DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* A candidate's tree may hold folders without any permission. */
	if (fd < 0 && errno == EACCES && !fchmodat(parent, name, 0700, 0))
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	fchmod(fd, 0700);
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -1;
	}
	while ((e = readdir(d)))
		if (!is_dots(e->d_name) && remove_at(fd, e->d_name, depth + 1))
			return -1;
	return unlinkat(parent, name, AT_REMOVEDIR);
}

int kl_remove_tree(const char *path, struct kl_error *err)
{
	if (remove_at(AT_FDCWD, path, 0))
		return kl_fail_errno(err, errno, "cannot remove %s", path);
	return 0;
}

static int size_at(int parent, const char *name, unsigned int depth, uint64_t *sum)
{
	KL_AUTO(closedir_p) DIR *d = NULL;
	struct dirent *e;
	struct stat st;
	int fd;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -1;
	*sum += (uint64_t)st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode) || depth > TREE_DEPTH_MAX)
		return 0;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -1;
	}
	while ((e = readdir(d)))
		if (!is_dots(e->d_name) && size_at(fd, e->d_name, depth + 1, sum))
			return -1;
	return 0;
}

int kl_tree_size(const char *path, uint64_t *ret_bytes, struct kl_error *err)
{
	uint64_t sum = 0;

	if (size_at(AT_FDCWD, path, 0, &sum))
		return kl_fail_errno(err, errno, "cannot measure %s", path);
	*ret_bytes = sum;
	return 0;
}

int kl_cache_dir(const char *sub, char **ret, struct kl_error *err)
{
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	KL_AUTO_FREE char *path = NULL;

	if (xdg && *xdg == '/')
		path = kl_asprintf("%s/klinic%s%s", xdg, sub ? "/" : "", sub ? sub : "");
	else if (home && *home == '/')
		path = kl_asprintf("%s/.cache/klinic%s%s", home, sub ? "/" : "", sub ? sub : "");
	else
		return kl_fail(err, KL_INFRA,
			       "no place for the cache: set XDG_CACHE_HOME or HOME to a folder");
	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_mkdirs(path, 0700, err))
		return kl_error_prepend(err, "cache");
	*ret = kl_take(path);
	return 0;
}
