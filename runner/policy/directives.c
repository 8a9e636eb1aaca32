/* Directives: what a file includes, asks the compiler for, and defines anew. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "policy/names.h"
#include "policy/spots.h"

/* The kernel's own headers; anything else is looked at. */
static const char *const kernel_headers[] = { "linux/", "asm/", "uapi/", "asm-generic/",
					      "generated/" };

static bool is_kernel_header(const char *path)
{
	for (size_t i = 0; i < KL_ARRAY_SIZE(kernel_headers); i++)
		if (kl_str_starts(path, kernel_headers[i]))
			return true;
	return false;
}

/* Is path, seen from the file or from the top of the handout, one of the handout's? */
static bool is_handouts(const struct pl_scan *s, const char *path)
{
	const char *slash = strrchr(s->file, '/');
	KL_AUTO_FREE char *beside =
		slash ? kl_asprintf("%.*s/%s", (int)(slash - s->file), s->file, path) : NULL;

	return kl_strv_has(s->files, path) || (beside && kl_strv_has(s->files, beside));
}

/* The header's name at token i, of an #include or an operator that asks for one. */
static void header(struct pl_scan *s, size_t at, size_t i, const char *what)
{
	const struct pl_token *t = &s->v[i];
	bool quoted = t->kind == PL_STRING;

	if (i >= s->n || (!quoted && t->kind != PL_HEADER)) {
		pl_spot(s, at, true, "include", what,
			"names no header: spell out <…> or \"…\", without a macro");
		return;
	}
	if (!kl_path_is_plain(t->text) || strpbrk(t->text, "*\"'<>\\") || strstr(t->text, "//"))
		pl_spot(s, at, true, "include", t->text,
			"is no header of the kernel or the handout: absolute paths and “..” are "
			"refused");
	else if (quoted && !is_handouts(s, t->text))
		pl_spot(s, at, false, "new-header", t->text,
			"is included with quotes, but is no file of the handout");
	else if (!quoted && !is_kernel_header(t->text))
		pl_spot(s, at, false, "new-header", t->text,
			"lies outside of <linux/…>, <asm/…> and <uapi/…>");
}

void pl_has_include(struct pl_scan *s, size_t i)
{
	/* "#ifdef __has_include" asks for nothing yet. */
	if (pl_at(s, i + 1, PL_PUNCT, "("))
		header(s, i, i + 2, s->v[i].text);
}

static bool first_word_is(const char *words, const char *word)
{
	size_t n = strlen(word);

	words += strspn(words, " \t\n");
	return kl_str_starts(words, word) && (!words[n] || strchr(" \t\n(", words[n]));
}

void pl_pragma(struct pl_scan *s, size_t i, const char *words)
{
	static const char *const refused[] = {
		"GCC",	     "clang",	   "omp",    "weak", "redefine_extname",
		"pop_macro", "push_macro", "message"
	};

	if (first_word_is(words, "once"))
		return;
	for (size_t k = 0; k < KL_ARRAY_SIZE(refused); k++)
		if (first_word_is(words, refused[k])) {
			pl_spot(s, i, true, "pragma", words,
				"changes how the compiler works or what it says: take the pragma "
				"out and mend what it hides");
			return;
		}
	pl_spot(s, i, false, "pragma", words, "is a new pragma");
}

static bool is_keyword(const char *name)
{
	static const char list[] =
		"auto break case char const continue default do double else enum extern float for "
		"goto if inline int long register restrict return short signed sizeof static "
		"struct "
		"switch typedef union unsigned void volatile while bool true false NULL asm "
		"__asm__ "
		"typeof __typeof__ __attribute__ __inline __inline__ __always_inline likely "
		"unlikely";

	return pl_listed(list, name);
}

/* Names whose definition changes what the kernel's headers mean. */
static bool is_build_config(const char *name)
{
	static const char list[] = "CONFIG_* KBUILD_* MODULE __KERNEL__ __SANITIZE_* "
				   "__DISABLE_EXPORTS __GENKSYMS__ __CHECKER__ __NO_FORTIFY "
				   "_FORTIFY_SOURCE BUILD_VDSO* __VDSO__ NOSTDINC_FLAGS __FILE__ "
				   "__LINE__ DISABLE_BRANCH_PROFILING __BOOTING__ "
				   "__has_attribute __has_include";

	return pl_listed(list, name);
}

/* #define and #undef: i is the name's token. */
static void definition(struct pl_scan *s, size_t i, size_t end)
{
	const char *name = s->v[i].text;

	if (is_keyword(name) || is_build_config(name))
		pl_spot(s, i, true, "redefinition", name,
			"has a meaning that every header relies on: leave it");
	else if (strcmp(name, "pr_fmt") != 0) {
		pl_spot(s, i, false, "redefinition", name,
			"means something else from here on: the handout uses it as it was");
		if (s->out->n)
			s->out->v[s->out->n - 1].if_known = true;
	}
	for (size_t k = i + 1; k < end; k++)
		if (s->v[k].kind == PL_NAME && pl_attribute_refused(s->v[k].text))
			pl_spot(s, k, false, "attribute", s->v[k].text,
				"in a macro can become an attribute");
}

static bool defines(const struct pl_scan *s, size_t i, size_t end)
{
	return i + 2 < end && pl_at(s, i + 1, PL_NAME, "define");
}

static void paste(struct pl_scan *s, size_t i, size_t begin, size_t end)
{
	KL_AUTO_FREE char *words = pl_text(s, i > begin ? i - 1 : i, i + 2 < end ? i + 2 : end);

	if (words)
		pl_spot(s, i, false, "token-pasting", words,
			"makes a name that the source does not show");
	if (defines(s, begin, end) && !kl_strv_has(&s->pasters, s->v[begin + 2].text) &&
	    kl_strv_add(&s->pasters, s->v[begin + 2].text))
		s->failed = true;
}

static void embed(struct pl_scan *s, size_t i)
{
	pl_spot(s, i, true, "include", "#embed", "brings in a file's bytes: put the data in C");
}

bool pl_directive(struct pl_scan *s, size_t i, size_t end)
{
	const char *name = i + 1 < end ? s->v[i + 1].text : "";
	KL_AUTO_FREE char *rest = pl_text(s, i + 2 < end ? i + 2 : end, end);

	if (!rest || i + 1 >= end)
		return false;
	for (size_t k = i; k < end; k++)
		if (pl_at(s, k, PL_PUNCT, "##"))
			paste(s, k, i, end);
	if (s->v[i + 1].kind == PL_NUMBER || !strcmp(name, "line"))
		pl_spot(s, i, true, "line-marker", "#line",
			"makes the compiler name wrong places: take it out");
	else if (!strcmp(name, "include") || !strcmp(name, "include_next") ||
		 !strcmp(name, "import"))
		header(s, i, i + 2 < end ? i + 2 : s->n, "#include");
	else if (!strcmp(name, "embed"))
		embed(s, i);
	else if (!strcmp(name, "pragma"))
		pl_pragma(s, i, rest);
	else if ((!strcmp(name, "define") || !strcmp(name, "undef")) && i + 2 < end)
		definition(s, i + 2, end);
	else if (!strcmp(name, "ident") || !strcmp(name, "sccs") || !strcmp(name, "assert") ||
		 !strcmp(name, "unassert"))
		pl_spot(s, i, false, "odd-directive", name, "is a directive that nobody uses");
	return !strcmp(name, "error") || !strcmp(name, "warning");
}
