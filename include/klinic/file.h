/*
 * Files: bounded reads, atomic writes, trees, locks and the cache folder.
 * Cache layout: $XDG_CACHE_HOME/klinic (else $HOME/.cache/klinic), mode 0700.
 */
#ifndef KLINIC_FILE_H
#define KLINIC_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include <klinic/deadline.h>
#include <klinic/error.h>
#include <klinic/str.h>

/* Reads a regular file of at most max bytes into b (cleared first). KL_CONTENT when larger or not regular. */
int kl_file_read(const char *path, size_t max, struct kl_buf *b, struct kl_error *err);
/* Write to a temporary in the same folder, fsync, rename: readers see the old file or the new one. */
int kl_file_write(const char *path, const void *data, size_t len, mode_t mode,
		  struct kl_error *err);
/* Copies a regular file; never follows a link at from. */
int kl_file_copy(const char *from, const char *to, mode_t mode, struct kl_error *err);
bool kl_file_exists(const char *path);
bool kl_file_is_dir(const char *path);
/* Names of the entries of a folder, sorted, without . and .. */
int kl_dir_list(const char *path, struct kl_strv *ret, struct kl_error *err);
int kl_mkdirs(const char *path, mode_t mode, struct kl_error *err);
/* Removes a tree without following links. A missing path is no error. */
int kl_remove_tree(const char *path, struct kl_error *err);
/* Bytes on disk below a path, links not followed. */
int kl_tree_size(const char *path, uint64_t *ret_bytes, struct kl_error *err);

/* "a/b" from "a" and "b"; NULL without memory. */
char *kl_path_join(const char *a, const char *b);
const char *kl_path_base(const char *path);
/* True for a relative path of plain components: no "", ".", "..", leading /, backslash or control byte. */
bool kl_path_is_plain(const char *path);

/* The cache folder, or sub below it, created. The caller frees. */
int kl_cache_dir(const char *sub, char **ret, struct kl_error *err);
/*
 * A fresh folder below $TMPDIR or /tmp, mode 0700, removed by kl_tempdir_destroy.
 * While this process lives it holds a lock (flock(2)) on the folder.
 */
int kl_tempdir_create(char **ret, struct kl_error *err);
void kl_tempdir_destroy(char *path); /* removes the tree and frees; NULL is fine */
void kl_tempdir_destroy_p(char **path);
/*
 * Removes the temporary folders there that nobody holds any more: of processes
 * that were killed. Never others' folders, never what is reached by a link.
 */
void kl_tempdir_sweep(void);

/*
 * An advisory lock (flock(2)) on a file that is created if need be. Waits until
 * the deadline or the interrupt. ret_fd holds the lock; closing it releases the lock.
 */
int kl_lock(const char *path, kl_deadline deadline, int *ret_fd, struct kl_error *err);
/* 1 when taken, 0 when somebody holds it, -1 and err otherwise. */
int kl_try_lock(const char *path, int *ret_fd, struct kl_error *err);

#endif
