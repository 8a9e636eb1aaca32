/*
 * Compiler words, typed: gcc's "file:line:column: severity: text" and modpost's
 * "ERROR: modpost: text". The rest of the log stays text. All of it is hostile:
 * #error and #line say what the candidate wants them to say.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "kbuild/internal.h"

#define DIAGNOSTICS_MAX 200
#define TEXT_MAX	500
#define FILE_MAX	200

struct severity {
	const char *said;
	const char *means;
};

static const struct severity severities[] = {
	{ "fatal error: ", "error" },
	{ "error: ", "error" },
	{ "warning: ", "warning" },
	{ "note: ", "note" },
};

/* ":123" at s; 0 and unmoved when there is none, or when it is no place in a file. */
static unsigned int number(const char **s, const char *end)
{
	const char *p = *s;
	unsigned int n = 0;

	if (p >= end || *p++ != ':')
		return 0;
	while (p < end && *p >= '0' && *p <= '9' && n < 100000000)
		n = n * 10 + (unsigned int)(*p++ - '0');
	if (p >= end || *p != ':')
		return 0;
	*s = p;
	return n;
}

static const struct severity *severity_at(const char *s, const char *end)
{
	for (size_t i = 0; i < KL_ARRAY_SIZE(severities); i++) {
		size_t n = strlen(severities[i].said);

		if ((size_t)(end - s) >= n && !memcmp(s, severities[i].said, n))
			return &severities[i];
	}
	return NULL;
}

static char *bounded(const char *s, size_t len, size_t max)
{
	return strndup(s, len < max ? len : max);
}

/* A new last element, to be filled in place: whatever happens then, the array owns it. */
static struct kl_diagnostic *add(struct kl_diagnostic **v, size_t *n)
{
	struct kl_diagnostic *more = realloc(*v, (*n + 1) * sizeof(**v));

	if (!more)
		return NULL;
	*v = more;
	more[*n] = (struct kl_diagnostic){ 0 };
	return &more[(*n)++];
}

/* 1, or -1 when one of the strings could not be had. */
static int added(const struct kl_diagnostic *d)
{
	return d->file && d->severity && d->text ? 1 : -1;
}

static const char *relative(const char *file, const char *colon, const char *folder)
{
	size_t n = strlen(folder);

	if (n && (size_t)(colon - file) > n && !memcmp(file, folder, n))
		return file + n;
	if (colon - file > 2 && file[0] == '.' && file[1] == '/')
		return file + 2;
	return file;
}

/* 1 when the line was one, 0 when not, -1 without memory. */
static int parse_gcc(const char *line, const char *end, const char *folder,
		     struct kl_diagnostic **v, size_t *n)
{
	const char *colon = line;

	while ((colon = memchr(colon, ':', (size_t)(end - colon)))) {
		const char *p = colon;
		unsigned int row = number(&p, end), column;
		const char *file = relative(line, colon, folder);
		const struct severity *s;
		struct kl_diagnostic *d;

		if (!row) {
			colon++;
			continue;
		}
		column = number(&p, end);
		if (end - p < 2 || p[1] != ' ')
			return 0;
		p += 2;
		s = severity_at(p, end);
		if (!s || colon == line)
			return 0;
		p += strlen(s->said);
		d = add(v, n);
		if (!d)
			return -1;
		d->line = row;
		d->column = column;
		d->file = bounded(file, (size_t)(colon - file), FILE_MAX);
		d->severity = strdup(s->means);
		d->text = bounded(p, (size_t)(end - p), TEXT_MAX);
		return added(d);
	}
	return 0;
}

static int parse_modpost(const char *line, const char *end, struct kl_diagnostic **v, size_t *n)
{
	static const char said[] = "ERROR: modpost: ";
	size_t len = strlen(said);
	struct kl_diagnostic *d;

	if ((size_t)(end - line) <= len || memcmp(line, said, len) != 0)
		return 0;
	d = add(v, n);
	if (!d)
		return -1;
	d->file = strdup("");
	d->severity = strdup("error");
	d->text = bounded(line + len, (size_t)(end - line) - len, TEXT_MAX);
	return added(d);
}

int kb_diagnostics_parse(const char *log, const char *folder, struct kl_diagnostic **ret,
			 size_t *ret_n)
{
	struct kl_diagnostic *v = NULL;
	size_t n = 0;

	while (*log && n < DIAGNOSTICS_MAX) {
		const char *end = strchrnul(log, '\n');
		int got = parse_gcc(log, end, folder, &v, &n);

		if (!got)
			got = parse_modpost(log, end, &v, &n);
		if (got < 0) {
			kb_diagnostics_free(v, n);
			return -1;
		}
		log = *end ? end + 1 : end;
	}
	*ret = v;
	*ret_n = n;
	return 0;
}

void kb_diagnostics_free(struct kl_diagnostic *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].file);
		free(v[i].severity);
		free(v[i].text);
	}
	free(v);
}

int kb_text_without(const char *text, const char *what, struct kl_buf *ret)
{
	const char *at;

	while ((at = strstr(text, what))) {
		if (kl_buf_append(ret, text, (size_t)(at - text)))
			return -1;
		text = at + strlen(what);
	}
	return kl_buf_puts(ret, text);
}
