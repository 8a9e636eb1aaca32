/*
 * A kernel module's ELF tables. The file was written in the sandbox by a
 * compiler that read hostile source, so every size and index in it is somebody's
 * claim: libelf checks sections against the file, and what it lets through is
 * capped. A complaint is KL_CONTENT.
 */
#ifndef KLINIC_ELF_H
#define KLINIC_ELF_H

#include <stdint.h>

#include <klinic/error.h>
#include <klinic/str.h>

#define KL_ELF_UNDEFINED UINT32_MAX /* section of a symbol that the module lacks */
#define KL_ELF_NOWHERE	 (UINT32_MAX - 1) /* absolute, or no symbol at all */

struct kl_elf_section {
	char *name;
	uint32_t type; /* SHT_… */
	uint64_t flags; /* SHF_… */
	uint64_t size;
};

struct kl_elf_relocation {
	uint32_t section; /* index of the section that is changed */
	uint64_t offset; /* in it */
	uint32_t target; /* index of the section that is pointed to, or one of the above */
	int64_t place; /* in the target: the symbol's value plus the addend */
	char *symbol; /* its name, or "" */
};

struct kl_elf {
	struct kl_strv undefined; /* names of symbols that the module does not define, sorted */
	struct kl_strv defined; /* and that it does, sorted */
	struct kl_strv modinfo; /* "license=GPL", in the order of the file */
	struct kl_elf_section *sections; /* by index; the first is empty */
	size_t n_sections;
	struct kl_elf_relocation
		*relocations; /* of allocated sections that hold no code and no debug info */
	size_t n_relocations;
	bool ifunc; /* a symbol whose value is computed when it is loaded */
};

/* Reads a relocatable object for x86-64. data must stay as long as the call, and may be changed by it. */
int kl_elf_read(char *data, size_t len, struct kl_elf *ret, struct kl_error *err);
void kl_elf_deinit(struct kl_elf *e);
/* Only the undefined symbols, sorted. */
int kl_elf_undefined(char *data, size_t len, struct kl_strv *ret, struct kl_error *err);

#endif
