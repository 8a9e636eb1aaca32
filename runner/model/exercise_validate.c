/* exercise.yaml, third stage: do the parts agree with each other, and does what they name exist? */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/rubric.h>

#include "model/exercise_stages.h"

/* MODULE_NAME_LEN of include/linux/module.h on 64 bit, with the NUL. */
#define MODULE_NAME_LEN 56

static const char *const track_names[] = { "interview", "onboarding", "mentoring", "ci" };

/* The node of entry i of the list under key: the place of a complaint. */
static const struct kl_yaml_node *entry(const struct kl_yaml_node *map, const char *key, size_t i)
{
	const struct kl_yaml_node *list = kl_yaml_get(map, key);

	return list && i < list->n ? list->items[i] : map;
}

static const struct kl_yaml_node *check_node(const struct kl_yaml *y, size_t i)
{
	const struct kl_yaml_node *checks = kl_yaml_get(y->root, "checks");
	const struct kl_yaml_node *visible = kl_yaml_get(checks, "visible");
	size_t n = visible ? visible->n : 0;

	return i < n ? visible->items[i] : kl_yaml_get(checks, "hidden")->items[i - n];
}

/* The value under key where it was written, else the map that lacks it. */
static const struct kl_yaml_node *value_node(const struct kl_yaml_node *map, const char *key)
{
	const struct kl_yaml_node *node = kl_yaml_get(map, key);

	return node ? node : map;
}

static bool is_symbol(const char *s)
{
	if (isdigit((unsigned char)*s))
		return false;
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	return *s != '\0';
}

static bool is_module_name(const char *s)
{
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-')
			return false;
	return isalpha((unsigned char)*s) && strlen(s) < MODULE_NAME_LEN;
}

static int validate_tracks(const struct kl_yaml *y, const struct kl_exercise *e,
			   struct kl_error *err)
{
	const struct kl_yaml_node *list = kl_yaml_get(y->root, "tracks");
	int unused;

	for (size_t i = 0; i < e->tracks.n; i++)
		if (kl_yaml_enum(y, list->items[i], "tracks", track_names,
				 KL_ARRAY_SIZE(track_names), &unused, err))
			return -1;
	return 0;
}

static int validate_ids(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
			const struct kl_strv *ids, struct kl_error *err)
{
	for (size_t i = 0; i < ids->n; i++)
		if (!kl_str_is_id(ids->v[i]))
			return kl_yaml_fail(y, entry(map, key, i), err,
					    "%s: “%s” must be lowercase letters, digits and "
					    "inner dashes",
					    key, ids->v[i]);
	return 0;
}

/* kbuild links an object of several sources under the module's name: no source may have it. */
static int validate_module(const struct kl_yaml *y, const struct kl_exercise *e,
			   struct kl_error *err)
{
	const struct kl_yaml_node *module = kl_yaml_get(y->root, "module");

	if (!is_module_name(e->module))
		return kl_yaml_fail(y, kl_yaml_get(module, "name"), err,
				    "“%s” is no module name: letters, digits, - and _, at most %d",
				    e->module, MODULE_NAME_LEN - 1);
	for (size_t i = 0; i < e->sources.n; i++) {
		const struct kl_yaml_node *node = entry(module, "sources", i);
		const char *source = e->sources.v[i];
		size_t stem = strlen(source) > 2 ? strlen(source) - 2 : 0;

		if (!kl_path_is_plain(source) || !kl_str_ends(source, ".c"))
			return kl_yaml_fail(y, node, err,
					    "“%s” must be the plain path of a .c file below "
					    "handout/",
					    source);
		if (e->sources.n > 1 && strlen(e->module) == stem &&
		    !strncmp(source, e->module, stem))
			return kl_yaml_fail(y, node, err,
					    "a module of several sources cannot have one that is "
					    "called as itself: rename %s",
					    source);
	}
	return 0;
}

/* What stands in patches and make's lists without quotes. */
static bool is_source_path(const char *path)
{
	for (const char *p = path; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._+-/", *p))
			return false;
	return kl_path_is_plain(path);
}

/* git and kbuild read files of these names as orders to themselves. */
static bool is_reserved(const char *path)
{
	const char *base = kl_path_base(path);

	if (path[0] == '.' || strstr(path, "/."))
		return true;
	return !strcmp(base, "Makefile") || !strcmp(base, "Kbuild");
}

static int validate_editable(const struct kl_yaml *y, const struct kl_exercise *e,
			     struct kl_error *err)
{
	for (size_t i = 0; i < e->editable.n; i++) {
		const struct kl_yaml_node *node = entry(y->root, "editable", i);
		const char *path = e->editable.v[i];

		if (!is_source_path(path))
			return kl_yaml_fail(y, node, err,
					    "“%s” must be a plain path below handout/: relative, "
					    "without . and .., of letters, digits and ._+-",
					    path);
		if (is_reserved(path))
			return kl_yaml_fail(y, node, err,
					    "%s cannot be editable: the build files are klinic's, "
					    "and dot files steer git",
					    path);
	}
	for (size_t i = 0; i < e->imports.n; i++)
		if (!is_symbol(e->imports.v[i]))
			return kl_yaml_fail(y, entry(y->root, "imports", i), err,
					    "“%s” is no symbol", e->imports.v[i]);
	return 0;
}

static int validate_program(const struct kl_yaml *y, const struct kl_yaml_node *node,
			    const struct kl_exercise *e, const struct kl_check *c,
			    struct kl_error *err)
{
	const char *room = c->hidden ? "hidden/" : "handout/";

	if (!kl_path_is_plain(c->program) || !kl_str_ends(c->program, ".c"))
		return kl_yaml_fail(y, node, err,
				    "“%s” must be the plain path of a .c file below the exercise",
				    c->program);
	if (!kl_str_starts(c->program, room))
		return kl_yaml_fail(y, node, err, "the program of a %s check must lie below %s",
				    c->hidden ? "hidden" : "visible", room);
	/* Its oracle runs on the host: it can never be the candidate's. */
	if (!c->hidden && kl_strv_has(&e->editable, c->program + strlen(room)))
		return kl_yaml_fail(y, node, err, "%s cannot be editable and a check's program",
				    c->program);
	return 0;
}

static int validate_check(const struct kl_yaml *y, const struct kl_exercise *e, size_t i,
			  struct kl_error *err)
{
	const struct kl_yaml_node *node = check_node(y, i);
	const struct kl_check *c = &e->checks[i];

	for (size_t k = 0; k < i; k++)
		if (!strcmp(e->checks[k].id, c->id))
			return kl_yaml_fail(y, kl_yaml_get(node, "id"), err,
					    "check “%s” stands on line %u already", c->id,
					    check_node(y, k)->line);
	if (validate_program(y, kl_yaml_get(node, "program"), e, c, err))
		return -1;
	if (!kl_strv_has(&e->flavours, c->flavour))
		return kl_yaml_fail(y, value_node(node, "flavour"), err,
				    "“%s” is none of the exercise's flavours", c->flavour);
	if (kl_yaml_get(node, "depth") && c->schedule != KL_SCHEDULE_PCT)
		return kl_yaml_fail(y, kl_yaml_get(node, "depth"), err,
				    "depth says how “schedule: pct” works, and this check's "
				    "schedule is %s",
				    kl_schedule_name(c->schedule));
	for (size_t k = 0; k < c->dimensions.n; k++)
		if (!kl_strv_has(&e->dimensions, c->dimensions.v[k]))
			return kl_yaml_fail(
				y, entry(node, "dimensions", k), err,
				"“%s” is none of the exercise's dimensions: add it to those at "
				"the top, or leave it out",
				c->dimensions.v[k]);
	return 0;
}

int kl_exercise_validate(const struct kl_yaml *y, const struct kl_exercise *e, struct kl_error *err)
{
	unsigned int points = 0;

	if (validate_tracks(y, e, err) ||
	    validate_ids(y, y->root, "dimensions", &e->dimensions, err) ||
	    validate_ids(y, kl_yaml_get(y->root, "kernel"), "flavours", &e->flavours, err) ||
	    validate_module(y, e, err) || validate_editable(y, e, err))
		return -1;
	for (size_t i = 0; i < e->n_checks; i++) {
		if (validate_check(y, e, i, err))
			return -1;
		points += e->checks[i].points;
	}
	if (points == 0 && e->whole)
		return kl_yaml_fail(y, kl_yaml_get(y->root, "checks"), err,
				    "no check has a point: nothing could be scored");
	return 0;
}

bool kl_regular_below(const char *dir, const char *path)
{
	KL_AUTO_FREE char *walk = kl_path_join(dir, path);
	struct stat st;

	if (!walk || !kl_path_is_plain(path))
		return false;
	for (char *p = walk + strlen(dir) + 1;; p++) {
		char was = *p;

		if (was && was != '/')
			continue;
		*p = '\0';
		if (lstat(walk, &st))
			return false;
		if (!was)
			return S_ISREG(st.st_mode);
		if (!S_ISDIR(st.st_mode))
			return false;
		*p = was;
	}
}

/* A workspace's copy is its candidate's: a link for handout/ would show some other folder as it. */
static bool is_folder_itself(const char *dir, const char *name)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, name);
	struct stat st;

	return path && !lstat(path, &st) && S_ISDIR(st.st_mode);
}

static int validate_folder(const struct kl_yaml *y, const struct kl_exercise *e,
			   struct kl_error *err)
{
	KL_AUTO_FREE char *real = realpath(e->dir, NULL);

	if (!real)
		return kl_fail(err, KL_USAGE, "%s: no such folder", e->dir);
	if (!kl_str_eq(kl_path_base(real), e->id))
		return kl_yaml_fail(y, kl_yaml_get(y->root, "id"), err,
				    "id “%s” must equal the folder's name, “%s”", e->id,
				    kl_path_base(real));
	if (!is_folder_itself(real, "handout"))
		return kl_yaml_fail(y, y->root, err, "handout/ is no folder beside it");
	return 0;
}

static int validate_handout(const struct kl_yaml *y, const struct kl_exercise *e,
			    const struct kl_yaml_node *map, const char *key,
			    const struct kl_strv *paths, struct kl_error *err)
{
	KL_AUTO_FREE char *handout = kl_path_join(e->dir, "handout");

	if (!handout)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (size_t i = 0; i < paths->n; i++)
		if (!kl_regular_below(handout, paths->v[i]))
			return kl_yaml_fail(y, entry(map, key, i), err,
					    "handout/%s is no regular file of the exercise",
					    paths->v[i]);
	return 0;
}

static int validate_dimensions(const struct kl_yaml *y, const struct kl_exercise *e,
			       struct kl_error *err)
{
	KL_AUTO(kl_rubric_deinit) struct kl_rubric r = { 0 };
	KL_AUTO_FREE char *rubrics = NULL;
	KL_AUTO_FREE char *path = NULL;

	if (kl_content_dir("rubrics", &rubrics, err))
		return -1;
	path = kl_asprintf("%s/%s.yaml", rubrics, e->rubric);
	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (!kl_file_exists(path))
		return kl_yaml_fail(y, kl_yaml_get(y->root, "rubric"), err,
				    "there is no rubric “%s”: %s is missing", e->rubric, path);
	if (kl_rubric_load(path, &r, err))
		return -1;
	for (size_t i = 0; i < e->dimensions.n; i++)
		if (!kl_rubric_dimension(&r, e->dimensions.v[i]))
			return kl_yaml_fail(y, entry(y->root, "dimensions", i), err,
					    "rubric “%s” has no dimension “%s”", r.id,
					    e->dimensions.v[i]);
	return 0;
}

int kl_exercise_validate_files(const struct kl_yaml *y, const struct kl_exercise *e,
			       struct kl_error *err)
{
	if (validate_folder(y, e, err) ||
	    validate_handout(y, e, kl_yaml_get(y->root, "module"), "sources", &e->sources, err) ||
	    validate_handout(y, e, y->root, "editable", &e->editable, err))
		return -1;
	for (size_t i = 0; i < e->n_checks; i++)
		if (!kl_regular_below(e->dir, e->checks[i].program))
			return kl_yaml_fail(y, kl_yaml_get(check_node(y, i), "program"), err,
					    "%s is no regular file of the exercise",
					    e->checks[i].program);
	return validate_dimensions(y, e, err);
}
