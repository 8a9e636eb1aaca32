/*
 * The built module against the handout's: what it imports, which sections it
 * has, which of the kernel's tables it fills, what it says of itself. Macros and
 * assembly can hide from the source policy; symbols and sections cannot hide
 * from the loader, which reads the same tables.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/elf.h>
#include <klinic/file.h>
#include <klinic/policy.h>

#include "policy/names.h"

#define KO_MAX	  (64UL << 20)
#define NOTES_MAX 100
#define SHOWN_MAX 160

struct pair {
	const struct kl_exercise *e;
	struct kl_elf ours; /* the submission's */
	struct kl_elf theirs; /* the handout's */
	char *file; /* NAME.ko */
	struct kl_policy *to;
	size_t before; /* notes that were there already */
};

static void pair_deinit(struct pair *p)
{
	kl_elf_deinit(&p->ours);
	kl_elf_deinit(&p->theirs);
	free(p->file);
}

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static bool said(const struct pair *p, const char *rule, const char *name)
{
	for (size_t i = 0; i < p->to->n; i++)
		if (!strcmp(p->to->v[i].rule, rule) && !strcmp(p->to->v[i].file, p->file) &&
		    !strcmp(p->to->v[i].name, name))
			return true;
	return false;
}

/* "NAME " and a printf. Once for a name, however many flavours are built. */
static int note(struct pair *p, bool refused, const char *rule, struct kl_error *err,
		const char *name, const char *fmt, ...) KL_PRINTF(6, 7);

static int note(struct pair *p, bool refused, const char *rule, struct kl_error *err,
		const char *name, const char *fmt, ...)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf shown = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_INIT;
	struct kl_policy_note n = { .rule = (char *)rule, .file = p->file, .refused = refused };
	va_list ap;

	kl_buf_safe_line(&shown, name, strlen(name), SHOWN_MAX);
	kl_buf_printf(&text, "%s ", kl_buf_str(&shown));
	va_start(ap, fmt);
	kl_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (shown.failed || text.failed)
		return no_memory(err);
	/* A name may be empty: then there is no data. */
	n.name = (char *)kl_buf_str(&shown);
	n.text = text.data;
	/* A crowd of flags keeps no refusal from being told. */
	if (said(p, rule, n.name) || (p->to->n - p->before >= NOTES_MAX && !refused) ||
	    p->to->n - p->before >= 2 * NOTES_MAX)
		return 0;
	return kl_policy_add(p->to, &n) ? no_memory(err) : 0;
}

static int judge_import(struct pair *p, const char *name, struct kl_error *err)
{
	const struct pl_rule *r = pl_rule_of(name, PL_IMPORT);

	if (kl_strv_has(&p->theirs.undefined, name) || kl_strv_has(&p->e->imports, name))
		return 0;
	if (r && r->refused)
		return note(p, true, r->rule, err, name, "is called by the module and %s: %s",
			    r->why, r->instead);
	if (pl_import_is_usual(name))
		return 0;
	return note(p, false, "import", err, name,
		    "is called by neither the handout's module nor most drivers, and the exercise "
		    "does not list it: see whether a fix needs it");
}

static int judge_imports(struct pair *p, struct kl_error *err)
{
	for (size_t i = 0; i < p->ours.undefined.n; i++)
		if (judge_import(p, p->ours.undefined.v[i], err))
			return -1;
	return 0;
}

static const struct kl_elf_section *find(const struct kl_elf *e, const char *name)
{
	for (size_t i = 1; i < e->n_sections; i++)
		if (!strcmp(e->sections[i].name, name))
			return &e->sections[i];
	return NULL;
}

static const char code_sections[] = ".text .text.* .init.text .exit.text .init.text.* .exit.text.*";
static const char data_sections[] =
	".data .data.* .data..* .rodata .rodata.* .bss .bss.* .init.data .init.data.* .exit.data "
	".init.rodata .init.rodata.* .note.* .modinfo .gnu.linkonce.this_module __versions "
	"__param __mcount_loc __bug_table .smp_locks __jump_table .orc_unwind .orc_unwind_ip "
	".orc_header .init_array .fini_array .parainstructions .altinstructions .retpoline_sites "
	".return_sites .call_sites .ibt_endbr_seal .static_call_sites __ex_table "
	"__ksymtab __ksymtab_gpl __ksymtab_strings __kcrctab __kcrctab_gpl __dyndbg "
	"___srcu_struct_ptrs __tracepoints __tracepoints_ptrs __tracepoints_strings "
	"_ftrace_events .printk_index __patchable_function_entries";

static int judge_section(struct pair *p, const struct kl_elf_section *s, struct kl_error *err)
{
	bool code = s->flags & SHF_EXECINSTR;
	const struct kl_elf_section *same = find(&p->theirs, s->name);

	if (!(s->flags & SHF_ALLOC))
		return 0;
	if (code && (s->flags & SHF_WRITE))
		return note(p, true, "section", err, s->name,
			    "can be written and executed: no driver needs that");
	if (same && same->type == s->type && same->flags == s->flags)
		return 0;
	if (pl_listed(code ? code_sections : data_sections, s->name))
		return 0;
	return note(
		p, true, "section", err, s->name,
		"is a section that the handout's module does not have: leave code and data where "
		"the compiler puts them");
}

static int judge_sections(struct pair *p, struct kl_error *err)
{
	for (size_t i = 1; i < p->ours.n_sections; i++)
		if (judge_section(p, &p->ours.sections[i], err))
			return -1;
	return p->ours.ifunc
		       ? note(p, true, "section", err, "ifunc",
			      "symbols are computed while the module is loaded: take them out")
		       : 0;
}

/*
 * Tables by which the kernel patches, calls or catches at load time: an entry
 * that points out of the module makes it do so elsewhere.
 */
static const char acted_upon[] =
	".altinstructions __jump_table .static_call_sites .smp_locks .parainstructions "
	".retpoline_sites .return_sites .call_sites .ibt_endbr_seal __mcount_loc __ex_table "
	"__bug_table .init_array .fini_array __patchable_function_entries ___srcu_struct_ptrs";

/* The key of a jump label or a static call may be the kernel's (include/linux/jump_label.h, static_call.h). */
static bool is_key(const char *section, uint64_t offset)
{
	if (!strcmp(section, "__jump_table"))
		return offset % 16 >= 8;
	return !strcmp(section, ".static_call_sites") && offset % 8 == 4;
}

static int judge_relocation(struct pair *p, const struct kl_elf_relocation *r, struct kl_error *err)
{
	const char *name = p->ours.sections[r->section].name;
	const struct kl_elf_section *target;

	if (!strcmp(name, ".gnu.linkonce.this_module"))
		return strcmp(r->symbol, "init_module") != 0 &&
				       strcmp(r->symbol, "cleanup_module") != 0
			       ? note(p, true, "module-trick", err, name,
				      "points at more than the module's own init and exit")
			       : 0;
	if (!pl_listed(acted_upon, name))
		return 0;
	if (r->target == KL_ELF_UNDEFINED && is_key(name, r->offset))
		return 0;
	target = r->target < p->ours.n_sections ? &p->ours.sections[r->target] : NULL;
	/* What is relative to its own place may begin some bytes before the section. */
	if (target && (target->flags & SHF_ALLOC) && r->place >= -16 &&
	    (r->place < 0 || (uint64_t)r->place <= target->size + 16))
		return 0;
	return note(
		p, true, "section", err, name,
		"has an entry that points out of the module: the kernel would act on memory that "
		"is not the driver's");
}

/* A table without relocations holds plain addresses. related: sections that have some. */
static int judge_table(struct pair *p, const struct kl_elf_section *s, bool related,
		       struct kl_error *err)
{
	if (related || !s->size || !(s->flags & SHF_ALLOC) || !pl_listed(acted_upon, s->name))
		return 0;
	return note(p, true, "section", err, s->name, "holds addresses that no symbol explains");
}

/* One pair of functions a source: the memory checker's. */
static int judge_constructors(struct pair *p, struct kl_error *err)
{
	static const char checkers[] = ".init_array .fini_array";
	static const char all[] = ".init_array* .fini_array* .ctors* .dtors* .preinit_array*";

	for (size_t i = 1; i < p->ours.n_sections; i++) {
		const struct kl_elf_section *s = &p->ours.sections[i];
		bool usual = pl_listed(checkers, s->name);
		size_t most = usual ? p->e->sources.n * sizeof(uint64_t) : 0;

		if ((s->flags & SHF_ALLOC) && pl_listed(all, s->name) && s->size > most &&
		    note(p, true, "section", err, s->name,
			 "calls functions before the module's init: take the constructors out"))
			return -1;
	}
	return 0;
}

static int judge_tables(struct pair *p, struct kl_error *err)
{
	KL_AUTO_FREE bool *related = calloc(p->ours.n_sections + 1, sizeof(*related));

	if (!related)
		return no_memory(err);
	for (size_t i = 0; i < p->ours.n_relocations; i++) {
		related[p->ours.relocations[i].section] = true;
		if (judge_relocation(p, &p->ours.relocations[i], err))
			return -1;
	}
	for (size_t i = 1; i < p->ours.n_sections; i++)
		if (judge_table(p, &p->ours.sections[i], related[i], err))
			return -1;
	return judge_constructors(p, err);
}

static int judge_exports(struct pair *p, struct kl_error *err)
{
	static const char prefix[] = "__ksymtab_";

	for (size_t i = 0; i < p->ours.defined.n; i++) {
		const char *name = p->ours.defined.v[i];

		if (kl_str_starts(name, prefix) && !kl_strv_has(&p->theirs.defined, name) &&
		    note(p, true, "export", err, name + strlen(prefix),
			 "is exported, and was not before: keep it to the module"))
			return -1;
	}
	return 0;
}

static size_t key_length(const char *info)
{
	return strcspn(info, "=");
}

static size_t count_key(const struct kl_elf *e, const char *info, bool whole)
{
	size_t n = 0, len = key_length(info);

	for (size_t i = 0; i < e->modinfo.n; i++) {
		const char *other = e->modinfo.v[i];

		n += whole ? !strcmp(other, info)
			   : key_length(other) == len && !memcmp(other, info, len);
	}
	return n;
}

/* One line of .modinfo that the handout's module does not have, or has less often. */
static int judge_info(struct pair *p, const char *info, struct kl_error *err)
{
	static const char prose[] = "author description version srcversion";
	static const char shown[] = "parm parmtype depends alias firmware import_ns";
	KL_AUTO_FREE char *key = strndup(info, key_length(info));

	if (!key)
		return no_memory(err);
	if (pl_listed(prose, key))
		return 0;
	if (count_key(&p->theirs, info, true) &&
	    count_key(&p->ours, info, false) == count_key(&p->theirs, info, false))
		return 0;
	if (pl_listed(shown, key))
		return count_key(&p->theirs, info, true)
			       ? 0
			       : note(p, false, "modinfo", err, info, "is new in .modinfo");
	return note(p, true, "modinfo", err, info,
		    "in .modinfo is not as in the handout's module: licence, name and flags of the "
		    "module stay");
}

/* What must be there is there. */
static int judge_lost(struct pair *p, struct kl_error *err)
{
	static const char needed[] = "license name vermagic";

	for (size_t i = 0; i < p->theirs.modinfo.n; i++) {
		const char *info = p->theirs.modinfo.v[i];
		KL_AUTO_FREE char *key = strndup(info, key_length(info));

		if (!key)
			return no_memory(err);
		if (pl_listed(needed, key) && !count_key(&p->ours, info, true) &&
		    note(p, true, "modinfo", err, info,
			 "is gone from .modinfo: licence, name and flags of the module stay"))
			return -1;
	}
	return 0;
}

static int judge_modinfo(struct pair *p, struct kl_error *err)
{
	for (size_t i = 0; i < p->ours.modinfo.n; i++)
		if (judge_info(p, p->ours.modinfo.v[i], err))
			return -1;
	return judge_lost(p, err);
}

static int read_elf(const char *path, struct kl_elf *ret, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = { .cap = KO_MAX };

	return kl_file_read(path, KO_MAX, &b, err) ? -1 : kl_elf_read(b.data, b.len, ret, err);
}

int kl_policy_module(const struct kl_exercise *e, const char *ko, const char *handout_ko,
		     struct kl_policy *ret, struct kl_error *err)
{
	KL_AUTO(pair_deinit) struct pair p = { .e = e, .to = ret, .before = ret->n };
	struct kl_error bad = KL_ERROR_INIT;

	p.file = kl_asprintf("%s.ko", e->module);
	if (!p.file)
		return no_memory(err);
	if (read_elf(handout_ko, &p.theirs, err))
		return kl_error_prepend(err, "the handout's module");
	if (read_elf(ko, &p.ours, &bad))
		return bad.class == KL_CONTENT ? note(&p, true, "module", err, p.file,
						      "cannot be judged: %s", bad.message)
					       : kl_fail(err, bad.class, "%s", bad.message);
	if (judge_imports(&p, err) || judge_sections(&p, err) || judge_tables(&p, err) ||
	    judge_exports(&p, err))
		return -1;
	return judge_modinfo(&p, err);
}
