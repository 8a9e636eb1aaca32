/* An exercise's enums, ownership and look-ups. Reading: exercise_parse.c and its neighbours. */
#include <stdlib.h>

#include <klinic/exercise.h>

static const char *const kind_names[] = { [KL_EXERCISE_FIX] = "fix" };
KL_ENUM_DEFINE(kl_exercise_kind, enum kl_exercise_kind, kind_names, KL_EXERCISE_KIND_COUNT);

static const char *const level_names[] = {
	[KL_LEVEL_INTRODUCTORY] = "introductory",
	[KL_LEVEL_INTERMEDIATE] = "intermediate",
	[KL_LEVEL_ADVANCED] = "advanced",
};
KL_ENUM_DEFINE(kl_level, enum kl_level, level_names, KL_LEVEL_COUNT);

static const char *const schedule_names[] = {
	[KL_SCHEDULE_NONE] = "none",
	[KL_SCHEDULE_RANDOM] = "random",
	[KL_SCHEDULE_PCT] = "pct",
};
KL_ENUM_DEFINE(kl_schedule, enum kl_schedule, schedule_names, KL_SCHEDULE_COUNT);

static const char *const role_names[] = {
	[KL_ROLE_BROKEN] = "broken",
	[KL_ROLE_REFERENCE] = "reference",
	[KL_ROLE_ALTERNATIVE] = "alternative",
	[KL_ROLE_DECOY] = "decoy",
	[KL_ROLE_NOOP] = "noop",
};
KL_ENUM_DEFINE(kl_role, enum kl_role, role_names, KL_ROLE_COUNT);

static void check_deinit(struct kl_check *c)
{
	free(c->id);
	free(c->title);
	free(c->program);
	free(c->flavour);
	kl_strv_deinit(&c->dimensions);
}

void kl_exercise_deinit(struct kl_exercise *e)
{
	for (size_t i = 0; i < e->n_checks; i++)
		check_deinit(&e->checks[i]);
	for (size_t i = 0; i < e->n_hints; i++)
		free(e->hints[i].text);
	free(e->checks);
	free(e->hints);
	free(e->dir);
	free(e->id);
	free(e->title);
	free(e->subsystem);
	free(e->bug_class);
	free(e->rubric);
	free(e->module);
	kl_strv_deinit(&e->tracks);
	kl_strv_deinit(&e->dimensions);
	kl_strv_deinit(&e->flavours);
	kl_strv_deinit(&e->sources);
	kl_strv_deinit(&e->editable);
	kl_strv_deinit(&e->imports);
	*e = (struct kl_exercise){ 0 };
}

const struct kl_check *kl_exercise_check(const struct kl_exercise *e, const char *id)
{
	for (size_t i = 0; i < e->n_checks; i++)
		if (kl_str_eq(e->checks[i].id, id))
			return &e->checks[i];
	return NULL;
}
