/* Which Debian package a missing program comes from, for "not installed" messages. */
#include <stddef.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "proc/child.h"

static const struct {
	const char *program, *package;
} table[] = {
	{ "addr2line", "binutils" },
	{ "as", "binutils" },
	{ "bc", "bc" },
	{ "bison", "bison" },
	{ "bwrap", "bubblewrap" },
	{ "bzip2", "bzip2" },
	{ "cpio", "cpio" },
	{ "depmod", "kmod" },
	{ "diff", "diffutils" },
	{ "drgn", "python3-drgn" },
	{ "file", "file" },
	{ "find", "findutils" },
	{ "flex", "flex" },
	{ "gcc", "gcc" },
	{ "gdb", "gdb" },
	{ "git", "git" },
	{ "gzip", "gzip" },
	{ "kmod", "kmod" },
	{ "ld", "binutils" },
	{ "lz4", "lz4" },
	{ "make", "make" },
	{ "modinfo", "kmod" },
	{ "nm", "binutils" },
	{ "objcopy", "binutils" },
	{ "objdump", "binutils" },
	{ "patch", "patch" },
	{ "perl", "perl" },
	{ "prlimit", "util-linux" },
	{ "python3", "python3" },
	{ "qemu-img", "qemu-utils" },
	{ "qemu-system-x86_64", "qemu-system-x86" },
	{ "readelf", "binutils" },
	{ "rsync", "rsync" },
	{ "sparse", "sparse" },
	{ "spatch", "coccinelle" },
	{ "strip", "binutils" },
	{ "tar", "tar" },
	{ "virsh", "libvirt-clients" },
	{ "xz", "xz-utils" },
	{ "zstd", "zstd" },
};

const char *kl_package_of(const char *program)
{
	const char *base = strrchr(program, '/');

	base = base ? base + 1 : program;
	for (size_t i = 0; i < KL_ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].program, base))
			return table[i].package;
	return NULL;
}
