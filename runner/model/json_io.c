/* JSON of this room's documents, both ways (json_io.h). */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/json_io.h"

#define EXACT_IN_DOUBLE (1ULL << 53)

void kl_out_put(json_t **o, const char *key, json_t *value)
{
	if (*o && value && !json_object_set_new(*o, key, value))
		return;
	/* json_object_set_new() has freed the value when it failed; otherwise it is still ours. */
	if (!*o)
		json_decref(value);
	json_decref(*o);
	*o = NULL;
}

void kl_out_push(json_t **list, json_t *value)
{
	if (*list && value && !json_array_append_new(*list, value))
		return;
	if (!*list)
		json_decref(value);
	json_decref(*list);
	*list = NULL;
}

json_t *kl_out_hex(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string(text);
}

json_t *kl_out_u64(uint64_t value)
{
	return value < EXACT_IN_DOUBLE ? json_integer((json_int_t)value) : kl_out_hex(value);
}

json_t *kl_out_real(double value)
{
	char text[32];

	if (!isfinite(value))
		value = 0;
	if (value == floor(value) && fabs(value) < (double)EXACT_IN_DOUBLE)
		return json_integer((json_int_t)value);
	/* kl_json_dump() writes 15 digits: no more are kept here, so that text comes back equal. */
	snprintf(text, sizeof(text), "%.15g", value);
	return json_real(strtod(text, NULL));
}

int kl_in_object(const json_t *j, const char *what, struct kl_error *err)
{
	if (!json_is_object(j))
		return kl_fail(err, KL_CONTENT, "%s must be an object", what);
	return 0;
}

static int need(const json_t *o, const char *key, const json_t **ret, struct kl_error *err)
{
	*ret = json_object_get(o, key);
	return *ret ? 0 : kl_fail(err, KL_CONTENT, "“%s” is missing", key);
}

int kl_in_schema(const json_t *o, const char *schema, struct kl_error *err)
{
	const json_t *v = NULL;

	if (need(o, "schema", &v, err))
		return -1;
	if (!kl_str_eq(json_string_value(v), schema))
		return kl_fail(err, KL_CONTENT, "“schema” must be “%s”", schema);
	return 0;
}

int kl_in_list(const json_t *o, const char *key, size_t max, const json_t **ret,
	       struct kl_error *err)
{
	const json_t *v = NULL;

	if (need(o, key, &v, err))
		return -1;
	if (!json_is_array(v))
		return kl_fail(err, KL_CONTENT, "“%s” must be a list", key);
	if (json_array_size(v) > max)
		return kl_fail(err, KL_CONTENT, "“%s” has %zu entries; at most %zu are read", key,
			       json_array_size(v), max);
	*ret = v;
	return 0;
}

int kl_in_items(const json_t *o, const char *key, size_t max, size_t size,
		int (*read)(const json_t *o, void *ret, struct kl_error *err), void *ret_items,
		size_t *ret_n, struct kl_error *err)
{
	const json_t *list = NULL;
	char *items;

	if (kl_in_list(o, key, max, &list, err))
		return -1;
	items = calloc(json_array_size(list) + 1, size);
	if (!items)
		return kl_fail(err, KL_INFRA, "out of memory");
	memcpy(ret_items, &items, sizeof(items));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		if (kl_in_object(item, "an entry", err) ||
		    read(item, items + (*ret_n)++ * size, err))
			return kl_error_prepend(err, "%s[%zu]", key, i);
	}
	return 0;
}

static int take_text(const json_t *v, const char *key, size_t max, char **ret, struct kl_error *err)
{
	size_t len = json_string_length(v);
	char *copy;

	if (!json_is_string(v))
		return kl_fail(err, KL_CONTENT, "“%s” must be a string", key);
	if (len > max)
		return kl_fail(err, KL_CONTENT, "“%s” has %zu bytes; at most %zu are read", key,
			       len, max);
	if (memchr(json_string_value(v), '\0', len))
		return kl_fail(err, KL_CONTENT, "“%s” contains a NUL byte", key);
	copy = strndup(json_string_value(v), len);
	if (!copy)
		return kl_fail(err, KL_INFRA, "out of memory");
	free(*ret);
	*ret = copy;
	return 0;
}

int kl_in_text(const json_t *o, const char *key, size_t max, bool needed, char **ret,
	       struct kl_error *err)
{
	const json_t *v = json_object_get(o, key);

	if (!needed && (!v || json_is_null(v)))
		return 0;
	if (need(o, key, &v, err))
		return -1;
	return take_text(v, key, max, ret, err);
}

int kl_in_strings(const json_t *o, const char *key, struct kl_strv *ret, struct kl_error *err)
{
	const json_t *list = NULL;

	if (kl_in_list(o, key, KL_IN_LIST_MAX, &list, err))
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		char *s = NULL;
		int failed;

		if (take_text(json_array_get(list, i), key, KL_IN_NAME_MAX, &s, err))
			return kl_error_prepend(err, "entry %zu", i);
		failed = kl_strv_add(ret, s);
		free(s);
		if (failed)
			return kl_fail(err, KL_INFRA, "out of memory");
	}
	return 0;
}

int kl_in_digest(const json_t *o, const char *key, char ret[KL_DIGEST_HEX], struct kl_error *err)
{
	const char *s;
	const json_t *v = NULL;

	if (need(o, key, &v, err))
		return -1;
	s = json_string_value(v);
	if (!s || (*s && (strlen(s) != KL_DIGEST_HEX - 1 ||
			  strspn(s, "0123456789abcdef") != KL_DIGEST_HEX - 1)))
		return kl_fail(err, KL_CONTENT, "“%s” must be 64 hex digits, or empty", key);
	memcpy(ret, s, strlen(s) + 1);
	return 0;
}

int kl_in_u64_value(const json_t *v, const char *key, uint64_t *ret, struct kl_error *err)
{
	const char *s = json_string_value(v);

	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		*ret = (uint64_t)json_integer_value(v);
		return 0;
	}
	if (s && !strncmp(s, "0x", 2) && strlen(s) > 2 && strlen(s) <= 18 &&
	    strspn(s + 2, "0123456789abcdef") == strlen(s) - 2) {
		*ret = strtoull(s, NULL, 16);
		return 0;
	}
	return kl_fail(err, KL_CONTENT, "“%s” must be a whole number, or “0x” and hex digits", key);
}

int kl_in_u64(const json_t *o, const char *key, uint64_t *ret, struct kl_error *err)
{
	const json_t *v = NULL;

	return need(o, key, &v, err) ? -1 : kl_in_u64_value(v, key, ret, err);
}

int kl_in_int(const json_t *o, const char *key, int64_t min, int64_t max, int64_t *ret,
	      struct kl_error *err)
{
	const json_t *v = NULL;

	if (need(o, key, &v, err))
		return -1;
	if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
		return kl_fail(err, KL_CONTENT,
			       "“%s” must be a whole number from %" PRId64 " to %" PRId64, key, min,
			       max);
	*ret = json_integer_value(v);
	return 0;
}

int kl_in_uint(const json_t *o, const char *key, unsigned int max, unsigned int *ret,
	       struct kl_error *err)
{
	int64_t value = 0;

	if (kl_in_int(o, key, 0, max, &value, err))
		return -1;
	*ret = (unsigned int)value;
	return 0;
}

int kl_in_real(const json_t *o, const char *key, double min, double max, double *ret,
	       struct kl_error *err)
{
	const json_t *v = NULL;

	if (need(o, key, &v, err))
		return -1;
	if (!json_is_number(v) || !(json_number_value(v) >= min && json_number_value(v) <= max))
		return kl_fail(err, KL_CONTENT, "“%s” must be a number from %g to %g", key, min,
			       max);
	*ret = json_number_value(v);
	return 0;
}

int kl_in_bool(const json_t *o, const char *key, bool *ret, struct kl_error *err)
{
	const json_t *v = NULL;

	if (need(o, key, &v, err))
		return -1;
	if (!json_is_boolean(v))
		return kl_fail(err, KL_CONTENT, "“%s” must be true or false", key);
	*ret = json_is_true(v);
	return 0;
}

int kl_in_enum(const json_t *o, const char *key, int (*parse)(const char *), int *ret,
	       struct kl_error *err)
{
	const json_t *v = NULL;
	int value;

	if (need(o, key, &v, err))
		return -1;
	value = parse(json_string_value(v));
	if (value < 0)
		return kl_fail(err, KL_CONTENT, "“%s” has no such value: “%.64s”", key,
			       json_string_value(v) ? json_string_value(v) : "");
	*ret = value;
	return 0;
}
