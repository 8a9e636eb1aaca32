/*
 * What drgn saw in a run's memory. Judged is only what the check asked, and only
 * what no sound module leaves: code or memory of a module that is gone, and a
 * task of the check that is still in the module when its program has ended. Held
 * locks and counts by cache are there to be read.
 */
#include <inttypes.h>
#include <string.h>

#include "inspect.h"

#define AGENT_PID 1 /* runner/guest/agent.c is /init */
#define SAID_MAX  200 /* bytes of a name from the guest */

typedef void (*say_fn)(void *arg, const char *detail, const char *remark);

static void guest(struct kl_buf *b, const char *text)
{
	kl_buf_safe(b, text, strlen(text), SAID_MAX);
}

static void task_words(struct kl_buf *b, unsigned int pid, const char *comm)
{
	guest(b, comm);
	kl_buf_printf(b, " (%u)", pid);
}

static bool left_behind(const struct kl_seen_task *t)
{
	return t->place == KL_PLACE_GONE ||
	       (t->place == KL_PLACE_MODULE && t->user && t->pid != AGENT_PID);
}

static void judge_tasks(const struct kl_inspection *i, say_fn say, void *arg)
{
	for (size_t k = 0; k < i->n_tasks; k++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
		const struct kl_seen_task *t = &i->tasks[k];

		if (!left_behind(t))
			continue;
		kl_buf_puts(&b, "task ");
		task_words(&b, t->pid, t->comm);
		kl_buf_puts(&b, ", state ");
		guest(&b, t->state);
		kl_buf_puts(&b, t->place == KL_PLACE_GONE
					? ", stands in the code of a module that is gone"
					: ", is still in the module after its program has ended");
		say(arg, kl_buf_str(&b), "A task was left behind in the module.");
	}
}

static void judge_pending(const struct kl_inspection *i, say_fn say, void *arg)
{
	for (size_t k = 0; k < i->n_pending; k++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
		const struct kl_seen_pending *p = &i->pending[k];

		if (p->place != KL_PLACE_GONE)
			continue;
		kl_buf_puts(&b, "pending though its module is gone: ");
		guest(&b, p->kind);
		kl_buf_puts(&b, " ");
		guest(&b, p->function);
		say(arg, kl_buf_str(&b),
		    "Something of the module was still to run after it had been unloaded.");
	}
}

static void judge_locks(const struct kl_inspection *i, say_fn say, void *arg)
{
	for (size_t k = 0; k < i->n_locks; k++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
		const struct kl_seen_lock *l = &i->locks[k];

		if (l->place != KL_PLACE_GONE)
			continue;
		kl_buf_puts(&b, "task ");
		task_words(&b, l->pid, l->comm);
		kl_buf_puts(&b, " still holds lock ");
		guest(&b, l->lock);
		kl_buf_puts(&b, ", taken by a module that is gone");
		say(arg, kl_buf_str(&b), "A lock of the module was still held after the end.");
	}
}

static void site_words(struct kl_buf *b, const struct kl_seen_site *s)
{
	kl_buf_printf(b, "%" PRIu64 " object%s of ", s->objects, s->objects == 1 ? "" : "s");
	guest(b, s->cache);
	kl_buf_puts(b, ", allocated at ");
	guest(b, s->site);
}

static void judge_slabs(const struct kl_inspection *i, say_fn say, void *arg)
{
	for (size_t k = 0; k < i->n_sites; k++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

		if (i->sites[k].place != KL_PLACE_GONE)
			continue;
		kl_buf_puts(&b, "in use though their module is gone: ");
		site_words(&b, &i->sites[k]);
		say(arg, kl_buf_str(&b),
		    "Memory of the module was still in use after it had been unloaded.");
	}
}

void kl_inspection_judge(const struct kl_inspection *i, say_fn say, void *arg)
{
	static void (*const judge[KL_PROBE_COUNT])(const struct kl_inspection *, say_fn, void *) = {
		[KL_PROBE_TASKS] = judge_tasks,
		[KL_PROBE_PENDING] = judge_pending,
		[KL_PROBE_HELD_LOCKS] = judge_locks,
		[KL_PROBE_SLABS] = judge_slabs,
	};

	for (int k = 0; k < KL_PROBE_COUNT; k++)
		if (i->asked[k] && i->answered[k])
			judge[k](i, say, arg);
}

bool kl_inspection_lacks(const struct kl_inspection *i)
{
	for (int k = 0; k < KL_PROBE_COUNT; k++)
		if (i->asked[k] && (!i->answered[k] || !i->complete[k]))
			return true;
	return false;
}

/* The agent and kernel threads that stand in no module are of no interest. */
static bool worth_showing(const struct kl_seen_task *t)
{
	return t->place != KL_PLACE_KERNEL || (t->user && t->pid != AGENT_PID);
}

static void show_task(struct kl_buf *b, const struct kl_seen_task *t)
{
	task_words(b, t->pid, t->comm);
	kl_buf_puts(b, ", state ");
	guest(b, t->state);
	kl_buf_puts(b, "\n");
	for (size_t k = 0; k < t->frames.n; k++) {
		kl_buf_puts(b, "    ");
		guest(b, t->frames.v[k]);
		kl_buf_puts(b, "\n");
	}
}

static void show_locks(struct kl_buf *b, const struct kl_inspection *i)
{
	for (size_t k = 0; k < i->n_locks; k++) {
		const struct kl_seen_lock *l = &i->locks[k];

		if (l->place == KL_PLACE_KERNEL)
			continue;
		task_words(b, l->pid, l->comm);
		kl_buf_puts(b, " holds ");
		guest(b, l->lock);
		kl_buf_puts(b, ", taken at ");
		guest(b, l->taken);
		kl_buf_puts(b, "\n");
	}
}

void kl_inspection_words(struct kl_buf *b, const struct kl_inspection *i)
{
	for (size_t k = 0; k < i->n_tasks; k++)
		if (worth_showing(&i->tasks[k]))
			show_task(b, &i->tasks[k]);
	show_locks(b, i);
	for (size_t k = 0; k < i->n_pending; k++) {
		kl_buf_puts(b, "pending ");
		guest(b, i->pending[k].kind);
		kl_buf_puts(b, ": ");
		guest(b, i->pending[k].function);
		kl_buf_puts(b, "\n");
	}
	for (size_t k = 0; k < i->n_sites; k++) {
		kl_buf_puts(b, "in use: ");
		site_words(b, &i->sites[k]);
		kl_buf_puts(b, "\n");
	}
	for (int k = 0; k < KL_PROBE_COUNT; k++)
		if (i->answered[k] && !i->complete[k])
			kl_buf_printf(b, "(%s was cut short: not all could be read)\n",
				      kl_probe_name((enum kl_probe)k));
	if (i->why) {
		kl_buf_puts(b, "(no answer: ");
		kl_buf_safe(b, i->why, strlen(i->why), 1024);
		kl_buf_puts(b, ")\n");
	}
}
