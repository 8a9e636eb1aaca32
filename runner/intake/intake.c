/* A submission held against what its exercise lets it touch (klinic/intake.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/intake.h>

#include "intake/apply.h"
#include "intake/files.h"
#include "intake/folder.h"
#include "intake/mbox.h"
#include "intake/refuse.h"

/* One patch or one mailbox, onto a copy of the files in home. */
static int take_text(const struct kl_exercise *e, const char *home, const struct kl_buf *text,
		     struct kl_submission *s, struct kl_error *err)
{
	KL_AUTO_FREE char *dir = kl_path_join(home, "files");
	size_t sections = 0;

	if (!dir)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_files_write(s, NULL, dir, err))
		return -1;
	if (kl_mbox_is(text->data, text->len)) {
		if (kl_mbox_apply(e, home, dir, text->data, text->len, &s->message, &s->refused,
				  err))
			return -1;
	} else {
		if (kl_apply_text(e, home, dir, "Patch", text->data, text->len, &sections,
				  &s->refused, err))
			return -1;
		if (!sections && !s->refused.n)
			return kl_refuse(&s->refused, err,
					 "The file holds no unified diff: make one with git diff, "
					 "or give the folder with the editable files.");
	}
	return s->refused.n ? 0 : kl_files_read(s, dir, err);
}

static int take_file(const struct kl_exercise *e, const char *path, const struct stat *st,
		     const char *home, struct kl_submission *s, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_INIT;

	if (st->st_size > (off_t)KL_SUBMISSION_MAX)
		return kl_refuse(&s->refused, err,
				 "The patch is larger than %lu KiB: send the fix alone.",
				 KL_SUBMISSION_MAX >> 10);
	if (kl_file_read(path, KL_SUBMISSION_MAX, &text, err)) {
		err->class = KL_USAGE;
		return -1;
	}
	if (text.len == 0)
		return kl_refuse(&s->refused, err,
				 "The patch is empty: is the change saved and, for git diff, not "
				 "committed yet?");
	if (memchr(text.data, '\0', text.len))
		return kl_refuse(
			&s->refused, err,
			"The file contains a NUL byte: a patch is text, made with git diff "
			"or diff -u.");
	return take_text(e, home, &text, s, err);
}

int kl_intake(const struct kl_exercise *e, const char *path, struct kl_submission *ret,
	      struct kl_error *err)
{
	KL_AUTO(kl_submission_deinit) struct kl_submission base = { 0 };
	KL_AUTO(kl_submission_deinit) struct kl_submission s = { 0 };
	KL_AUTO(kl_tempdir_destroy_p) char *home = NULL;
	struct stat st;

	if (stat(path, &st))
		return kl_fail(err, KL_USAGE, "cannot read the submission %s: %s", path,
			       strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return kl_fail(err, KL_USAGE, "the submission %s is neither a file nor a folder",
			       path);
	if (kl_files_load_handout(e, &base, err) || kl_files_load_handout(e, &s, err) ||
	    kl_tempdir_create(&home, err))
		return -1;
	s.source = strdup(path);
	if (!s.source)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (S_ISDIR(st.st_mode) ? kl_folder_take(e, path, &s, err)
				: take_file(e, path, &st, home, &s, err))
		return -1;
	if (!s.refused.n && kl_files_finish(&s, &base, home, err))
		return -1;
	*ret = s;
	s = (struct kl_submission){ 0 };
	return 0;
}

int kl_intake_unchanged(const struct kl_exercise *e, struct kl_submission *ret,
			struct kl_error *err)
{
	KL_AUTO(kl_submission_deinit) struct kl_submission s = { 0 };

	if (kl_files_load_handout(e, &s, err))
		return -1;
	s.source = strdup("handout");
	if (!s.source)
		return kl_fail(err, KL_INFRA, "out of memory");
	/* Nothing differs, so no folder is needed for a diff. */
	if (kl_files_finish(&s, &s, NULL, err))
		return -1;
	*ret = s;
	s = (struct kl_submission){ 0 };
	return 0;
}
