/* Names that a submission may not use, or that a reviewer wants to see. */
#ifndef POLICY_NAMES_H
#define POLICY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct pl_rule {
	const char *rule;
	const char *why; /* ends the sentence "NAME …" */
	const char *instead; /* what to do */
	/*
	 * Names and prefixes ("kasan_*"), separated by blanks. Before one, "." has it
	 * count as a member ("current->kasan_depth"), too; "^" only as what is called,
	 * for words that people call their own things; "~" only in source, because
	 * headers' inline code brings it into modules; "!" excepts it from the rule,
	 * and "!~" does so in a module only.
	 */
	const char *names;
	bool refused;
};

enum pl_use {
	PL_NAMED,
	PL_CALL, /* "(" follows */
	PL_MEMBER, /* "." or "->" precedes */
	PL_IMPORT, /* an undefined symbol of a module */
};

/* The rule that name falls under, or NULL. */
const struct pl_rule *pl_rule_of(const char *name, enum pl_use use);
/* Is the symbol among those that any driver may call? */
bool pl_import_is_usual(const char *symbol);

/* Is name, without underscores around it, an attribute that changes what the compiler or the linker does? */
bool pl_attribute_refused(const char *name);
bool pl_attribute_flagged(const char *name);

/* One of a list of names and prefixes, separated by blanks, without marks. */
bool pl_listed(const char *list, const char *name);

#endif
