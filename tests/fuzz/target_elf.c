/*
 * Fuzz: a built module, as its tables and as the policy judges it against the
 * handout's (tests/fuzz/desk/desk.ko).
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/elf.h>
#include <klinic/policy.h>

#include "fuzz.h"
#include "splat/symtab.h"

static void check(const struct kl_elf *e)
{
	for (size_t i = 0; i < e->n_sections; i++)
		FUZZ_MUST(e->sections[i].name);
	for (size_t i = 0; i < e->n_relocations; i++) {
		const struct kl_elf_relocation *r = &e->relocations[i];

		FUZZ_MUST(r->section < e->n_sections && r->symbol);
		FUZZ_MUST(r->target == KL_ELF_UNDEFINED || r->target == KL_ELF_NOWHERE ||
			  r->target < e->n_sections);
	}
}

static int read_tables(const uint8_t *data, size_t size)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv undefined = { 0 };
	KL_AUTO(kl_elf_deinit) struct kl_elf e = { 0 };
	KL_AUTO_FREE char *one = malloc(size + 1), *two = malloc(size + 1);
	struct kl_error err = KL_ERROR_INIT;

	FUZZ_MUST(one && two);
	memcpy(one, data, size);
	memcpy(two, data, size);
	if (kl_elf_read(one, size, &e, &err)) {
		FUZZ_MUST(err.class == KL_CONTENT && *err.message && !e.sections);
		return -1;
	}
	check(&e);
	FUZZ_MUST(!kl_elf_undefined(two, size, &undefined, &err));
	FUZZ_MUST(undefined.n == e.undefined.n);
	return 0;
}

/* The other reader of modules' tables: where a report's functions are. */
static void look_up(const char *path)
{
	struct kl_symbol_query q[] = {
		{ .symbol = "init_module", .offset = 1 },
		{ .symbol = "odd_helper", .size = 16 },
	};
	struct kl_error err = KL_ERROR_INIT;

	if (kl_symtab_find(path, q, KL_ARRAY_SIZE(q), &err))
		FUZZ_MUST(*err.message);
	for (size_t i = 0; i < KL_ARRAY_SIZE(q); i++)
		FUZZ_MUST(strnlen(q[i].section, sizeof(q[i].section)) < sizeof(q[i].section));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	KL_AUTO(fuzz_file_close) struct fuzz_file f = fuzz_file_open(data, size);
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
	struct kl_error err = KL_ERROR_INIT;
	int sound;

	if (!size)
		return 0;
	sound = read_tables(data, size);
	look_up(f.path);
	FUZZ_MUST(!kl_policy_module(fuzz_desk(), f.path, "tests/fuzz/desk/desk.ko", &p, &err));
	/* What is no sound object never gets through. */
	FUZZ_MUST(!sound || kl_policy_refusal(&p));
	for (size_t i = 0; i < p.n; i++)
		FUZZ_MUST(p.v[i].rule && p.v[i].text && !strpbrk(p.v[i].text, "\n\033"));
	return 0;
}
