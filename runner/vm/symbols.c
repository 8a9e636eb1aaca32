/*
 * Where a variable of the kernel lies in guest-physical memory: from vmlinux's
 * symbol table. Without KASLR (nokaslr, RANDOMIZE_BASE=n) the kernel image is
 * mapped at KL_KERNEL_MAP and physical zero.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "vm/anatomy.h"
#include "vm/template.h"

static void elf_end_p(Elf **e)
{
	elf_end(*e);
}

static void look(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, const char *const *names, size_t n,
		 struct kl_symbol *ret)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t count = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;

	for (size_t i = 0; data && i < count; i++) {
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym) || sym.st_value < KL_KERNEL_MAP)
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		for (size_t k = 0; name && k < n; k++) {
			/* Some 100,000 symbols against some 100 names. */
			if (names[k][0] != name[0] || strcmp(name, names[k]) != 0)
				continue;
			ret[k].phys = sym.st_value - KL_KERNEL_MAP;
			ret[k].size = sym.st_size;
			ret[k].seen++;
		}
	}
}

int kl_vm_symbols_sized(const char *vmlinux, const char *const *names, size_t n,
			struct kl_symbol *ret, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(vmlinux, O_RDONLY | O_CLOEXEC);
	KL_AUTO(elf_end_p) Elf *elf = NULL;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot open %s", vmlinux);
	memset(ret, 0, n * sizeof(*ret));
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf)
		return kl_fail(err, KL_INFRA, "%s is no ELF file", vmlinux);
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			look(elf, scn, &sh, names, n, ret);
	/* Statics of one name in two files: which one is meant is not known. */
	for (size_t k = 0; k < n; k++)
		if (ret[k].seen > 1)
			ret[k].phys = 0;
	return 0;
}

int kl_vm_symbols(const char *vmlinux, const char *const *names, size_t n, uint64_t *ret_phys,
		  struct kl_error *err)
{
	KL_AUTO_FREE struct kl_symbol *got = calloc(n + 1, sizeof(*got));

	if (!got)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_vm_symbols_sized(vmlinux, names, n, got, err))
		return -1;
	for (size_t k = 0; k < n; k++)
		ret_phys[k] = got[k].phys;
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
	uint64_t addr = phys + KL_KERNEL_MAP;
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
