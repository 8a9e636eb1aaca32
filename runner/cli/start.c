/* klinic start: a workspace. When anything fails, what was made is removed again. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/file.h>

#include "cli/workspace.h"

/* An empty folder, made if need be. */
static int prepare(const char *dir, bool *ret_made, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	*ret_made = false;
	if (!*dir)
		return kl_fail(err, KL_USAGE, "an empty name is no folder");
	if (!mkdir(dir, 0755)) {
		*ret_made = true;
		return 0;
	}
	if (errno == ENOENT)
		return kl_fail(err, KL_USAGE, "cannot make %s: the folder above it does not exist",
			       dir);
	if (errno != EEXIST)
		return kl_fail_errno(err, errno, "cannot make the folder %s", dir);
	if (!kl_file_is_dir(dir))
		return kl_fail(err, KL_USAGE, "%s exists and is no folder: name another one", dir);
	if (kl_dir_list(dir, &names, err))
		return -1;
	if (names.n)
		return kl_fail(err, KL_USAGE,
			       "%s is not empty: name a folder that does not exist yet", dir);
	return 0;
}

static void undo(const char *dir, bool made)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	if (made) {
		kl_remove_tree(dir, NULL);
		return;
	}
	if (kl_dir_list(dir, &names, NULL))
		return;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *path = kl_path_join(dir, names.v[i]);

		if (path)
			kl_remove_tree(path, NULL);
	}
}

int cli_verb_start(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	const char *dir;
	bool made = false;

	if (kl_exercise_open(a->positional[0], KL_HALF_PUBLIC, &e, err))
		return -1;
	dir = a->n > 1 ? a->positional[1] : e.id;
	if (prepare(dir, &made, err))
		return -1;
	if (cli_workspace_make(&e, dir, err)) {
		undo(dir, made);
		return -1;
	}
	kl_buf_printf(&b, "%s is ready in %s: begin with brief.md, then “klinic run” there.\n",
		      e.id, dir);
	return cli_print_text(&b, err) ? -1 : CLI_DONE;
}
