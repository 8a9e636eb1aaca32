/* One patch text onto the files of a folder: parsed by us, written again, applied by git. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/intake.h>

#include "intake/apply.h"
#include "intake/git.h"
#include "intake/patch.h"
#include "intake/refuse.h"

#define GIT_SAYS_MAX 4096UL

static const char *hunk_hint(const struct kl_hunk *h, const char *text, size_t len)
{
	if (memmem(text, len, "\r\n", 2))
		return "its lines end as on DOS; convert them to plain newlines";
	if (h && !h->context)
		return "it has no context lines; make the patch with git diff or diff -u";
	return "make the patch against the untouched handout";
}

/* git-apply names the first hunk that has no place: “error: patch failed: FILE:LINE”. */
static int refuse_hunk(const struct kl_patch *p, const char *says, const char *text, size_t len,
		       struct kl_strv *refused, struct kl_error *err)
{
	static const char failed[] = "patch failed: ";
	const char *at = strstr(says, failed);
	const char *end = at ? strchrnul(at, '\n') : NULL;
	const char *colon = at ? memrchr(at, ':', (size_t)(end - at)) : NULL;
	const struct kl_hunk *h = NULL;
	KL_AUTO_FREE char *path = NULL;

	if (at && colon > at + strlen(failed)) {
		at += strlen(failed);
		path = strndup(at, (size_t)(colon - at));
		if (!path)
			return kl_fail(err, KL_INFRA, "out of memory");
		h = kl_patch_find_hunk(p, path, strtoul(colon + 1, NULL, 10));
	}
	if (!h)
		return kl_refuse(refused, err, "%s does not apply: %s.", p->where,
				 hunk_hint(NULL, text, len));
	return kl_refuse(refused, err,
			 "%s, line %zu: the hunk for line %u of %s does not apply: %s.", p->where,
			 h->line, h->old_start, path, hunk_hint(h, text, len));
}

static int git_apply(const char *home, const char *dir, const struct kl_patch *p, const char *text,
		     size_t len, struct kl_strv *refused, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf clean = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf says = KL_BUF_CAPPED(GIT_SAYS_MAX);
	KL_AUTO(kl_command_destroy_p) struct kl_command *git = kl_git_create(home, dir);
	int status;

	if (kl_patch_print(p, &clean, err))
		return -1;
	kl_command_args(git, "apply", "-p1", "--whitespace=nowarn", "-", NULL);
	kl_command_stdin_data(git, clean.data, clean.len);
	if (kl_git_run(git, NULL, &says, &status, err))
		return -1;
	return status ? refuse_hunk(p, kl_buf_str(&says), text, len, refused, err) : 0;
}

int kl_apply_text(const struct kl_exercise *e, const char *home, const char *dir, const char *where,
		  const char *text, size_t len, size_t *ret_sections, struct kl_strv *refused,
		  struct kl_error *err)
{
	KL_AUTO(kl_patch_deinit) struct kl_patch p = { 0 };

	if (len && memchr(text, '\0', len))
		return kl_refuse(refused, err,
				 "%s contains a NUL byte: a patch is text, made with git "
				 "diff or diff -u.",
				 where);
	if (kl_patch_parse(where, text, len, &p, refused, err) ||
	    kl_patch_resolve(e, &p, refused, err))
		return -1;
	*ret_sections = p.n;
	if (refused->n || !p.n)
		return 0;
	return git_apply(home, dir, &p, text, len, refused, err);
}
