/*
 * Temporary folders. Each is locked (flock(2)) by who made it for as long as that
 * process lives, whatever ends it: a folder that can be locked by somebody else
 * is a dead one's, and the next klinic removes it. Where a file system knows no
 * such locks, nothing is ever swept.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#define PREFIX "klinic-"
#define RANDOM 6 /* characters that mkdtemp(3) fills in */
#define TRIES  100

/* Ours that still stand, with the descriptor that holds the lock. */
struct tempdir {
	struct tempdir *next;
	char *path;
	int lock;
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tempdir *list;

static void closedir_p(DIR **d)
{
	if (*d)
		closedir(*d);
}

static const char *where(void)
{
	const char *tmp = getenv("TMPDIR");

	return tmp && *tmp == '/' ? tmp : "/tmp";
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The folder of that name, never through a link. */
static int open_folder(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * 0 when the new folder is held, 1 when a sweeper was at it between mkdtemp and
 * here, and it is gone or going.
 */
static int hold(const char *path, int *ret_lock)
{
	KL_AUTO_CLOSE int fd = open_folder(AT_FDCWD, path);
	struct stat held, named;

	if (fd < 0)
		return 1;
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return 1;
	if (fstat(fd, &held) || lstat(path, &named) || !same_file(&held, &named))
		return 1;
	*ret_lock = kl_take_fd(fd);
	return 0;
}

static int make(struct tempdir *t, struct kl_error *err)
{
	for (int i = 0; i < TRIES; i++) {
		KL_AUTO_FREE char *path = kl_asprintf("%s/" PREFIX "XXXXXX", where());

		if (!path)
			return kl_fail(err, KL_INFRA, "out of memory");
		if (!mkdtemp(path))
			return kl_fail_errno(err, errno, "cannot make a temporary folder %s", path);
		if (hold(path, &t->lock))
			continue;
		t->path = kl_take(path);
		return 0;
	}
	return kl_fail(err, KL_INFRA, "temporary folders in %s vanish as they are made", where());
}

int kl_tempdir_create(char **ret, struct kl_error *err)
{
	KL_AUTO_FREE struct tempdir *t = calloc(1, sizeof(*t));
	char *path;

	if (!t)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (make(t, err))
		return -1;
	path = t->path ? strdup(t->path) : NULL;
	if (!path) {
		if (t->path)
			kl_remove_tree(t->path, NULL);
		close(t->lock);
		free(t->path);
		return kl_fail(err, KL_INFRA, "out of memory");
	}
	pthread_mutex_lock(&list_lock);
	t->next = list;
	list = kl_take(t);
	pthread_mutex_unlock(&list_lock);
	*ret = path;
	return 0;
}

static struct tempdir *forget(const char *path)
{
	struct tempdir **at = &list, *t;

	pthread_mutex_lock(&list_lock);
	while (*at && strcmp((*at)->path, path) != 0)
		at = &(*at)->next;
	t = *at;
	if (t)
		*at = t->next;
	pthread_mutex_unlock(&list_lock);
	return t;
}

void kl_tempdir_destroy(char *path)
{
	struct tempdir *t;

	if (!path)
		return;
	t = forget(path);
	kl_remove_tree(path, NULL);
	/* After the tree: what could not be removed is left to the next sweep. */
	if (t) {
		close(t->lock);
		free(t->path);
		free(t);
	}
	free(path);
}

void kl_tempdir_destroy_p(char **path)
{
	kl_tempdir_destroy(*path);
}

static bool is_ours(const char *name)
{
	return kl_str_starts(name, PREFIX) && strlen(name) == strlen(PREFIX) + RANDOM &&
	       strspn(name + strlen(PREFIX), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					     "0123456789") == RANDOM;
}

/* Ours, mode 0700 as mkdtemp makes them, and of a process that has ended. */
static void sweep_one(int parent, const char *name)
{
	KL_AUTO_CLOSE int fd = open_folder(parent, name);
	KL_AUTO_FREE char *path = NULL;
	struct stat st, named;

	if (fd < 0 || fstat(fd, &st) || st.st_uid != geteuid() || (st.st_mode & 0777) != 0700 ||
	    flock(fd, LOCK_EX | LOCK_NB))
		return;
	if (fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) || !same_file(&st, &named))
		return;
	path = kl_asprintf("%s/%s", where(), name);
	if (path)
		kl_remove_tree(path, NULL);
}

void kl_tempdir_sweep(void)
{
	KL_AUTO(closedir_p) DIR *d = opendir(where());
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (is_ours(e->d_name))
			sweep_one(dirfd(d), e->d_name);
}
