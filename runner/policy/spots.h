/* Places in a source file that the policy has something to say about. Private to policy/. */
#ifndef POLICY_SPOTS_H
#define POLICY_SPOTS_H

#include <klinic/str.h>

#include "policy/lex.h"

/* A file with more is not read on: it is refused for that. */
#define PL_SPOTS_MAX 2000
/* Tokens that a bracket may span: nothing here may cost the square of a file's size. */
#define PL_REACH 1024

struct pl_spot {
	const char *rule;
	char *key; /* of what is the same elsewhere: with its like in the handout it is no news */
	char *name; /* shown */
	char *text;
	unsigned int line, column;
	bool refused;
	bool if_known; /* counts only when key is a name that the handout uses */
};

struct pl_spots {
	struct pl_spot *v;
	size_t n;
};

struct pl_scan {
	const struct pl_token *v;
	size_t n;
	const char *file; /* relative to handout/ */
	const struct kl_strv *files; /* what an #include "…" may name: the handout's files */
	struct kl_strv functions; /* typedef names of function pointers */
	struct kl_strv pasters; /* macros with ## */
	unsigned int pasted; /* names tried that their arguments could make */
	struct pl_spots *out;
	bool failed; /* out of memory */
};

/* Every place in the tokens of one file, whether the handout has it or not. */
int pl_scan_tokens(const struct pl_tokens *t, const char *file, const struct kl_strv *files,
		   struct pl_spots *ret, struct kl_error *err);
void pl_spots_deinit(struct pl_spots *s);

/* A place at token i. name is the key and is shown; text is "NAME " and a printf. */
void pl_spot(struct pl_scan *s, size_t i, bool refused, const char *rule, const char *name,
	     const char *fmt, ...) KL_PRINTF(6, 7);
/* Tokens from i to before end as one line of bounded length; the caller frees. NULL without memory. */
char *pl_text(struct pl_scan *s, size_t i, size_t end);
/* Index of the bracket that closes the one at i; n when there is none within reach. */
size_t pl_close(const struct pl_scan *s, size_t i);
bool pl_at(const struct pl_scan *s, size_t i, enum pl_kind kind, const char *text);

/* directives.c: the directive at token i ('#'), which goes to before end. True when its words are prose. */
bool pl_directive(struct pl_scan *s, size_t i, size_t end);
/* __has_include and the like at token i. */
void pl_has_include(struct pl_scan *s, size_t i);
/* A pragma's words, however it is spelled, found at token i. */
void pl_pragma(struct pl_scan *s, size_t i, const char *words);

/* assembly.c: asm at token i. Returns the first token after it. */
size_t pl_assembly(struct pl_scan *s, size_t i);
bool pl_is_asm(const struct pl_token *t);
/* A string outside of any asm: it may still reach one through a macro. */
void pl_string(struct pl_scan *s, size_t i);

#endif
