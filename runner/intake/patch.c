/* The strict parser of unified diffs: git's and plain diff -u's. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "intake/patch.h"
#include "intake/refuse.h"

#define SECTIONS_MAX 256
#define HUNKS_MAX    4096 /* of one section */
#define LINE_MAX_NO  100000000UL /* a line number no file of a mebibyte reaches */

struct reader {
	const char *text, *end;
	const char *line; /* the current one, without its newline */
	size_t len;
	size_t number; /* 1-based */
	const char *next;
	struct kl_patch *patch;
	struct kl_section *section; /* the current one, or NULL */
	bool in_header; /* between “diff --git” and the first hunk */
	bool after_hunk; /* the line follows a hunk's last line */
	struct kl_strv *refused;
	struct kl_error *err;
};

void kl_patch_deinit(struct kl_patch *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->sections[i].git_names);
		free(p->sections[i].old_name);
		free(p->sections[i].new_name);
		free(p->sections[i].path);
		free(p->sections[i].hunks);
	}
	free(p->sections);
	*p = (struct kl_patch){ 0 };
}

static bool next_line(struct reader *r)
{
	const char *newline;

	if (r->next >= r->end)
		return false;
	newline = memchr(r->next, '\n', (size_t)(r->end - r->next));
	r->line = r->next;
	r->len = (size_t)((newline ? newline : r->end) - r->line);
	r->next = newline ? newline + 1 : r->end;
	r->number++;
	return true;
}

static bool starts(const char *s, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && !memcmp(s, prefix, n);
}

static bool line_starts(const struct reader *r, const char *prefix)
{
	return starts(r->line, r->len, prefix);
}

static bool next_starts(const struct reader *r, const char *prefix)
{
	return starts(r->next, (size_t)(r->end - r->next), prefix);
}

/* The first reason in a section is enough: the others follow from it. */
static int refuse(struct reader *r, const char *what)
{
	if (r->section && r->section->refused)
		return 0;
	if (r->section)
		r->section->refused = true;
	return kl_refuse(r->refused, r->err, "%s, line %zu: %s.", r->patch->where, r->number, what);
}

static int out_of_memory(struct reader *r)
{
	return kl_fail(r->err, KL_INFRA, "out of memory");
}

static int begin_section(struct reader *r)
{
	struct kl_patch *p = r->patch;
	struct kl_section *grown;

	r->section = NULL;
	if (p->n == SECTIONS_MAX) {
		r->next = r->end;
		return refuse(r, "the patch speaks of too many files: leave out all but the "
				 "editable ones");
	}
	grown = reallocarray(p->sections, p->n + 1, sizeof(*grown));
	if (!grown)
		return out_of_memory(r);
	p->sections = grown;
	r->section = &p->sections[p->n++];
	*r->section = (struct kl_section){ .line = r->number };
	return 0;
}

static int begin_git_section(struct reader *r)
{
	size_t skip = strlen("diff --git ");
	size_t len = r->len;

	if (begin_section(r) || !r->section)
		return r->section ? -1 : 0;
	if (len && r->line[len - 1] == '\r')
		len--;
	r->section->git_names = strndup(r->line + skip, len - skip);
	r->in_header = true;
	return r->section->git_names ? 0 : out_of_memory(r);
}

/* The name of a “--- ” or “+++ ” line: up to a tab, which parts it from a time stamp. */
static char *read_name(const struct reader *r)
{
	const char *name = r->line + 4;
	size_t len = r->len - 4;
	const char *tab = memchr(name, '\t', len);

	if (tab)
		len = (size_t)(tab - name);
	while (len && (name[len - 1] == '\r' || name[len - 1] == ' '))
		len--;
	return strndup(name, len);
}

/* The ---/+++ pair. The current line is the first of the two. */
static int read_names(struct reader *r)
{
	struct kl_section *s;

	if (!(r->in_header && r->section && !r->section->old_name) && begin_section(r))
		return -1;
	s = r->section;
	if (!s)
		return 0;
	s->line = r->number;
	s->old_name = read_name(r);
	next_line(r);
	s->new_name = read_name(r);
	r->in_header = false;
	return s->old_name && s->new_name ? 0 : out_of_memory(r);
}

struct header {
	const char *prefix;
	const char *refusal; /* NULL: harmless */
};

/* git-diff(1), “Generating patch text with -p”. The longer prefix stands first. */
static const struct header headers[] = {
	{ "old mode ", "the patch changes a file's mode: leave modes as they are in the handout" },
	{ "new mode ", "the patch changes a file's mode: leave modes as they are in the handout" },
	{ "deleted file mode ",
	  "the patch deletes a file: change the editable files, and keep all of them" },
	{ "new file mode 120000",
	  "the patch makes a symbolic link: only the editable files may be changed" },
	{ "new file mode 160000",
	  "the patch adds a submodule: only the editable files may be changed" },
	{ "new file mode ", "the patch adds a file: put the code into the editable files" },
	{ "copy from ", "the patch copies a file: put the code into the editable files" },
	{ "copy to ", "the patch copies a file: put the code into the editable files" },
	{ "rename from ", "the patch renames a file: keep the names of the handout" },
	{ "rename to ", "the patch renames a file: keep the names of the handout" },
	{ "similarity index ", NULL },
	{ "dissimilarity index ", NULL },
	{ "index ", NULL },
};

/* “index 1234..5678 120000”: the mode at the end tells what the file is. */
static int check_index(struct reader *r)
{
	if (r->len > 7 && !memcmp(r->line + r->len - 7, " 120000", 7))
		return refuse(r, "the patch changes a symbolic link: only the editable files may "
				 "be changed");
	if (r->len > 7 && !memcmp(r->line + r->len - 7, " 160000", 7))
		return refuse(r, "the patch changes a submodule: only the editable files may be "
				 "changed");
	return 0;
}

static int read_header(struct reader *r)
{
	for (size_t i = 0; i < KL_ARRAY_SIZE(headers); i++) {
		if (!line_starts(r, headers[i].prefix))
			continue;
		if (headers[i].refusal)
			return refuse(r, headers[i].refusal);
		return check_index(r);
	}
	return 0;
}

static bool read_number(const char **p, const char *end, unsigned int *ret)
{
	unsigned long n = 0;
	const char *start = *p;

	while (*p < end && isdigit((unsigned char)**p) && n < LINE_MAX_NO)
		n = n * 10 + (unsigned long)(*(*p)++ - '0');
	*ret = (unsigned int)n;
	return *p > start && n < LINE_MAX_NO;
}

static bool read_range(const char **p, const char *end, unsigned int *ret_start,
		       unsigned int *ret_count)
{
	*ret_count = 1;
	if (!read_number(p, end, ret_start))
		return false;
	if (*p == end || **p != ',')
		return true;
	(*p)++;
	return read_number(p, end, ret_count);
}

/* “@@ -old[,n] +new[,n] @@” */
static bool read_hunk_header(const struct reader *r, struct kl_hunk *h)
{
	const char *p = r->line, *end = r->line + r->len;

	if (!line_starts(r, "@@ -"))
		return false;
	p += 4;
	if (!read_range(&p, end, &h->old_start, &h->old_count) || end - p < 2 || p[0] != ' ' ||
	    p[1] != '+')
		return false;
	p += 2;
	return read_range(&p, end, &h->new_start, &h->new_count) &&
	       starts(p, (size_t)(end - p), " @@");
}

/* The lines of a hunk, counted against its header. False when they do not fit it. */
static bool read_hunk_lines(struct reader *r, struct kl_hunk *h)
{
	unsigned int old_left = h->old_count, new_left = h->new_count;

	h->body = r->next;
	while (old_left || new_left) {
		char c;

		if (!next_line(r))
			return false;
		/* Mail programs and editors take the blank off an empty context line. */
		c = r->len ? *r->line : ' ';
		if (c == '\\')
			continue;
		if ((c != ' ' && c != '-' && c != '+') || (c != '+' && !old_left) ||
		    (c != '-' && !new_left))
			return false;
		h->context |= c == ' ';
		old_left -= c != '+';
		new_left -= c != '-';
	}
	if (next_starts(r, "\\ "))
		next_line(r);
	h->len = (size_t)(r->next - h->body);
	return true;
}

static int read_hunk(struct reader *r)
{
	struct kl_hunk h = { .line = r->number };
	struct kl_section *s = r->section;
	struct kl_hunk *grown;

	if (!s || (!s->new_name && !s->refused))
		return refuse(r, "a hunk without the two lines before it that name its file: make "
				 "the patch with git diff or diff -u");
	if (!read_hunk_header(r, &h))
		return refuse(r, "the hunk's header cannot be read: make the patch with git diff "
				 "or diff -u");
	if (s->n == HUNKS_MAX)
		return refuse(r, "the file has too many hunks");
	if (!read_hunk_lines(r, &h))
		return refuse(r, "the hunk has other lines than its header counts: do not edit "
				 "patches by hand, make them again");
	r->after_hunk = true;
	grown = reallocarray(s->hunks, s->n + 1, sizeof(*grown));
	if (!grown)
		return out_of_memory(r);
	s->hunks = grown;
	s->hunks[s->n++] = h;
	return 0;
}

/* More lines of a change than its header said? “-- ” parts a mail from its signature. */
static bool is_stray_change(const struct reader *r)
{
	if (!r->len || line_starts(r, "-- ") || (r->len == 2 && line_starts(r, "--")))
		return false;
	return *r->line == '+' || *r->line == '-' || *r->line == ' ';
}

static int read_line(struct reader *r)
{
	bool after_hunk = r->after_hunk;

	r->after_hunk = false;
	if (line_starts(r, "diff --git "))
		return begin_git_section(r);
	if (line_starts(r, "--- ") && next_starts(r, "+++ "))
		return read_names(r);
	if (line_starts(r, "@@ -"))
		return read_hunk(r);
	if (line_starts(r, "diff --cc ") || line_starts(r, "diff --combined ") ||
	    line_starts(r, "@@@ "))
		return refuse(r, "the diff of a merge has no single old file: make the patch "
				 "against the handout's commit");
	if (line_starts(r, "*** ") && next_starts(r, "--- "))
		return refuse(r, "a context diff: make a unified one, with git diff or diff -u");
	if (line_starts(r, "GIT binary patch") || (line_starts(r, "Binary files ") && r->len > 7 &&
						   !memcmp(r->line + r->len - 7, " differ", 7)))
		return refuse(r, "a binary patch: leave build products out, the editable files are "
				 "text");
	if (after_hunk && is_stray_change(r))
		return refuse(r, "the hunk has other lines than its header counts: do not edit "
				 "patches by hand, make them again");
	return r->in_header ? read_header(r) : 0;
}

int kl_patch_parse(const char *where, const char *text, size_t len, struct kl_patch *ret,
		   struct kl_strv *refused, struct kl_error *err)
{
	struct reader r = {
		.text = text,
		.end = text + len,
		.next = text,
		.patch = ret,
		.refused = refused,
		.err = err,
	};

	*ret = (struct kl_patch){ .where = where };
	while (next_line(&r))
		if (read_line(&r))
			return -1;
	return 0;
}

static int print_hunk(const struct kl_hunk *h, struct kl_buf *ret)
{
	kl_buf_printf(ret, "@@ -%u,%u +%u,%u @@\n", h->old_start, h->old_count, h->new_start,
		      h->new_count);
	kl_buf_append(ret, h->body, h->len);
	return h->len && h->body[h->len - 1] != '\n' ? kl_buf_puts(ret, "\n") : 0;
}

int kl_patch_print(const struct kl_patch *p, struct kl_buf *ret, struct kl_error *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct kl_section *s = &p->sections[i];

		if (!s->n)
			continue;
		kl_buf_printf(ret, "diff --git a/%s b/%s\n--- a/%s\n+++ b/%s\n", s->path, s->path,
			      s->path, s->path);
		for (size_t k = 0; k < s->n; k++)
			print_hunk(&s->hunks[k], ret);
	}
	return kl_buf_check(ret, "the patch", err);
}

const struct kl_hunk *kl_patch_find_hunk(const struct kl_patch *p, const char *path,
					 unsigned long old_start)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct kl_section *s = &p->sections[i];

		for (size_t k = 0; kl_str_eq(s->path, path) && k < s->n; k++)
			if (s->hunks[k].old_start == old_start)
				return &s->hunks[k];
	}
	return NULL;
}
