/*
 * klinic handout: the candidate's half as an archive. It is a workspace, made as
 * start makes one, packed: what is in the one is in the other.
 */
#include <string.h>

#include <klinic/archive.h>
#include <klinic/file.h>

#include "cli/workspace.h"

/* By the file's name; a pipe gets a compressed one. */
static int wants_gzip(const char *path, bool *ret, struct kl_error *err)
{
	*ret = !strcmp(path, "-") || kl_str_ends(path, ".tar.gz") || kl_str_ends(path, ".tgz");
	if (*ret || kl_str_ends(path, ".tar"))
		return 0;
	return kl_fail(err, KL_USAGE, "“%s” is no name of an archive: .tar.gz, .tgz or .tar", path);
}

static int pack(const struct kl_exercise *e, bool gzip, struct kl_buf *ret, struct kl_error *err)
{
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;

	if (kl_tempdir_create(&dir, err) || cli_workspace_make(e, dir, err))
		return -1;
	return kl_archive_tree(dir, e->id, gzip, ret, err);
}

int cli_verb_handout(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf archive = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf words = KL_BUF_INIT;
	KL_AUTO_FREE char *usual = NULL;
	const char *path = cli_value(a, "output");
	bool gzip;

	if (kl_exercise_open(a->positional[0], KL_HALF_PUBLIC, &e, err))
		return -1;
	usual = kl_asprintf("%s.tar.gz", e.id);
	if (!usual)
		return kl_fail(err, KL_INFRA, "out of memory");
	path = path ? path : usual;
	if (wants_gzip(path, &gzip, err) || cli_output_probe(path, err) ||
	    pack(&e, gzip, &archive, err))
		return -1;
	if (!strcmp(path, "-"))
		return cli_print(&archive, err) ? -1 : CLI_DONE;
	if (cli_write_file(path, &archive, err))
		return -1;
	kl_buf_printf(&words, "%s is in %s: unpack it and begin with brief.md.\n", e.id, path);
	return cli_print_text(&words, err) ? -1 : CLI_DONE;
}
