/* The kernels in the cache, and what was made with them: what is there, and what may go. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

/* Today's recipe of each flavour. */
struct today {
	struct kl_strv flavours;
	struct kl_strv digests; /* in the same order */
	struct kl_strv sources;
};

static void today_deinit(struct today *t)
{
	kl_strv_deinit(&t->flavours);
	kl_strv_deinit(&t->digests);
	kl_strv_deinit(&t->sources);
}

static int today_load(struct today *t, struct kl_error *err)
{
	if (kb_flavours(&t->flavours, err))
		return -1;
	for (size_t i = 0; i < t->flavours.n; i++) {
		KL_AUTO(kb_recipe_deinit) struct kb_recipe r = { 0 };

		if (kb_recipe_load(t->flavours.v[i], &r, err))
			return -1;
		if (kl_strv_add(&t->digests, r.digest) || kl_strv_add(&t->sources, r.source_digest))
			return no_memory(err);
	}
	return 0;
}

static struct kl_kernel_info *add(struct kl_kernel_list *l)
{
	struct kl_kernel_info *more = realloc(l->v, (l->n + 1) * sizeof(*more));

	if (!more)
		return NULL;
	l->v = more;
	more[l->n] = (struct kl_kernel_info){ 0 };
	return &more[l->n++];
}

/* An unfinished one has no stamp, but says what it was to be. */
static char *flavour_of(const char *dir, const json_t *stamp)
{
	const char *s = json_string_value(json_object_get(stamp, "flavour"));
	KL_AUTO_FREE char *path = kl_path_join(dir, "flavour");
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (s)
		return strdup(s);
	if (!path || kl_file_read(path, 64, &b, NULL) || !kl_str_is_id(kl_buf_str(&b)))
		return strdup("?");
	return kl_buf_steal(&b);
}

static int add_cached(const char *dir, const char *digest, const struct today *t,
		      struct kl_kernel_list *l, struct kl_error *err)
{
	KL_AUTO_JSON json_t *stamp = NULL;
	struct kl_kernel_info *k = add(l);
	const char *release;

	if (!k)
		return no_memory(err);
	k->ready = kb_entry_ready(dir, &stamp);
	k->current = kl_strv_has(&t->digests, digest);
	k->built_at = json_integer_value(json_object_get(stamp, "built_at"));
	release = json_string_value(json_object_get(stamp, "release"));
	k->flavour = flavour_of(dir, stamp);
	k->digest = strdup(digest);
	k->release = strdup(release ? release : "");
	if (!k->flavour || !k->digest || !k->release)
		return no_memory(err);
	return kl_tree_size(dir, &k->bytes, err);
}

static int add_missing(const struct today *t, struct kl_kernel_list *l, struct kl_error *err)
{
	for (size_t i = 0; i < t->flavours.n; i++) {
		struct kl_kernel_info *k;
		bool have = false;

		for (size_t j = 0; j < l->n; j++)
			have |= kl_str_eq(l->v[j].digest, t->digests.v[i]);
		if (have)
			continue;
		k = add(l);
		if (!k)
			return no_memory(err);
		k->current = true;
		k->flavour = strdup(t->flavours.v[i]);
		k->digest = strdup(t->digests.v[i]);
		k->release = strdup("");
		if (!k->flavour || !k->digest || !k->release)
			return no_memory(err);
	}
	return 0;
}

static int by_flavour(const void *a, const void *b)
{
	const struct kl_kernel_info *x = a, *y = b;
	int c = strcmp(x->flavour, y->flavour);

	if (!c)
		c = (int)y->current - (int)x->current;
	return c ? c : strcmp(x->digest, y->digest);
}

int kl_kernel_list(struct kl_kernel_list *ret, struct kl_error *err)
{
	KL_AUTO(kl_kernel_list_deinit) struct kl_kernel_list l = { 0 };
	KL_AUTO(today_deinit) struct today t = { 0 };
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO_FREE char *kernels = NULL;

	if (today_load(&t, err) || kl_cache_dir("kernels", &kernels, err) ||
	    kl_dir_list(kernels, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *dir = kl_path_join(kernels, names.v[i]);

		if (!dir)
			return no_memory(err);
		if (kb_is_digest(names.v[i]) && kl_file_is_dir(dir) &&
		    add_cached(dir, names.v[i], &t, &l, err))
			return -1;
	}
	if (add_missing(&t, &l, err))
		return -1;
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), by_flavour);
	*ret = l;
	l = (struct kl_kernel_list){ 0 };
	return 0;
}

void kl_kernel_list_deinit(struct kl_kernel_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].flavour);
		free(l->v[i].digest);
		free(l->v[i].release);
	}
	free(l->v);
	*l = (struct kl_kernel_list){ 0 };
}

/* Removes an entry unless somebody builds it just now. */
static int drop(const char *dir, uint64_t *bytes, struct kl_error *err)
{
	KL_AUTO_FREE char *lock_path = kl_asprintf("%s.lock", dir);
	KL_AUTO_FREE char *log = kl_asprintf("%s.log", dir);
	KL_AUTO_FREE char *ready = kl_path_join(dir, "ready");
	KL_AUTO_CLOSE int lock = -1;
	uint64_t size = 0;
	int got;

	if (!lock_path || !log || !ready)
		return no_memory(err);
	got = kl_try_lock(lock_path, &lock, err);
	if (got <= 0)
		return got;
	/* The stamp first: cut off in the middle, the rest is no kernel. */
	if (unlink(ready) && errno != ENOENT)
		return kl_fail_errno(err, errno, "cannot remove %s", ready);
	if (kl_tree_size(dir, &size, err) || kl_remove_tree(dir, err))
		return -1;
	unlink(log);
	*bytes += size;
	return 0;
}

/* Entries below the cache folder sub whose names are not in keep; of those in keep, the unfinished. */
static int sweep(const char *sub, const struct kl_strv *keep, uint64_t *bytes, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO_FREE char *root = NULL;

	if (kl_cache_dir(sub, &root, err) || kl_dir_list(root, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *dir = kl_path_join(root, names.v[i]);

		if (!dir)
			return no_memory(err);
		if (!kb_is_digest(names.v[i]) || !kl_file_is_dir(dir))
			continue;
		if (kl_strv_has(keep, names.v[i]) && kb_entry_ready(dir, NULL))
			continue;
		if (drop(dir, bytes, err))
			return -1;
	}
	return 0;
}

/* A file for a digest, and no temporary beside it: another klinic may be about to rename that one. */
static bool is_record(const char *name)
{
	KL_AUTO_FREE char *digest = strndup(name, KL_DIGEST_HEX - 1);

	return digest && kb_is_digest(digest) && kl_str_eq(name + strlen(digest), ".json");
}

/* Records need no lock: who misses one makes it again. */
static int sweep_records(const char *sub, uint64_t *bytes, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO_FREE char *root = NULL;

	if (kl_cache_dir(sub, &root, err) || kl_dir_list(root, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *path = kl_path_join(root, names.v[i]);
		uint64_t size = 0;

		if (!path)
			return no_memory(err);
		if (!is_record(names.v[i]))
			continue;
		if (kl_tree_size(path, &size, err) || kl_remove_tree(path, err))
			return -1;
		*bytes += size;
	}
	return 0;
}

int kl_kernel_prune(bool all, uint64_t *ret_bytes, struct kl_error *err)
{
	KL_AUTO(today_deinit) struct today t = { 0 };
	uint64_t bytes = 0;

	/* What is removed must not depend on what cannot be known: no source, no verdict on what is old. */
	if (!all && today_load(&t, err))
		return -1;
	if (sweep("kernels", &t.digests, &bytes, err) || sweep("sources", &t.sources, &bytes, err))
		return -1;
	if (all &&
	    (sweep("programs", &t.digests, &bytes, err) ||
	     sweep("modules", &t.digests, &bytes, err) || sweep_records("controls", &bytes, err)))
		return -1;
	*ret_bytes = bytes;
	return 0;
}
