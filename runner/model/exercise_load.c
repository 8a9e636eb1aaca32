/* Finding exercises and reading them through all stages. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/digest.h>
#include <klinic/file.h>

#include "model/exercise_stages.h"

static int read_text(const struct kl_yaml *y, struct kl_exercise *ret, struct kl_error *err)
{
	if (kl_exercise_parse_yaml(y, ret, err) || kl_exercise_default(ret, err))
		return -1;
	return kl_exercise_validate(y, ret, err);
}

int kl_exercise_parse(const char *name, const char *text, size_t len, struct kl_exercise *ret,
		      struct kl_error *err)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO(kl_yaml_deinit) struct kl_yaml y = { 0 };

	if (kl_yaml_parse(name, text, len, &y, err) || read_text(&y, &e, err))
		return -1;
	*ret = e;
	e = (struct kl_exercise){ 0 };
	return 0;
}

static int digest_folder(struct kl_exercise *e, struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };

	if (kl_digest_init(&d, err) || kl_digest_tree(&d, "exercise", e->dir, err))
		return -1;
	kl_digest_final(&d, e->digest);
	return 0;
}

int kl_exercise_load(const char *dir, struct kl_exercise *ret, struct kl_error *err)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO(kl_yaml_deinit) struct kl_yaml y = { 0 };
	KL_AUTO_FREE char *path = kl_path_join(dir, "exercise.yaml");

	e.dir = strdup(dir);
	if (!path || !e.dir)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_yaml_load(path, &y, err) || read_text(&y, &e, err) ||
	    kl_exercise_validate_files(&y, &e, err) || digest_folder(&e, err))
		return -1;
	*ret = e;
	e = (struct kl_exercise){ 0 };
	return 0;
}

static bool is_exercise(const char *dir)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, "exercise.yaml");

	return path && kl_file_exists(path);
}

int kl_exercise_find(const char *id_or_path, struct kl_exercise *ret, struct kl_error *err)
{
	KL_AUTO_FREE char *dir = NULL;

	if (kl_str_is_id(id_or_path)) {
		KL_AUTO_FREE char *exercises = NULL;

		if (kl_content_dir("exercises", &exercises, err))
			return -1;
		dir = kl_path_join(exercises, id_or_path);
		if (!dir)
			return kl_fail(err, KL_INFRA, "out of memory");
		if (is_exercise(dir))
			return kl_exercise_load(dir, ret, err);
	}
	if (is_exercise(id_or_path))
		return kl_exercise_load(id_or_path, ret, err);
	return kl_fail(err, KL_USAGE,
		       "there is no exercise “%s”: “klinic list” shows the catalogue, or give "
		       "the path of a folder with an exercise.yaml",
		       id_or_path);
}

int kl_exercise_list(struct kl_strv *ret, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO(kl_strv_deinit) struct kl_strv ids = { 0 };
	KL_AUTO_FREE char *exercises = NULL;

	if (kl_content_dir("exercises", &exercises, err) || kl_dir_list(exercises, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *dir = kl_path_join(exercises, names.v[i]);

		if (!dir)
			return kl_fail(err, KL_INFRA, "out of memory");
		if (!kl_str_is_id(names.v[i]) || !is_exercise(dir))
			continue;
		if (kl_strv_add(&ids, names.v[i]))
			return kl_fail(err, KL_INFRA, "out of memory");
	}
	if (kl_strv_copy(ret, &ids))
		return kl_fail(err, KL_INFRA, "out of memory");
	return 0;
}
