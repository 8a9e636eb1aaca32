/* A folder as a tar file (libarchive), the same bytes wherever and whenever it is made. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/archive.h>
#include <klinic/cleanup.h>
#include <klinic/file.h>

#define DEPTH_MAX 32
#define WHEN	  1767225600 /* 2026-01-01 00:00:00 UTC */
#define FILE_MAX  (64UL << 20)

struct archiving {
	struct archive *a;
	struct kl_error *err;
};

static void archive_free_p(struct archive **a)
{
	archive_write_free(*a);
}

static void entry_free_p(struct archive_entry **e)
{
	archive_entry_free(*e);
}

static int failed(const struct archiving *w, const char *name)
{
	const char *why = archive_error_string(w->a);

	return kl_fail(w->err, KL_INFRA, "cannot put %s into the archive: %s", name,
		       why ? why : "no memory");
}

static la_ssize_t on_bytes(struct archive *a, void *buf, const void *data, size_t len)
{
	(void)a;
	return kl_buf_append(buf, data, len) ? -1 : (la_ssize_t)len;
}

static int add_header(struct archiving *w, const char *name, const struct stat *st, size_t size)
{
	KL_AUTO(entry_free_p) struct archive_entry *e = archive_entry_new();

	if (!e)
		return kl_fail(w->err, KL_INFRA, "out of memory");
	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, S_ISDIR(st->st_mode) ? AE_IFDIR : AE_IFREG);
	archive_entry_set_perm(e, S_ISDIR(st->st_mode) || st->st_mode & 0100 ? 0755 : 0644);
	archive_entry_set_mtime(e, WHEN, 0);
	archive_entry_set_size(e, (la_int64_t)size);
	return archive_write_header(w->a, e) == ARCHIVE_OK ? 0 : failed(w, name);
}

static int add_file(struct archiving *w, const char *path, const char *name, const struct stat *st)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (kl_file_read(path, FILE_MAX, &b, w->err) || add_header(w, name, st, b.len))
		return -1;
	if (b.len && archive_write_data(w->a, b.data, b.len) != (la_ssize_t)b.len)
		return failed(w, name);
	return 0;
}

static int add(struct archiving *w, const char *path, const char *name, unsigned int depth)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	struct stat st;

	if (lstat(path, &st))
		return kl_fail_errno(w->err, errno, "cannot look at %s", path);
	if (S_ISREG(st.st_mode))
		return add_file(w, path, name, &st);
	if (!S_ISDIR(st.st_mode) || depth > DEPTH_MAX)
		return kl_fail_at(w->err, path, 0, 0,
				  S_ISDIR(st.st_mode) ? "lies too deep for an archive"
						      : "is neither a file nor a folder");
	if (add_header(w, name, &st, 0) || kl_dir_list(path, &names, w->err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *below = kl_path_join(path, names.v[i]);
		KL_AUTO_FREE char *named = kl_path_join(name, names.v[i]);

		if (!below || !named)
			return kl_fail(w->err, KL_INFRA, "out of memory");
		if (add(w, below, named, depth + 1))
			return -1;
	}
	return 0;
}

/* GNU's format: names are bytes, of any length. The gzip header has no time. */
static bool configure(struct archive *a, bool gzip)
{
	if (archive_write_set_format_gnutar(a) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK)
		return false;
	return !gzip ||
	       (archive_write_add_filter_gzip(a) == ARCHIVE_OK &&
		archive_write_set_filter_option(a, "gzip", "timestamp", NULL) == ARCHIVE_OK);
}

int kl_archive_tree(const char *dir, const char *name, bool gzip, struct kl_buf *ret,
		    struct kl_error *err)
{
	KL_AUTO(archive_free_p) struct archive *a = archive_write_new();
	struct archiving w = { .a = a, .err = err };

	if (!a)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (!configure(a, gzip) || archive_write_open(a, ret, NULL, on_bytes, NULL) != ARCHIVE_OK)
		return failed(&w, name);
	if (add(&w, dir, name, 0)) {
		/* So that freeing it does not write what is left. */
		archive_write_fail(a);
		return -1;
	}
	if (archive_write_close(a) != ARCHIVE_OK)
		return failed(&w, name);
	return kl_buf_check(ret, "the archive", err);
}
