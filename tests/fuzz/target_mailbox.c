/*
 * Fuzz: what the host reads from a mailbox. Whatever the bytes are, the facts
 * stay within their types, and go through evidence and back unchanged.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "fuzz.h"
#include "vm/answers.h"

static struct kl_evidence wrap(struct kl_run *run)
{
	static char id[] = "check", name[] = "desk";
	static struct kl_check_evidence check;

	check = (struct kl_check_evidence){ .check = id, .runs = run, .n_runs = 1, .planned = 1 };
	return (struct kl_evidence){ .exercise = name, .checks = &check, .n_checks = 1 };
}

/* Recorded, read back, recorded again. */
static void check_evidence(struct kl_run *run)
{
	struct kl_evidence e = wrap(run);
	KL_AUTO(kl_evidence_deinit) struct kl_evidence again = { 0 };
	KL_AUTO_JSON json_t *j = kl_evidence_json(&e), *k = NULL;
	KL_AUTO_FREE char *one = fuzz_dump(j), *two = NULL;
	struct kl_error err = KL_ERROR_INIT;

	FUZZ_MUST(!kl_evidence_from_json(j, &again, &err));
	k = kl_evidence_json(&again);
	two = fuzz_dump(k);
	FUZZ_MUST(!strcmp(one, two));
}

static void take(const struct kl_mail_answers *a, enum kl_end end)
{
	KL_AUTO(kl_run_deinit) struct kl_run run = { .end = end };
	struct kl_error err = KL_ERROR_INIT;
	struct kl_slots slots = { 0 };

	FUZZ_MUST(!kl_vm_take_answers(a, &run, &slots, &err));
	FUZZ_MUST(run.end == end || (end == KL_END_ANSWERED && run.end == KL_END_RESET));
	FUZZ_MUST(run.program >= 0 && run.program < KL_PROGRAM_COUNT);
	if (run.end != KL_END_ANSWERED)
		FUZZ_MUST(!slots.given && !run.said && run.unload_status == 1 &&
			  run.program == KL_PROGRAM_NONE && !run.guest_ns);
	else
		FUZZ_MUST(run.said && strlen(run.said) <= 4 * KL_MAIL_SAID);
	for (const char *p = run.said ? run.said : ""; *p; p++)
		FUZZ_MUST((unsigned char)*p >= ' ' || *p == '\n' || *p == '\t');
	check_evidence(&run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* On the heap and no longer than it is: what is read behind it is noticed. */
	KL_AUTO_FREE struct kl_mail_answers *a = calloc(1, sizeof(*a));

	FUZZ_MUST(a);
	if (size)
		memcpy(a, data, size < sizeof(*a) ? size : sizeof(*a));
	for (int end = 0; end < KL_END_COUNT; end++)
		take(a, (enum kl_end)end);
	return 0;
}
