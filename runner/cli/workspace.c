/* A workspace, opened: the exercise is the workspace's own copy of the candidate's half. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/file.h>
#include <klinic/json.h>

#include "cli/workspace.h"

#define FILE_MAX 65536

int cli_workspace_text(const struct kl_exercise *e, struct kl_buf *ret, struct kl_error *err)
{
	KL_AUTO_JSON json_t *j = json_object();

	json_object_set_new(j, "exercise", kl_json_text(e->id));
	json_object_set_new(j, "public_digest", json_string(e->digest));
	return kl_json_dump(j, ret, err);
}

static bool is_workspace(const char *dir)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, CLI_WORKSPACE_FILE);

	return path && kl_file_exists(path);
}

static int find(const char *dir, char **ret, struct kl_error *err)
{
	char path[PATH_MAX];
	char *slash;

	if (!realpath(dir ? dir : ".", path))
		return kl_fail(err, KL_USAGE, "cannot open the workspace %s: %s", dir ? dir : ".",
			       strerror(errno));
	while (!is_workspace(path)) {
		slash = strrchr(path, '/');
		if (dir || !slash || slash == path)
			return kl_fail(err, KL_USAGE,
				       "%s is no workspace: “klinic start ID” makes one; run this "
				       "inside it",
				       dir ? dir : "this folder");
		*slash = '\0';
	}
	*ret = strdup(path);
	return *ret ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

static int read_file(const char *dir, char **ret_exercise, char **ret_digest, struct kl_error *err)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, CLI_WORKSPACE_FILE);
	KL_AUTO_JSON json_t *j = NULL;
	const char *exercise, *digest;

	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_json_load(path, FILE_MAX, &j, err))
		return -1;
	exercise = json_string_value(json_object_get(j, "exercise"));
	digest = json_string_value(json_object_get(j, "public_digest"));
	/* An id is no path: nothing outside the workspace can be named. */
	if (!exercise || !kl_str_is_id(exercise) || !digest)
		return kl_fail_at(err, path, 0, 0,
				  "does not name an exercise: take the one of the first commit "
				  "(git checkout handout " CLI_WORKSPACE_DIR ")");
	*ret_exercise = strdup(exercise);
	*ret_digest = strdup(digest);
	return *ret_exercise && *ret_digest ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

/* Its own copy against what it was made of, and that against the catalogue, where there is one. */
static void compare(const struct kl_exercise *e, const char *digest)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise listed = { 0 };
	struct kl_error ignored = KL_ERROR_INIT;

	if (!kl_str_eq(e->digest, digest))
		cli_warn("the workspace's own copy of %s (" CLI_WORKSPACE_DIR
			 ") was changed: what is judged in the end is not that copy; “git "
			 "checkout handout " CLI_WORKSPACE_DIR "” takes it back",
			 e->id);
	else if (!kl_exercise_open(e->id, KL_HALF_PUBLIC, &listed, &ignored) &&
		 !kl_str_eq(listed.digest, digest))
		cli_warn("exercise %s has changed since this workspace was made: “klinic start "
			 "%s DIR” makes a fresh one",
			 e->id, e->id);
}

int cli_workspace_open(const char *dir, char **ret_dir, struct kl_exercise *ret,
		       struct kl_error *err)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO_FREE char *found = NULL, *id = NULL, *digest = NULL, *own = NULL;

	if (find(dir, &found, err) || read_file(found, &id, &digest, err))
		return -1;
	own = kl_asprintf("%s/" CLI_WORKSPACE_DIR "/%s", found, id);
	if (!own)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_exercise_open(own, KL_HALF_PUBLIC, &e, err))
		return -1;
	compare(&e, digest);
	*ret_dir = kl_take(found);
	*ret = e;
	e = (struct kl_exercise){ 0 };
	return 0;
}
