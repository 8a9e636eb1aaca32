/* The handout's own module: what a submission's module is held against. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

struct handout_build {
	const struct kl_exercise *e;
	const struct kl_kernel *k;
};

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static int digest(const struct handout_build *h, char ret[KL_DIGEST_HEX], struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };
	KL_AUTO_FREE char *dir = kl_path_join(h->e->dir, "handout");

	if (!dir)
		return no_memory(err);
	if (kl_digest_init(&d, err))
		return -1;
	kl_digest_text(&d, "recipe", KB_RECIPE_VERSION);
	kl_digest_text(&d, "kernel", kl_path_base(h->k->dir));
	kl_digest_text(&d, "module", h->e->module);
	for (size_t i = 0; i < h->e->sources.n; i++)
		kl_digest_text(&d, "source", h->e->sources.v[i]);
	if (kl_digest_tree(&d, "handout", dir, err))
		return -1;
	kl_digest_final(&d, ret);
	return 0;
}

static int complain(const struct handout_build *h, const struct kl_build_evidence *b,
		    struct kl_error *err)
{
	for (size_t i = 0; i < b->n; i++)
		if (kl_str_eq(b->diagnostics[i].severity, "error"))
			return kl_fail(err, KL_CONTENT,
				       "the handout of %s does not build: %s:%u: %s", h->e->id,
				       b->diagnostics[i].file, b->diagnostics[i].line,
				       b->diagnostics[i].text);
	return kl_fail(err, KL_CONTENT, "the handout of %s does not build: %.1000s", h->e->id,
		       b->log ? b->log : "");
}

static int build_handout(const char *dir, int lock_fd, void *arg, json_t **ret_stamp,
			 struct kl_error *err)
{
	const struct handout_build *h = arg;
	const struct kl_submission none = { 0 };
	KL_AUTO(kl_build_evidence_deinit) struct kl_build_evidence b = { 0 };
	KL_AUTO(kl_module_deinit) struct kl_module m = { 0 };
	KL_AUTO_FREE char *to = kl_path_join(dir, "module.ko");

	(void)lock_fd;
	if (!to)
		return no_memory(err);
	if (kl_module_build(h->e, h->k, &none, &b, &m, err))
		return -1;
	if (!b.ok)
		return complain(h, &b, err);
	if (kl_file_copy(m.ko, to, 0600, err))
		return -1;
	*ret_stamp = json_pack("{s:o}", "exercise", kl_json_text(h->e->id));
	return *ret_stamp ? 0 : no_memory(err);
}

int kl_module_handout(const struct kl_exercise *e, const struct kl_kernel *k, char **ret_ko,
		      struct kl_error *err)
{
	struct handout_build h = { .e = e, .k = k };
	KL_AUTO_FREE char *modules = NULL, *dir = NULL, *ko = NULL;
	char hex[KL_DIGEST_HEX];

	if (digest(&h, hex, err) || kl_cache_dir("modules", &modules, err))
		return -1;
	dir = kl_path_join(modules, hex);
	ko = dir ? kl_path_join(dir, "module.ko") : NULL;
	if (!ko)
		return no_memory(err);
	if (kb_entry_make(dir, build_handout, &h, NULL, err))
		return -1;
	*ret_ko = kl_take(ko);
	return 0;
}
