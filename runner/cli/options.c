/* The command line held against a verb's table: options before, between and after positionals. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define WORD_MAX 32

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance of two words; long ones are far from everything. */
static unsigned int distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned int row[WORD_MAX + 1];

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (size_t k = 0; k <= m; k++)
		row[k] = (unsigned int)k;
	for (size_t i = 1; i <= n; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t k = 1; k <= m; k++) {
			unsigned int above = row[k];

			row[k] = least(least(row[k], row[k - 1]) + 1,
				       diagonal + (a[i - 1] != b[k - 1]));
			diagonal = above;
		}
	}
	return row[m];
}

const char *cli_nearest(const char *word, const char *const *names)
{
	unsigned int best = strlen(word) < 5 ? 2 : 3;
	const char *ret = NULL;

	for (; *names; names++) {
		unsigned int d = distance(word, *names);

		/* The beginning of a name counts as near, however long the rest. */
		if (strlen(word) >= 2 && kl_str_starts(*names, word))
			d = 1;
		if (d < best || (d == best && !ret && d < strlen(*names))) {
			best = d;
			ret = *names;
		}
	}
	return ret;
}

static int unknown(const struct cli_verb *v, const char *given, size_t len, struct kl_error *err)
{
	const char *names[CLI_OPTIONS_MAX + 2] = { "help" };
	KL_AUTO_FREE char *word = strndup(given, len);
	const char *near;

	for (size_t i = 0; i < CLI_OPTIONS_MAX && v->options[i].name; i++)
		names[i + 1] = v->options[i].name;
	near = word ? cli_nearest(word, names) : NULL;
	if (near)
		return kl_fail(err, KL_USAGE, "%s has no option --%s: did you mean --%s?", v->name,
			       word, near);
	return kl_fail(err, KL_USAGE, "%s has no option --%s: “klinic %s --help” lists what it has",
		       v->name, word ? word : "", v->name);
}

static int take_long(const struct cli_verb *v, const char *word, char **argv, int *i,
		     struct cli_args *ret, struct kl_error *err)
{
	size_t len = strcspn(word, "=");

	for (size_t k = 0; k < CLI_OPTIONS_MAX && v->options[k].name; k++) {
		const struct cli_option *o = &v->options[k];

		if (strlen(o->name) != len || strncmp(o->name, word, len) != 0)
			continue;
		if (!o->arg && word[len])
			return kl_fail(err, KL_USAGE, "--%s takes no value", o->name);
		ret->value[k] = !o->arg ? "" : word[len] ? word + len + 1 : argv[++*i];
		if (!ret->value[k])
			return kl_fail(err, KL_USAGE, "--%s needs a value: --%s %s", o->name,
				       o->name, o->arg);
		return 0;
	}
	return unknown(v, word, len, err);
}

/* -n 3, -n3; flags cannot be run together, there are too few of them. */
static int take_short(const struct cli_verb *v, const char *word, char **argv, int *i,
		      struct cli_args *ret, struct kl_error *err)
{
	for (size_t k = 0; k < CLI_OPTIONS_MAX && v->options[k].name; k++) {
		const struct cli_option *o = &v->options[k];

		if (o->letter != word[0] || (!o->arg && word[1]))
			continue;
		ret->value[k] = !o->arg ? "" : word[1] ? word + 1 : argv[++*i];
		if (!ret->value[k])
			return kl_fail(err, KL_USAGE, "-%c needs a value: -%c %s", o->letter,
				       o->letter, o->arg);
		return 0;
	}
	return kl_fail(err, KL_USAGE, "%s has no option -%s: “klinic %s --help” lists what it has",
		       v->name, word, v->name);
}

static int count_positionals(const struct cli_args *a, struct kl_error *err)
{
	const struct cli_verb *v = a->verb;

	if (a->n < v->min)
		return kl_fail(err, KL_USAGE, "too little said: klinic %s %s", v->name, v->usage);
	if (a->n > v->max)
		return kl_fail(err, KL_USAGE, "“%s” is one argument too many: klinic %s %s",
			       a->positional[v->max], v->name, v->usage);
	return 0;
}

int cli_parse(const struct cli_verb *v, int argc, char **argv, struct cli_args *ret, bool *ret_help,
	      struct kl_error *err)
{
	bool only_positionals = false;

	*ret = (struct cli_args){ .verb = v };
	*ret_help = false;
	for (int i = 0; i < argc; i++) {
		const char *w = argv[i];

		if (only_positionals || w[0] != '-' || !w[1]) {
			if (ret->n == CLI_POSITIONALS_MAX)
				return kl_fail(err, KL_USAGE, "too many arguments: klinic %s %s",
					       v->name, v->usage);
			ret->positional[ret->n++] = w;
		} else if (!strcmp(w, "--")) {
			only_positionals = true;
		} else if (!strcmp(w, "--help") || !strcmp(w, "-h")) {
			*ret_help = true;
			return 0;
		} else if (w[1] == '-' ? take_long(v, w + 2, argv, &i, ret, err)
				       : take_short(v, w + 1, argv, &i, ret, err)) {
			return -1;
		}
	}
	return count_positionals(ret, err);
}

const char *cli_value(const struct cli_args *a, const char *name)
{
	for (size_t i = 0; i < CLI_OPTIONS_MAX && a->verb->options[i].name; i++)
		if (!strcmp(a->verb->options[i].name, name))
			return a->value[i];
	return NULL;
}

bool cli_flag(const struct cli_args *a, const char *name)
{
	return cli_value(a, name) != NULL;
}

int cli_number(const struct cli_args *a, const char *name, uint64_t min, uint64_t max,
	       uint64_t *ret, struct kl_error *err)
{
	const char *text = cli_value(a, name);
	char *end = NULL;
	uint64_t n;

	if (!text)
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	/* strtoull takes blanks and signs, which a number of ours does not have. */
	if (text[0] < '0' || text[0] > '9' || *end || errno || n < min || n > max)
		return kl_fail(err, KL_USAGE,
			       "--%s “%s” is no whole number from %" PRIu64 " to %" PRIu64, name,
			       text, min, max);
	*ret = n;
	return 0;
}

int cli_choice(const struct cli_args *a, const char *name, const char *const *names,
	       struct kl_error *err)
{
	const char *text = cli_value(a, name);
	KL_AUTO(kl_buf_deinit) struct kl_buf all = KL_BUF_INIT;

	if (!text)
		return 0;
	for (int i = 0; names[i]; i++) {
		if (!strcmp(names[i], text))
			return i;
		kl_buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
	}
	return kl_fail(err, KL_USAGE, "--%s “%s” is none of %s", name, text, kl_buf_str(&all));
}
