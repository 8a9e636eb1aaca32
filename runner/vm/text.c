/* The kernel's text and read-only data, compared with the template's. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <klinic/cleanup.h>

#include "vm/anatomy.h"
#include "vm/template.h"
#include "vm/text.h"

#define SITES_MAX (1UL << 20)

static const char *const bounds[] = {
	"_stext",
	"_etext",
	"__start_rodata",
	"__end_rodata",
	"__start___jump_table",
	"__stop___jump_table",
	"__start_mcount_loc",
	"__stop_mcount_loc",
	"__start_static_call_sites",
	"__stop_static_call_sites",
	/* Trampolines of static calls, eight bytes each, a jump in each (arch/x86/kernel/static_call.c). */
	"__static_call_text_start",
	"__static_call_text_end",
	/* The tracer's own calls: whom it calls is written there (arch/x86/kernel/ftrace.c). */
	"ftrace_call",
	"ftrace_regs_call",
};
#define SINGLE_SITES	 12
#define TRAMPOLINE_BYTES 8

static void elf_end_p(Elf **e)
{
	elf_end(*e);
}

/* Bytes of vmlinux at a link address, or NULL. */
static const uint8_t *bytes_at(Elf *elf, uint64_t addr, uint64_t len)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *d;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS ||
		    !(sh.sh_flags & SHF_ALLOC) || addr < sh.sh_addr ||
		    addr - sh.sh_addr > sh.sh_size || len > sh.sh_size - (addr - sh.sh_addr))
			continue;
		d = elf_rawdata(scn, NULL);
		if (d && d->d_buf && d->d_size >= sh.sh_size)
			return (const uint8_t *)d->d_buf + (addr - sh.sh_addr);
	}
	return NULL;
}

static int add_site(struct kl_text *t, uint64_t phys, struct kl_error *err)
{
	/* Grows by doubling: a power of two is full. */
	if (!(t->n_sites & (t->n_sites - 1))) {
		uint64_t *v = realloc(t->sites, (t->n_sites ? t->n_sites * 2 : 1) * sizeof(*v));

		if (!v || t->n_sites >= SITES_MAX)
			return kl_fail(err, KL_INFRA, "out of memory");
		t->sites = v;
	}
	t->sites[t->n_sites++] = phys;
	return 0;
}

/*
 * A table of the kernel: entries of size bytes. relative: the first word is a
 * signed offset from itself (struct jump_entry, struct static_call_site),
 * otherwise an address (__mcount_loc).
 */
static int add_table(struct kl_text *t, Elf *elf, uint64_t start, uint64_t stop, size_t size,
		     bool relative, struct kl_error *err)
{
	const uint8_t *p = start && stop > start ? bytes_at(elf, start, stop - start) : NULL;

	for (uint64_t at = start; p && at + size <= stop; at += size, p += size) {
		uint64_t addr;
		int32_t offset;

		memcpy(&offset, p, sizeof(offset));
		memcpy(&addr, p, sizeof(addr));
		if (relative)
			addr = at + (uint64_t)(int64_t)offset;
		if (addr >= KL_KERNEL_MAP && add_site(t, addr - KL_KERNEL_MAP, err))
			return -1;
	}
	return 0;
}

static int add_single_sites(struct kl_text *t, const uint64_t *a, struct kl_error *err)
{
	for (uint64_t at = a[10]; at && at < a[11]; at += TRAMPOLINE_BYTES)
		if (add_site(t, at - KL_KERNEL_MAP, err))
			return -1;
	for (size_t i = SINGLE_SITES; i < KL_ARRAY_SIZE(bounds); i++)
		if (a[i] && add_site(t, a[i] - KL_KERNEL_MAP, err))
			return -1;
	return 0;
}

static int compare_sites(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int kl_text_init(struct kl_text *t, const char *vmlinux, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(vmlinux, O_RDONLY | O_CLOEXEC);
	KL_AUTO(elf_end_p) Elf *elf = NULL;
	uint64_t a[KL_ARRAY_SIZE(bounds)];

	*t = (struct kl_text){ 0 };
	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot open %s", vmlinux);
	if (kl_vm_symbols(vmlinux, bounds, KL_ARRAY_SIZE(bounds), a, err))
		return -1;
	for (int i = 0; i < KL_TEXT_RANGES; i++) {
		uint64_t from = a[2 * i], to = a[2 * i + 1];

		if (!from || to <= from || to > KL_VM_RAM_SIZE)
			return kl_fail(err, KL_INFRA, "%s has no %s to %s", vmlinux, bounds[2 * i],
				       bounds[2 * i + 1]);
		t->range[i] = (struct kl_text_range){ from, to - from };
	}
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf)
		return kl_fail(err, KL_INFRA, "%s is no ELF file", vmlinux);
	for (size_t i = 2 * KL_TEXT_RANGES; i < KL_ARRAY_SIZE(bounds); i++)
		a[i] = a[i] ? a[i] + KL_KERNEL_MAP : 0;
	if (add_table(t, elf, a[4], a[5], 16, true, err) ||
	    add_table(t, elf, a[6], a[7], 8, false, err) ||
	    add_table(t, elf, a[8], a[9], 8, true, err) || add_single_sites(t, a, err)) {
		kl_text_deinit(t);
		return -1;
	}
	if (t->n_sites)
		qsort(t->sites, t->n_sites, sizeof(*t->sites), compare_sites);
	return 0;
}

void kl_text_deinit(struct kl_text *t)
{
	free(t->sites);
	*t = (struct kl_text){ 0 };
}

static bool is_site(const struct kl_text *t, uint64_t phys)
{
	size_t low = 0, high = t->n_sites;

	/* The last site that does not lie behind phys. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->sites[mid] <= phys)
			low = mid + 1;
		else
			high = mid;
	}
	return low && phys - t->sites[low - 1] < KL_TEXT_SITE_BYTES;
}

uint64_t kl_text_differences(const struct kl_text *t, uint64_t phys, const uint8_t *was,
			     const uint8_t *is, size_t len, uint64_t *first)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len;) {
		size_t block = len - i < 4096 ? len - i : 4096;

		if (!memcmp(was + i, is + i, block)) {
			i += block;
			continue;
		}
		for (size_t end = i + block; i < end; i++) {
			if (was[i] == is[i] || is_site(t, phys + i))
				continue;
			if (!n++ && !*first)
				*first = phys + i;
		}
	}
	return n;
}

int kl_text_compare(const struct kl_text *t, int ram_fd, struct kl_qemu *q, kl_deadline deadline,
		    uint64_t *ret_changed, uint64_t *ret_first, struct kl_error *err)
{
	uint64_t changed = 0, first = 0;

	for (int i = 0; i < KL_TEXT_RANGES; i++) {
		const struct kl_text_range *r = &t->range[i];
		KL_AUTO_FREE uint8_t *was = malloc(r->len), *is = malloc(r->len);

		if (!was || !is)
			return kl_fail(err, KL_INFRA, "out of memory");
		if (pread(ram_fd, was, r->len, (off_t)r->phys) != (ssize_t)r->len)
			return kl_fail_errno(err, errno, "cannot read the template's RAM");
		if (kl_qemu_read_memory(q, r->phys, is, r->len, deadline, err))
			return -1;
		changed += kl_text_differences(t, r->phys, was, is, r->len, &first);
	}
	*ret_changed = changed;
	*ret_first = first;
	return 0;
}
