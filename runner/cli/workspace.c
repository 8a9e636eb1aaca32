/* Which exercise a workspace is of: written by start, read by run and check. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <klinic/digest.h>
#include <klinic/file.h>
#include <klinic/json.h>

#include "cli/workspace.h"

#define FILE_MAX 65536

int cli_handout_digest(const struct kl_exercise *e, char ret[KL_DIGEST_HEX], struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };
	KL_AUTO_FREE char *handout = kl_path_join(e->dir, "handout");
	KL_AUTO_FREE char *brief = kl_path_join(e->dir, "brief.md");

	if (!handout || !brief)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_digest_init(&d, err) || kl_digest_file(&d, "brief", brief, err) ||
	    kl_digest_tree(&d, "handout", handout, err))
		return -1;
	kl_digest_final(&d, ret);
	return 0;
}

/* Its id where the catalogue has it, else where it lies. */
static int name_exercise(const struct kl_exercise *e, char **ret, struct kl_error *err)
{
	KL_AUTO_FREE char *exercises = NULL;
	KL_AUTO_FREE char *listed = NULL;
	char ours[PATH_MAX], theirs[PATH_MAX];

	if (!realpath(e->dir, ours))
		return kl_fail_errno(err, errno, "cannot find %s", e->dir);
	if (!kl_content_dir("exercises", &exercises, NULL))
		listed = kl_path_join(exercises, e->id);
	*ret = strdup(listed && realpath(listed, theirs) && !strcmp(ours, theirs) ? e->id : ours);
	return *ret ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

int cli_workspace_text(const struct kl_exercise *e, struct kl_buf *ret, struct kl_error *err)
{
	KL_AUTO_FREE char *name = NULL;
	KL_AUTO_JSON json_t *j = NULL;
	char digest[KL_DIGEST_HEX];

	if (name_exercise(e, &name, err) || cli_handout_digest(e, digest, err))
		return -1;
	j = json_object();
	json_object_set_new(j, "exercise", kl_json_text(name));
	json_object_set_new(j, "handout_digest", json_string(digest));
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
	digest = json_string_value(json_object_get(j, "handout_digest"));
	if (!exercise || !digest)
		return kl_fail_at(
			err, path, 0, 0,
			"does not name an exercise: take the one of the first commit (git "
			"checkout " CLI_WORKSPACE_FILE ")");
	*ret_exercise = strdup(exercise);
	*ret_digest = strdup(digest);
	return *ret_exercise && *ret_digest ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

int cli_workspace_open(const char *dir, char **ret_dir, struct kl_exercise *ret,
		       struct kl_error *err)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO_FREE char *found = NULL, *name = NULL, *digest = NULL;
	char now[KL_DIGEST_HEX] = "";

	if (find(dir, &found, err) || read_file(found, &name, &digest, err) ||
	    kl_exercise_find(name, &e, err) || cli_handout_digest(&e, now, err))
		return -1;
	if (!kl_str_eq(now, digest))
		cli_warn("exercise %s has changed since this workspace was made: “klinic start "
			 "%s DIR” makes a fresh one",
			 e.id, e.id);
	*ret_dir = kl_take(found);
	*ret = e;
	e = (struct kl_exercise){ 0 };
	return 0;
}
