/* Where a variable of the kernel lies in guest-physical memory: from vmlinux's symbol table. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "vm/template.h"

/*
 * Without KASLR (nokaslr, RANDOMIZE_BASE=n) the kernel image is mapped at
 * __START_KERNEL_map and physical zero: arch/x86/include/asm/page_64_types.h.
 */
#define START_KERNEL_MAP 0xffffffff80000000ULL

static void elf_end_p(Elf **e)
{
	elf_end(*e);
}

static void look(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, const char *const *names, size_t n,
		 uint64_t *ret_phys)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t count = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;

	for (size_t i = 0; data && i < count; i++) {
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym) || sym.st_value < START_KERNEL_MAP)
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		for (size_t k = 0; name && k < n; k++)
			if (!strcmp(name, names[k]))
				ret_phys[k] = sym.st_value - START_KERNEL_MAP;
	}
}

int kl_vm_symbols(const char *vmlinux, const char *const *names, size_t n, uint64_t *ret_phys,
		  struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(vmlinux, O_RDONLY | O_CLOEXEC);
	KL_AUTO(elf_end_p) Elf *elf = NULL;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot open %s", vmlinux);
	memset(ret_phys, 0, n * sizeof(*ret_phys));
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf)
		return kl_fail(err, KL_INFRA, "%s is no ELF file", vmlinux);
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			look(elf, scn, &sh, names, n, ret_phys);
	return 0;
}

/* The nearest symbol at or below an address, of those in executable or data sections. */
static void nearest(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, uint64_t addr, GElf_Sym *best,
		    const char **ret_name)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t count = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;

	for (size_t i = 0; data && i < count; i++) {
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym) || sym.st_value > addr ||
		    (GELF_ST_TYPE(sym.st_info) != STT_FUNC &&
		     GELF_ST_TYPE(sym.st_info) != STT_OBJECT) ||
		    (*ret_name && sym.st_value <= best->st_value))
			continue;
		*best = sym;
		*ret_name = elf_strptr(elf, sh->sh_link, sym.st_name);
	}
}

char *kl_vm_symbol_at(const char *vmlinux, uint64_t phys)
{
	KL_AUTO_CLOSE int fd = open(vmlinux, O_RDONLY | O_CLOEXEC);
	KL_AUTO(elf_end_p) Elf *elf = NULL;
	uint64_t addr = phys + START_KERNEL_MAP;
	const char *name = NULL;
	Elf_Scn *scn = NULL;
	GElf_Sym best = { 0 };
	GElf_Shdr sh;

	if (fd >= 0) {
		elf_version(EV_CURRENT);
		elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	}
	while (elf && (scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			nearest(elf, scn, &sh, addr, &best, &name);
	if (!name)
		return kl_asprintf("0x%llx", (unsigned long long)addr);
	return kl_asprintf("%s+0x%llx", name, (unsigned long long)(addr - best.st_value));
}
