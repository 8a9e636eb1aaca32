/*
 * Promise 6: what a candidate is shown holds nothing hidden. The recordings mark
 * all that is hidden: ids and labels with "zq", seeds and expected values with
 * numbers that occur nowhere else; the hidden checks' logs and traces name
 * places that the visible check does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/report.h>

#include "graded.h"

static const char *const secrets[] = {
	"zq",	"77000", "88000", "99000",  "9f3c11d2aa0417e5", "1122334455667788",
	"4000", "512",	 "slot ", "hidden",
};

/* Marks what the grader keeps of hidden checks, beyond what the recordings have marked. */
static void mark_hidden(struct kl_result *r)
{
	for (size_t i = 0; i < r->n_checks; i++) {
		struct kl_check_result *c = &r->checks[i];

		if (!c->hidden)
			continue;
		free(c->console);
		c->console = strdup("zq console");
		free(c->memory);
		c->memory = strdup("zq memory");
		for (size_t k = 0; k < c->findings.n; k++) {
			struct kl_finding *f = &c->findings.v[k];

			free(f->title);
			free(f->function);
			free(f->file);
			f->title = strdup("zq title");
			f->function = strdup("zq_function");
			f->file = strdup("zq_file.c");
			assert_int_equal(kl_strv_add(&f->trace, "zq_trace+0x1/0x2"), 0);
		}
	}
}

static void assert_silent(const char *name, const char *format, const struct kl_buf *b)
{
	for (size_t i = 0; i < KL_ARRAY_SIZE(secrets); i++) {
		const char *hit = strstr(kl_buf_str(b), secrets[i]);

		/* Digests and the style sheet are ours. */
		if (hit)
			fail_msg("%s as %s for candidates says “%.60s”", name, format, hit);
	}
}

static void blank_digests(struct kl_result *r)
{
	/* It covers hidden/, and it keys the challenges: as secret as what it is made of. */
	memcpy(r->exercise_digest, "zq-digest", sizeof("zq-digest"));
	r->submission_digest[0] = '\0';
	r->template_ram[0] = '\0';
}

/* After the style sheet, which says "overflow:hidden". */
static void skip_style(struct kl_buf *b)
{
	const char *end = strstr(kl_buf_str(b), "</style>");
	size_t head;

	assert_non_null(end);
	head = (size_t)(end - kl_buf_str(b));
	memset(b->data, ' ', head);
	for (char *s = b->data; (s = strstr(s, "aria-hidden"));)
		memset(s, ' ', strlen("aria-hidden"));
}

static void test_a_candidates_report_names_nothing_hidden(void **state)
{
	(void)state;
	for (size_t i = 0; graded_names[i]; i++) {
		KL_AUTO(graded_deinit) struct graded g;
		const struct kl_text_style style = { .unicode = true, .width = 200 };
		KL_AUTO(kl_buf_deinit) struct kl_buf t = KL_BUF_INIT;
		KL_AUTO(kl_buf_deinit) struct kl_buf h = KL_BUF_INIT;
		KL_AUTO(kl_buf_deinit) struct kl_buf x = KL_BUF_INIT;
		struct kl_error err = KL_ERROR_INIT;

		/* Says zq itself: a visible check's words are the candidate's to see. */
		if (!strcmp(graded_names[i], "hostile"))
			continue;
		graded_load(&g, graded_names[i]);
		mark_hidden(&g.res);
		blank_digests(&g.res);
		assert_int_equal(kl_report_text(&g.res, KL_AUDIENCE_CANDIDATE, &style, &t, &err),
				 0);
		assert_int_equal(kl_report_html(&g.res, KL_AUDIENCE_CANDIDATE, &h, &err), 0);
		assert_int_equal(kl_report_junit(&g.res, KL_AUDIENCE_CANDIDATE, &x, &err), 0);
		skip_style(&h);
		assert_silent(graded_names[i], "text", &t);
		assert_silent(graded_names[i], "HTML", &h);
		assert_silent(graded_names[i], "JUnit", &x);
	}
}

static void test_the_panel_sees_what_the_candidate_does_not(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	graded_load(&g, "decoy");
	assert_int_equal(kl_report_html(&g.res, KL_AUDIENCE_PANEL, &b, &err), 0);
	assert_non_null(strstr(kl_buf_str(&b), "zq-storm"));
	assert_non_null(strstr(kl_buf_str(&b), "770003"));
	assert_non_null(strstr(kl_buf_str(&b), "Freed by task 64"));
}

static void test_the_candidate_still_learns_what_kind_of_thing_happened(void **state)
{
	KL_AUTO(graded_deinit) struct graded g;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	const struct kl_text_style style = { .unicode = true, .width = 160 };
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	graded_load(&g, "decoy");
	assert_int_equal(kl_report_text(&g.res, KL_AUDIENCE_CANDIDATE, &style, &b, &err), 0);
	assert_non_null(strstr(kl_buf_str(&b), "Readers never meet freed memory"));
	assert_non_null(strstr(kl_buf_str(&b), "The kernel reported a use-after-free."));
	assert_non_null(strstr(kl_buf_str(&b), "The kernel reported leaked memory."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_candidates_report_names_nothing_hidden),
		cmocka_unit_test(test_the_panel_sees_what_the_candidate_does_not),
		cmocka_unit_test(test_the_candidate_still_learns_what_kind_of_thing_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
