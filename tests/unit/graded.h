/* Recorded evidence of tests/golden/graders/, graded. */
#ifndef KLINIC_TESTS_GRADED_H
#define KLINIC_TESTS_GRADED_H

#include <klinic/grader.h>

struct graded {
	struct kl_exercise e;
	struct kl_rubric r;
	struct kl_evidence ev;
	struct kl_result res;
};

/* The recordings, NULL-ended: "reference", "broken", … */
extern const char *const graded_names[];

/* The exercise and the rubric; any failure fails the running test. */
void graded_open(struct graded *g);
/* The same, and tests/golden/graders/NAME.json read and graded. */
void graded_load(struct graded *g, const char *name);
/* Grades g->ev (again). */
void graded_grade(struct graded *g);
void graded_deinit(struct graded *g);
/* The result's check of this id; fails the test when there is none. */
const struct kl_check_result *graded_check(const struct graded *g, const char *id);

#endif
