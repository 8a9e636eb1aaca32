/*
 * The lexer follows libcpp (gcc/libcpp/lex.c) in what an attacker could use
 * against a scanner that is less careful: a backslash with blanks before the
 * newline still splices, "u8R" begins a raw string, an unterminated quote ends
 * with its line and opens no comment, nothing in <…> of an #include is a comment.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "policy/lex.h"

/* A character after trigraphs and splices, and where it stood. */
struct letter {
	uint32_t offset;
	uint32_t line;
	uint32_t column;
	unsigned char c;
};

struct lexer {
	const char *data;
	size_t len;
	struct letter *in;
	size_t n, at;
	struct pl_tokens out;
	size_t cap;
	size_t used; /* of the pool */
	bool first;
	unsigned int header; /* the next '<' or '"' begins a header's name */
	bool raw_broken; /* a raw string had no end: GCC stops there, and we look for no further ends */
	bool failed;
};

static int trigraph(const char *s, size_t left)
{
	static const char third[] = "=/'()!<>-", means[] = "#\\^[]|{}~";
	const char *at;

	if (left < 3 || s[0] != '?' || s[1] != '?' || !s[2])
		return 0;
	at = strchr(third, s[2]);
	return at ? means[at - third] : 0;
}

/* Length of blanks and a newline at s, or 0. */
static size_t blank_line_end(const char *s, size_t left)
{
	size_t i = 0;

	while (i < left && (s[i] == ' ' || s[i] == '\t' || s[i] == '\f' || s[i] == '\v' ||
			    s[i] == '\r' || s[i] == '\0'))
		i++;
	return i < left && s[i] == '\n' ? i + 1 : 0;
}

/* Translation phases 1 and 2. */
static int read_letters(struct lexer *l, bool trigraphs)
{
	uint32_t line = 1;
	size_t i = 0, start = 0;

	l->in = calloc(l->len + 1, sizeof(*l->in));
	if (!l->in)
		return -1;
	if (l->len >= 3 && !memcmp(l->data, "\xef\xbb\xbf", 3))
		i = 3;
	while (i < l->len) {
		int three = trigraphs ? trigraph(l->data + i, l->len - i) : 0;
		unsigned char c = three ? (unsigned char)three : (unsigned char)l->data[i];
		size_t width = three ? 3 : 1, splice = 0;

		if (c == '\\')
			splice = blank_line_end(l->data + i + width, l->len - i - width);
		if (splice) {
			i += width + splice;
			line++;
			start = i;
			continue;
		}
		l->in[l->n++] = (struct letter){ .c = c,
						 .offset = (uint32_t)i,
						 .line = line,
						 .column = (uint32_t)(i - start + 1) };
		i += width;
		if (c == '\n') {
			line++;
			start = i;
		}
	}
	return 0;
}

static int peek(const struct lexer *l, size_t ahead)
{
	return l->at + ahead < l->n ? l->in[l->at + ahead].c : -1;
}

static bool starts_name(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
	       c >= 0x80;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool in_name(int c)
{
	return starts_name(c) || is_digit(c);
}

/* The pool has room for every letter and a NUL for each token: more is never written. */
static void put(struct lexer *l, int c)
{
	l->out.pool[l->used++] = (char)c;
}

/* A token that begins at letter from; its text begins at pool offset text. */
static void emit(struct lexer *l, enum pl_kind kind, size_t from, size_t text)
{
	struct pl_token *t;

	if (l->out.n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 1024;
		struct pl_token *more = realloc(l->out.v, cap * sizeof(*more));

		if (!more) {
			l->failed = true;
			return;
		}
		l->out.v = more;
		l->cap = cap;
	}
	t = &l->out.v[l->out.n++];
	*t = (struct pl_token){ .kind = kind,
				.text = l->out.pool + text,
				.len = l->used - text,
				.line = l->in[from].line,
				.column = l->in[from].column,
				.first = l->first };
	put(l, '\0');
	l->first = false;
}

static int hex(int c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static unsigned long digits(struct lexer *l, unsigned int base, unsigned int max)
{
	unsigned long v = 0;

	for (unsigned int i = 0; i < max; i++, l->at++) {
		int d = hex(peek(l, 0));

		if (d < 0 || (unsigned int)d >= base)
			break;
		v = v * base + (unsigned int)d;
	}
	return v;
}

/* After a backslash. What is not ASCII is no part of any name we look for. */
static int escape(struct lexer *l)
{
	static const char named[] = "abefnrtv", means[] = "\a\b\033\f\n\r\t\v";
	int c = peek(l, 0);
	const char *at;
	unsigned long v;

	if (c >= '0' && c <= '7') {
		v = digits(l, 8, 3);
	} else {
		l->at++;
		if (c == 'x')
			v = digits(l, 16, 64);
		else if (c == 'u')
			v = digits(l, 16, 4);
		else if (c == 'U')
			v = digits(l, 16, 8);
		else if (c > 0 && (at = strchr(named, c)))
			v = (unsigned char)means[at - named];
		else
			v = (unsigned long)c;
	}
	return v && v < 0x80 ? (int)v : '?';
}

/* The line's rest behind a quote that nothing closes: no comment can begin there, but names count. */
static void lex_unterminated(struct lexer *l)
{
	while (peek(l, 0) >= 0 && peek(l, 0) != '\n') {
		size_t from = l->at, text = l->used;

		if (!starts_name(peek(l, 0))) {
			l->at++;
			continue;
		}
		while (in_name(peek(l, 0)))
			put(l, l->in[l->at++].c);
		emit(l, PL_NAME, from, text);
	}
}

/* Index of the closing quote, or 0 when the line ends before it. */
static size_t find_quote(const struct lexer *l, int quote, bool escapes)
{
	for (size_t i = l->at + 1; i < l->n && l->in[i].c != '\n'; i++) {
		if (escapes && l->in[i].c == '\\' && i + 1 < l->n && l->in[i + 1].c != '\n')
			i++;
		else if (l->in[i].c == quote)
			return i;
	}
	return 0;
}

static void lex_quoted(struct lexer *l, size_t from)
{
	int quote = peek(l, 0);
	size_t end = find_quote(l, quote, !l->header);
	size_t text = l->used;

	l->at++;
	if (!end) {
		lex_unterminated(l);
		return;
	}
	while (l->at < end) {
		int c = l->in[l->at++].c;

		put(l, c == '\\' && !l->header ? escape(l) : c);
	}
	/* An escape such as \x never reads over the quote, so this is where it stops. */
	l->at = end + 1;
	emit(l, quote == '"' ? PL_STRING : PL_CHAR, from, text);
}

/* R"tag(…)tag": phases 1 and 2 are undone within it. */
static void lex_raw(struct lexer *l, size_t from)
{
	const char *s = l->data + l->in[l->at].offset + 1;
	size_t left = l->len - l->in[l->at].offset - 1, tag = 0, text = l->used;
	const char *end = NULL;

	while (tag < left && tag <= 16 && s[tag] != '(' && s[tag] != '\n' && s[tag] != '"')
		tag++;
	for (size_t i = tag;
	     !l->raw_broken && tag < left && s[tag] == '(' && i + tag + 1 < left && !end; i++)
		if (s[i] == ')' && !memcmp(s + i + 1, s, tag) && s[i + 1 + tag] == '"')
			end = s + i;
	if (!end) {
		l->raw_broken = true;
		l->at++;
		lex_unterminated(l);
		return;
	}
	for (const char *p = s + tag + 1; p < end; p++)
		put(l, *p ? *p : '?');
	while (l->at < l->n && l->data + l->in[l->at].offset <= end + tag + 1)
		l->at++;
	emit(l, PL_STRING, from, text);
}

static bool is_prefix(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(s, *list))
			return true;
	return false;
}

static void lex_name(struct lexer *l)
{
	static const char *const plain[] = { "L", "u", "U", "u8", NULL };
	static const char *const raw[] = { "R", "LR", "uR", "UR", "u8R", NULL };
	size_t from = l->at, text = l->used;
	char *s = l->out.pool + text;

	for (;;) {
		int c = peek(l, 0);

		if (c == '\\' && (peek(l, 1) == 'u' || peek(l, 1) == 'U')) {
			l->at++;
			put(l, escape(l));
		} else if (in_name(c)) {
			put(l, l->in[l->at++].c);
		} else {
			break;
		}
	}
	l->out.pool[l->used] = '\0';
	if (peek(l, 0) == '"' && is_prefix(s, raw)) {
		l->used = text;
		lex_raw(l, from);
	} else if ((peek(l, 0) == '"' || peek(l, 0) == '\'') && is_prefix(s, plain)) {
		l->used = text;
		lex_quoted(l, from);
	} else {
		emit(l, PL_NAME, from, text);
	}
}

static void lex_number(struct lexer *l)
{
	size_t from = l->at, text = l->used;

	for (;;) {
		int c = peek(l, 0), next = peek(l, 1);

		if (c > 0 && strchr("eEpP", c) && (next == '+' || next == '-')) {
			put(l, c);
			put(l, next);
			l->at += 2;
		} else if (in_name(c) || c == '.') {
			put(l, l->in[l->at++].c);
		} else {
			break;
		}
	}
	emit(l, PL_NUMBER, from, text);
}

static void lex_punct(struct lexer *l)
{
	static const struct {
		const char *spelled, *means;
	} longer[] = {
		{ "%:%:", "##" }, { "##", "##" }, { "->", "->" }, { "%:", "#" },
		{ "<:", "[" },	  { ":>", "]" },  { "<%", "{" },  { "%>", "}" },
	};
	size_t from = l->at, text = l->used;

	for (size_t i = 0; i < KL_ARRAY_SIZE(longer); i++) {
		const char *s = longer[i].spelled;
		size_t k = 0;

		while (s[k] && peek(l, k) == s[k])
			k++;
		if (s[k])
			continue;
		for (const char *m = longer[i].means; *m; m++)
			put(l, *m);
		l->at += k;
		emit(l, PL_PUNCT, from, text);
		return;
	}
	put(l, l->in[l->at++].c);
	emit(l, PL_PUNCT, from, text);
}

/* <linux/slab.h>, when it closes on its line. */
static bool lex_header(struct lexer *l)
{
	size_t from = l->at, text = l->used, end = find_quote(l, '>', false);

	if (!end)
		return false;
	for (l->at++; l->at < end; l->at++)
		put(l, l->in[l->at].c);
	l->at++;
	emit(l, PL_HEADER, from, text);
	return true;
}

/* May the next token be a header's name? */
static bool header_follows(const struct pl_tokens *t)
{
	static const char *const directives[] = { "include", "include_next", "import", "embed",
						  NULL };
	static const char *const operators[] = { "__has_include", "__has_include_next",
						 "__has_embed", NULL };
	const struct pl_token *last = t->v + t->n - 1;

	if (t->n < 2)
		return false;
	if (last->kind == PL_NAME && pl_is(last - 1, PL_PUNCT, "#") && last[-1].first)
		return is_prefix(last->text, directives);
	return last->kind == PL_PUNCT && *last->text == '(' && last[-1].kind == PL_NAME &&
	       is_prefix(last[-1].text, operators);
}

/* 1 when blanks or a comment were skipped. */
static bool skip(struct lexer *l)
{
	int c = peek(l, 0);

	if (c == '\n')
		l->first = true;
	if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v' || c == 0) {
		l->at++;
		return true;
	}
	if (c == '/' && peek(l, 1) == '/') {
		while (peek(l, 0) >= 0 && peek(l, 0) != '\n')
			l->at++;
		return true;
	}
	if (c == '/' && peek(l, 1) == '*') {
		l->at += 2;
		while (peek(l, 0) >= 0 && !(peek(l, 0) == '*' && peek(l, 1) == '/'))
			l->at++;
		l->at += 2;
		return true;
	}
	return false;
}

static void lex_token(struct lexer *l)
{
	int c = peek(l, 0);

	l->header = !l->first && header_follows(&l->out);
	if (c == '<' && l->header && lex_header(l))
		return;
	if (starts_name(c) || (c == '\\' && (peek(l, 1) == 'u' || peek(l, 1) == 'U')))
		lex_name(l);
	else if (is_digit(c) || (c == '.' && is_digit(peek(l, 1))))
		lex_number(l);
	else if (c == '"' || c == '\'')
		lex_quoted(l, l->at);
	else
		lex_punct(l);
}

int pl_lex(const char *data, size_t len, bool trigraphs, struct pl_tokens *ret,
	   struct kl_error *err)
{
	struct lexer l = { .data = data, .len = len, .first = true };

	if (len >= UINT32_MAX / 4)
		return kl_fail(err, KL_CONTENT, "a source file is too large");
	l.out.pool = malloc(2 * len + 2);
	if (!l.out.pool || read_letters(&l, trigraphs))
		l.failed = true;
	while (!l.failed && l.at < l.n)
		if (!skip(&l))
			lex_token(&l);
	free(l.in);
	if (l.failed) {
		pl_tokens_deinit(&l.out);
		return kl_fail(err, KL_INFRA, "out of memory");
	}
	*ret = l.out;
	return 0;
}

void pl_tokens_deinit(struct pl_tokens *t)
{
	free(t->v);
	free(t->pool);
	*t = (struct pl_tokens){ 0 };
}

bool pl_is(const struct pl_token *t, enum pl_kind kind, const char *text)
{
	return t->kind == kind && !strcmp(t->text, text);
}
