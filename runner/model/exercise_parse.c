/* exercise.yaml, first stage: the tree becomes a struct; types, ranges and spelling are checked. */
#include <stdlib.h>

#include <klinic/cleanup.h>

#include "model/exercise_stages.h"
#include "model/fields.h"

static const char *const top_keys[] = {
	"id",	   "title",	"kind",	     "tracks",	   "stage",  "level",
	"minutes", "subsystem", "bug_class", "dimensions", "rubric", "kernel",
	"module",  "editable",	"imports",   "checks",	   "hints",  NULL,
};
static const char *const kernel_keys[] = { "flavours", NULL };
static const char *const module_keys[] = { "name", "sources", NULL };
static const char *const checks_keys[] = { "visible", "hidden", NULL };
static const char *const hint_keys[] = { "text", "cost", NULL };
static const char *const check_keys[] = {
	"id",	  "title",	"program",	   "flavour",
	"mode",	  "schedule",	"preempt_percent", "depth",
	"seeds",  "first_seed", "guest_seconds",   "unload",
	"leaks",  "points",	"dimensions",	   "tolerate",
	"probes", NULL,
};

static int parse_mode(const struct kl_yaml *y, const struct kl_yaml_node *map, struct kl_check *ret,
		      struct kl_error *err)
{
	const struct kl_yaml_node *mode = kl_yaml_get(map, "mode");
	const struct kl_yaml_node *schedule = kl_yaml_get(map, "schedule");
	const char *modes[KL_MODE_COUNT], *schedules[KL_SCHEDULE_COUNT];
	int value;

	for (int i = 0; i < KL_MODE_COUNT; i++)
		modes[i] = kl_mode_name((enum kl_mode)i);
	for (int i = 0; i < KL_SCHEDULE_COUNT; i++)
		schedules[i] = kl_schedule_name((enum kl_schedule)i);
	if (mode) {
		if (kl_yaml_enum(y, mode, "mode", modes, KL_MODE_COUNT, &value, err))
			return -1;
		ret->mode = (enum kl_mode)value;
	}
	if (schedule) {
		if (kl_yaml_enum(y, schedule, "schedule", schedules, KL_SCHEDULE_COUNT, &value,
				 err))
			return -1;
		ret->schedule = (enum kl_schedule)value;
	}
	return 0;
}

static int parse_tolerate(const struct kl_yaml *y, const struct kl_yaml_node *map,
			  struct kl_check *ret, struct kl_error *err)
{
	const char *kinds[KL_KIND_COUNT];
	const struct kl_yaml_node *list = NULL;
	int value;

	for (int i = 0; i < KL_KIND_COUNT; i++)
		kinds[i] = kl_kind_name((enum kl_kind)i);
	if (kl_field_list(y, map, "tolerate", false, &list, err))
		return -1;
	for (size_t i = 0; list && i < list->n; i++) {
		if (kl_yaml_enum(y, list->items[i], "tolerate", kinds, KL_KIND_COUNT, &value, err))
			return -1;
		ret->tolerate[value] = true;
	}
	return 0;
}

static int parse_probes(const struct kl_yaml *y, const struct kl_yaml_node *map,
			struct kl_check *ret, struct kl_error *err)
{
	const char *probes[KL_PROBE_COUNT];
	const struct kl_yaml_node *list = NULL;
	int value;

	for (int i = 0; i < KL_PROBE_COUNT; i++)
		probes[i] = kl_probe_name((enum kl_probe)i);
	if (kl_field_list(y, map, "probes", false, &list, err))
		return -1;
	for (size_t i = 0; list && i < list->n; i++) {
		if (kl_yaml_enum(y, list->items[i], "probes", probes, KL_PROBE_COUNT, &value, err))
			return -1;
		if (ret->probes[value])
			return kl_yaml_fail(y, list->items[i], err, "probe “%s” stands twice",
					    probes[value]);
		ret->probes[value] = true;
	}
	return 0;
}

static int parse_seeds(const struct kl_yaml *y, const struct kl_yaml_node *map,
		       struct kl_check *ret, struct kl_error *err)
{
	const struct kl_yaml_node *first = kl_yaml_get(map, "first_seed");
	int64_t value;

	if (kl_field_uint(y, map, "seeds", false, 1, KL_SEEDS_MAX, &ret->seeds, err))
		return -1;
	if (!first)
		return 0;
	if (kl_yaml_int(y, first, "first_seed", 0, INT64_MAX, &value, err))
		return -1;
	ret->first_seed = (uint64_t)value;
	return 0;
}

static int parse_check(const struct kl_yaml *y, const struct kl_yaml_node *map,
		       struct kl_check *ret, struct kl_error *err)
{
	ret->preempt_percent = 30;
	ret->depth = 2;
	ret->first_seed = 1;
	ret->seeds = 1;
	ret->guest_seconds = 30;
	ret->unload = true;
	ret->points = 1;
	if (kl_yaml_known(y, map, "check", check_keys, err) ||
	    kl_field_id(y, map, "id", &ret->id, err) ||
	    kl_field_title(y, map, "title", &ret->title, err) ||
	    kl_field_text(y, map, "program", true, &ret->program, err) ||
	    kl_field_text(y, map, "flavour", false, &ret->flavour, err) ||
	    parse_mode(y, map, ret, err) || parse_seeds(y, map, ret, err) ||
	    kl_field_uint(y, map, "preempt_percent", false, 1, 100, &ret->preempt_percent, err) ||
	    kl_field_uint(y, map, "depth", false, 1, 3, &ret->depth, err) ||
	    kl_field_uint(y, map, "guest_seconds", false, 1, KL_GUEST_SECS_MAX, &ret->guest_seconds,
			  err) ||
	    kl_field_bool(y, map, "unload", &ret->unload, err) ||
	    kl_field_bool(y, map, "leaks", &ret->leaks, err) ||
	    kl_field_uint(y, map, "points", false, 0, KL_POINTS_MAX, &ret->points, err) ||
	    kl_field_strings(y, map, "dimensions", false, &ret->dimensions, err))
		return -1;
	return parse_tolerate(y, map, ret, err) || parse_probes(y, map, ret, err) ? -1 : 0;
}

static int parse_checks(const struct kl_yaml *y, const struct kl_yaml_node *top,
			struct kl_exercise *ret, struct kl_error *err)
{
	const struct kl_yaml_node *map, *lists[2] = { NULL, NULL };
	size_t n;

	if (kl_yaml_need(y, top, "checks", &map, err) ||
	    kl_yaml_known(y, map, "checks", checks_keys, err) ||
	    kl_field_list(y, map, "visible", false, &lists[0], err) ||
	    kl_field_list(y, map, "hidden", ret->whole, &lists[1], err))
		return -1;
	ret->n_hidden = lists[1] ? lists[1]->n : 0;
	if (!ret->whole)
		lists[1] = NULL;
	n = (lists[0] ? lists[0]->n : 0) + (lists[1] ? lists[1]->n : 0);
	if (n > KL_CHECKS_MAX)
		return kl_yaml_fail(y, map, err, "%zu checks; at most %d are allowed", n,
				    KL_CHECKS_MAX);
	ret->checks = calloc(n + 1, sizeof(*ret->checks));
	if (!ret->checks)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (size_t hidden = 0; hidden < 2; hidden++) {
		for (size_t i = 0; lists[hidden] && i < lists[hidden]->n; i++) {
			struct kl_check *c = &ret->checks[ret->n_checks++];

			c->hidden = hidden;
			if (parse_check(y, lists[hidden]->items[i], c, err))
				return -1;
		}
	}
	return 0;
}

static int parse_hints(const struct kl_yaml *y, const struct kl_yaml_node *top,
		       struct kl_exercise *ret, struct kl_error *err)
{
	const struct kl_yaml_node *list = NULL;

	if (kl_field_list(y, top, "hints", false, &list, err))
		return -1;
	if (!list || list->n == 0)
		return 0;
	if (list->n > KL_HINTS_MAX)
		return kl_yaml_fail(y, list, err, "%zu hints; at most %d are allowed", list->n,
				    KL_HINTS_MAX);
	ret->hints = calloc(list->n, sizeof(*ret->hints));
	if (!ret->hints)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (size_t i = 0; i < list->n; i++) {
		struct kl_hint *h = &ret->hints[ret->n_hints++];

		if (kl_yaml_known(y, list->items[i], "hint", hint_keys, err) ||
		    kl_field_text(y, list->items[i], "text", true, &h->text, err) ||
		    kl_field_uint(y, list->items[i], "cost", true, 0, KL_POINTS_MAX, &h->cost, err))
			return -1;
	}
	return 0;
}

static int parse_build(const struct kl_yaml *y, const struct kl_yaml_node *top,
		       struct kl_exercise *ret, struct kl_error *err)
{
	const struct kl_yaml_node *kernel, *module;

	if (kl_yaml_need(y, top, "kernel", &kernel, err) ||
	    kl_yaml_known(y, kernel, "kernel", kernel_keys, err) ||
	    kl_field_strings(y, kernel, "flavours", true, &ret->flavours, err) ||
	    kl_yaml_need(y, top, "module", &module, err) ||
	    kl_yaml_known(y, module, "module", module_keys, err) ||
	    kl_field_text(y, module, "name", true, &ret->module, err) ||
	    kl_field_strings(y, module, "sources", true, &ret->sources, err) ||
	    kl_field_strings(y, top, "editable", true, &ret->editable, err))
		return -1;
	return kl_field_strings(y, top, "imports", false, &ret->imports, err);
}

static int parse_kind(const struct kl_yaml *y, const struct kl_yaml_node *top,
		      struct kl_exercise *ret, struct kl_error *err)
{
	const struct kl_yaml_node *kind, *level;
	const char *kinds[KL_EXERCISE_KIND_COUNT], *levels[KL_LEVEL_COUNT];
	int kind_value, level_value;

	for (int i = 0; i < KL_EXERCISE_KIND_COUNT; i++)
		kinds[i] = kl_exercise_kind_name((enum kl_exercise_kind)i);
	for (int i = 0; i < KL_LEVEL_COUNT; i++)
		levels[i] = kl_level_name((enum kl_level)i);
	if (kl_yaml_need(y, top, "kind", &kind, err) ||
	    kl_yaml_enum(y, kind, "kind", kinds, KL_EXERCISE_KIND_COUNT, &kind_value, err) ||
	    kl_yaml_need(y, top, "level", &level, err) ||
	    kl_yaml_enum(y, level, "level", levels, KL_LEVEL_COUNT, &level_value, err))
		return -1;
	ret->kind = (enum kl_exercise_kind)kind_value;
	ret->level = (enum kl_level)level_value;
	return 0;
}

int kl_exercise_parse_yaml(const struct kl_yaml *y, struct kl_exercise *ret, struct kl_error *err)
{
	const struct kl_yaml_node *top = y->root;

	if (kl_yaml_known(y, top, "exercise", top_keys, err) ||
	    kl_field_id(y, top, "id", &ret->id, err) ||
	    kl_field_title(y, top, "title", &ret->title, err) || parse_kind(y, top, ret, err) ||
	    kl_field_strings(y, top, "tracks", true, &ret->tracks, err) ||
	    kl_field_uint(y, top, "stage", true, 1, 7, &ret->stage, err) ||
	    kl_field_uint(y, top, "minutes", true, 1, KL_MINUTES_MAX, &ret->minutes, err) ||
	    kl_field_title(y, top, "subsystem", &ret->subsystem, err) ||
	    kl_field_title(y, top, "bug_class", &ret->bug_class, err) ||
	    kl_field_strings(y, top, "dimensions", true, &ret->dimensions, err) ||
	    kl_field_id(y, top, "rubric", &ret->rubric, err) || parse_build(y, top, ret, err) ||
	    parse_checks(y, top, ret, err))
		return -1;
	return parse_hints(y, top, ret, err);
}

int kl_exercise_default(struct kl_exercise *e, struct kl_error *err)
{
	for (size_t i = 0; i < e->n_checks; i++) {
		struct kl_check *c = &e->checks[i];

		if (!c->flavour && !(c->flavour = strdup(e->flavours.v[0])))
			return kl_fail(err, KL_INFRA, "out of memory");
		if (c->dimensions.n == 0 && kl_strv_copy(&c->dimensions, &e->dimensions))
			return kl_fail(err, KL_INFRA, "out of memory");
	}
	return 0;
}
