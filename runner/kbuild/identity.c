/*
 * What would build and run the checks of an exercise today, as one digest. It
 * asks nothing of the cache and builds nothing, so that a list can ask it for
 * every exercise.
 */
#include <stdlib.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

static bool earlier(const struct kl_exercise *e, size_t check)
{
	for (size_t i = 0; i < check; i++)
		if (kl_str_eq(e->checks[i].flavour, e->checks[check].flavour))
			return true;
	return false;
}

static int add_kernels(struct kl_digest *d, const struct kl_exercise *e, struct kl_error *err)
{
	for (size_t i = 0; i < e->n_checks; i++) {
		KL_AUTO(kb_recipe_deinit) struct kb_recipe r = { 0 };

		if (earlier(e, i))
			continue;
		if (kb_recipe_load(e->checks[i].flavour, &r, err))
			return -1;
		kl_digest_text(d, "kernel", r.digest);
		kl_digest_text(d, "compiler", r.compiler);
	}
	return 0;
}

int kl_kbuild_identity(const struct kl_exercise *e, char ret[KL_DIGEST_HEX], struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };
	KL_AUTO_FREE char *runner = NULL, *include = NULL, *guest = NULL, *check = NULL;

	if (kl_content_dir("runner", &runner, err) || kl_content_dir("include", &include, err))
		return -1;
	guest = kl_path_join(runner, "guest");
	check = kl_path_join(include, "klinic/check.h");
	if (!guest || !check)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_digest_init(&d, err))
		return -1;
	kl_digest_text(&d, "recipe", KB_RECIPE_VERSION);
	/* Agent, schedule driver, and the kit that checks are linked with. */
	if (add_kernels(&d, e, err) || kl_digest_tree(&d, "guest", guest, err) ||
	    kl_digest_file(&d, "check.h", check, err))
		return -1;
	kl_digest_final(&d, ret);
	return 0;
}
