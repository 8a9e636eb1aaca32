/*
 * session: plan the runs of a submission (checks × flavours × seeds), build,
 * fork, collect the evidence. Never more guests than cores.
 */
#ifndef KLINIC_SESSION_H
#define KLINIC_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <klinic/evidence.h>
#include <klinic/exercise.h>
#include <klinic/kbuild.h>
#include <klinic/submission.h>

struct kl_session_options {
	bool hidden; /* hidden checks (grade, certify) */
	bool visible; /* visible checks (check; grade runs both) */
	bool all_seeds; /* go on after a failure: certify */
	bool control; /* checks that did not fail: must known-bad code fail them? (grade) */
	bool build_kernel; /* build a missing kernel; else KL_INFRA */
	bool rebuild_template;
	/*
	 * Runs without what the host reads of a guest and without canaries, to measure what
	 * these cost. What is not heard and not read is no pass: such a session never passes.
	 */
	bool bare;
	bool has_seed; /* only this seed, for every check */
	uint64_t seed;
	unsigned int seeds; /* override the number of seeds; 0: the exercise's */
	unsigned int
		skip_seeds; /* begin so many after the exercise's first: more samples, for certify */
	const char *only_check; /* one check's id, or NULL */
	unsigned int jobs; /* guests side by side; 0: cores */
	kl_progress_fn progress;
	void (*on_console)(const char *data, size_t len, void *arg); /* run: live */
	void *arg;
};

/*
 * Everything between intake and grader. The evidence is independent of the
 * number of jobs and of the order in which runs end: after a failing run of a
 * check, later seeds of that check are dropped even if they were already run.
 */
int kl_session_run(const struct kl_exercise *e, const struct kl_submission *s,
		   const struct kl_session_options *o, struct kl_evidence *ret,
		   struct kl_error *err);

/* Does this run fail its check? From graders, injected by cli, for stopping early. NULL: run all. */
typedef bool (*kl_run_failed_fn)(const struct kl_check_evidence *c, const struct kl_run *r);
void kl_session_set_failed_fn(kl_run_failed_fn fn);

#endif
