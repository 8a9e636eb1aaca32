/* What the tests of patches and of mail share: a lab with one exercise, and a patch taken in or refused there. */
#ifndef TESTS_UNIT_PATCHES_H
#define TESTS_UNIT_PATCHES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/intake.h>

#include "lab.h"

static struct lab lab;
static struct kl_exercise e;
static struct kl_submission s;
static struct kl_error err;

static inline int setup(void **state)
{
	(void)state;
	lab_create(&lab);
	lab_load(&lab, &e);
	s = (struct kl_submission){ 0 };
	err = KL_ERROR_INIT;
	return 0;
}

static inline int teardown(void **state)
{
	static const char *const set_by_tests[] = { "TMPDIR", "GIT_CONFIG_GLOBAL", "GIT_DIR",
						    "GIT_EXTERNAL_DIFF", "GIT_CONFIG_COUNT" };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(set_by_tests); i++)
		unsetenv(set_by_tests[i]);
	kl_submission_deinit(&s);
	kl_exercise_deinit(&e);
	lab_destroy(&lab);
	return 0;
}

static inline void take_bytes(const char *text, size_t len)
{
	KL_AUTO_FREE char *path = kl_path_join(lab.root, "fix.patch");

	assert_int_equal(kl_file_write(path, text, len, 0644, &err), 0);
	kl_submission_deinit(&s);
	if (kl_intake(&e, path, &s, &err))
		fail_msg("intake failed: %s", err.message);
}

static inline void accepted(const char *text)
{
	take_bytes(text, strlen(text));
	if (s.refused.n)
		fail_msg("refused: %s", s.refused.v[0]);
}

/* The first reason contains part, and nothing was taken. */
static inline void refused(const char *text, const char *part)
{
	take_bytes(text, strlen(text));
	if (!s.refused.n)
		fail_msg("accepted; expected: %s", part);
	if (!strstr(s.refused.v[0], part))
		fail_msg("got: %s; expected: %s", s.refused.v[0], part);
	for (size_t i = 0; i < s.n; i++)
		assert_false(s.files[i].changed);
	assert_string_equal(s.digest, "");
}

#define HUNK "@@ -4,3 +4,3 @@ static int x(void)\n line 03\n-line 04\n+line 4 repaired\n line 05\n"
#define GIT_FIX                                                                 \
	"diff --git a/stashbox.c b/stashbox.c\nindex 1234567..89abcde 100644\n" \
	"--- a/stashbox.c\n+++ b/stashbox.c\n" HUNK

static inline void expect_the_fix(void)
{
	assert_int_equal(s.n, 2);
	assert_string_equal(s.files[0].path, "stashbox.c");
	assert_true(s.files[0].changed);
	assert_false(s.files[1].changed);
	assert_non_null(strstr(s.files[0].data, "line 03\nline 4 repaired\nline 05\n"));
	assert_int_equal(s.files[0].len, strlen(s.files[0].data));
	assert_string_equal(s.files[1].data, lab_stashbox_h);
	assert_int_equal(strlen(s.digest), KL_DIGEST_HEX - 1);
}

#endif
