/*
 * What a module calls: the undefined symbols of its symbol table. The file was
 * written in the sandbox by a compiler that read hostile source, so every size
 * and index in it is somebody's claim; libelf checks sections against the file,
 * and we cap what it lets through.
 */
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "kbuild/internal.h"

#define SYMBOLS_MAX 65536
#define NAME_LIMIT  512

static void elf_end_p(Elf **e)
{
	if (*e)
		elf_end(*e);
}

static int bad(struct kl_error *err, const char *why)
{
	return kl_fail(err, KL_CONTENT, "the module is no sound ELF object: %s", why);
}

static int add_undefined(Elf *elf, const GElf_Shdr *sh, Elf_Data *data, size_t i,
			 struct kl_strv *to, struct kl_error *err)
{
	const char *name;
	GElf_Sym sym;

	if (!gelf_getsym(data, (int)i, &sym))
		return bad(err, "a symbol lies outside of its table");
	if (sym.st_shndx != SHN_UNDEF || !sym.st_name)
		return 0;
	name = elf_strptr(elf, sh->sh_link, sym.st_name);
	if (!name)
		return bad(err, "a symbol's name lies outside of its table");
	if (strnlen(name, NAME_LIMIT) == NAME_LIMIT)
		return bad(err, "a symbol's name is too long");
	if (*name && kl_strv_add(to, name))
		return kl_fail(err, KL_INFRA, "out of memory");
	return 0;
}

static int add_table(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, struct kl_strv *to,
		     struct kl_error *err)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n;

	if (!data || sh->sh_entsize != sizeof(Elf64_Sym))
		return bad(err, "its symbol table cannot be read");
	n = data->d_size / sizeof(Elf64_Sym);
	if (n > SYMBOLS_MAX)
		return bad(err, "it has too many symbols");
	for (size_t i = 1; i < n; i++)
		if (add_undefined(elf, sh, data, i, to, err))
			return -1;
	return 0;
}

static int check_header(Elf *elf, struct kl_error *err)
{
	GElf_Ehdr eh;

	if (!elf || elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS64 ||
	    !gelf_getehdr(elf, &eh))
		return bad(err, "it has no ELF header");
	if (eh.e_type != ET_REL || eh.e_machine != EM_X86_64)
		return bad(err, "it is not a relocatable object for x86-64");
	return 0;
}

int kb_elf_undefined(char *data, size_t len, struct kl_strv *ret, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO(elf_end_p) Elf *elf = NULL;
	Elf_Scn *scn = NULL;
	bool found = false;

	if (!data || elf_version(EV_CURRENT) == EV_NONE)
		return bad(err, "it is empty");
	elf = elf_memory(data, len);
	if (check_header(elf, err))
		return -1;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh))
			return bad(err, "a section lies outside of the file");
		if (sh.sh_type != SHT_SYMTAB)
			continue;
		found = true;
		if (add_table(elf, scn, &sh, &names, err))
			return -1;
	}
	if (!found)
		return bad(err, "it has no symbol table");
	kl_strv_sort(&names);
	kl_strv_deinit(ret);
	*ret = names;
	names = (struct kl_strv){ 0 };
	return 0;
}
