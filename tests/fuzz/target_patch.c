/*
 * Fuzz: unified diffs up to what git is given. What we print of an accepted patch
 * must read back as the same patch, and name editable files only.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "fuzz.h"
#include "intake/mbox.h"
#include "intake/patch.h"

static void parse(const char *text, size_t size, struct kl_patch *ret, struct kl_strv *refused)
{
	struct kl_error err = KL_ERROR_INIT;

	FUZZ_MUST(!kl_patch_parse("Patch", text, size, ret, refused, &err));
	FUZZ_MUST(!kl_patch_resolve(fuzz_desk(), ret, refused, &err));
}

static void check_sections(const struct kl_patch *p, const char *text, size_t size)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct kl_section *s = &p->sections[i];

		FUZZ_MUST(s->path && kl_strv_has(&fuzz_desk()->editable, s->path) && s->n);
		for (size_t k = 0; k < s->n; k++) {
			const struct kl_hunk *h = &s->hunks[k];

			FUZZ_MUST(h->body >= text && h->len <= (size_t)(text + size - h->body));
			FUZZ_MUST(kl_patch_find_hunk(p, s->path, h->old_start));
		}
	}
}

static void check_printed(const struct kl_patch *p)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf printed = KL_BUF_INIT, again = KL_BUF_INIT;
	KL_AUTO(kl_strv_deinit) struct kl_strv refused = { 0 };
	KL_AUTO(kl_patch_deinit) struct kl_patch q = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	FUZZ_MUST(!kl_patch_print(p, &printed, &err));
	parse(kl_buf_str(&printed), printed.len, &q, &refused);
	FUZZ_MUST(!refused.n && q.n == p->n);
	for (size_t i = 0; i < q.n; i++)
		FUZZ_MUST(!strcmp(q.sections[i].path, p->sections[i].path) &&
			  q.sections[i].n == p->sections[i].n);
	FUZZ_MUST(!kl_patch_print(&q, &again, &err));
	FUZZ_MUST(!strcmp(kl_buf_str(&printed), kl_buf_str(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	KL_AUTO_FREE char *text = fuzz_text(data, size);
	KL_AUTO(kl_strv_deinit) struct kl_strv refused = { 0 };
	KL_AUTO(kl_patch_deinit) struct kl_patch p = { 0 };

	/* Intake's first question; NUL bytes are refused before a patch is parsed. */
	(void)kl_mbox_is(text, size);
	if (memchr(text, '\0', size))
		return 0;
	parse(text, size, &p, &refused);
	for (size_t i = 0; i < refused.n; i++)
		FUZZ_MUST(*refused.v[i] && !strpbrk(refused.v[i], "\n\033"));
	if (refused.n)
		return 0;
	check_sections(&p, text, size);
	check_printed(&p);
	return 0;
}
