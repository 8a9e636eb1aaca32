/* Typed keys of YAML maps (fields.h). */
#include <string.h>

#include <klinic/cleanup.h>

#include "model/fields.h"

/* 0 with *ret NULL when the key is missing and may be. */
static int find(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		bool needed, const struct kl_yaml_node **ret, struct kl_error *err)
{
	if (needed)
		return kl_yaml_need(y, map, key, ret, err);
	*ret = kl_yaml_get(map, key);
	return 0;
}

int kl_field_text(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		  bool needed, char **ret, struct kl_error *err)
{
	const struct kl_yaml_node *node;

	if (find(y, map, key, needed, &node, err))
		return -1;
	return node ? kl_yaml_string(y, node, key, ret, err) : 0;
}

int kl_field_title(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		   char **ret, struct kl_error *err)
{
	const struct kl_yaml_node *node;

	if (kl_yaml_need(y, map, key, &node, err) || kl_yaml_string(y, node, key, ret, err))
		return -1;
	if (strchr(*ret, '\n'))
		return kl_yaml_fail(y, node, err, "%s must be one line", key);
	if (strlen(*ret) > KL_TITLE_MAX)
		return kl_yaml_fail(y, node, err, "%s must have at most %d bytes", key,
				    KL_TITLE_MAX);
	return 0;
}

int kl_field_id(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		char **ret, struct kl_error *err)
{
	const struct kl_yaml_node *node;

	if (kl_yaml_need(y, map, key, &node, err) || kl_yaml_string(y, node, key, ret, err))
		return -1;
	if (!kl_str_is_id(*ret))
		return kl_yaml_fail(y, node, err,
				    "%s must be lowercase letters, digits and inner dashes, at "
				    "most 64 of them",
				    key);
	return 0;
}

int kl_field_uint(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		  bool needed, unsigned int min, unsigned int max, unsigned int *ret,
		  struct kl_error *err)
{
	const struct kl_yaml_node *node;
	int64_t value;

	if (find(y, map, key, needed, &node, err))
		return -1;
	if (!node)
		return 0;
	if (kl_yaml_int(y, node, key, min, max, &value, err))
		return -1;
	*ret = (unsigned int)value;
	return 0;
}

int kl_field_bool(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		  bool *ret, struct kl_error *err)
{
	const struct kl_yaml_node *node = kl_yaml_get(map, key);

	return node ? kl_yaml_bool(y, node, key, ret, err) : 0;
}

int kl_field_strings(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		     bool needed, struct kl_strv *ret, struct kl_error *err)
{
	const struct kl_yaml_node *node;

	if (find(y, map, key, needed, &node, err))
		return -1;
	if (!node)
		return 0;
	if (kl_yaml_strings(y, node, key, ret, err))
		return -1;
	if (needed && ret->n == 0)
		return kl_yaml_fail(y, node, err, "%s must have at least one entry", key);
	return 0;
}

int kl_field_list(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		  bool needed, const struct kl_yaml_node **ret, struct kl_error *err)
{
	const struct kl_yaml_node *node;

	if (find(y, map, key, needed, &node, err))
		return -1;
	if (node && node->type != KL_YAML_LIST)
		return kl_yaml_fail(y, node, err, "%s must be a list", key);
	if (needed && node && node->n == 0)
		return kl_yaml_fail(y, node, err, "%s must have at least one entry", key);
	*ret = node;
	return 0;
}
