/* Bounded reads, atomic writes, copies. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

int kl_file_read(const char *path, size_t max, struct kl_buf *b, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char chunk[65536];
	ssize_t n;

	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot open %s", path);
	if (fstat(fd, &st))
		return kl_fail_errno(err, errno, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode))
		return kl_fail(err, KL_CONTENT, "%s is not a regular file", path);
	kl_buf_clear(b);
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kl_fail_errno(err, errno, "cannot read %s", path);
		if (b->len + (size_t)n > max)
			return kl_fail(err, KL_CONTENT,
				       "%s is larger than the %zu bytes that are allowed", path,
				       max);
		if (kl_buf_append(b, chunk, (size_t)n))
			return kl_buf_check(b, path, err);
	}
	/* An empty file is an empty string, not NULL. */
	return kl_buf_append(b, "", 0) ? kl_buf_check(b, path, err) : 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int kl_file_write(const char *path, const void *data, size_t len, mode_t mode, struct kl_error *err)
{
	KL_AUTO_FREE char *tmp = kl_asprintf("%s.XXXXXX", path);
	KL_AUTO_CLOSE int fd = -1;

	if (!tmp)
		return kl_fail(err, KL_INFRA, "out of memory");
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot create a file beside %s", path);
	if (write_all(fd, data, len) || fchmod(fd, mode) || fsync(fd) || rename(tmp, path)) {
		int e = errno;

		unlink(tmp);
		return kl_fail_errno(err, e, "cannot write %s", path);
	}
	return 0;
}

int kl_file_copy(const char *from, const char *to, mode_t mode, struct kl_error *err)
{
	KL_AUTO_CLOSE int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	KL_AUTO_CLOSE int out = -1;
	struct stat st;
	char chunk[65536];
	ssize_t n;

	if (in < 0 || fstat(in, &st))
		return kl_fail_errno(err, errno, "cannot open %s", from);
	if (!S_ISREG(st.st_mode))
		return kl_fail(err, KL_CONTENT, "%s is not a regular file", from);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (out < 0)
		return kl_fail_errno(err, errno, "cannot create %s", to);
	while ((n = read(in, chunk, sizeof(chunk))) > 0)
		if (write_all(out, chunk, (size_t)n))
			return kl_fail_errno(err, errno, "cannot write %s", to);
	if (n < 0)
		return kl_fail_errno(err, errno, "cannot read %s", from);
	if (fchmod(out, mode))
		return kl_fail_errno(err, errno, "cannot set the mode of %s", to);
	return 0;
}

bool kl_file_exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

bool kl_file_is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

char *kl_path_join(const char *a, const char *b)
{
	return kl_asprintf("%s%s%s", a, *a && a[strlen(a) - 1] == '/' ? "" : "/", b);
}

const char *kl_path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool kl_path_is_plain(const char *path)
{
	const char *p = path;

	if (!*p || strlen(p) > 1024)
		return false;
	while (*p) {
		size_t n = strcspn(p, "/");

		if (!n || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		for (size_t i = 0; i < n; i++)
			if ((unsigned char)p[i] < 0x20 || p[i] == '\\' || p[i] == 0x7f)
				return false;
		p += n;
		if (*p == '/' && !*++p)
			return false;
	}
	return true;
}
