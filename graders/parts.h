/* What every kind of grader is made of. Private to graders/. */
#ifndef KLINIC_GRADERS_PARTS_H
#define KLINIC_GRADERS_PARTS_H

#include <klinic/evidence.h>
#include <klinic/exercise.h>
#include <klinic/result.h>

/* One check from its runs: graders/check.c. ret is empty before, and the caller's also on failure. */
int kl_grade_check(const struct kl_check *check, const struct kl_check_evidence *c, bool unbuilt,
		   struct kl_check_result *ret, struct kl_error *err);

/* What a result takes over from evidence and exercise unjudged: graders/carry.c. */
int kl_carry(const struct kl_exercise *e, const struct kl_evidence *ev, struct kl_result *res,
	     struct kl_error *err);

#endif
