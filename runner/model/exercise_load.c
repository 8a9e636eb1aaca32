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
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { .whole = true };
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

static int digest_public(const struct kl_yaml *y, struct kl_exercise *e, struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_INIT;
	KL_AUTO_FREE char *handout = kl_path_join(e->dir, "handout");
	KL_AUTO_FREE char *brief = kl_path_join(e->dir, "brief.md");

	if (!handout || !brief)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_exercise_write_public(y, &text, err) || kl_digest_init(&d, err))
		return -1;
	kl_digest_part(&d, "public", text.data, text.len);
	if (kl_digest_file(&d, "brief", brief, err) || kl_digest_tree(&d, "handout", handout, err))
		return -1;
	kl_digest_final(&d, e->digest);
	return 0;
}

static bool has_hidden(const char *dir)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, "hidden");

	return path && kl_file_is_dir(path);
}

static int load(const char *dir, bool whole, struct kl_exercise *ret, struct kl_error *err)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { .whole = whole };
	KL_AUTO(kl_yaml_deinit) struct kl_yaml y = { 0 };
	KL_AUTO_FREE char *path = kl_path_join(dir, "exercise.yaml");

	e.dir = strdup(dir);
	if (!path || !e.dir)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_yaml_load(path, &y, err) || read_text(&y, &e, err))
		return -1;
	if (whole && !has_hidden(dir))
		return kl_fail_at(err, path, 0, 0,
				  "its hidden half is not here: only who has it can grade and "
				  "certify; the visible checks run in a workspace (klinic start)");
	if (kl_exercise_validate_files(&y, &e, err) ||
	    (whole ? digest_folder(&e, err) : digest_public(&y, &e, err)))
		return -1;
	*ret = e;
	e = (struct kl_exercise){ 0 };
	return 0;
}

int kl_exercise_load(const char *dir, struct kl_exercise *ret, struct kl_error *err)
{
	return load(dir, true, ret, err);
}

static int load_half(const char *dir, enum kl_half half, struct kl_exercise *ret,
		     struct kl_error *err)
{
	bool whole = half == KL_HALF_WHOLE || (half == KL_HALF_FOUND && has_hidden(dir));

	return load(dir, whole, ret, err);
}

static bool is_exercise(const char *dir)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, "exercise.yaml");

	return path && kl_file_exists(path);
}

int kl_exercise_open(const char *id_or_path, enum kl_half half, struct kl_exercise *ret,
		     struct kl_error *err)
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
			return load_half(dir, half, ret, err);
	}
	if (is_exercise(id_or_path))
		return load_half(id_or_path, half, ret, err);
	return kl_fail(err, KL_USAGE,
		       "there is no exercise “%s”: “klinic list” shows the catalogue, or give "
		       "the path of a folder with an exercise.yaml",
		       id_or_path);
}

int kl_exercise_find(const char *id_or_path, struct kl_exercise *ret, struct kl_error *err)
{
	return kl_exercise_open(id_or_path, KL_HALF_WHOLE, ret, err);
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
