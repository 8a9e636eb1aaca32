/*
 * A dump made readable. QEMU writes guest-physical memory: its PT_LOADs have no
 * virtual addresses, and drgn 0.0.22 cannot walk page tables that it finds only
 * by walking page tables. So the file gets new program headers that map RAM twice,
 * as the kernel does without KASLR (arch/x86/include/asm/page_64_types.h): the
 * kernel image and the direct map.
 *
 * It gets a new note as well. The vmcoreinfo, which QEMU copies from guest memory,
 * is not believed: release and page table are what the host knows them to be, so
 * that a guest cannot say where its memory is to be looked for. The CPUs' registers
 * are taken out: drgn would give them to the thread of that number, and QEMU
 * numbers by CPU.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/str.h>

#include "probe/internal.h"

#define KERNEL_MAP 0xffffffff80000000ULL /* __START_KERNEL_map */
#define KERNEL_MAX (512ULL << 20) /* KERNEL_IMAGE_SIZE */
#define DIRECT_MAP 0xffff888000000000ULL /* __PAGE_OFFSET_BASE_L4 */

#define HEADERS_MAX 64
#define NOTES_MAX   (1UL << 20)
#define CPUS_MAX    8

/* struct elf_prstatus of x86-64, and the registers in it: QEMU target/i386/arch_dump.c */
#define PRSTATUS_LEN  336
#define PRSTATUS_REGS 112
#define PT_REGS_LEN   168 /* r15 to ss: as struct pt_regs of the kernel */

struct dump {
	int fd;
	uint64_t size;
	Elf64_Ehdr head;
	Elf64_Phdr ram, notes;
};

static int strange(struct kl_error *err, const char *what)
{
	return kl_fail(err, KL_INFRA, "QEMU's dump of guest memory %s", what);
}

static int read_at(const struct dump *d, uint64_t at, void *to, size_t len, struct kl_error *err)
{
	if (at > d->size || len > d->size - at)
		return strange(err, "is cut off");
	if (pread(d->fd, to, len, (off_t)at) != (ssize_t)len)
		return kl_fail_errno(err, errno, "cannot read a dump of guest memory");
	return 0;
}

static int read_head(struct dump *d, struct kl_error *err)
{
	const Elf64_Ehdr *h = &d->head;
	struct stat st;

	if (fstat(d->fd, &st))
		return kl_fail_errno(err, errno, "cannot read a dump of guest memory");
	d->size = (uint64_t)st.st_size;
	if (read_at(d, 0, &d->head, sizeof(d->head), err))
		return -1;
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_type != ET_CORE || h->e_machine != EM_X86_64)
		return strange(err, "is no ELF core of an x86-64");
	if (h->e_phentsize != sizeof(Elf64_Phdr) || !h->e_phnum || h->e_phnum > HEADERS_MAX)
		return strange(err, "has program headers of another size or number");
	return 0;
}

/* The notes, and the one stretch of memory that begins at physical zero. */
static int read_headers(struct dump *d, struct kl_error *err)
{
	Elf64_Phdr ph[HEADERS_MAX] = { 0 };

	if (read_at(d, d->head.e_phoff, ph, d->head.e_phnum * sizeof(ph[0]), err))
		return -1;
	for (unsigned int i = 0; i < d->head.e_phnum; i++) {
		if (ph[i].p_offset > d->size || ph[i].p_filesz > d->size - ph[i].p_offset)
			return strange(err, "has a segment behind its end");
		if (ph[i].p_type == PT_NOTE && !d->notes.p_filesz)
			d->notes = ph[i];
		else if (ph[i].p_type == PT_LOAD && !ph[i].p_paddr && !d->ram.p_filesz)
			d->ram = ph[i];
	}
	if (!d->ram.p_filesz)
		return strange(err, "lacks memory at physical zero");
	if (d->notes.p_filesz > NOTES_MAX)
		return strange(err, "has too many notes");
	return 0;
}

static void add_note(struct kl_buf *b, const char *name, uint32_t type, const void *desc,
		     size_t len)
{
	static const char zero[4];
	const Elf64_Nhdr n = {
		.n_namesz = (uint32_t)strlen(name) + 1,
		.n_descsz = (uint32_t)len,
		.n_type = type,
	};

	kl_buf_append(b, &n, sizeof(n));
	kl_buf_append(b, name, n.n_namesz);
	kl_buf_append(b, zero, -n.n_namesz & 3);
	kl_buf_append(b, desc, len);
	kl_buf_append(b, zero, -len & 3);
}

static void add_registers(struct kl_buf *to, const uint8_t *regs)
{
	if (to->len)
		kl_buf_puts(to, ",");
	for (size_t i = 0; i < PT_REGS_LEN; i++)
		kl_buf_printf(to, "%02x", regs[i]);
}

/* The registers of each CPU, out of QEMU's notes. */
static int read_registers(const struct dump *d, struct kl_buf *to, struct kl_error *err)
{
	size_t len = d->notes.p_filesz, cpus = 0;
	KL_AUTO_FREE uint8_t *notes = calloc(1, len + 1);

	if (!notes)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (read_at(d, d->notes.p_offset, notes, len, err))
		return -1;
	for (size_t at = 0; len - at >= sizeof(Elf64_Nhdr);) {
		Elf64_Nhdr n;
		uint64_t name, desc;

		memcpy(&n, notes + at, sizeof(n));
		at += sizeof(n);
		name = ((uint64_t)n.n_namesz + 3) & ~3ULL;
		desc = ((uint64_t)n.n_descsz + 3) & ~3ULL;
		if (name > len - at || desc > len - at - name)
			return strange(err, "has a note behind its end");
		if (n.n_type == NT_PRSTATUS && n.n_namesz == 5 && n.n_descsz == PRSTATUS_LEN &&
		    !memcmp(notes + at, "CORE", 5) && cpus++ < CPUS_MAX)
			add_registers(to, notes + at + name + PRSTATUS_REGS);
		at += name + desc;
	}
	return 0;
}

static void add_vmcoreinfo(struct kl_buf *to, const struct kp_kernel *k)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	kl_buf_printf(&b,
		      "OSRELEASE=%s\n"
		      "PAGESIZE=4096\n"
		      "SYMBOL(swapper_pg_dir)=%llx\n"
		      "LENGTH(mem_section)=2048\n"
		      "NUMBER(SECTION_SIZE_BITS)=27\n"
		      "NUMBER(MAX_PHYSMEM_BITS)=46\n"
		      "NUMBER(phys_base)=0\n"
		      "NUMBER(pgtable_l5_enabled)=0\n"
		      "KERNELOFFSET=0\n",
		      k->release, (unsigned long long)k->page_table);
	to->failed |= b.failed;
	add_note(to, "VMCOREINFO", 0, kl_buf_str(&b), b.len);
}

static Elf64_Phdr map(const struct dump *d, uint64_t at, uint64_t max)
{
	uint64_t len = d->ram.p_filesz < max ? d->ram.p_filesz : max;

	return (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = d->ram.p_offset,
		.p_vaddr = at,
		.p_paddr = 0,
		.p_filesz = len,
		.p_memsz = len,
	};
}

static int write_at(const struct dump *d, uint64_t at, const void *from, size_t len,
		    struct kl_error *err)
{
	if (pwrite(d->fd, from, len, (off_t)at) != (ssize_t)len)
		return kl_fail_errno(err, errno, "cannot write a dump of guest memory");
	return 0;
}

int kp_mend(int fd, const struct kp_kernel *k, struct kl_buf *registers, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf notes = KL_BUF_CAPPED(NOTES_MAX);
	struct dump d = { .fd = fd };
	Elf64_Phdr ph[3];
	uint64_t at;

	if (read_head(&d, err) || read_headers(&d, err) || read_registers(&d, registers, err))
		return -1;
	add_vmcoreinfo(&notes, k);
	if (kl_buf_check(&notes, "a dump's notes", err) ||
	    kl_buf_check(registers, "a dump's registers", err))
		return -1;
	at = (d.size + 7) & ~7ULL;
	ph[0] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = at + sizeof(ph),
		.p_filesz = notes.len,
		.p_memsz = notes.len,
		.p_align = 4,
	};
	ph[1] = map(&d, KERNEL_MAP, KERNEL_MAX);
	ph[2] = map(&d, DIRECT_MAP, UINT64_MAX);
	d.head.e_phoff = at;
	d.head.e_phnum = KL_ARRAY_SIZE(ph);
	d.head.e_shoff = 0;
	d.head.e_shnum = 0;
	d.head.e_shstrndx = SHN_UNDEF;
	if (write_at(&d, at, ph, sizeof(ph), err) ||
	    write_at(&d, at + sizeof(ph), notes.data, notes.len, err))
		return -1;
	return write_at(&d, 0, &d.head, sizeof(d.head), err);
}
