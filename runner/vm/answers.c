/* From the mailbox's bytes to the facts of a run: a pure function, so that it can be fuzzed. */
#include <string.h>

#include <klinic/cleanup.h>

#include "vm/answers.h"

static char *copy_said(const char *said)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	kl_buf_safe(&b, said, strnlen(said, KL_MAIL_SAID), KL_MAIL_SAID);
	return kl_buf_steal(&b);
}

int kl_vm_take_answers(const struct kl_mail_answers *a, struct kl_run *run, struct kl_slots *slots,
		       struct kl_error *err)
{
	/* Stopped by pvpanic, but not by the agent's last word. */
	if (run->end == KL_END_ANSWERED && a->state != KL_MAIL_DONE)
		run->end = KL_END_RESET;
	run->unload_status = 1;
	if (run->end != KL_END_ANSWERED)
		return 0;
	run->said = copy_said(a->said);
	if (!run->said)
		return kl_fail(err, KL_INFRA, "out of memory");
	run->guest_ns = a->guest_ns;
	run->load_status = a->load_status;
	run->unload_status = a->unload_status;
	run->program = a->program_end < KL_PROGRAM_COUNT ? (enum kl_program_end)a->program_end
							 : KL_PROGRAM_NONE;
	run->program_status = a->program_status;
	run->points_hit = a->points_hit;
	run->preempted = a->preempted;
	slots->given = a->given;
	memcpy(slots->value, a->value, sizeof(slots->value));
	return 0;
}
