/* Recorded evidence for the tests of graders and reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "graded.h"

const char *const graded_names[] = { "reference",   "broken",	    "decoy",   "hang",	  "panic",
				     "infra",	    "wrong-answer", "unread",  "refused", "hostile",
				     "unbuildable", "policy",	    "flagged", NULL };

void graded_open(struct graded *g)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_INIT;
	struct kl_error err = KL_ERROR_INIT;

	*g = (struct graded){ 0 };
	if (kl_file_read("tests/golden/graders/exercise.yaml", 1 << 20, &text, &err) ||
	    kl_exercise_parse("exercise.yaml", kl_buf_str(&text), text.len, &g->e, &err) ||
	    kl_rubric_load("rubrics/senior-kernel-engineer.yaml", &g->r, &err))
		fail_msg("%s:%u: %s", err.path, err.line, err.message);
}

void graded_grade(struct graded *g)
{
	struct kl_error err = KL_ERROR_INIT;

	kl_result_deinit(&g->res);
	if (kl_grade(&g->e, &g->r, &g->ev, &g->res, &err))
		fail_msg("%s", err.message);
	g->res.klinic = strdup("0.1");
	assert_non_null(g->res.klinic);
}

void graded_load(struct graded *g, const char *name)
{
	KL_AUTO_FREE char *path = kl_asprintf("tests/golden/graders/%s.json", name);
	KL_AUTO_JSON json_t *j = NULL;
	struct kl_error err = KL_ERROR_INIT;

	graded_open(g);
	assert_non_null(path);
	if (kl_json_load(path, 16UL << 20, &j, &err) || kl_evidence_from_json(j, &g->ev, &err))
		fail_msg("%s: %s", path, err.message);
	graded_grade(g);
}

void graded_deinit(struct graded *g)
{
	kl_result_deinit(&g->res);
	kl_evidence_deinit(&g->ev);
	kl_rubric_deinit(&g->r);
	kl_exercise_deinit(&g->e);
}

const struct kl_check_result *graded_check(const struct graded *g, const char *id)
{
	for (size_t i = 0; i < g->res.n_checks; i++)
		if (kl_str_eq(g->res.checks[i].id, id))
			return &g->res.checks[i];
	fail_msg("the result has no check %s", id);
	return NULL;
}
