/*
 * Certificates live in the cache, by the digest of the exercise that they speak
 * of: an exercise that changed has none. They hold no times, so that certifying
 * again writes the same bytes.
 */
#include <klinic/file.h>
#include <klinic/json.h>

#include "cli/cli.h"

#define CERTIFICATE_MAX (16UL << 20)

static int certificate_path(const struct kl_exercise *e, char **ret, struct kl_error *err)
{
	KL_AUTO_FREE char *dir = NULL;

	if (kl_cache_dir("certificates", &dir, err))
		return -1;
	*ret = kl_asprintf("%s/%s.json", dir, e->digest);
	return *ret ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

int cli_certificate_save(const struct kl_exercise *e, const json_t *j, struct kl_error *err)
{
	KL_AUTO_FREE char *path = NULL;

	return certificate_path(e, &path, err) ? -1 : kl_json_write(j, path, err);
}

bool cli_is_certified(const struct kl_exercise *e)
{
	KL_AUTO_FREE char *path = NULL;
	KL_AUTO_JSON json_t *j = NULL;

	/* Without a cache there is no certificate either: no reason not to show an exercise. */
	return !certificate_path(e, &path, NULL) && kl_file_exists(path) &&
	       !kl_json_load(path, CERTIFICATE_MAX, &j, NULL) && json_is_object(j) &&
	       json_is_true(json_object_get(j, "certified"));
}
