/*
 * The public half of exercise.yaml, as a text of its own: what a workspace
 * carries. Every key is copied but those that only graders and authors need, so
 * that a key that is new tomorrow is there too. JSON, which YAML reads.
 */
#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/json.h>

#include "model/exercise_stages.h"

/* Deeper than any document of ours; kl_yaml_parse() allows no more. */
#define DEPTH_MAX 32

static bool is_kept(const char *path, const char *key)
{
	if (!*path)
		return !kl_str_eq(key, "hints");
	return !kl_str_eq(path, "checks") || !kl_str_eq(key, "hidden");
}

/* Plain scalars stay unquoted where the reader cares: numbers, true and false. */
static json_t *scalar(const struct kl_yaml_node *n)
{
	json_t *j = NULL;

	if (n->quoted)
		return kl_json_text(n->text);
	if (kl_str_eq(n->text, "true") || kl_str_eq(n->text, "false"))
		return json_boolean(*n->text == 't');
	j = json_loads(n->text, JSON_DECODE_ANY, NULL);
	if (json_is_integer(j))
		return j;
	json_decref(j);
	return kl_json_text(n->text);
}

static json_t *copy(const struct kl_yaml_node *n, const char *path, unsigned int depth)
{
	json_t *j;

	if (n->type == KL_YAML_SCALAR || depth > DEPTH_MAX)
		return n->type == KL_YAML_SCALAR ? scalar(n) : json_null();
	j = n->type == KL_YAML_MAP ? json_object() : json_array();
	for (size_t i = 0; i < n->n; i++) {
		if (n->type == KL_YAML_LIST)
			json_array_append_new(j, copy(n->items[i], "[]", depth + 1));
		else if (is_kept(path, n->keys[i]->text))
			json_object_set_new(
				j, n->keys[i]->text,
				copy(n->items[i], *path ? "." : n->keys[i]->text, depth + 1));
	}
	return j;
}

int kl_exercise_write_public(const struct kl_yaml *y, struct kl_buf *ret, struct kl_error *err)
{
	KL_AUTO_JSON json_t *j = copy(y->root, "", 0);

	return j ? kl_json_dump(j, ret, err) : kl_fail(err, KL_INFRA, "out of memory");
}

int kl_exercise_public_text(const char *dir, struct kl_buf *ret, struct kl_error *err)
{
	KL_AUTO(kl_yaml_deinit) struct kl_yaml y = { 0 };
	KL_AUTO_FREE char *path = kl_path_join(dir, "exercise.yaml");

	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	return kl_yaml_load(path, &y, err) ? -1 : kl_exercise_write_public(&y, ret, err);
}
