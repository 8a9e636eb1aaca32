/*
 * C source as tokens, the way GCC's preprocessor sees it before any macro is
 * expanded: lines spliced, comments gone, digraphs spelled out, strings decoded.
 */
#ifndef POLICY_LEX_H
#define POLICY_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include <klinic/error.h>

enum pl_kind {
	PL_NAME,
	PL_NUMBER,
	PL_STRING, /* text is the decoded content */
	PL_CHAR,
	PL_HEADER, /* <…> after #include and __has_include: text is what stands between */
	PL_PUNCT, /* "##", "->" or one character */
};

struct pl_token {
	enum pl_kind kind;
	const char *text; /* NUL-terminated */
	size_t len;
	unsigned int line, column; /* 1-based, in bytes */
	bool first; /* of its line: where '#' begins a directive */
};

struct pl_tokens {
	struct pl_token *v;
	size_t n;
	char *pool; /* the texts */
};

/*
 * GCC leaves trigraphs alone under -std=gnu11, which the kernel uses; a reader
 * who does not want to rely on that reads a file both ways. Fails only without memory.
 */
int pl_lex(const char *data, size_t len, bool trigraphs, struct pl_tokens *ret,
	   struct kl_error *err);
void pl_tokens_deinit(struct pl_tokens *t);

bool pl_is(const struct pl_token *t, enum pl_kind kind, const char *text);

#endif
