/* The four verdicts (docs/architecture.md, promise 2). */
#ifndef KLINIC_VERDICT_H
#define KLINIC_VERDICT_H

#include <klinic/enum.h>

enum kl_verdict {
	KL_VERDICT_PASS,
	KL_VERDICT_FAIL,
	KL_VERDICT_INCONCLUSIVE, /* the machinery worked, and still nothing can be said */
	KL_VERDICT_INFRA, /* the machine failed us */
	KL_VERDICT_COUNT,
};
KL_ENUM_DECLARE(kl_verdict, enum kl_verdict);

/* The command's exit status: 0, 1, 5, 4. */
int kl_verdict_exit_status(enum kl_verdict v);

enum kl_mode {
	KL_MODE_EXACT, /* one CPU, counted instructions: a run is a function of its seed */
	KL_MODE_PARALLEL, /* two CPUs, counted runs */
	KL_MODE_COUNT,
};
KL_ENUM_DECLARE(kl_mode, enum kl_mode);

/*
 * How klinic judges, as a number. Raise it when the same run would leave other
 * evidence or the same evidence get another verdict: vm, splat, policy, session,
 * graders. Certificates and controls of another number do not count. It stands
 * here in place of klinic's own version, because with that every commit, a word in
 * a help text included, would take the certificates away, and nobody who works on
 * klinic would ever see one.
 */
#define KL_JUDGING "3"

#endif
