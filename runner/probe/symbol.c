/* Where a symbol of vmlinux lies. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "probe/internal.h"

static void elf_end_p(Elf **e)
{
	elf_end(*e);
}

static uint64_t look(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, const char *name)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t count = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;

	for (size_t i = 0; data && i < count; i++) {
		const char *called;
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym) || !sym.st_value)
			continue;
		called = elf_strptr(elf, sh->sh_link, sym.st_name);
		if (called && !strcmp(called, name))
			return sym.st_value;
	}
	return 0;
}

int kp_symbol(const char *vmlinux, const char *name, uint64_t *ret, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(vmlinux, O_RDONLY | O_CLOEXEC);
	KL_AUTO(elf_end_p) Elf *elf = NULL;
	Elf_Scn *scn = NULL;
	uint64_t found = 0;
	GElf_Shdr sh;

	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot open %s", vmlinux);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	while (elf && !found && (scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			found = look(elf, scn, &sh, name);
	if (!found)
		return kl_fail(err, KL_INFRA, "%s has no symbol %s", vmlinux, name);
	*ret = found;
	return 0;
}
