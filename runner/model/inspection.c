/* Inspections: spelling, and who owns what. */
#include <stdlib.h>

#include <klinic/inspection.h>

static const char *const probe_names[] = {
	[KL_PROBE_TASKS] = "tasks",
	[KL_PROBE_PENDING] = "pending",
	[KL_PROBE_HELD_LOCKS] = "held-locks",
	[KL_PROBE_SLABS] = "slabs",
};
KL_ENUM_DEFINE(kl_probe, enum kl_probe, probe_names, KL_PROBE_COUNT);

static const char *const place_names[] = {
	[KL_PLACE_KERNEL] = "kernel",
	[KL_PLACE_OTHER] = "other",
	[KL_PLACE_MODULE] = "module",
	[KL_PLACE_GONE] = "gone",
};
KL_ENUM_DEFINE(kl_place, enum kl_place, place_names, KL_PLACE_COUNT);

static void task_deinit(struct kl_seen_task *t)
{
	free(t->comm);
	free(t->state);
	kl_strv_deinit(&t->frames);
}

static void lock_deinit(struct kl_seen_lock *l)
{
	free(l->comm);
	free(l->lock);
	free(l->taken);
}

void kl_inspection_forget_tasks(struct kl_inspection *i)
{
	for (size_t k = 0; k < i->n_tasks; k++)
		task_deinit(&i->tasks[k]);
	free(i->tasks);
	i->tasks = NULL;
	i->n_tasks = 0;
	i->waiting = 0;
	i->asked[KL_PROBE_TASKS] = false;
	i->answered[KL_PROBE_TASKS] = false;
	i->complete[KL_PROBE_TASKS] = false;
}

void kl_inspection_deinit(struct kl_inspection *i)
{
	kl_inspection_forget_tasks(i);
	for (size_t k = 0; k < i->n_pending; k++) {
		free(i->pending[k].kind);
		free(i->pending[k].function);
	}
	for (size_t k = 0; k < i->n_locks; k++)
		lock_deinit(&i->locks[k]);
	for (size_t k = 0; k < i->n_sites; k++) {
		free(i->sites[k].site);
		free(i->sites[k].cache);
	}
	for (size_t k = 0; k < i->n_caches; k++)
		free(i->caches[k].cache);
	free(i->pending);
	free(i->locks);
	free(i->sites);
	free(i->caches);
	free(i->why);
	*i = (struct kl_inspection){ 0 };
}

bool kl_inspection_any(const struct kl_inspection *i)
{
	for (int k = 0; k < KL_PROBE_COUNT; k++)
		if (i->asked[k] || i->answered[k])
			return true;
	return i->why != NULL;
}
