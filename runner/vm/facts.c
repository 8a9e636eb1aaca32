/* What the host reads in a stopped guest's memory after a run: nothing of it is the guest's word. */
#include <string.h>

#include <klinic/cleanup.h>

#include "guest/mailbox.h"
#include "vm/facts.h"
#include "vm/lists.h"
#include "vm/view.h"

struct stopped {
	struct kl_qemu *q;
	kl_deadline deadline;
};

static int read_guest(void *arg, uint64_t phys, void *buf, size_t len, struct kl_error *err)
{
	const struct stopped *s = arg;

	return kl_qemu_read_memory(s->q, phys, buf, len, s->deadline, err);
}

static int compare_text(const struct kl_template *t, struct kl_qemu *q, struct kl_run *run,
			kl_deadline deadline)
{
	uint64_t first = 0;

	if (kl_text_compare(&t->text, t->ram, q, deadline, &run->text_changed, &first, NULL))
		return -1;
	if (run->text_changed)
		run->text_where = kl_vm_symbol_at(t->machine.vmlinux, first);
	return 0;
}

/*
 * Memory that cannot be had says nothing about the guest; a structure that leads
 * nowhere says that somebody wrote to it.
 */
static int or_complaint(int failed, const struct kl_error *why, char **ret, struct kl_error *err)
{
	if (!failed)
		return 0;
	if (why->class != KL_CONTENT)
		return -1;
	*ret = strdup(why->message);
	return *ret ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

static int compare_log(const struct kl_template *t, struct kl_view *v, struct kl_run *run,
		       struct kl_error *err)
{
	const struct kl_baseline *b = &t->baseline;
	struct kl_log_difference d = { 0 };
	struct kl_error why = KL_ERROR_INIT;

	/* Behind the cap the console has nothing, which convicts by itself. */
	if (run->console_truncated)
		return 0;
	if (or_complaint(kl_ring_compare(&b->ring, &b->anatomy, v, run->console,
					 t->machine.mode == KL_MODE_PARALLEL, &d, &why),
			 &why, &run->log_where, err))
		return -1;
	if (run->log_where) {
		run->log_differs = 1;
		return 0;
	}
	run->log_differs = d.lines;
	run->log_where = d.where;
	run->log_cut |= d.lost;
	return 0;
}

/* kbuild's KBUILD_MODNAME: the name as the kernel knows it. */
static bool is_named(const char *loaded, const char *module)
{
	size_t i = 0;

	if (!module)
		return false;
	for (; loaded[i] && module[i]; i++)
		if (loaded[i] != (module[i] == '-' ? '_' : module[i]))
			return false;
	return loaded[i] == module[i];
}

static int compare_modules(const struct kl_template *t, const struct kl_job *job, struct kl_view *v,
			   struct kl_run *run, struct kl_error *err)
{
	bool may_stay = !run->load_status && run->unload_status, seen = false;
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	struct kl_error why = KL_ERROR_INIT;

	if (or_complaint(kl_list_modules(&t->baseline.anatomy, v, &names, &why), &why,
			 &run->modules_wrong, err))
		return -1;
	for (size_t i = 0; i < names.n && !run->modules_wrong; i++) {
		bool own = is_named(names.v[i], job->module_name);

		seen |= own;
		if ((own && may_stay) || (job->sched_ko && kl_str_eq(names.v[i], "klinic_sched")))
			continue;
		run->modules_wrong = kl_asprintf("%s is loaded, but %s", names.v[i],
						 own ? "was unloaded" : "nobody loaded it");
		if (!run->modules_wrong)
			return kl_fail(err, KL_INFRA, "out of memory");
	}
	if (may_stay && !seen && !run->modules_wrong) {
		run->modules_wrong =
			kl_asprintf("%s is loaded, but not in the list", job->module_name);
		if (!run->modules_wrong)
			return kl_fail(err, KL_INFRA, "out of memory");
	}
	return 0;
}

static int compare_counters(const struct kl_baseline *b, struct kl_view *v, struct kl_run *run,
			    struct kl_error *err)
{
	uint32_t oopses, warnings;

	if (kl_view_phys(v, b->anatomy.oops_count.phys, &oopses, 4, err) ||
	    kl_view_phys(v, b->anatomy.warn_count.phys, &warnings, 4, err))
		return -1;
	/* Set back below the template's: as wrong as any other number, and none that is small. */
	run->oopses = (uint32_t)(oopses - b->oopses);
	run->warnings = (uint32_t)(warnings - b->warnings);
	return 0;
}

static int compare_switches(const struct kl_baseline *b, struct kl_view *v, struct kl_run *run,
			    struct kl_error *err)
{
	KL_AUTO_FREE char *broken = NULL;
	struct kl_error why = KL_ERROR_INIT;

	if (kl_switches_compare(&b->switches, v, &run->switches_changed, err))
		return -1;
	if (or_complaint(kl_list_unwatched(&b->anatomy, v, &run->switches_changed, &why), &why,
			 &broken, err))
		return -1;
	return broken && kl_strv_add(&run->switches_changed, broken)
		       ? kl_fail(err, KL_INFRA, "out of memory")
		       : 0;
}

/*
 * kmemleak switches itself off when it runs out of memory, and notes that
 * (mm/kmemleak.c, kmemleak_disable): then leaks went unheard. Off without the note,
 * somebody switched it.
 */
static int hear_leaks(const struct kl_template *t, const struct kl_job *job,
		      const struct stopped *s, struct kl_view *v, struct kl_run *run,
		      struct kl_error *err)
{
	uint32_t on = 0, gave_up = 0;

	if (t->kmemleak_enabled &&
	    kl_qemu_read_memory(s->q, t->kmemleak_enabled, &on, sizeof(on), s->deadline, err))
		return -1;
	run->leaks_unheard = job->leaks && !on;
	if (!t->baseline.known || !t->baseline.anatomy.kmemleak_error.phys || on)
		return 0;
	if (kl_view_phys(v, t->baseline.anatomy.kmemleak_error.phys, &gave_up, sizeof(gave_up),
			 err))
		return -1;
	return !gave_up && kl_strv_add(&run->switches_changed, "kmemleak_enabled")
		       ? kl_fail(err, KL_INFRA, "out of memory")
		       : 0;
}

/* After a hang the schedule driver's own probes are still in the text: only an answer is looked at. */
static int read_answered(const struct kl_template *t, const struct kl_job *job, struct kl_qemu *q,
			 kl_deadline deadline, struct kl_run *run, struct kl_error *err)
{
	struct stopped s = { q, deadline };
	KL_AUTO(kl_view_deinit)
	struct kl_view v = { .read = read_guest,
			     .arg = &s,
			     .ram = KL_VM_RAM_SIZE,
			     .page_tables = t->baseline.anatomy.page_tables.phys };

	run->log_cut = run->console_truncated || !strstr(run->console, KL_MAIL_LAST_WORDS);
	if (compare_text(t, q, run, deadline))
		return -1;
	if (t->baseline.known &&
	    (compare_counters(&t->baseline, &v, run, err) || compare_log(t, &v, run, err) ||
	     compare_modules(t, job, &v, run, err) || compare_switches(&t->baseline, &v, run, err)))
		return -1;
	return hear_leaks(t, job, &s, &v, run, err);
}

void kl_vm_read_facts(const struct kl_template *t, const struct kl_job *job, struct kl_qemu *q,
		      struct kl_run *run)
{
	kl_deadline deadline = kl_deadline_ms(20000);
	struct kl_error err = KL_ERROR_INIT;
	uint32_t locks = 1;
	uint64_t taint = 0;

	if (run->end == KL_END_LOST || run->end == KL_END_WALL_NET || !t->tainted_mask)
		return;
	if (t->debug_locks &&
	    kl_qemu_read_memory(q, t->debug_locks, &locks, sizeof(locks), deadline, NULL))
		return;
	if (kl_qemu_read_memory(q, t->tainted_mask, &taint, sizeof(taint), deadline, NULL))
		return;
	if (run->end == KL_END_ANSWERED && read_answered(t, job, q, deadline, run, &err))
		return;
	run->debug_locks = locks != 0;
	run->tainted = taint;
	run->memory_read = true;
}
