/* Graders: evidence in, result out. A kind of exercise is one file in graders/. */
#ifndef KLINIC_GRADER_H
#define KLINIC_GRADER_H

#include <stdbool.h>

#include <klinic/evidence.h>
#include <klinic/exercise.h>
#include <klinic/result.h>
#include <klinic/rubric.h>

/*
 * Fills ret from the evidence. The exercise gives points, dimensions and
 * titles; nothing is run. ret->klinic is left to the caller.
 */
int kl_grade(const struct kl_exercise *e, const struct kl_rubric *r, const struct kl_evidence *ev,
	     struct kl_result *ret, struct kl_error *err);

/* graders/fix.c */
int kl_grade_fix(const struct kl_exercise *e, const struct kl_rubric *r,
		 const struct kl_evidence *ev, struct kl_result *ret, struct kl_error *err);

/* Is this run a failure of its check, and why (for the panel and for the candidate)? graders/run.c */
struct kl_run_judgement {
	enum kl_verdict verdict;
	char *detail; /* for the panel */
	char *remark; /* for the candidate */
};
int kl_judge_run(const struct kl_check_evidence *c, const struct kl_run *run,
		 struct kl_run_judgement *ret, struct kl_error *err);
void kl_run_judgement_deinit(struct kl_run_judgement *j);
/* The same as a yes or no: what session asks in order to stop a check early. */
bool kl_run_fails(const struct kl_check_evidence *c, const struct kl_run *run);

/*
 * The rubric engine (graders/rubric.c): a dimension's score is 4 × earned ÷
 * possible points of the checks that bear on it; with none it is not assessed.
 */
int kl_rubric_score(const struct kl_exercise *e, const struct kl_rubric *r, struct kl_result *res,
		    struct kl_error *err);

#endif
