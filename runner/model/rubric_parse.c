/* rubrics/ID.yaml, read and held against its own promises. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/exercise.h>
#include <klinic/file.h>
#include <klinic/rubric.h>

#include "model/fields.h"

#define DIMENSIONS_MAX 64

static const char *const rubric_keys[] = { "id", "title", "dimensions", NULL };
static const char *const dimension_keys[] = { "id", "title", "bar", "weight", "levels", NULL };

static int parse_levels(const struct kl_yaml *y, const struct kl_yaml_node *map,
			struct kl_dimension *ret, struct kl_error *err)
{
	const struct kl_yaml_node *list = NULL;

	if (kl_field_list(y, map, "levels", true, &list, err))
		return -1;
	if (list->n != KL_RUBRIC_LEVELS)
		return kl_yaml_fail(y, list, err,
				    "%zu levels; a dimension has %d, from below the bar to "
				    "outstanding",
				    list->n, KL_RUBRIC_LEVELS);
	for (size_t i = 0; i < list->n; i++)
		if (kl_yaml_string(y, list->items[i], "levels", &ret->levels[i], err))
			return -1;
	return 0;
}

static int parse_dimension(const struct kl_yaml *y, const struct kl_yaml_node *map,
			   struct kl_rubric *r, struct kl_error *err)
{
	struct kl_dimension *d = &r->dimensions[r->n++];

	if (kl_yaml_known(y, map, "dimension", dimension_keys, err) ||
	    kl_field_id(y, map, "id", &d->id, err) ||
	    kl_field_title(y, map, "title", &d->title, err) ||
	    kl_field_text(y, map, "bar", true, &d->bar, err) ||
	    kl_field_uint(y, map, "weight", true, 1, 100, &d->weight, err) ||
	    parse_levels(y, map, d, err))
		return -1;
	if (kl_rubric_dimension(r, d->id) != d)
		return kl_yaml_fail(y, kl_yaml_get(map, "id"), err,
				    "dimension “%s” stands in the rubric already", d->id);
	return 0;
}

static int parse_rubric(const struct kl_yaml *y, struct kl_rubric *ret, struct kl_error *err)
{
	const struct kl_yaml_node *list = NULL;
	unsigned int weight = 0;

	if (kl_yaml_known(y, y->root, "rubric", rubric_keys, err) ||
	    kl_field_id(y, y->root, "id", &ret->id, err) ||
	    kl_field_title(y, y->root, "title", &ret->title, err) ||
	    kl_field_list(y, y->root, "dimensions", true, &list, err))
		return -1;
	if (list->n > DIMENSIONS_MAX)
		return kl_yaml_fail(y, list, err, "%zu dimensions; at most %d are allowed", list->n,
				    DIMENSIONS_MAX);
	ret->dimensions = calloc(list->n, sizeof(*ret->dimensions));
	if (!ret->dimensions)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (size_t i = 0; i < list->n; i++) {
		if (parse_dimension(y, list->items[i], ret, err))
			return -1;
		weight += ret->dimensions[i].weight;
	}
	if (weight != 100)
		return kl_yaml_fail(y, list, err, "the weights add up to %u, not to 100", weight);
	return 0;
}

/* rubrics/ID.yaml is how everything finds it, so the id inside must be the same. */
static int check_name(const struct kl_yaml *y, const char *path, const struct kl_rubric *r,
		      struct kl_error *err)
{
	KL_AUTO_FREE char *expected = kl_asprintf("%s.yaml", r->id);

	if (!expected)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (!kl_str_eq(kl_path_base(path), expected))
		return kl_yaml_fail(y, kl_yaml_get(y->root, "id"), err,
				    "id “%s” must equal the file's name", r->id);
	return 0;
}

int kl_rubric_load(const char *path, struct kl_rubric *ret, struct kl_error *err)
{
	KL_AUTO(kl_rubric_deinit) struct kl_rubric r = { 0 };
	KL_AUTO(kl_yaml_deinit) struct kl_yaml y = { 0 };

	if (kl_yaml_load(path, &y, err) || parse_rubric(&y, &r, err) ||
	    check_name(&y, path, &r, err))
		return -1;
	*ret = r;
	r = (struct kl_rubric){ 0 };
	return 0;
}

int kl_rubric_find(const char *id, struct kl_rubric *ret, struct kl_error *err)
{
	KL_AUTO_FREE char *rubrics = NULL;
	KL_AUTO_FREE char *path = NULL;

	if (!kl_str_is_id(id))
		return kl_fail(err, KL_USAGE, "“%s” is no rubric's id", id);
	if (kl_content_dir("rubrics", &rubrics, err))
		return -1;
	path = kl_asprintf("%s/%s.yaml", rubrics, id);
	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (!kl_file_exists(path))
		return kl_fail(err, KL_USAGE, "there is no rubric “%s”: %s is missing", id, path);
	return kl_rubric_load(path, ret, err);
}
