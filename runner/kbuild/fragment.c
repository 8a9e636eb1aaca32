/*
 * Config fragments, read strictly and held against what kconfig made of them: an
 * option whose dependencies are missing is dropped by olddefconfig without a
 * word, and then a detector would be silent because it is not there.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "kbuild/internal.h"

struct option {
	const char *name; /* from CONFIG_ on */
	size_t name_len;
	const char *value;
	size_t value_len;
};

static size_t name_length(const char *s)
{
	if (!kl_str_starts(s, "CONFIG_"))
		return 0;
	return 7 + strspn(s + 7, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

/* 1 an option, 0 nothing (blank, comment), -1 neither. */
static int parse_line(const char *line, size_t len, struct option *ret)
{
	static const char unset[] = " is not set";

	if (!len)
		return 0;
	if (*line == '#') {
		const char *name = line + 2;
		size_t n = len > 2 && line[1] == ' ' ? name_length(name) : 0;

		if (!n || len - 2 - n != strlen(unset) ||
		    memcmp(name + n, unset, strlen(unset)) != 0)
			return 0;
		*ret = (struct option){ name, n, "n", 1 };
		return 1;
	}
	*ret = (struct option){ .name = line, .name_len = name_length(line) };
	if (ret->name_len < 8 || ret->name_len + 1 >= len || line[ret->name_len] != '=')
		return -1;
	ret->value = line + ret->name_len + 1;
	ret->value_len = len - ret->name_len - 1;
	return 1;
}

struct lines {
	const char *next;
	unsigned int number;
};

static bool next_line(struct lines *l, const char **ret, size_t *ret_len)
{
	const char *end;

	if (!*l->next)
		return false;
	end = strchrnul(l->next, '\n');
	*ret = l->next;
	*ret_len = (size_t)(end - l->next);
	l->next = *end ? end + 1 : end;
	l->number++;
	return true;
}

/* The option of that name; false when text has none. */
static bool find(const char *text, const struct option *o, unsigned int after, struct option *ret,
		 unsigned int *ret_line)
{
	struct lines l = { .next = text };
	const char *line;
	size_t len;

	while (next_line(&l, &line, &len)) {
		if (l.number <= after || parse_line(line, len, ret) != 1)
			continue;
		if (ret->name_len == o->name_len && !memcmp(ret->name, o->name, o->name_len)) {
			*ret_line = l.number;
			return true;
		}
	}
	return false;
}

int kb_fragment_check(const char *path, const char *text, struct kl_error *err)
{
	struct lines l = { .next = text };
	const char *line;
	size_t len;

	while (next_line(&l, &line, &len)) {
		struct option o, again;
		unsigned int where;
		int got = parse_line(line, len, &o);

		if (got < 0)
			return kl_fail_at(err, path, l.number, 1,
					  "a line of a config fragment is CONFIG_NAME=value, or a "
					  "comment that begins with #");
		if (got && find(text, &o, l.number, &again, &where))
			return kl_fail_at(err, path, where, 1, "%.*s stands in line %u already",
					  (int)o.name_len, o.name, l.number);
	}
	return 0;
}

static bool same_value(const struct option *want, bool found, const struct option *have)
{
	if (!found) /* what kconfig does not mention is not set */
		return want->value_len == 1 && *want->value == 'n';
	return want->value_len == have->value_len &&
	       !memcmp(want->value, have->value, want->value_len);
}

int kb_fragment_verify(const char *path, const char *text, const char *config, struct kl_error *err)
{
	struct lines l = { .next = text };
	const char *line;
	size_t len;

	while (next_line(&l, &line, &len)) {
		struct option want, have = { .value = "not set", .value_len = 7 };
		unsigned int where;
		bool found;

		if (parse_line(line, len, &want) != 1)
			continue;
		found = find(config, &want, 0, &have, &where);
		if (same_value(&want, found, &have))
			continue;
		return kl_fail_at(err, path, l.number, 1,
				  "%.*s did not take effect: kconfig made it %.*s; what it depends "
				  "on is missing or something selects it",
				  (int)len, line, found ? (int)have.value_len : 7,
				  found ? have.value : "not set");
	}
	return 0;
}
