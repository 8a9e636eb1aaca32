/*
 * A folder as a submission. It is the candidate's and may change while we look,
 * so it is walked by descriptors, and no link is ever followed below it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/intake.h>

#include "intake/files.h"
#include "intake/folder.h"
#include "intake/refuse.h"

#define ENTRIES_MAX	 10000
#define DEPTH_MAX	 16
#define HANDOUT_FILE_MAX (16UL << 20)

struct walk {
	const struct kl_exercise *e;
	struct kl_submission *s;
	char *handout;
	bool *taken; /* of each editable file */
	size_t entries;
	struct kl_error *err;
};

static void walk_deinit(struct walk *w)
{
	free(w->handout);
	free(w->taken);
}

/* What kbuild leaves beside the sources: Documentation/kbuild/modules.rst. */
static bool is_build_product(const char *name)
{
	static const char *const whole[] = { "modules.order", "Module.symvers", ".tmp_versions" };
	static const char *const ends[] = { ".o", ".ko", ".mod", ".mod.c", ".mod.o" };

	for (size_t i = 0; i < KL_ARRAY_SIZE(whole); i++)
		if (!strcmp(name, whole[i]))
			return true;
	for (size_t i = 0; i < KL_ARRAY_SIZE(ends); i++)
		if (kl_str_ends(name, ends[i]))
			return true;
	return *name == '.' && kl_str_ends(name, ".cmd");
}

static bool is_source(const char *name)
{
	static const char *const whole[] = { "Makefile", "Kbuild", "Kconfig" };
	static const char *const ends[] = { ".c", ".h", ".S", ".s", ".inc", ".rs", ".lds" };

	for (size_t i = 0; i < KL_ARRAY_SIZE(whole); i++)
		if (!strcmp(name, whole[i]))
			return true;
	for (size_t i = 0; i < KL_ARRAY_SIZE(ends); i++)
		if (kl_str_ends(name, ends[i]))
			return true;
	return false;
}

/* 0 and *ret_large when there is more than max; b then holds nothing. */
static int read_at(int dir, const char *name, const char *path, size_t max, struct kl_buf *b,
		   bool *ret_large, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char chunk[16384];
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return kl_fail(err, KL_USAGE, "cannot read %s of the submission: %s", path,
			       strerror(errno));
	if (!S_ISREG(st.st_mode))
		return kl_fail(err, KL_USAGE, "%s of the submission changed while it was read",
			       path);
	*ret_large = false;
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kl_fail(err, KL_USAGE, "cannot read %s of the submission: %s", path,
				       strerror(errno));
		if (n == 0)
			return 0;
		if (b->len + (size_t)n > max) {
			*ret_large = true;
			kl_buf_clear(b);
			return 0;
		}
		if (kl_buf_append(b, chunk, (size_t)n))
			return kl_fail(err, KL_INFRA, "out of memory");
	}
}

static int take_editable(struct walk *w, int dir, const char *name, const char *path)
{
	struct kl_submission_file *f = kl_files_find(w->s, path);
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	bool large;
	size_t len;
	char *data;

	w->taken[f - w->s->files] = true;
	if (read_at(dir, name, path, KL_SUBMISSION_MAX, &b, &large, w->err))
		return -1;
	if (large)
		return kl_refuse(&w->s->refused, w->err,
				 "%s is larger than %lu KiB: make the change smaller.", path,
				 KL_SUBMISSION_MAX >> 10);
	if (b.len && memchr(b.data, '\0', b.len))
		return kl_refuse(&w->s->refused, w->err,
				 "%s contains a NUL byte: C sources are text.", path);
	len = b.len;
	data = kl_buf_steal(&b);
	if (!data)
		return kl_fail(w->err, KL_INFRA, "out of memory");
	kl_files_replace(f, data, len);
	return 0;
}

/* A file that the handout has and nobody may change. */
static int compare(struct walk *w, int dir, const char *name, const char *path,
		   const char *original)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf ours = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf theirs = KL_BUF_INIT;
	KL_AUTO_FREE char *editable = NULL;
	bool large;

	if (kl_file_read(original, HANDOUT_FILE_MAX, &ours, w->err))
		return kl_error_prepend(w->err, "the exercise's own file");
	if (read_at(dir, name, path, HANDOUT_FILE_MAX, &theirs, &large, w->err))
		return -1;
	if (!large && ours.len == theirs.len &&
	    !memcmp(kl_buf_str(&ours), kl_buf_str(&theirs), ours.len))
		return 0;
	editable = kl_editable_text(w->e);
	if (!editable)
		return kl_fail(w->err, KL_INFRA, "out of memory");
	return kl_refuse(&w->s->refused, w->err,
			 "%s is changed and may not be: take the handout's again, and keep to the "
			 "editable files (%s).",
			 path, editable);
}

static int take_file(struct walk *w, int dir, const char *name, const char *path)
{
	KL_AUTO_FREE char *original = kl_path_join(w->handout, path);

	if (!original)
		return kl_fail(w->err, KL_INFRA, "out of memory");
	if (kl_strv_has(&w->e->editable, path))
		return take_editable(w, dir, name, path);
	if (is_build_product(name))
		return 0;
	if (kl_file_exists(original))
		return compare(w, dir, name, path, original);
	if (!is_source(name))
		return 0;
	return kl_refuse(&w->s->refused, w->err,
			 "%s is no file of the handout: put the code into the editable files.",
			 path);
}

static int list(int fd, struct kl_strv *ret, struct kl_error *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	int failed = 0;

	if (!d) {
		if (copy >= 0)
			close(copy);
		return kl_fail_errno(err, errno, "cannot list a folder of the submission");
	}
	while (!failed && ret->n <= ENTRIES_MAX && (entry = readdir(d)))
		if (!kl_str_eq(entry->d_name, ".") && !kl_str_eq(entry->d_name, ".."))
			failed = kl_strv_add(ret, entry->d_name);
	closedir(d);
	if (failed)
		return kl_fail(err, KL_INFRA, "out of memory");
	kl_strv_sort(ret);
	return 0;
}

static int walk_folder(struct walk *w, int fd, const char *prefix, unsigned int depth);

static int enter(struct walk *w, int dir, const char *name, const char *path, unsigned int depth)
{
	KL_AUTO_FREE char *original = kl_path_join(w->handout, path);
	KL_AUTO_CLOSE int fd = -1;

	if (!original)
		return kl_fail(w->err, KL_INFRA, "out of memory");
	/* Editors' and tools' own folders; .git among them. */
	if (*name == '.' && !kl_file_is_dir(original))
		return 0;
	if (depth == DEPTH_MAX)
		return kl_refuse(&w->s->refused, w->err,
				 "%s lies too deep: send the editable files only.", path);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return kl_fail(w->err, KL_USAGE, "cannot open %s of the submission: %s", path,
			       strerror(errno));
	return walk_folder(w, fd, path, depth + 1);
}

static int visit(struct walk *w, int dir, const char *name, const char *path, unsigned int depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return kl_fail(w->err, KL_USAGE, "cannot look at %s of the submission: %s", path,
			       strerror(errno));
	if (S_ISLNK(st.st_mode))
		return kl_refuse(&w->s->refused, w->err,
				 "%s is a symbolic link: put the file itself there, or remove it.",
				 path);
	if (!strcmp(name, ".git"))
		return 0;
	if (S_ISDIR(st.st_mode))
		return enter(w, dir, name, path, depth);
	if (!S_ISREG(st.st_mode))
		return kl_refuse(&w->s->refused, w->err,
				 "%s is a device, a socket or a pipe: remove it.", path);
	return take_file(w, dir, name, path);
}

static int walk_folder(struct walk *w, int fd, const char *prefix, unsigned int depth)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	if (list(fd, &names, w->err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *path =
			*prefix ? kl_path_join(prefix, names.v[i]) : strdup(names.v[i]);

		if (!path)
			return kl_fail(w->err, KL_INFRA, "out of memory");
		if (++w->entries == ENTRIES_MAX)
			return kl_refuse(&w->s->refused, w->err,
					 "The folder holds too many files: send the editable files "
					 "only.");
		if (w->entries > ENTRIES_MAX)
			return 0;
		if (visit(w, fd, names.v[i], path, depth))
			return -1;
	}
	return 0;
}

/* A folder without any editable file is the wrong folder; one without some of them has lost them. */
static int check_missing(struct walk *w)
{
	KL_AUTO_FREE char *editable = kl_editable_text(w->e);
	size_t n = 0;

	if (!editable)
		return kl_fail(w->err, KL_INFRA, "out of memory");
	for (size_t i = 0; i < w->s->n; i++)
		n += w->taken[i];
	if (n == 0)
		return kl_refuse(
			&w->s->refused, w->err,
			"The folder holds none of the editable files (%s): give the folder "
			"that they lie in.",
			editable);
	for (size_t i = 0; i < w->s->n; i++)
		if (!w->taken[i] &&
		    kl_refuse(&w->s->refused, w->err,
			      "%s is missing: put it back, as the handout has it if "
			      "you need no change in it.",
			      w->s->files[i].path))
			return -1;
	return 0;
}

int kl_folder_take(const struct kl_exercise *e, const char *path, struct kl_submission *s,
		   struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	KL_AUTO(walk_deinit)
	struct walk w = {
		.e = e,
		.s = s,
		.handout = kl_path_join(e->dir, "handout"),
		.taken = calloc(s->n + 1, sizeof(*w.taken)),
		.err = err,
	};

	if (fd < 0)
		return kl_fail(err, KL_USAGE, "cannot open the folder %s: %s", path,
			       strerror(errno));
	if (!w.handout || !w.taken)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (walk_folder(&w, fd, "", 0))
		return -1;
	return w.entries >= ENTRIES_MAX ? 0 : check_missing(&w);
}
