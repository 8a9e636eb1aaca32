/* Typed values out of a YAML tree, and the complaints when they are something else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/yaml.h>

#include "data/yaml_dup.h"

static const char *const type_names[] = {
	[KL_YAML_SCALAR] = "a single value",
	[KL_YAML_LIST] = "a list",
	[KL_YAML_MAP] = "a map",
};

int kl_yaml_fail(const struct kl_yaml *y, const struct kl_yaml_node *node, struct kl_error *err,
		 const char *fmt, ...)
{
	char text[sizeof(err->message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return kl_fail_at(err, y->path, node ? node->line : 0, node ? node->column : 0, "%s", text);
}

static int by_text(const void *a, const void *b)
{
	const struct kl_yaml_node *x = *(struct kl_yaml_node *const *)a;
	const struct kl_yaml_node *y = *(struct kl_yaml_node *const *)b;
	int order = strcmp(x->text, y->text);

	if (order)
		return order;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

int kl_yaml_duplicate(struct kl_yaml_node *const *nodes, size_t n,
		      const struct kl_yaml_node **ret_twice)
{
	KL_AUTO_FREE struct kl_yaml_node **sorted = NULL;
	const struct kl_yaml_node *first = NULL;

	*ret_twice = NULL;
	if (n < 2)
		return 0;
	sorted = calloc(n, sizeof(struct kl_yaml_node *));
	if (!sorted)
		return -1;
	memcpy(sorted, nodes, n * sizeof(struct kl_yaml_node *));
	qsort(sorted, n, sizeof(struct kl_yaml_node *), by_text);
	for (size_t i = 1; i < n; i++) {
		const struct kl_yaml_node *s = sorted[i];

		if (strcmp(sorted[i - 1]->text, s->text) != 0)
			continue;
		if (!first || s->line < first->line ||
		    (s->line == first->line && s->column < first->column))
			first = s;
	}
	*ret_twice = first;
	return 0;
}

static void list_names(struct kl_buf *b, const char *const *names, size_t count)
{
	const char *sep = "";

	for (size_t i = 0; i < count; i++) {
		if (!names[i])
			continue;
		kl_buf_puts(b, sep);
		kl_buf_puts(b, names[i]);
		sep = ", ";
	}
}

int kl_yaml_known(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *what,
		  const char *const *known, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	size_t count = 0;

	if (!node || node->type != KL_YAML_MAP)
		return kl_yaml_fail(y, node, err, "%s must be a map of keys to values, not %s",
				    what, node ? type_names[node->type] : "nothing");
	while (known[count])
		count++;
	for (size_t i = 0; i < node->n; i++) {
		size_t k = 0;

		while (k < count && strcmp(known[k], node->keys[i]->text) != 0)
			k++;
		if (k < count)
			continue;
		list_names(&b, known, count);
		return kl_yaml_fail(y, node->keys[i], err,
				    "%s has no key '%.64s'; its keys are: %s", what,
				    node->keys[i]->text, kl_buf_str(&b));
	}
	return 0;
}

const struct kl_yaml_node *kl_yaml_get(const struct kl_yaml_node *map, const char *key)
{
	if (!map || map->type != KL_YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (!strcmp(map->keys[i]->text, key))
			return map->items[i];
	return NULL;
}

int kl_yaml_need(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		 const struct kl_yaml_node **ret, struct kl_error *err)
{
	const struct kl_yaml_node *n = kl_yaml_get(map, key);

	if (!n)
		return kl_yaml_fail(y, map, err, "key '%s' is missing", key);
	*ret = n;
	return 0;
}

static bool is_null(const struct kl_yaml_node *n)
{
	return !n->quoted && (!*n->text || !strcmp(n->text, "~") || !strcasecmp(n->text, "null"));
}

/* The text of a scalar that says something. */
static int need_text(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *key,
		     const char **ret, struct kl_error *err)
{
	if (node->type != KL_YAML_SCALAR)
		return kl_yaml_fail(y, node, err, "%s must be text, not %s", key,
				    type_names[node->type]);
	if (is_null(node) || !*node->text)
		return kl_yaml_fail(y, node, err, "%s is empty: give it a value or remove it", key);
	*ret = node->text;
	return 0;
}

int kl_yaml_string(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *key,
		   char **ret, struct kl_error *err)
{
	const char *text = "";
	char *copy;

	if (need_text(y, node, key, &text, err) < 0)
		return -1;
	copy = strdup(text);
	if (!copy)
		return kl_fail(err, KL_INFRA, "out of memory while reading %s", y->path);
	free(*ret);
	*ret = copy;
	return 0;
}

/* Decimal only: 010 is 8 in one YAML and 10 in the next. */
static bool is_decimal(const char *s)
{
	if (*s == '-')
		s++;
	if (*s == '0')
		return !s[1];
	return *s && s[strspn(s, "0123456789")] == '\0';
}

int kl_yaml_int(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *key,
		int64_t min, int64_t max, int64_t *ret, struct kl_error *err)
{
	long long value;

	if (node->type != KL_YAML_SCALAR || node->quoted || !is_decimal(node->text))
		return kl_yaml_fail(y, node, err, "%s must be a whole number from %lld to %lld",
				    key, (long long)min, (long long)max);
	errno = 0;
	value = strtoll(node->text, NULL, 10);
	if (errno || value < min || value > max)
		return kl_yaml_fail(y, node, err,
				    "%s must be a whole number from %lld to %lld, not %.32s", key,
				    (long long)min, (long long)max, node->text);
	*ret = value;
	return 0;
}

int kl_yaml_bool(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *key,
		 bool *ret, struct kl_error *err)
{
	bool yes = node->type == KL_YAML_SCALAR && !node->quoted && !strcmp(node->text, "true");
	bool no = node->type == KL_YAML_SCALAR && !node->quoted && !strcmp(node->text, "false");

	if (!yes && !no)
		return kl_yaml_fail(y, node, err, "%s must be true or false", key);
	*ret = yes;
	return 0;
}

int kl_yaml_strings(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *key,
		    struct kl_strv *ret, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv all = { 0 };
	const struct kl_yaml_node *twice;
	const char *text;
	int rc;

	if (node->type != KL_YAML_LIST)
		return kl_yaml_fail(y, node, err, "%s must be a list, not %s", key,
				    type_names[node->type]);
	for (size_t i = 0; i < node->n; i++)
		if (need_text(y, node->items[i], key, &text, err) < 0)
			return -1;
	rc = kl_yaml_duplicate(node->items, node->n, &twice);
	for (size_t i = 0; !rc && !twice && ret->n && i < node->n; i++)
		if (kl_strv_has(ret, node->items[i]->text))
			twice = node->items[i];
	if (!rc && twice)
		return kl_yaml_fail(y, twice, err, "%s names '%.200s' twice", key, twice->text);
	for (size_t i = 0; !rc && i < ret->n; i++)
		rc = kl_strv_add(&all, ret->v[i]);
	for (size_t i = 0; !rc && i < node->n; i++)
		rc = kl_strv_add(&all, node->items[i]->text);
	if (rc)
		return kl_fail(err, KL_INFRA, "out of memory while reading %s", y->path);
	kl_strv_deinit(ret);
	*ret = all;
	all = (struct kl_strv){ 0 };
	return 0;
}

int kl_yaml_enum(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *key,
		 const char *const *names, size_t count, int *ret, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	for (size_t i = 0; node->type == KL_YAML_SCALAR && i < count; i++) {
		if (!names[i] || strcmp(names[i], node->text) != 0)
			continue;
		*ret = (int)i;
		return 0;
	}
	list_names(&b, names, count);
	if (node->type != KL_YAML_SCALAR)
		return kl_yaml_fail(y, node, err, "%s must be one of %s, not %s", key,
				    kl_buf_str(&b), type_names[node->type]);
	return kl_yaml_fail(y, node, err, "%s cannot be '%.64s'; it must be one of: %s", key,
			    node->text, kl_buf_str(&b));
}
