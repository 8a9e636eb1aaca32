/* The editable files of a submission (files.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "intake/files.h"
#include "intake/git.h"
#include "intake/refuse.h"

#define DIFF_MAX (16UL << 20)

static int load_file(const struct kl_exercise *e, const char *path, struct kl_submission_file *f,
		     struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_FREE char *full = kl_asprintf("%s/handout/%s", e->dir, path);

	f->path = strdup(path);
	if (!full || !f->path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_file_read(full, KL_SUBMISSION_MAX, &b, err))
		return kl_error_prepend(err, "the exercise's own file");
	f->len = b.len;
	f->data = kl_buf_steal(&b);
	return f->data ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

static int load_files(const struct kl_exercise *e, struct kl_submission *s, struct kl_error *err)
{
	s->files = calloc(e->editable.n + 1, sizeof(*s->files));
	if (!s->files)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (size_t i = 0; i < e->editable.n; i++)
		if (load_file(e, e->editable.v[i], &s->files[s->n++], err))
			return -1;
	return 0;
}

int kl_files_load_handout(const struct kl_exercise *e, struct kl_submission *ret,
			  struct kl_error *err)
{
	KL_AUTO(kl_submission_deinit) struct kl_submission s = { 0 };

	if (load_files(e, &s, err))
		return -1;
	*ret = s;
	s = (struct kl_submission){ 0 };
	return 0;
}

void kl_files_replace(struct kl_submission_file *f, char *data, size_t len)
{
	f->changed = len != f->len || memcmp(data, f->data, len) != 0;
	free(f->data);
	f->data = data;
	f->len = len;
}

struct kl_submission_file *kl_files_find(const struct kl_submission *s, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->files[i].path, path))
			return &s->files[i];
	return NULL;
}

/* Plainly, without kl_file_write()'s fsync: the folder does not outlive the intake. */
static int write_bytes(const char *path, const char *data, size_t len, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot make %s", path);
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kl_fail_errno(err, errno, "cannot write %s", path);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(const char *dir, const struct kl_submission_file *f, struct kl_error *err)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, f->path);
	char *slash;

	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	slash = strrchr(path, '/');
	*slash = '\0';
	if (kl_mkdirs(path, 0700, err))
		return -1;
	*slash = '/';
	return write_bytes(path, f->data, f->len, err);
}

int kl_files_write(const struct kl_submission *s, const struct kl_submission *like, const char *dir,
		   struct kl_error *err)
{
	if (kl_mkdirs(dir, 0700, err))
		return -1;
	for (size_t i = 0; i < s->n; i++)
		if ((!like || like->files[i].changed) && write_file(dir, &s->files[i], err))
			return -1;
	return 0;
}

/* Everything below dir that is no folder. */
static int count_files(const char *dir, size_t *n, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	if (kl_dir_list(dir, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *path = kl_path_join(dir, names.v[i]);
		struct stat st;

		if (!path)
			return kl_fail(err, KL_INFRA, "out of memory");
		if (lstat(path, &st))
			return kl_fail_errno(err, errno, "cannot look at %s", path);
		if (!S_ISDIR(st.st_mode))
			(*n)++;
		else if (count_files(path, n, err))
			return -1;
	}
	return 0;
}

static int read_file(struct kl_submission *s, struct kl_submission_file *f, const char *dir,
		     struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_FREE char *path = kl_path_join(dir, f->path);
	struct stat st;
	size_t len;
	char *data;

	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (lstat(path, &st) || !S_ISREG(st.st_mode))
		return kl_refuse(&s->refused, err,
				 "The patch makes %s something other than a regular file: keep it.",
				 f->path);
	if (st.st_size > (off_t)KL_SUBMISSION_MAX)
		return kl_refuse(&s->refused, err,
				 "%s becomes larger than %lu KiB: make the change smaller.",
				 f->path, KL_SUBMISSION_MAX >> 10);
	if (kl_file_read(path, KL_SUBMISSION_MAX, &b, err))
		return -1;
	if (b.len && memchr(b.data, '\0', b.len))
		return kl_refuse(&s->refused, err, "%s contains a NUL byte: C sources are text.",
				 f->path);
	len = b.len;
	data = kl_buf_steal(&b);
	if (!data)
		return kl_fail(err, KL_INFRA, "out of memory");
	kl_files_replace(f, data, len);
	return 0;
}

int kl_files_read(struct kl_submission *s, const char *dir, struct kl_error *err)
{
	size_t n = 0;

	if (count_files(dir, &n, err))
		return -1;
	if (n != s->n)
		return kl_refuse(&s->refused, err,
				 "The patch adds or deletes a file: only the editable files may be "
				 "changed.");
	for (size_t i = 0; i < s->n; i++)
		if (read_file(s, &s->files[i], dir, err))
			return -1;
	return 0;
}

/* Two folders called a and b give a diff with the prefixes that everybody knows. */
static int make_diff(struct kl_submission *s, const struct kl_submission *base, const char *home,
		     struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf out = KL_BUF_CAPPED(DIFF_MAX);
	KL_AUTO(kl_command_destroy_p) struct kl_command *git = kl_git_create(home, home);
	KL_AUTO_FREE char *a = kl_path_join(home, "a");
	KL_AUTO_FREE char *b = kl_path_join(home, "b");
	int status;

	if (!a || !b)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_files_write(base, s, a, err) || kl_files_write(s, s, b, err))
		return -1;
	kl_command_args(git, "diff", "--no-index", "--no-prefix", "--no-color", "--no-ext-diff",
			"--no-textconv", "--no-renames", "--text", "--unified=3",
			"--diff-algorithm=myers", "--abbrev=12", "--", "a", "b", NULL);
	if (kl_git_run(git, &out, NULL, &status, err) || kl_buf_check(&out, "the diff", err))
		return -1;
	if (status > 1)
		return kl_fail(err, KL_INFRA, "git diff ended with status %d", status);
	s->diff = kl_buf_steal(&out);
	return s->diff ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

static int make_digest(struct kl_submission *s, struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };

	if (kl_digest_init(&d, err))
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		kl_digest_text(&d, "path", s->files[i].path);
		kl_digest_part(&d, "content", s->files[i].data, s->files[i].len);
	}
	kl_digest_final(&d, s->digest);
	return 0;
}

int kl_files_finish(struct kl_submission *s, const struct kl_submission *base, const char *home,
		    struct kl_error *err)
{
	bool changed = false;

	for (size_t i = 0; i < s->n; i++) {
		struct kl_submission_file *f = &s->files[i];

		/* Messages of a series may change a file and change it back. */
		f->changed = f->len != base->files[i].len ||
			     memcmp(f->data, base->files[i].data, f->len) != 0;
		changed |= f->changed;
	}
	if (changed) {
		if (make_diff(s, base, home, err))
			return -1;
	} else if (!(s->diff = strdup(""))) {
		return kl_fail(err, KL_INFRA, "out of memory");
	}
	return make_digest(s, err);
}
