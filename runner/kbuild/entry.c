/*
 * Entries of the cache: folders that are finished or count as nothing.
 *
 * A kernel is built where it will stay, because a build tree does not survive
 * being renamed (kbuild's .cmd files). So an entry is made whole by its stamp
 * and not by its name; the stamp is written when everything else has reached
 * the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

#define STAMP_MAX 65536
#define FULL	  (64ULL << 20) /* less than this left: the disk was full */

bool kb_is_digest(const char *name)
{
	return strlen(name) == KL_DIGEST_HEX - 1 &&
	       strspn(name, "0123456789abcdef") == KL_DIGEST_HEX - 1;
}

bool kb_entry_ready(const char *dir, json_t **ret_stamp)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, "ready");
	KL_AUTO_JSON json_t *stamp = NULL;

	if (!path || !kl_file_exists(path) || kl_json_load(path, STAMP_MAX, &stamp, NULL))
		return false;
	if (!json_is_object(stamp))
		return false;
	if (ret_stamp)
		*ret_stamp = kl_take(stamp);
	return true;
}

int kb_entry_lock(const char *dir, int *ret_fd, struct kl_error *err)
{
	KL_AUTO_FREE char *path = kl_asprintf("%s.lock", dir);

	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	return kl_lock(path, KL_FOREVER, ret_fd, err);
}

/* The stamp must not reach the disk before what it vouches for. */
static int settle(const char *dir, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd))
		return kl_fail_errno(err, errno, "cannot flush %s to disk", dir);
	return 0;
}

static int build_locked(const char *dir, int lock_fd, kb_build_fn build, void *arg,
			json_t **ret_stamp, struct kl_error *err)
{
	KL_AUTO_FREE char *ready = kl_path_join(dir, "ready");
	KL_AUTO_JSON json_t *stamp = NULL;

	if (!ready)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_remove_tree(dir, err) || kl_mkdirs(dir, 0700, err))
		return -1;
	if (build(dir, lock_fd, arg, &stamp, err) || settle(dir, err) ||
	    kl_json_write(stamp, ready, err)) {
		kb_explain_space(dir, err);
		kl_remove_tree(dir, NULL);
		return -1;
	}
	if (ret_stamp)
		*ret_stamp = kl_take(stamp);
	return 0;
}

int kb_entry_make(const char *dir, kb_build_fn build, void *arg, json_t **ret_stamp,
		  struct kl_error *err)
{
	KL_AUTO_CLOSE int lock = -1;

	if (kb_entry_ready(dir, ret_stamp))
		return 0;
	if (kb_entry_lock(dir, &lock, err))
		return -1;
	/* Whoever held the lock may have built it for us. */
	if (kb_entry_ready(dir, ret_stamp))
		return 0;
	return build_locked(dir, lock, build, arg, ret_stamp, err);
}

static int free_bytes(const char *path, uint64_t *ret)
{
	KL_AUTO_FREE char *p = strdup(path);
	struct statvfs st;

	while (p && *p && statvfs(p, &st)) {
		char *slash = strrchr(p, '/');

		if (errno != ENOENT || !slash || slash == p)
			return -1;
		*slash = '\0';
	}
	if (!p || !*p)
		return -1;
	*ret = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

int kb_need_space(const char *path, uint64_t bytes, const char *what, struct kl_error *err)
{
	uint64_t have;

	if (free_bytes(path, &have) || have >= bytes)
		return 0;
	return kl_fail(err, KL_INFRA,
		       "%s needs %.1f GB of disk below %s, and %.1f GB are free; make room, or "
		       "set XDG_CACHE_HOME to a larger disk",
		       what, (double)bytes / 1e9, path, (double)have / 1e9);
}

void kb_explain_space(const char *path, struct kl_error *err)
{
	uint64_t have;

	if (!err || err->class != KL_INFRA || free_bytes(path, &have) || have >= FULL)
		return;
	kl_error_prepend(err, "the disk below %s is full; make room and start again", path);
}
