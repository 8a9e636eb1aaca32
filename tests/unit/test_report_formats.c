/* report/: each format against golden files, and what holds for every input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/report.h>

#include "golden.h"
#include "graded.h"

static const struct kl_text_style plain = { .unicode = true, .width = 80 };

static void text(const struct graded *g, enum kl_audience a, const struct kl_text_style *s,
		 struct kl_buf *ret)
{
	struct kl_error err = KL_ERROR_INIT;

	if (kl_report_text(&g->res, a, s, ret, &err))
		fail_msg("%s", err.message);
}

static void html(const struct graded *g, enum kl_audience a, struct kl_buf *ret)
{
	struct kl_error err = KL_ERROR_INIT;

	if (kl_report_html(&g->res, a, ret, &err))
		fail_msg("%s", err.message);
}

static void junit(const struct graded *g, enum kl_audience a, struct kl_buf *ret)
{
	struct kl_error err = KL_ERROR_INIT;

	if (kl_report_junit(&g->res, a, ret, &err))
		fail_msg("%s", err.message);
}

static void hold(const char *name, const char *end, const struct kl_buf *b)
{
	KL_AUTO_FREE char *path = kl_asprintf("report/%s.%s", name, end);

	assert_non_null(path);
	golden_hold(path, kl_buf_str(b), b->len);
}

static void test_each_result_is_reported_as_it_was(void **state)
{
	static const char *const who[] = {
		[KL_AUDIENCE_PANEL] = "panel", [KL_AUDIENCE_CANDIDATE] = "candidate"
	};

	(void)state;
	for (size_t i = 0; graded_names[i]; i++) {
		KL_AUTO(graded_deinit) struct graded g;

		graded_load(&g, graded_names[i]);
		for (int a = 0; a < 2; a++) {
			KL_AUTO(kl_buf_deinit) struct kl_buf t = KL_BUF_INIT;
			KL_AUTO(kl_buf_deinit) struct kl_buf h = KL_BUF_INIT;
			KL_AUTO(kl_buf_deinit) struct kl_buf x = KL_BUF_INIT;
			KL_AUTO_FREE char *name = kl_asprintf("%s.%s", graded_names[i], who[a]);

			text(&g, (enum kl_audience)a, &plain, &t);
			html(&g, (enum kl_audience)a, &h);
			junit(&g, (enum kl_audience)a, &x);
			hold(name, "txt", &t);
			hold(name, "html", &h);
			hold(name, "xml", &x);
		}
	}
}

static void test_the_verdict_is_the_first_word_on_a_terminal(void **state)
{
	static const struct {
		const char *name, *word;
	} cases[] = { { "reference", "PASS  " },
		      { "broken", "FAIL  " },
		      { "infra", "INFRA  " },
		      { "unread", "INCONCLUSIVE  " } };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(cases); i++) {
		KL_AUTO(graded_deinit) struct graded g;
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

		graded_load(&g, cases[i].name);
		text(&g, KL_AUDIENCE_PANEL, &plain, &b);
		assert_true(kl_str_starts(kl_buf_str(&b), cases[i].word));
	}
}

static void assert_lines_within(const char *s, size_t width)
{
	while (*s) {
		size_t len = strcspn(s, "\n"), cols = 0;

		for (size_t i = 0; i < len; i++)
			cols += (s[i] & 0xc0) != 0x80;
		if (cols > width)
			fail_msg("%zu columns: %.*s", cols, (int)len, s);
		s += len + (s[len] == '\n');
	}
}

static void test_no_line_is_wider_than_the_terminal(void **state)
{
	static const unsigned int widths[] = { 40, 66, 80, 132 };

	(void)state;
	for (size_t i = 0; graded_names[i]; i++) {
		KL_AUTO(graded_deinit) struct graded g;

		graded_load(&g, graded_names[i]);
		for (size_t k = 0; k < KL_ARRAY_SIZE(widths); k++) {
			const struct kl_text_style s = { .unicode = true, .width = widths[k] };
			KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

			text(&g, KL_AUDIENCE_PANEL, &s, &b);
			/* The scorecard's columns need 59; on less the terminal wraps them. */
			assert_lines_within(kl_buf_str(&b), widths[k] < 60 ? 60 : widths[k]);
		}
	}
}

static void test_terminal_text_holds_no_escape_but_our_own_colour(void **state)
{
	const struct kl_text_style color = { .color = true, .unicode = true, .width = 80 };

	(void)state;
	for (size_t i = 0; graded_names[i]; i++) {
		KL_AUTO(graded_deinit) struct graded g;
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT, c = KL_BUF_INIT;

		graded_load(&g, graded_names[i]);
		text(&g, KL_AUDIENCE_PANEL, &plain, &b);
		for (const char *s = kl_buf_str(&b); *s; s++)
			assert_true((unsigned char)*s >= 0x20 || *s == '\n');
		text(&g, KL_AUDIENCE_PANEL, &color, &c);
		for (const char *s = strchr(kl_buf_str(&c), '\033'); s; s = strchr(s + 1, '\033'))
			assert_true(s[1] == '[' && s[2 + strspn(s + 2, "0123456789;")] == 'm');
		assert_non_null(strchr(kl_buf_str(&c), '\033'));
	}
}

static void test_a_terminal_without_unicode_gets_ascii_only(void **state)
{
	const struct kl_text_style ascii = { .width = 80 };

	(void)state;
	for (size_t i = 0; graded_names[i]; i++) {
		KL_AUTO(graded_deinit) struct graded g;
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

		graded_load(&g, graded_names[i]);
		text(&g, KL_AUDIENCE_PANEL, &ascii, &b);
		for (const char *s = kl_buf_str(&b); *s; s++)
			assert_false(*s & 0x80);
	}
}

static void test_hostile_text_becomes_no_element_of_the_page(void **state)
{
	static const char *const never[] = { "<script", "<img",		"<i>",
					     "<b>fn",	"<b>bold",	"\033",
					     "\a",	"\xe2\x80\xae", "\xef\xbf\xbe" };
	KL_AUTO(graded_deinit) struct graded g;
	KL_AUTO(kl_buf_deinit) struct kl_buf h = KL_BUF_INIT, x = KL_BUF_INIT;

	(void)state;
	graded_load(&g, "hostile");
	html(&g, KL_AUDIENCE_PANEL, &h);
	junit(&g, KL_AUDIENCE_PANEL, &x);
	for (size_t i = 0; i < KL_ARRAY_SIZE(never); i++) {
		assert_null(strstr(kl_buf_str(&h), never[i]));
		assert_null(strstr(kl_buf_str(&x), never[i]));
	}
	assert_non_null(strstr(kl_buf_str(&h), "&lt;script&gt;alert(2)&lt;/script&gt;"));
}

static void test_the_page_needs_nothing_from_outside_and_runs_nothing(void **state)
{
	static const char *const never[] = { " src=",	" href=",      "url(",
					     "@import", "<script",     "<iframe",
					     "<form",	"javascript:", " style=" };

	(void)state;
	for (size_t i = 0; graded_names[i]; i++) {
		KL_AUTO(graded_deinit) struct graded g;
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

		if (!strcmp(graded_names[i], "hostile")) /* quotes some of these, escaped */
			continue;
		graded_load(&g, graded_names[i]);
		html(&g, KL_AUDIENCE_PANEL, &b);
		for (size_t k = 0; k < KL_ARRAY_SIZE(never); k++)
			assert_null(strstr(kl_buf_str(&b), never[k]));
		assert_non_null(strstr(kl_buf_str(&b), "default-src 'none'; style-src 'sha256-"));
	}
}

static void test_a_files_header_within_a_diff_is_no_deletion(void **state)
{
	static const char diff[] = "--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n-- old\n+++ new\n same\n"
				   "--- a/y.c\n+++ b/y.c\n@@ -3 +3 @@\n-a\n+b\n";
	KL_AUTO(graded_deinit) struct graded g;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	graded_load(&g, "reference");
	free(g.res.diff);
	g.res.diff = strdup(diff);
	html(&g, KL_AUDIENCE_PANEL, &b);
	assert_non_null(strstr(kl_buf_str(&b), "<span class=\"d\">-- old</span>"
					       "<span class=\"a\">+++ new</span>"
					       "<span class=\"c\"> same</span>"
					       "<span class=\"f\">--- a/y.c</span>"));
}

static void test_a_huge_log_is_cut_in_the_middle(void **state)
{
	enum { HUGE = 8 << 20 };
	KL_AUTO(graded_deinit) struct graded g;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	graded_load(&g, "broken");
	free(g.res.checks[0].console);
	g.res.checks[0].console = malloc(HUGE + 1);
	assert_non_null(g.res.checks[0].console);
	memset(g.res.checks[0].console, '<', HUGE);
	g.res.checks[0].console[HUGE] = '\0';
	html(&g, KL_AUDIENCE_PANEL, &b);
	assert_true(b.len < 2 << 20);
	assert_non_null(strstr(kl_buf_str(&b), "8126464 bytes left out"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_result_is_reported_as_it_was),
		cmocka_unit_test(test_the_verdict_is_the_first_word_on_a_terminal),
		cmocka_unit_test(test_no_line_is_wider_than_the_terminal),
		cmocka_unit_test(test_terminal_text_holds_no_escape_but_our_own_colour),
		cmocka_unit_test(test_a_terminal_without_unicode_gets_ascii_only),
		cmocka_unit_test(test_hostile_text_becomes_no_element_of_the_page),
		cmocka_unit_test(test_the_page_needs_nothing_from_outside_and_runs_nothing),
		cmocka_unit_test(test_a_files_header_within_a_diff_is_no_deletion),
		cmocka_unit_test(test_a_huge_log_is_cut_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
