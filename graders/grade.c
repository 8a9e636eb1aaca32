/* Which grader is whose: one file a kind of exercise. */
#include <klinic/grader.h>

int kl_grade(const struct kl_exercise *e, const struct kl_rubric *r, const struct kl_evidence *ev,
	     struct kl_result *ret, struct kl_error *err)
{
	if (!kl_str_eq(e->id, ev->exercise))
		return kl_fail(err, KL_CONTENT,
			       "the evidence is about exercise “%s”, not about “%s”",
			       ev->exercise ? ev->exercise : "", e->id ? e->id : "");
	switch (e->kind) {
	case KL_EXERCISE_FIX:
		return kl_grade_fix(e, r, ev, ret, err);
	case KL_EXERCISE_KIND_COUNT:
		break;
	}
	return kl_fail(err, KL_CONTENT, "exercise “%s” is of a kind that has no grader", e->id);
}
