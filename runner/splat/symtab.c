/*
 * Looks functions up in the symbol table of a vmlinux or a module (libelf).
 * A module is built from a candidate's source, so nothing in it is believed:
 * libelf checks what it hands out against the file, and counts are capped here.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>

#include "splat/symtab.h"

#define MAX_FILE    (4LL << 30)
#define MAX_SYMBOLS 8000000

static void end_elf(Elf **e)
{
	if (*e)
		elf_end(*e);
}

static int by_name(const void *a, const void *b)
{
	const struct kl_symbol_query *const *x = a, *const *y = b;

	return strcmp((*x)->symbol, (*y)->symbol);
}

/* In a relocatable file addresses count from the section's start, and addr2line wants its name. */
static bool section_name(Elf *e, size_t names, size_t index, char *ret, size_t size)
{
	Elf_Scn *scn = elf_getscn(e, index);
	GElf_Shdr sh;
	const char *name;

	if (!scn || !gelf_getshdr(scn, &sh) || !(sh.sh_flags & SHF_EXECINSTR))
		return false;
	name = elf_strptr(e, names, sh.sh_name);
	if (!name || name[0] != '.' || strlen(name) >= size)
		return false;
	memcpy(ret, name, strlen(name) + 1);
	return true;
}

struct table {
	Elf *elf;
	bool relocatable;
	size_t section_names;
	struct kl_symbol_query **by_name; /* sorted */
	size_t n;
};

static void offer(const struct table *t, struct kl_symbol_query *q, const GElf_Sym *sym)
{
	uint64_t distance = 0;
	char section[sizeof(q->section)] = "";

	if (q->size) {
		distance = q->size > sym->st_size ? q->size - sym->st_size : sym->st_size - q->size;
		if (q->offset > q->size)
			return;
	}
	if (q->found && distance >= q->distance)
		return;
	if (t->relocatable &&
	    !section_name(t->elf, t->section_names, sym->st_shndx, section, sizeof(section)))
		return;
	q->found = true;
	q->distance = distance;
	q->address = sym->st_value;
	memcpy(q->section, section, sizeof(section));
}

static void scan(const struct table *t, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;
	struct kl_symbol_query key, *pkey = &key, **hit;
	GElf_Sym sym;

	if (n > MAX_SYMBOLS)
		n = MAX_SYMBOLS;
	for (size_t i = 0; i < n && gelf_getsym(data, (int)i, &sym); i++) {
		int type = GELF_ST_TYPE(sym.st_info);

		if ((type != STT_FUNC && type != STT_NOTYPE) || sym.st_shndx == SHN_UNDEF)
			continue;
		key.symbol = elf_strptr(t->elf, sh->sh_link, sym.st_name);
		if (!key.symbol || !key.symbol[0])
			continue;
		hit = bsearch(&pkey, t->by_name, t->n, sizeof(struct kl_symbol_query *), by_name);
		if (!hit)
			continue;
		while (hit > t->by_name && !strcmp(hit[-1]->symbol, key.symbol))
			hit--;
		for (; hit < t->by_name + t->n && !strcmp((*hit)->symbol, key.symbol); hit++)
			offer(t, *hit, &sym);
	}
}

static int open_elf(const char *path, int *ret_fd, Elf **ret_elf, struct kl_error *err)
{
	struct stat st;

	*ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*ret_fd < 0)
		return kl_fail_errno(err, errno, "cannot open %s", path);
	if (fstat(*ret_fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MAX_FILE)
		return kl_fail(err, KL_CONTENT, "%s is no regular file of at most 4 GiB", path);
	if (elf_version(EV_CURRENT) == EV_NONE)
		return kl_fail(err, KL_INFRA, "libelf is too old");
	*ret_elf = elf_begin(*ret_fd, ELF_C_READ_MMAP, NULL);
	if (!*ret_elf || elf_kind(*ret_elf) != ELF_K_ELF)
		return kl_fail(err, KL_CONTENT, "%s is no ELF file", path);
	return 0;
}

int kl_symtab_find(const char *path, struct kl_symbol_query *q, size_t n, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = -1;
	KL_AUTO(end_elf) Elf *elf = NULL;
	KL_AUTO_FREE struct kl_symbol_query **sorted = NULL;
	struct table t = { .n = n };
	Elf_Scn *scn = NULL;
	GElf_Ehdr eh;
	GElf_Shdr sh;

	if (open_elf(path, &fd, &elf, err) < 0)
		return -1;
	t.elf = elf;
	if (!gelf_getehdr(elf, &eh) || elf_getshdrstrndx(elf, &t.section_names) < 0)
		return kl_fail(err, KL_CONTENT, "%s has a damaged ELF header", path);
	t.relocatable = eh.e_type == ET_REL;
	sorted = calloc(n ? n : 1, sizeof(struct kl_symbol_query *));
	if (!sorted)
		return kl_fail(err, KL_INFRA, "no memory to look up symbols of %s", path);
	for (size_t i = 0; i < n; i++)
		sorted[i] = &q[i];
	qsort(sorted, n, sizeof(struct kl_symbol_query *), by_name);
	t.by_name = sorted;
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			scan(&t, scn, &sh);
	return 0;
}
