/*
 * Recipes: a flavour is broken-kernels/flavours/NAME.config, and, where it has
 * them, patches in broken-kernels/flavours/NAME.patches/, applied in the order
 * of their names.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

#define FLAVOURS     "broken-kernels/flavours"
#define FRAGMENT_MAX (256UL << 10)
#define PATCH_MAX    (16UL << 20)

int kb_flavours(struct kl_strv *ret, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO_FREE char *dir = NULL;

	if (kl_content_dir(FLAVOURS, &dir, err) || kl_dir_list(dir, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (!kl_str_ends(names.v[i], ".config"))
			continue;
		if (kl_strv_addf(ret, "%.*s", (int)(strlen(names.v[i]) - strlen(".config")),
				 names.v[i]))
			return kl_fail(err, KL_INFRA, "out of memory");
	}
	return 0;
}

static int unknown_flavour(const char *flavour, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf safe = KL_BUF_INIT;

	if (kb_flavours(&names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++)
		kl_buf_printf(&b, "%s%s", i ? ", " : "", names.v[i]);
	kl_buf_safe(&safe, flavour, strlen(flavour), 64);
	return kl_fail(err, KL_CONTENT, "there is no kernel flavour \"%s\"; there are: %s",
		       kl_buf_str(&safe), kl_buf_str(&b));
}

static int load_patches(const char *dir, struct kb_recipe *r, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	if (!kl_file_is_dir(dir))
		return 0;
	if (kl_dir_list(dir, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_INIT;
		KL_AUTO_FREE char *path = kl_path_join(dir, names.v[i]);

		if (!kl_str_ends(names.v[i], ".patch"))
			continue;
		if (!path)
			return kl_fail(err, KL_INFRA, "out of memory");
		if (kl_file_read(path, PATCH_MAX, &text, err))
			return -1;
		if (kl_strv_add(&r->patches, path) ||
		    kl_strv_add(&r->patch_text, kl_buf_str(&text)))
			return kl_fail(err, KL_INFRA, "out of memory");
	}
	return 0;
}

static int load_files(struct kb_recipe *r, struct kl_error *err)
{
	KL_AUTO_FREE char *dir = NULL, *patches = NULL;

	if (!kl_str_is_id(r->flavour))
		return unknown_flavour(r->flavour, err);
	if (kl_content_dir(FLAVOURS, &dir, err))
		return -1;
	r->fragment = kl_asprintf("%s/%s.config", dir, r->flavour);
	patches = kl_asprintf("%s/%s.patches", dir, r->flavour);
	if (!r->fragment || !patches)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (!kl_file_exists(r->fragment))
		return unknown_flavour(r->flavour, err);
	if (kl_file_read(r->fragment, FRAGMENT_MAX, &r->config, err) ||
	    kb_fragment_check(r->fragment, kl_buf_str(&r->config), err))
		return -1;
	return load_patches(patches, r, err);
}

int kb_recipe_digest(struct kb_recipe *r, struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };

	if (kl_digest_init(&d, err))
		return -1;
	kl_digest_text(&d, "recipe", KB_RECIPE_VERSION);
	kl_digest_text(&d, "flavour", r->flavour);
	kl_digest_text(&d, "source", r->source_digest);
	kl_digest_text(&d, "fragment", kl_buf_str(&r->config));
	for (size_t i = 0; i < r->patch_text.n; i++)
		kl_digest_text(&d, "patch", r->patch_text.v[i]);
	kl_digest_text(&d, "compiler", r->compiler);
	kl_digest_final(&d, r->digest);
	return 0;
}

int kb_recipe_load(const char *flavour, struct kb_recipe *ret, struct kl_error *err)
{
	KL_AUTO(kb_recipe_deinit) struct kb_recipe r = { .flavour = strdup(flavour) };

	if (!r.flavour)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (load_files(&r, err) || kb_compiler(&r.compiler, err) ||
	    kb_source_find(&r.source, r.source_digest, err) || kb_recipe_digest(&r, err))
		return -1;
	*ret = r;
	r = (struct kb_recipe){ 0 };
	return 0;
}

void kb_recipe_deinit(struct kb_recipe *r)
{
	free(r->flavour);
	free(r->source);
	free(r->fragment);
	free(r->compiler);
	kl_buf_deinit(&r->config);
	kl_strv_deinit(&r->patches);
	kl_strv_deinit(&r->patch_text);
	*r = (struct kb_recipe){ 0 };
}
