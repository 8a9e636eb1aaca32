/* Modules' ELF tables, by libelf. What is hostile about them: include/klinic/elf.h. */
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/elf.h>

#define SYMBOLS_MAX	65536
#define SECTIONS_MAX	4096
#define RELOCATIONS_MAX 262144
#define NAME_LIMIT	512
#define MODINFO_MAX	(256UL << 10)

struct reader {
	Elf *elf;
	struct kl_elf *to;
	Elf_Data *symbols; /* of the one symbol table */
	size_t n_symbols;
	size_t names; /* its string table */
};

static void elf_end_p(Elf **e)
{
	if (*e)
		elf_end(*e);
}

static int bad(struct kl_error *err, const char *why)
{
	return kl_fail(err, KL_CONTENT, "the module is no sound ELF object: %s", why);
}

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

void kl_elf_deinit(struct kl_elf *e)
{
	for (size_t i = 0; i < e->n_sections; i++)
		free(e->sections[i].name);
	for (size_t i = 0; i < e->n_relocations; i++)
		free(e->relocations[i].symbol);
	free(e->sections);
	free(e->relocations);
	kl_strv_deinit(&e->undefined);
	kl_strv_deinit(&e->defined);
	kl_strv_deinit(&e->modinfo);
	*e = (struct kl_elf){ 0 };
}

static int check_header(Elf *elf, struct kl_error *err)
{
	GElf_Ehdr eh;

	if (!elf || elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS64 ||
	    !gelf_getehdr(elf, &eh))
		return bad(err, "it has no ELF header");
	if (eh.e_type != ET_REL || eh.e_machine != EM_X86_64 || eh.e_ident[EI_DATA] != ELFDATA2LSB)
		return bad(err, "it is not a relocatable object for x86-64");
	return 0;
}

static int name_at(struct reader *r, size_t table, size_t at, const char **ret,
		   struct kl_error *err)
{
	*ret = elf_strptr(r->elf, table, at);
	if (!*ret)
		return bad(err, "a name lies outside of its table");
	if (strnlen(*ret, NAME_LIMIT) == NAME_LIMIT)
		return bad(err, "a name is too long");
	return 0;
}

static int read_sections(struct reader *r, struct kl_error *err)
{
	size_t n = 0, table = 0;

	if (elf_getshdrnum(r->elf, &n) || elf_getshdrstrndx(r->elf, &table) || n > SECTIONS_MAX)
		return bad(err, "its sections cannot be read");
	r->to->sections = calloc(n + 1, sizeof(*r->to->sections));
	if (!r->to->sections)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		struct kl_elf_section *to = &r->to->sections[i];
		Elf_Scn *scn = elf_getscn(r->elf, i);
		const char *name = "";
		GElf_Shdr sh;

		if (!scn || !gelf_getshdr(scn, &sh))
			return bad(err, "a section lies outside of the file");
		if (i && name_at(r, table, sh.sh_name, &name, err))
			return -1;
		r->to->n_sections = i + 1;
		to->name = strdup(name);
		to->type = sh.sh_type;
		to->flags = sh.sh_flags;
		to->size = sh.sh_size;
		if (!to->name)
			return no_memory(err);
	}
	return 0;
}

static int find_symbols(struct reader *r, struct kl_error *err)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(r->elf, scn))) {
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh))
			return bad(err, "a section lies outside of the file");
		if (sh.sh_type != SHT_SYMTAB)
			continue;
		/* The kernel takes the one; two would be one for it and one for us. */
		if (r->symbols)
			return bad(err, "it has more than one symbol table");
		r->symbols = elf_getdata(scn, NULL);
		if (!r->symbols || sh.sh_entsize != sizeof(Elf64_Sym))
			return bad(err, "its symbol table cannot be read");
		r->n_symbols = r->symbols->d_size / sizeof(Elf64_Sym);
		r->names = sh.sh_link;
	}
	if (!r->symbols)
		return bad(err, "it has no symbol table");
	if (r->n_symbols > SYMBOLS_MAX)
		return bad(err, "it has too many symbols");
	return 0;
}

static int read_symbols(struct reader *r, struct kl_error *err)
{
	for (size_t i = 1; i < r->n_symbols; i++) {
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym(r->symbols, (int)i, &sym))
			return bad(err, "a symbol lies outside of its table");
		r->to->ifunc |= GELF_ST_TYPE(sym.st_info) == STT_GNU_IFUNC;
		if (!sym.st_name)
			continue;
		if (name_at(r, r->names, sym.st_name, &name, err))
			return -1;
		if (*name &&
		    kl_strv_add(sym.st_shndx == SHN_UNDEF ? &r->to->undefined : &r->to->defined,
				name))
			return no_memory(err);
	}
	kl_strv_sort(&r->to->undefined);
	kl_strv_sort(&r->to->defined);
	return 0;
}

static int add_relocation(struct reader *r, uint32_t section, const GElf_Rela *rel,
			  struct kl_error *err)
{
	struct kl_elf_relocation *to = &r->to->relocations[r->to->n_relocations];
	const char *name = "";
	GElf_Sym sym = { 0 };
	size_t index = GELF_R_SYM(rel->r_info);

	if (index >= r->n_symbols || !gelf_getsym(r->symbols, (int)index, &sym))
		return bad(err, "a relocation names no symbol");
	if (sym.st_name && name_at(r, r->names, sym.st_name, &name, err))
		return -1;
	*to = (struct kl_elf_relocation){
		.section = section,
		.offset = rel->r_offset,
		.target = index && sym.st_shndx == SHN_UNDEF		? KL_ELF_UNDEFINED
			  : !index || sym.st_shndx >= r->to->n_sections ? KL_ELF_NOWHERE
									: sym.st_shndx,
		.place = (int64_t)(sym.st_value + (uint64_t)rel->r_addend),
		.symbol = strdup(name),
	};
	r->to->n_relocations++;
	return to->symbol ? 0 : no_memory(err);
}

static int read_table(struct reader *r, Elf_Scn *scn, const GElf_Shdr *sh, struct kl_error *err)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data ? data->d_size / sizeof(Elf64_Rela) : 0;
	struct kl_elf_relocation *more;

	if (!data || sh->sh_entsize != sizeof(Elf64_Rela) ||
	    r->to->n_relocations + n > RELOCATIONS_MAX)
		return bad(err, "its relocations cannot be read");
	more = reallocarray(r->to->relocations, r->to->n_relocations + n + 1, sizeof(*more));
	if (!more)
		return no_memory(err);
	r->to->relocations = more;
	for (size_t i = 0; i < n; i++) {
		GElf_Rela rel;

		if (!gelf_getrela(data, (int)i, &rel))
			return bad(err, "a relocation lies outside of its table");
		if (add_relocation(r, sh->sh_info, &rel, err))
			return -1;
	}
	return 0;
}

/* Code refers to what it likes; tables that the kernel acts on are another matter. */
static bool is_table(const struct kl_elf_section *s)
{
	return (s->flags & SHF_ALLOC) && !(s->flags & SHF_EXECINSTR);
}

static int read_relocations(struct reader *r, struct kl_error *err)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(r->elf, scn))) {
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh))
			return bad(err, "a section lies outside of the file");
		if (sh.sh_type == SHT_REL)
			return bad(err, "it has relocations of a kind that x86-64 does not use");
		if (sh.sh_type != SHT_RELA)
			continue;
		if (sh.sh_info >= r->to->n_sections)
			return bad(err, "relocations belong to no section");
		if (is_table(&r->to->sections[sh.sh_info]) && read_table(r, scn, &sh, err))
			return -1;
	}
	return 0;
}

/* Strings, one after the other, with NULs between. */
static int read_modinfo(struct reader *r, struct kl_error *err)
{
	for (size_t i = 1; i < r->to->n_sections; i++) {
		Elf_Data *data;
		const char *s;
		size_t left;

		if (strcmp(r->to->sections[i].name, ".modinfo") != 0)
			continue;
		data = elf_getdata(elf_getscn(r->elf, i), NULL);
		if (!data || data->d_size > MODINFO_MAX || (data->d_size && !data->d_buf))
			return bad(err, "its .modinfo cannot be read");
		s = data->d_buf;
		for (left = data->d_size; left;) {
			size_t n = strnlen(s, left);
			KL_AUTO_FREE char *one = strndup(s, n);

			if (!one || (n && kl_strv_add(&r->to->modinfo, one)))
				return no_memory(err);
			n += n < left;
			s += n;
			left -= n;
		}
	}
	return 0;
}

static int open_elf(char *data, size_t len, Elf **ret, struct kl_error *err)
{
	if (!data || elf_version(EV_CURRENT) == EV_NONE)
		return bad(err, "it is empty");
	*ret = elf_memory(data, len);
	return check_header(*ret, err);
}

static int read_all(struct reader *r, struct kl_error *err)
{
	if (read_sections(r, err) || find_symbols(r, err) || read_symbols(r, err) ||
	    read_relocations(r, err))
		return -1;
	return read_modinfo(r, err);
}

int kl_elf_read(char *data, size_t len, struct kl_elf *ret, struct kl_error *err)
{
	KL_AUTO(kl_elf_deinit) struct kl_elf e = { 0 };
	KL_AUTO(elf_end_p) Elf *elf = NULL;
	struct reader r = { .to = &e };

	if (open_elf(data, len, &elf, err))
		return -1;
	r.elf = elf;
	if (read_all(&r, err))
		return -1;
	*ret = e;
	e = (struct kl_elf){ 0 };
	return 0;
}

int kl_elf_undefined(char *data, size_t len, struct kl_strv *ret, struct kl_error *err)
{
	KL_AUTO(kl_elf_deinit) struct kl_elf e = { 0 };
	KL_AUTO(elf_end_p) Elf *elf = NULL;
	struct reader r = { .to = &e };

	if (open_elf(data, len, &elf, err))
		return -1;
	r.elf = elf;
	if (find_symbols(&r, err) || read_symbols(&r, err))
		return -1;
	kl_strv_deinit(ret);
	*ret = e.undefined;
	e.undefined = (struct kl_strv){ 0 };
	return 0;
}
