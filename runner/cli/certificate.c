/*
 * Certificates live in the cache, under a digest of all that their verdicts
 * depend on: the exercise, what builds and runs its checks (kernels, agent,
 * schedule driver, kit, compiler), QEMU, and the number of klinic's judging
 * (KL_JUDGING; there it says why that and not klinic's version). When one of
 * these has changed there is no certificate. They hold no times, so that
 * certifying again writes the same bytes.
 */
#include <string.h>

#include <klinic/file.h>
#include <klinic/json.h>
#include <klinic/kbuild.h>
#include <klinic/vm.h>

#include "cli/cli.h"

#define CERTIFICATE_MAX (16UL << 20)

/* Asked once: a list asks it for every exercise. */
static const char *qemu_version(struct kl_error *err)
{
	static char *version;

	if (!version && kl_vm_qemu_version(NULL, &version, err))
		return NULL;
	return version;
}

static int certificate_key(const struct kl_exercise *e, char ret[KL_DIGEST_HEX],
			   struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };
	const char *qemu = qemu_version(err);
	char below[KL_DIGEST_HEX];

	if (!qemu || kl_kbuild_identity(e, below, err) || kl_digest_init(&d, err))
		return -1;
	kl_digest_text(&d, "judging", KL_JUDGING);
	kl_digest_text(&d, "exercise", e->digest);
	kl_digest_text(&d, "kbuild", below);
	kl_digest_text(&d, "qemu", qemu);
	kl_digest_final(&d, ret);
	return 0;
}

int cli_certificate_path(const struct kl_exercise *e, char **ret, struct kl_error *err)
{
	KL_AUTO_FREE char *dir = NULL;
	char key[KL_DIGEST_HEX];

	if (certificate_key(e, key, err) || kl_cache_dir("certificates", &dir, err))
		return -1;
	*ret = kl_asprintf("%s/%s.json", dir, key);
	return *ret ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

int cli_certificate_save(const struct kl_exercise *e, const json_t *j, struct kl_error *err)
{
	KL_AUTO_FREE char *path = NULL;

	return cli_certificate_path(e, &path, err) ? -1 : kl_json_write(j, path, err);
}

json_t *cli_certificate_load(const struct kl_exercise *e)
{
	KL_AUTO_FREE char *path = NULL;
	KL_AUTO_JSON json_t *j = NULL;

	/* Without cache, kernel source or QEMU there is none either: no reason not to show an exercise. */
	if (cli_certificate_path(e, &path, NULL) || !kl_file_exists(path) ||
	    kl_json_load(path, CERTIFICATE_MAX, &j, NULL) || !json_is_object(j))
		return NULL;
	return kl_take(j);
}

static json_t *find_known(const json_t *certificate, const char *check)
{
	json_t *c;
	size_t i;

	json_array_foreach(json_object_get(certificate, "checks"), i,
			   c) if (kl_str_eq(json_string_value(json_object_get(c, "id")),
					    check)) return json_object_get(c, "known");
	return NULL;
}

/* What is not as certify writes it is as good as nothing: not known. */
static int read_known(json_t *known, struct kl_known *ret, struct kl_error *err)
{
	const char *variant;
	int runs, failures;

	if (!known ||
	    json_unpack(known, "{s:s, s:i, s:i}", "variant", &variant, "runs", &runs, "failures",
			&failures) ||
	    failures < 0 || runs < failures)
		return 0;
	kl_known_deinit(ret);
	*ret = (struct kl_known){ .variant = strdup(variant),
				  .runs = (unsigned int)runs,
				  .failures = (unsigned int)failures };
	return ret->variant ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

int cli_certificate_known(const struct kl_exercise *e, struct kl_evidence *ev, struct kl_error *err)
{
	KL_AUTO_JSON json_t *j = NULL;
	bool parallel = false;

	for (size_t i = 0; i < ev->n_checks; i++)
		parallel |= ev->checks[i].mode == KL_MODE_PARALLEL;
	if (!parallel)
		return 0;
	j = cli_certificate_load(e);
	for (size_t i = 0; i < ev->n_checks; i++)
		if (ev->checks[i].mode == KL_MODE_PARALLEL &&
		    read_known(find_known(j, ev->checks[i].check), &ev->checks[i].known, err))
			return -1;
	return 0;
}

bool cli_is_certified(const struct kl_exercise *e)
{
	KL_AUTO_JSON json_t *j = cli_certificate_load(e);

	return json_is_true(json_object_get(j, "certified"));
}
