/* What the host reads in a stopped guest's memory after a run: nothing of it is the guest's word. */
#include <string.h>

#include "guest/mailbox.h"
#include "vm/facts.h"

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
 * Could everything that might have convicted be heard to the end? A module can
 * flood the console past its cap, silence it, or run the leak detector out of
 * memory (mm/kmemleak.c, kmemleak_disable).
 */
static bool was_heard(const struct kl_template *t, const struct kl_job *job, struct kl_qemu *q,
		      const struct kl_run *run, kl_deadline deadline)
{
	uint32_t on = 0;

	if (run->console_truncated || !strstr(run->console, KL_MAIL_LAST_WORDS))
		return false;
	return !job->leaks ||
	       (t->kmemleak_enabled &&
		!kl_qemu_read_memory(q, t->kmemleak_enabled, &on, sizeof(on), deadline, NULL) &&
		on);
}

void kl_vm_read_facts(const struct kl_template *t, const struct kl_job *job, struct kl_qemu *q,
		      struct kl_run *run)
{
	kl_deadline deadline = kl_deadline_ms(20000);
	uint32_t locks = 1;
	uint64_t taint = 0;

	if (run->end == KL_END_LOST || run->end == KL_END_WALL_NET || !t->tainted_mask)
		return;
	if (t->debug_locks &&
	    kl_qemu_read_memory(q, t->debug_locks, &locks, sizeof(locks), deadline, NULL))
		return;
	if (kl_qemu_read_memory(q, t->tainted_mask, &taint, sizeof(taint), deadline, NULL))
		return;
	/* After a hang the schedule driver's own probes are still in the text: only an answer is looked at. */
	if (run->end == KL_END_ANSWERED && compare_text(t, q, run, deadline))
		return;
	run->debug_locks = locks != 0;
	run->tainted = taint;
	run->memory_read = run->end != KL_END_ANSWERED || was_heard(t, job, q, run, deadline);
}
