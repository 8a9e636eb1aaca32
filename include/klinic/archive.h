/*
 * Archives out, through libarchive: a folder as a tar file whose bytes depend on
 * names, contents and the x bit alone. Entries are sorted, owners are 0, times are
 * one fixed second.
 */
#ifndef KLINIC_ARCHIVE_H
#define KLINIC_ARCHIVE_H

#include <stdbool.h>

#include <klinic/error.h>
#include <klinic/str.h>

/*
 * Appends the tree at dir to ret, under the folder name. Anything but files and
 * folders in it is KL_CONTENT, with its place. The cap of ret bounds the archive.
 */
int kl_archive_tree(const char *dir, const char *name, bool gzip, struct kl_buf *ret,
		    struct kl_error *err);

#endif
