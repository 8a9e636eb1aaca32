/* Where functions are in an ELF file, for turning "function+offset" into addresses. */
#ifndef KL_SPLAT_SYMTAB_H
#define KL_SPLAT_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <klinic/error.h>

struct kl_symbol_query {
	const char *symbol;
	uint64_t size; /* as kallsyms sees it: up to the next symbol; 0 for any */
	uint64_t offset;
	/* found */
	bool found;
	uint64_t address; /* of the symbol: virtual, or within its section in a module */
	char section[64]; /* "" where addresses are virtual */
	uint64_t distance; /* of the sizes: static functions share names */
};

/* Looks all n up in one pass over the symbol table. Whatever the file's sizes claim is bounded. */
int kl_symtab_find(const char *path, struct kl_symbol_query *q, size_t n, struct kl_error *err);

#endif
