/* The solutions in hidden/ that an exercise is certified with, and what variants.yaml says of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/exercise.h>
#include <klinic/file.h>

#include "model/fields.h"

static const char *const variant_keys[] = { "why", "caught_by", NULL };

static void variant_deinit(struct kl_variant *v)
{
	free(v->name);
	free(v->path);
	free(v->why);
	kl_strv_deinit(&v->caught_by);
	*v = (struct kl_variant){ 0 };
}

void kl_variants_deinit(struct kl_variants *vs)
{
	for (size_t i = 0; i < vs->n; i++)
		variant_deinit(&vs->v[i]);
	free(vs->v);
	*vs = (struct kl_variants){ 0 };
}

static struct kl_variant *find(const struct kl_variants *vs, const char *name)
{
	for (size_t i = 0; i < vs->n; i++)
		if (!strcmp(vs->v[i].name, name))
			return &vs->v[i];
	return NULL;
}

/* path may be NULL. */
static int add(struct kl_variants *vs, enum kl_role role, const char *name, const char *path,
	       struct kl_error *err)
{
	struct kl_variant *grown, *v;

	if (find(vs, name))
		return kl_fail_at(err, path, 0, 0,
				  "there is another variant called “%s”: rename one of them", name);
	grown = reallocarray(vs->v, vs->n + 1, sizeof(*grown));
	if (!grown)
		return kl_fail(err, KL_INFRA, "out of memory");
	vs->v = grown;
	v = &grown[vs->n++];
	*v = (struct kl_variant){ .role = role, .name = strdup(name) };
	if (path)
		v->path = strdup(path);
	if (!v->name || (path && !v->path))
		return kl_fail(err, KL_INFRA, "out of memory");
	return 0;
}

/* One entry of alternatives/ or decoys/: NAME.patch or a folder NAME. */
static int add_entry(struct kl_variants *vs, enum kl_role role, const char *dir, const char *entry,
		     struct kl_error *err)
{
	static const char suffix[] = ".patch";
	bool patch = kl_str_ends(entry, suffix);
	int stem = (int)(strlen(entry) - (patch ? strlen(suffix) : 0));
	KL_AUTO_FREE char *path = kl_path_join(dir, entry);
	KL_AUTO_FREE char *name = kl_asprintf("%.*s", stem, entry);
	struct stat st;

	if (!path || !name)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (lstat(path, &st))
		return kl_fail_errno(err, errno, "cannot look at %s", path);
	if (patch ? !S_ISREG(st.st_mode) : !S_ISDIR(st.st_mode))
		return kl_fail_at(err, path, 0, 0, "is neither NAME.patch nor a folder NAME");
	if (!kl_str_is_id(name))
		return kl_fail_at(err, path, 0, 0,
				  "a variant's name must be lowercase letters, digits and inner "
				  "dashes");
	if (kl_role_parse(name) >= 0)
		return kl_fail_at(err, path, 0, 0, "the name “%s” is taken: rename the variant",
				  name);
	return add(vs, role, name, path, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kl_variant *)a)->name, ((const struct kl_variant *)b)->name);
}

static int add_folder(const struct kl_exercise *e, const char *sub, enum kl_role role,
		      struct kl_variants *vs, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv entries = { 0 };
	KL_AUTO_FREE char *dir = kl_asprintf("%s/hidden/%s", e->dir, sub);
	size_t first = vs->n;

	if (!dir)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (!kl_file_is_dir(dir))
		return 0;
	if (kl_dir_list(dir, &entries, err))
		return -1;
	for (size_t i = 0; i < entries.n; i++)
		if (add_entry(vs, role, dir, entries.v[i], err))
			return -1;
	/* The folder's order is that of file names: "a-b.patch" stands before "a.patch". */
	if (vs->n > first)
		qsort(vs->v + first, vs->n - first, sizeof(*vs->v), by_name);
	return 0;
}

static int add_reference(const struct kl_exercise *e, struct kl_variants *vs, struct kl_error *err)
{
	KL_AUTO_FREE char *patch = kl_asprintf("%s/hidden/reference.patch", e->dir);
	KL_AUTO_FREE char *folder = kl_asprintf("%s/hidden/reference", e->dir);

	if (!patch || !folder)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_file_exists(patch) && kl_file_exists(folder))
		return kl_fail_at(err, folder, 0, 0,
				  "there is a reference.patch too: keep one of them");
	if (kl_file_exists(patch))
		return add(vs, KL_ROLE_REFERENCE, "reference", patch, err);
	if (kl_file_is_dir(folder))
		return add(vs, KL_ROLE_REFERENCE, "reference", folder, err);
	return kl_fail_at(err, patch, 0, 0,
			  "is missing: an exercise needs a reference solution, a patch or a folder "
			  "hidden/reference");
}

static int read_entry(const struct kl_yaml *y, const struct kl_exercise *e,
		      const struct kl_yaml_node *key, const struct kl_yaml_node *map,
		      struct kl_variant *v, struct kl_error *err)
{
	const struct kl_yaml_node *list;

	if (kl_yaml_known(y, map, "variant", variant_keys, err) ||
	    kl_field_text(y, map, "why", true, &v->why, err) ||
	    kl_field_strings(y, map, "caught_by", false, &v->caught_by, err))
		return -1;
	list = kl_yaml_get(map, "caught_by");
	if (list && v->role != KL_ROLE_DECOY && v->role != KL_ROLE_BROKEN)
		return kl_yaml_fail(y, list, err, "“%s” is no decoy: nothing is to catch it",
				    key->text);
	for (size_t i = 0; list && i < v->caught_by.n; i++)
		if (!kl_exercise_check(e, v->caught_by.v[i]))
			return kl_yaml_fail(y, list->items[i], err,
					    "exercise “%s” has no check “%s”", e->id,
					    v->caught_by.v[i]);
	return 0;
}

static int read_yaml(const struct kl_exercise *e, const char *path, struct kl_variants *vs,
		     struct kl_error *err)
{
	KL_AUTO(kl_yaml_deinit) struct kl_yaml y = { 0 };

	if (kl_yaml_load(path, &y, err))
		return -1;
	if (y.root->type != KL_YAML_MAP)
		return kl_yaml_fail(&y, y.root, err, "must be a map of variants' names");
	for (size_t i = 0; i < y.root->n; i++) {
		const struct kl_yaml_node *key = y.root->keys[i];
		struct kl_variant *v = find(vs, key->text);

		if (!v || (!v->path && v->role != KL_ROLE_BROKEN))
			return kl_yaml_fail(&y, key, err,
					    "there is no variant “%s” in hidden/alternatives or "
					    "hidden/decoys",
					    key->text);
		if (read_entry(&y, e, key, y.root->items[i], v, err))
			return -1;
	}
	return 0;
}

static int describe(const struct kl_exercise *e, struct kl_variants *vs, struct kl_error *err)
{
	KL_AUTO_FREE char *path = kl_asprintf("%s/hidden/variants.yaml", e->dir);

	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_file_exists(path) && read_yaml(e, path, vs, err))
		return -1;
	for (size_t i = 0; i < vs->n; i++)
		if (vs->v[i].role == KL_ROLE_DECOY && !vs->v[i].why)
			return kl_fail_at(err, path, 0, 0,
					  "decoy “%s” has no entry: say why it is wrong and which "
					  "check catches it",
					  vs->v[i].name);
	return 0;
}

int kl_variants_load(const struct kl_exercise *e, struct kl_variants *ret, struct kl_error *err)
{
	KL_AUTO(kl_variants_deinit) struct kl_variants vs = { 0 };

	if (add(&vs, KL_ROLE_BROKEN, "broken", NULL, err) || add_reference(e, &vs, err) ||
	    add_folder(e, "alternatives", KL_ROLE_ALTERNATIVE, &vs, err) ||
	    add_folder(e, "decoys", KL_ROLE_DECOY, &vs, err) ||
	    add(&vs, KL_ROLE_NOOP, "noop", NULL, err) || describe(e, &vs, err))
		return -1;
	*ret = vs;
	vs = (struct kl_variants){ 0 };
	return 0;
}
