/*
 * One run judged. Text can convict, never acquit (docs/architecture.md, promise
 * 1): a pass needs a run that ended by itself, right answers, and memory read
 * from outside that shows the detectors still listening.
 *
 * Two texts come out. The detail is for the panel and names seed, slot and
 * values. The remark is for the candidate: of a hidden check it says only what
 * class of thing happened, in fixed words, because anything the check or the
 * guest words could carry what is hidden.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/grader.h>

#include "draft.h"
#include "inspect.h"
#include "words.h"

static void judge_findings(struct draft *d)
{
	const struct kl_findings *fs = &d->run->findings;

	for (size_t i = 0; i < fs->n; i++) {
		const struct kl_finding *f = &fs->v[i];

		if (tolerated(d, f->kind) || !reason(d))
			continue;
		kl_finding_words(&d->detail, f);
		if (f->time_us)
			kl_buf_printf(&d->detail, " at %" PRIu64 ".%06" PRIu64 " s",
				      f->time_us / 1000000, f->time_us % 1000000);
		if (d->reasons > 1)
			continue;
		kl_buf_puts(&d->remark, "The kernel reported ");
		if (d->check->hidden)
			kl_buf_puts(&d->remark, kl_finding_class(f));
		else
			kl_finding_words(&d->remark, f);
		kl_buf_puts(&d->remark, ".");
	}
}

static void judge_end(struct draft *d)
{
	const char *what = NULL, *said = NULL;

	switch (d->run->end) {
	case KL_END_PANIC:
		what = "the kernel panicked";
		said = "The kernel panicked.";
		break;
	case KL_END_RESET:
		what = "the machine went down before the check had ended";
		said = "The machine went down before the check had ended.";
		break;
	case KL_END_GUEST_TIME:
		what = "the limit of guest time was reached: it hung, or is far too slow";
		said = "It hung, or took far too long.";
		break;
	case KL_END_ANSWERED:
	case KL_END_WALL_NET:
	case KL_END_LOST:
	case KL_END_COUNT:
		return;
	}
	if (reason(d))
		kl_buf_puts(&d->detail, what);
	remark(d, said);
}

/* What lies beyond the cap is not known, and reports may: a flood is no way to a pass. */
static void judge_console(struct draft *d)
{
	if (!d->run->console_truncated)
		return;
	if (reason(d))
		kl_buf_puts(&d->detail,
			    "the kernel log was flooded beyond what is kept, so a report "
			    "may have been lost in it");
	remark(d, "The kernel log was flooded.");
}

static void judge_load(struct draft *d)
{
	if (!d->run->load_status || !reason(d))
		return;
	kl_buf_puts(&d->detail, "the module could not be loaded: ");
	kl_errno_words(&d->detail, d->run->load_status);
	if (d->reasons > 1)
		return;
	kl_buf_puts(&d->remark, "The module could not be loaded (");
	kl_errno_words(&d->remark, d->run->load_status);
	kl_buf_puts(&d->remark, ").");
}

static void judge_program(struct draft *d)
{
	const struct kl_run *r = d->run;

	if ((r->program == KL_PROGRAM_EXITED && !r->program_status) ||
	    (r->program == KL_PROGRAM_NONE && r->load_status))
		return;
	if (!reason(d))
		return;
	switch (r->program) {
	case KL_PROGRAM_EXITED:
		kl_buf_printf(&d->detail, "the check's program gave up with status %d",
			      r->program_status);
		if (r->said && *r->said) {
			kl_buf_puts(&d->detail, ", saying “");
			kl_buf_safe(&d->detail, r->said, strlen(r->said), 1024);
			kl_buf_puts(&d->detail, "”");
		}
		remark(d, "The check could not go on: a call failed that has to work.");
		break;
	case KL_PROGRAM_SIGNALLED:
		kl_buf_printf(&d->detail, "the check's program was killed by SIG%s",
			      sigabbrev_np(r->program_status) ? sigabbrev_np(r->program_status)
							      : "?");
		remark(d, "The program that used the module was killed.");
		break;
	case KL_PROGRAM_TIMED_OUT:
		kl_buf_puts(&d->detail, "the check's program did not end in its time: it hung");
		remark(d, "It hung.");
		break;
	case KL_PROGRAM_NONE:
	case KL_PROGRAM_COUNT:
		kl_buf_puts(&d->detail, "the check's program was never started");
		remark(d, "The check could not be started in the guest.");
		break;
	}
}

/* Counts are read in decimal, hashes in hex. */
static void number(struct kl_buf *b, uint64_t n)
{
	if (n < 1000000000)
		kl_buf_printf(b, "%" PRIu64, n);
	else
		kl_buf_printf(b, "%#" PRIx64, n);
}

static void judge_answer(struct draft *d, const struct kl_answer *a)
{
	if ((a->given && a->value >= a->min && a->value <= a->max) || !reason(d))
		return;
	kl_buf_printf(&d->detail, "slot %u", a->slot);
	if (a->label) {
		kl_buf_puts(&d->detail, " (");
		kl_buf_safe(&d->detail, a->label, strlen(a->label), 200);
		kl_buf_puts(&d->detail, ")");
	}
	kl_buf_puts(&d->detail, ": expected ");
	number(&d->detail, a->min);
	if (a->min != a->max) {
		kl_buf_puts(&d->detail, " to ");
		number(&d->detail, a->max);
	}
	kl_buf_puts(&d->detail, a->given ? ", given " : ", no answer");
	if (a->given)
		number(&d->detail, a->value);
	remark(d, a->given ? "Wrong result: the module did not do what it has to do."
			   : "The check ended without the result that it has to give.");
}

static void judge_unload(struct draft *d)
{
	if (d->run->unload_status == 0 || d->run->unload_status == 1 || !reason(d))
		return;
	kl_buf_puts(&d->detail, "the module could not be unloaded: ");
	kl_errno_words(&d->detail, d->run->unload_status);
	remark(d, "The module could not be unloaded: something still holds it.");
}

static void say(void *arg, const char *detail, const char *said)
{
	struct draft *d = arg;

	if (reason(d))
		kl_buf_puts(&d->detail, detail);
	remark(d, said);
}

static void judge_mailbox(struct draft *d)
{
	if (!d->run->forged || !reason(d))
		return;
	kl_buf_puts(&d->detail, "the mailbox was tampered with: its orders are not those that were "
				"given, or its answers none that the agent gives");
	remark(d, "Somebody interfered with the check itself.");
}

/* A detector that did not report a fault made for it would not have reported the submission's either. */
static bool detectors_spoke(const struct draft *d, struct kl_buf *ret_silent)
{
	const struct kl_run *r = d->run;

	if (!r->canary) {
		kl_buf_puts(ret_silent, "no canary was let loose, so nothing shows that the "
					"detectors were still listening");
		return false;
	}
	for (unsigned int k = 0; k < KL_KIND_COUNT; k++) {
		if (!r->canary_due[k] || r->canary_heard[k] || tolerated(d, (enum kl_kind)k) ||
		    (k == KL_KIND_LOCKDEP && explained(d, LOCKDEP_OFF_KINDS)))
			continue;
		kl_buf_printf(ret_silent, "%s%s",
			      ret_silent->len ? ", "
					      : "detector disarmed: after the run a fault "
						"made on purpose was not reported by ",
			      kl_kind_name((enum kl_kind)k));
	}
	return !ret_silent->len;
}

static int finish(struct draft *d, enum kl_verdict verdict, struct kl_run_judgement *ret,
		  struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf whole = KL_BUF_INIT;
	KL_AUTO_FREE char *detail = NULL, *said = NULL;

	kl_buf_printf(&whole, "Seed %" PRIu64 ": ", d->run->seed);
	kl_buf_puts(&whole, kl_buf_str(&d->detail));
	if (d->reasons > MAX_REASONS)
		kl_buf_printf(&whole, "; and %u more", d->reasons - MAX_REASONS);
	kl_buf_puts(&whole, ".");
	if (d->run->guest_ns) {
		kl_buf_puts(&whole, " Guest time at the end ");
		kl_guest_time_words(&whole, d->run->guest_ns);
		kl_buf_puts(&whole, ".");
	}
	if (d->detail.failed || d->remark.failed || whole.failed)
		return kl_fail(err, KL_INFRA, "no memory to judge a run");
	detail = kl_buf_steal(&whole);
	said = kl_buf_steal(&d->remark);
	if (!detail || !said)
		return kl_fail(err, KL_INFRA, "no memory to judge a run");
	*ret = (struct kl_run_judgement){
		.verdict = verdict,
		.detail = kl_take(detail),
		.remark = kl_take(said),
	};
	return 0;
}

static int no_verdict(struct draft *d, enum kl_verdict verdict, const char *why,
		      const char *candidate, struct kl_run_judgement *ret, struct kl_error *err)
{
	kl_buf_clear(&d->detail);
	kl_buf_clear(&d->remark);
	kl_buf_puts(&d->detail, why);
	kl_buf_puts(&d->remark, candidate);
	return finish(d, verdict, ret, err);
}

int kl_judge_run(const struct kl_check_evidence *c, const struct kl_run *run,
		 struct kl_run_judgement *ret, struct kl_error *err)
{
	KL_AUTO(draft_deinit) struct draft d = { .check = c, .run = run };
	KL_AUTO(kl_buf_deinit) struct kl_buf silent = KL_BUF_INIT;

	if (run->end == KL_END_WALL_NET)
		return no_verdict(&d, KL_VERDICT_INFRA,
				  "the machine was too slow for the wall-clock net; nothing is "
				  "said about the submission",
				  "The machine that graded was too slow; grade again.", ret, err);
	if ((size_t)run->end >= KL_END_LOST)
		return no_verdict(&d, KL_VERDICT_INFRA,
				  "the virtual machine was lost; nothing is said about the "
				  "submission",
				  "The virtual machine was lost; grade again.", ret, err);
	judge_findings(&d);
	judge_end(&d);
	judge_console(&d);
	if (run->end == KL_END_ANSWERED) {
		judge_load(&d);
		judge_program(&d);
		for (size_t i = 0; i < run->n_answers && run->program == KL_PROGRAM_EXITED; i++)
			judge_answer(&d, &run->answers[i]);
		judge_unload(&d);
		judge_mailbox(&d);
		kl_judge_memory(&d);
		kl_inspection_judge(&run->inspection, say, &d);
	}
	if (d.reasons)
		return finish(&d, KL_VERDICT_FAIL, ret, err);
	if (!run->memory_read)
		return no_verdict(&d, KL_VERDICT_INCONCLUSIVE,
				  "the guest's memory could not be read, so nothing shows that the "
				  "detectors were still listening",
				  "The guest's memory could not be read; grade again.", ret, err);
	if (run->log_cut)
		return no_verdict(&d, KL_VERDICT_INCONCLUSIVE,
				  "the kernel's log is not whole, so nothing shows that no report "
				  "was in it",
				  "The kernel's log was not whole; grade again.", ret, err);
	if (run->leaks_unheard)
		return no_verdict(&d, KL_VERDICT_INCONCLUSIVE,
				  "the leak detector gave up before the end, so nothing shows that "
				  "no memory was lost",
				  "The leak detector gave up before the end; grade again.", ret,
				  err);
	/* Code under test that calls nothing of the kernel is none: somebody made the driver deaf. */
	if (run->scheduled && !run->points_hit)
		return no_verdict(&d, KL_VERDICT_INCONCLUSIVE,
				  "the schedule driver met no call of the module, so nothing shows "
				  "that this run had another schedule than any",
				  "The run could not be put under its schedule.", ret, err);
	if (kl_inspection_lacks(&run->inspection))
		return no_verdict(&d, KL_VERDICT_INCONCLUSIVE,
				  "the guest's memory did not answer all that the check asks of it",
				  "The guest's memory could not be read; grade again.", ret, err);
	if (!detectors_spoke(&d, &silent))
		return no_verdict(&d, KL_VERDICT_INCONCLUSIVE, kl_buf_str(&silent),
				  "After the run not every detector of the kernel was still "
				  "listening, so nothing shows that there was no fault.",
				  ret, err);
	*ret = (struct kl_run_judgement){ .verdict = KL_VERDICT_PASS };
	return 0;
}

bool kl_run_fails(const struct kl_check_evidence *c, const struct kl_run *run)
{
	KL_AUTO(kl_run_judgement_deinit) struct kl_run_judgement j = { 0 };

	/* Without memory the run is not called a failure: the grader will say what is wrong. */
	return !kl_judge_run(c, run, &j, NULL) && j.verdict == KL_VERDICT_FAIL;
}

void kl_run_judgement_deinit(struct kl_run_judgement *j)
{
	free(j->detail);
	free(j->remark);
	*j = (struct kl_run_judgement){ 0 };
}
