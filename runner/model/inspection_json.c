/*
 * Inspections as JSON: the answers of graders/probes/ask.py, and “probes” of a run
 * in evidence. Both are read by the same code, and neither is believed.
 */
#include <klinic/inspection.h>

#include "model/json_io.h"

#define ITEMS_MAX  4096
#define FRAMES_MAX 64

static json_t *task_json(const struct kl_seen_task *t)
{
	json_t *o = json_object();

	kl_out_put(&o, "pid", json_integer(t->pid));
	kl_out_put(&o, "comm", kl_json_text(t->comm));
	kl_out_put(&o, "state", kl_json_text(t->state));
	kl_out_put(&o, "user", json_boolean(t->user));
	kl_out_put(&o, "place", json_string(kl_place_name(t->place)));
	kl_out_put(&o, "frames", kl_json_strv(&t->frames));
	return o;
}

static json_t *pending_json(const struct kl_seen_pending *p)
{
	json_t *o = json_object();

	kl_out_put(&o, "kind", kl_json_text(p->kind));
	kl_out_put(&o, "function", kl_json_text(p->function));
	kl_out_put(&o, "place", json_string(kl_place_name(p->place)));
	return o;
}

static json_t *lock_json(const struct kl_seen_lock *l)
{
	json_t *o = json_object();

	kl_out_put(&o, "pid", json_integer(l->pid));
	kl_out_put(&o, "comm", kl_json_text(l->comm));
	kl_out_put(&o, "lock", kl_json_text(l->lock));
	kl_out_put(&o, "taken", kl_json_text(l->taken));
	kl_out_put(&o, "place", json_string(kl_place_name(l->place)));
	return o;
}

static json_t *site_json(const struct kl_seen_site *s)
{
	json_t *o = json_object();

	kl_out_put(&o, "place", json_string(kl_place_name(s->place)));
	kl_out_put(&o, "site", kl_json_text(s->site));
	kl_out_put(&o, "cache", kl_json_text(s->cache));
	kl_out_put(&o, "size", json_integer(s->size));
	kl_out_put(&o, "objects", kl_out_u64(s->objects));
	return o;
}

static json_t *cache_json(const struct kl_seen_cache *c)
{
	json_t *o = json_object();

	kl_out_put(&o, "cache", kl_json_text(c->cache));
	kl_out_put(&o, "size", json_integer(c->size));
	kl_out_put(&o, "objects", kl_out_u64(c->objects));
	return o;
}

static json_t *items_json(const struct kl_inspection *i, enum kl_probe probe)
{
	json_t *list = json_array();

	for (size_t k = 0; probe == KL_PROBE_TASKS && k < i->n_tasks; k++)
		kl_out_push(&list, task_json(&i->tasks[k]));
	for (size_t k = 0; probe == KL_PROBE_PENDING && k < i->n_pending; k++)
		kl_out_push(&list, pending_json(&i->pending[k]));
	for (size_t k = 0; probe == KL_PROBE_HELD_LOCKS && k < i->n_locks; k++)
		kl_out_push(&list, lock_json(&i->locks[k]));
	for (size_t k = 0; probe == KL_PROBE_SLABS && k < i->n_sites; k++)
		kl_out_push(&list, site_json(&i->sites[k]));
	return list;
}

static json_t *answer_json(const struct kl_inspection *i, enum kl_probe probe)
{
	json_t *o = json_object();

	kl_out_put(&o, "complete", json_boolean(i->complete[probe]));
	if (probe == KL_PROBE_TASKS)
		kl_out_put(&o, "waiting", json_integer(i->waiting));
	if (probe == KL_PROBE_SLABS) {
		json_t *caches = json_array();

		for (size_t k = 0; k < i->n_caches; k++)
			kl_out_push(&caches, cache_json(&i->caches[k]));
		kl_out_put(&o, "caches", caches);
	}
	kl_out_put(&o, "items", items_json(i, probe));
	return o;
}

json_t *kl_inspection_json(const struct kl_inspection *i)
{
	json_t *o = json_object();
	json_t *asked = json_array();

	for (int k = 0; k < KL_PROBE_COUNT; k++)
		if (i->asked[k])
			kl_out_push(&asked, json_string(kl_probe_name((enum kl_probe)k)));
	kl_out_put(&o, "asked", asked);
	kl_out_put(&o, "why", kl_json_text(i->why));
	for (int k = 0; k < KL_PROBE_COUNT; k++)
		if (i->answered[k])
			kl_out_put(&o, kl_probe_name((enum kl_probe)k),
				   answer_json(i, (enum kl_probe)k));
	return o;
}

static int read_place(const json_t *o, enum kl_place *ret, struct kl_error *err)
{
	int place;

	if (kl_in_enum(o, "place", kl_place_parse, &place, err))
		return -1;
	*ret = (enum kl_place)place;
	return 0;
}

static int read_task(const json_t *o, void *to, struct kl_error *err)
{
	struct kl_seen_task *t = to;

	if (kl_in_uint(o, "pid", INT32_MAX, &t->pid, err) ||
	    kl_in_text(o, "comm", KL_IN_NAME_MAX, true, &t->comm, err) ||
	    kl_in_text(o, "state", 8, true, &t->state, err) ||
	    kl_in_bool(o, "user", &t->user, err) || read_place(o, &t->place, err))
		return -1;
	if (json_array_size(json_object_get(o, "frames")) > FRAMES_MAX)
		return kl_fail(err, KL_CONTENT, "a task has more than %d frames", FRAMES_MAX);
	return kl_in_strings(o, "frames", &t->frames, err);
}

static int read_pending(const json_t *o, void *to, struct kl_error *err)
{
	struct kl_seen_pending *p = to;

	if (kl_in_text(o, "kind", KL_IN_NAME_MAX, true, &p->kind, err) ||
	    kl_in_text(o, "function", KL_IN_NAME_MAX, true, &p->function, err))
		return -1;
	return read_place(o, &p->place, err);
}

static int read_lock(const json_t *o, void *to, struct kl_error *err)
{
	struct kl_seen_lock *l = to;

	if (kl_in_uint(o, "pid", INT32_MAX, &l->pid, err) ||
	    kl_in_text(o, "comm", KL_IN_NAME_MAX, true, &l->comm, err) ||
	    kl_in_text(o, "lock", KL_IN_NAME_MAX, true, &l->lock, err) ||
	    kl_in_text(o, "taken", KL_IN_NAME_MAX, true, &l->taken, err))
		return -1;
	return read_place(o, &l->place, err);
}

static int read_site(const json_t *o, void *to, struct kl_error *err)
{
	struct kl_seen_site *s = to;

	if (kl_in_text(o, "site", KL_IN_NAME_MAX, true, &s->site, err) ||
	    kl_in_text(o, "cache", KL_IN_NAME_MAX, true, &s->cache, err) ||
	    kl_in_uint(o, "size", INT32_MAX, &s->size, err) ||
	    kl_in_u64(o, "objects", &s->objects, err))
		return -1;
	return read_place(o, &s->place, err);
}

static int read_cache(const json_t *o, void *to, struct kl_error *err)
{
	struct kl_seen_cache *c = to;

	if (kl_in_text(o, "cache", KL_IN_NAME_MAX, true, &c->cache, err) ||
	    kl_in_uint(o, "size", INT32_MAX, &c->size, err))
		return -1;
	return kl_in_u64(o, "objects", &c->objects, err);
}

static int read_answer(const json_t *o, enum kl_probe probe, struct kl_inspection *ret,
		       struct kl_error *err)
{
	if (kl_in_object(o, "an answer", err) ||
	    kl_in_bool(o, "complete", &ret->complete[probe], err))
		return -1;
	ret->answered[probe] = true;
	switch (probe) {
	case KL_PROBE_TASKS:
		if (kl_in_uint(o, "waiting", INT32_MAX, &ret->waiting, err))
			return -1;
		return kl_in_items(o, "items", ITEMS_MAX, sizeof(*ret->tasks), read_task,
				   &ret->tasks, &ret->n_tasks, err);
	case KL_PROBE_PENDING:
		return kl_in_items(o, "items", ITEMS_MAX, sizeof(*ret->pending), read_pending,
				   &ret->pending, &ret->n_pending, err);
	case KL_PROBE_HELD_LOCKS:
		return kl_in_items(o, "items", ITEMS_MAX, sizeof(*ret->locks), read_lock,
				   &ret->locks, &ret->n_locks, err);
	case KL_PROBE_SLABS:
		if (kl_in_items(o, "caches", ITEMS_MAX, sizeof(*ret->caches), read_cache,
				&ret->caches, &ret->n_caches, err))
			return -1;
		return kl_in_items(o, "items", ITEMS_MAX, sizeof(*ret->sites), read_site,
				   &ret->sites, &ret->n_sites, err);
	case KL_PROBE_COUNT:
		break;
	}
	return 0;
}

static int read_asked(const json_t *o, struct kl_inspection *ret, struct kl_error *err)
{
	const json_t *list;

	if (kl_in_list(o, "asked", KL_PROBE_COUNT, &list, err))
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		int probe = kl_probe_parse(json_string_value(json_array_get(list, i)));

		if (probe < 0)
			return kl_fail(err, KL_CONTENT, "“asked” must name probes");
		ret->asked[probe] = true;
	}
	return kl_in_text(o, "why", KL_IN_NAME_MAX, false, &ret->why, err);
}

int kl_inspection_from_json(const json_t *j, struct kl_inspection *ret, struct kl_error *err)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };

	if (!j)
		return 0;
	if (kl_in_object(j, "“probes”", err) || read_asked(j, &in, err))
		return -1;
	for (int k = 0; k < KL_PROBE_COUNT; k++) {
		const char *name = kl_probe_name((enum kl_probe)k);
		const json_t *answer = json_object_get(j, name);

		if (answer && read_answer(answer, (enum kl_probe)k, &in, err))
			return kl_error_prepend(err, "%s", name);
	}
	*ret = in;
	in = (struct kl_inspection){ 0 };
	return 0;
}
