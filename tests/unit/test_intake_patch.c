/* Patches as submissions: what is taken, and the many things that are refused. */
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

static int setup(void **state)
{
	(void)state;
	lab_create(&lab);
	lab_load(&lab, &e);
	s = (struct kl_submission){ 0 };
	err = KL_ERROR_INIT;
	return 0;
}

static int teardown(void **state)
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

static void take_bytes(const char *text, size_t len)
{
	KL_AUTO_FREE char *path = kl_path_join(lab.root, "fix.patch");

	assert_int_equal(kl_file_write(path, text, len, 0644, &err), 0);
	kl_submission_deinit(&s);
	if (kl_intake(&e, path, &s, &err))
		fail_msg("intake failed: %s", err.message);
}

static void accepted(const char *text)
{
	take_bytes(text, strlen(text));
	if (s.refused.n)
		fail_msg("refused: %s", s.refused.v[0]);
}

/* The first reason contains part, and nothing was taken. */
static void refused(const char *text, const char *part)
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

static void expect_the_fix(void)
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

static void test_a_git_patch_is_applied(void **state)
{
	(void)state;
	accepted(GIT_FIX);
	expect_the_fix();
	assert_true(kl_str_ends(s.source, "fix.patch"));
	assert_null(s.message);
}

static void test_every_form_of_the_same_fix_has_the_same_digest_and_diff(void **state)
{
	static const char *const forms[] = {
		GIT_FIX,
		/* diff -u */
		"--- old/stashbox.c\t2024-01-01 00:00:00.000000000 +0000\n"
		"+++ new/stashbox.c\t2024-01-02 00:00:00.000000000 +0000\n" HUNK,
		/* -p0 */
		"--- stashbox.c\n+++ stashbox.c\n" HUNK,
		"diff --git stashbox.c stashbox.c\n--- stashbox.c\n+++ stashbox.c\n" HUNK,
		/* against an editor's backup */
		"--- stashbox.c.orig\n+++ stashbox.c\n" HUNK,
		"Index: stashbox.c\n===========\n--- stashbox.c\n+++ stashbox.c\n" HUNK,
		/* git show */
		"commit 0123456789\nAuthor: A <a@b>\n\n    subject\n\n" GIT_FIX,
		/* other prefixes: diff.mnemonicPrefix */
		"diff --git i/stashbox.c w/stashbox.c\n--- i/stashbox.c\n+++ w/stashbox.c\n" HUNK,
		/* moved by two lines */
		"--- a/stashbox.c\n+++ b/stashbox.c\n"
		"@@ -6,3 +6,3 @@\n line 03\n-line 04\n+line 4 repaired\n line 05\n",
		/* without a newline at the end */
		"--- a/stashbox.c\n+++ b/stashbox.c\n"
		"@@ -4,3 +4,3 @@\n line 03\n-line 04\n+line 4 repaired\n line 05",
	};
	char digest[KL_DIGEST_HEX];
	KL_AUTO_FREE char *diff = NULL;

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(forms); i++) {
		accepted(forms[i]);
		expect_the_fix();
		if (i == 0) {
			memcpy(digest, s.digest, sizeof(digest));
			diff = strdup(s.diff);
		}
		assert_string_equal(s.digest, digest);
		assert_string_equal(s.diff, diff);
	}
}

static void test_the_canonical_diff_applies_again(void **state)
{
	KL_AUTO_FREE char *diff = NULL;

	(void)state;
	accepted(GIT_FIX);
	assert_true(kl_str_starts(s.diff, "diff --git a/stashbox.c b/stashbox.c\nindex "));
	assert_non_null(strstr(s.diff, "\n--- a/stashbox.c\n+++ b/stashbox.c\n@@ -2,7 +2,7 @@"));
	assert_null(strstr(s.diff, "stashbox.h"));
	diff = strdup(s.diff);
	accepted(diff);
	expect_the_fix();
	assert_string_equal(s.diff, diff);
}

static void test_a_patch_may_change_every_editable_file(void **state)
{
	(void)state;
	accepted(GIT_FIX "diff --git a/include/stashbox.h b/include/stashbox.h\n"
			 "--- a/include/stashbox.h\n+++ b/include/stashbox.h\n"
			 "@@ -1 +1,2 @@\n #define STASH 1\n+#define LOCK 1\n");
	assert_true(s.files[0].changed && s.files[1].changed);
	assert_string_equal(s.files[1].data, "#define STASH 1\n#define LOCK 1\n");
}

static void test_lines_that_look_like_headers_are_content_inside_a_hunk(void **state)
{
	(void)state;
	accepted("--- a/stashbox.c\n+++ b/stashbox.c\n"
		 "@@ -1,2 +1,4 @@\n line 00\n+-- a/Kbuild\n+++ b/Kbuild\n line 01\n");
	assert_non_null(strstr(s.files[0].data, "line 00\n-- a/Kbuild\n++ b/Kbuild\nline 01\n"));
}

static void test_a_file_without_a_last_newline_can_be_changed(void **state)
{
	(void)state;
	accepted("--- a/include/stashbox.h\n+++ b/include/stashbox.h\n"
		 "@@ -1 +1 @@\n-#define STASH 1\n+#define STASH 2\n\\ No newline at end of file\n");
	assert_string_equal(s.files[1].data, "#define STASH 2");
	accepted("--- a/include/stashbox.h\n+++ b/include/stashbox.h\n"
		 "@@ -1 +1 @@\n-#define STASH 1\n+#define STASH 2\n");
	assert_string_equal(s.files[1].data, "#define STASH 2\n");
}

static void test_a_patch_that_undoes_itself_changes_nothing(void **state)
{
	(void)state;
	accepted(GIT_FIX "--- a/stashbox.c\n+++ b/stashbox.c\n"
			 "@@ -4,3 +4,3 @@\n line 03\n-line 4 repaired\n+line 04\n line 05\n");
	assert_false(s.files[0].changed);
	assert_string_equal(s.diff, "");
}

static void test_unchanged_is_what_broken_and_noop_submit(void **state)
{
	char digest[KL_DIGEST_HEX];

	(void)state;
	assert_int_equal(kl_intake_unchanged(&e, &s, &err), 0);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.files[0].data, lab_stashbox_c);
	assert_false(s.files[0].changed);
	assert_string_equal(s.diff, "");
	memcpy(digest, s.digest, sizeof(digest));
	accepted(GIT_FIX);
	assert_string_not_equal(s.digest, digest);
}

static void test_absolute_paths(void **state)
{
	(void)state;
	refused("--- /etc/passwd\n+++ /etc/passwd\n" HUNK, "line 1: the path is absolute");
	refused("--- a/stashbox.c\n+++ /tmp/stashbox.c\n" HUNK, "absolute");
	refused("--- a//stashbox.c\n+++ b//stashbox.c\n" HUNK, "not plain");
}

static void test_paths_that_climb(void **state)
{
	(void)state;
	refused("--- a/../stashbox.c\n+++ b/../stashbox.c\n" HUNK, "“..”");
	refused("--- ../stashbox.c\n+++ ../stashbox.c\n" HUNK, "“..”");
	refused("--- a/x/../stashbox.c\n+++ b/x/../stashbox.c\n" HUNK, "“..”");
	refused("--- a/./stashbox.c\n+++ b/./stashbox.c\n" HUNK, "not plain");
	refused("--- a\\stashbox.c\n+++ b\\stashbox.c\n" HUNK, "not plain");
}

static void test_quoted_paths(void **state)
{
	(void)state;
	refused("--- \"a/stashbox.c\"\n+++ \"b/stashbox.c\"\n" HUNK, "quoted");
	refused("--- \"a/\\163tashbox.c\"\n+++ \"b/\\163tashbox.c\"\n" HUNK, "quoted");
	refused("diff --git \"a/\\056\\056/x\" \"b/\\056\\056/x\"\n"
		"--- \"a/\\056\\056/x\"\n+++ \"b/\\056\\056/x\"\n" HUNK,
		"quoted");
}

static void test_files_that_are_not_editable(void **state)
{
	(void)state;
	refused("--- a/Kbuild\n+++ b/Kbuild\n@@ -1 +1 @@\n-obj-m := stashbox.o\n+obj-m := x.o\n",
		"Kbuild may not be changed: keep to the editable files (stashbox.c, "
		"include/stashbox.h)");
	refused("--- a/stashbox.h\n+++ b/stashbox.h\n" HUNK, "may not be changed");
	refused("--- a/.gitattributes\n+++ b/.gitattributes\n" HUNK, "may not be changed");
	refused("--- a/.git/config\n+++ b/.git/config\n" HUNK, "may not be changed");
	refused("--- a/checks/reproducer.c\n+++ b/checks/reproducer.c\n" HUNK,
		"may not be changed");
	refused(GIT_FIX "--- a/Kbuild\n+++ b/Kbuild\n@@ -1 +1 @@\n-obj-m := stashbox.o\n+x\n",
		"line 10: Kbuild");
}

static void test_new_files(void **state)
{
	(void)state;
	refused("diff --git a/more.c b/more.c\nnew file mode 100644\nindex 0000000..1234567\n"
		"--- /dev/null\n+++ b/more.c\n@@ -0,0 +1 @@\n+int x;\n",
		"line 2: the patch adds a file");
	refused("--- /dev/null\n+++ b/stashbox.c\n@@ -0,0 +1 @@\n+int x;\n", "adds a file");
}

static void test_deleted_files(void **state)
{
	(void)state;
	refused("diff --git a/include/stashbox.h b/include/stashbox.h\n"
		"deleted file mode 100644\nindex 1234567..0000000\n"
		"--- a/include/stashbox.h\n+++ /dev/null\n@@ -1 +0,0 @@\n-#define STASH 1\n",
		"line 2: the patch deletes a file");
	refused("--- a/include/stashbox.h\n+++ /dev/null\n@@ -1 +0,0 @@\n-#define STASH 1\n",
		"deletes a file");
}

static void test_renames_and_copies(void **state)
{
	(void)state;
	refused("diff --git a/Kbuild b/stashbox.c\nsimilarity index 100%\n"
		"rename from Kbuild\nrename to stashbox.c\n",
		"line 3: the patch renames a file");
	refused("diff --git a/stashbox.c b/include/stashbox.h\nsimilarity index 90%\n"
		"copy from stashbox.c\ncopy to include/stashbox.h\n"
		"--- a/stashbox.c\n+++ b/include/stashbox.h\n" HUNK,
		"copies a file");
	refused("--- a/include/stashbox.h\n+++ b/stashbox.c\n" HUNK, "another file");
	refused("--- a/Kbuild\n+++ b/stashbox.c\n" HUNK, "another file");
}

static void test_headers_that_disagree(void **state)
{
	(void)state;
	refused("diff --git a/Kbuild b/Kbuild\n--- a/stashbox.c\n+++ b/stashbox.c\n" HUNK,
		"names other files");
	refused("diff --git a/stashbox.c b/Kbuild\n--- a/stashbox.c\n+++ b/stashbox.c\n" HUNK,
		"names other files");
}

static void test_mode_changes(void **state)
{
	(void)state;
	refused("diff --git a/stashbox.c b/stashbox.c\nold mode 100644\nnew mode 100755\n",
		"line 2: the patch changes a file's mode");
	refused("diff --git a/stashbox.c b/stashbox.c\nold mode 100644\nnew mode 100755\n"
		"--- a/stashbox.c\n+++ b/stashbox.c\n" HUNK,
		"mode");
}

static void test_symbolic_links(void **state)
{
	(void)state;
	refused("diff --git a/stashbox.c b/stashbox.c\nnew file mode 120000\n"
		"--- /dev/null\n+++ b/stashbox.c\n@@ -0,0 +1 @@\n+/etc/passwd\n",
		"symbolic link");
	refused("diff --git a/stashbox.c b/stashbox.c\nindex 1234567..89abcde 120000\n"
		"--- a/stashbox.c\n+++ b/stashbox.c\n@@ -1 +1 @@\n-line 00\n+/etc/passwd\n",
		"symbolic link");
	/* git turns a file into a link by deleting it first. */
	refused("diff --git a/stashbox.c b/stashbox.c\ndeleted file mode 100644\n"
		"diff --git a/stashbox.c b/stashbox.c\nnew file mode 120000\n",
		"deletes");
}

static void test_submodules(void **state)
{
	(void)state;
	refused("diff --git a/sub b/sub\nnew file mode 160000\nindex 0000000..1234567\n"
		"--- /dev/null\n+++ b/sub\n@@ -0,0 +1 @@\n+Subproject commit 1234567\n",
		"submodule");
	refused("diff --git a/sub b/sub\nindex 1234567..89abcde 160000\n"
		"--- a/sub\n+++ b/sub\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n",
		"submodule");
}

static void test_binary_patches(void **state)
{
	(void)state;
	refused("diff --git a/stashbox.c b/stashbox.c\nindex 1234567..89abcde 100644\n"
		"GIT binary patch\nliteral 3\nKcmZSh00aO4\n\n",
		"line 3: a binary patch");
	refused("diff --git a/stashbox.o b/stashbox.o\nindex 1234567..89abcde 100644\n"
		"Binary files a/stashbox.o and b/stashbox.o differ\n",
		"a binary patch");
	refused("Binary files old/stashbox.o and new/stashbox.o differ\n" GIT_FIX,
		"line 1: a binary patch");
}

static void test_other_kinds_of_diff(void **state)
{
	(void)state;
	refused("*** stashbox.c\n--- stashbox.c\n***************\n*** 4,6 ****\n! line 04\n",
		"line 1: a context diff");
	refused("diff --cc stashbox.c\nindex 1,2..3\n--- a/stashbox.c\n+++ b/stashbox.c\n"
		"@@@ -1,1 -1,1 +1,1 @@@\n  line 00\n",
		"merge");
	refused("5c5\n< line 04\n---\n> line 4\n", "holds no unified diff");
}

static void test_no_patch_at_all(void **state)
{
	(void)state;
	refused("", "empty");
	refused("please apply the obvious fix\n", "holds no unified diff");
	refused(lab_stashbox_c, "holds no unified diff");
	refused("diff --git a/stashbox.c b/stashbox.c\n", "changes nothing in it");
	refused("--- a/stashbox.c\n+++ b/stashbox.c\n", "no hunk");
}

static void test_hunks_that_do_not_apply(void **state)
{
	(void)state;
	refused("--- a/stashbox.c\n+++ b/stashbox.c\n"
		"@@ -4,3 +4,3 @@\n line 03\n-line 4 was other\n+line 4\n line 05\n",
		"line 3: the hunk for line 4 of stashbox.c does not apply");
	refused("--- a/stashbox.c\n+++ b/stashbox.c\n" HUNK
		"@@ -20,2 +20,2 @@\n line 19\n-nothing like it\n+x\n",
		"line 8: the hunk for line 20 of stashbox.c does not apply");
	refused("--- a/stashbox.c\n+++ b/stashbox.c\n"
		"@@ -999,3 +999,3 @@\n no\n-such\n+line\n here\n",
		"does not apply");
}

static void test_a_hunk_without_context_is_told_so(void **state)
{
	(void)state;
	refused("--- a/stashbox.c\n+++ b/stashbox.c\n@@ -5 +5 @@\n-line 04\n+line 4\n",
		"no context lines");
}

static void test_dos_newlines_are_named_as_the_cause(void **state)
{
	(void)state;
	refused("--- a/stashbox.c\r\n+++ b/stashbox.c\r\n"
		"@@ -4,3 +4,3 @@\r\n line 03\r\n-line 04\r\n+line 4\r\n line 05\r\n",
		"DOS");
}

static void test_hunks_that_lie_about_their_length(void **state)
{
	(void)state;
	refused("--- a/stashbox.c\n+++ b/stashbox.c\n@@ -4,9 +4,9 @@\n line 03\n",
		"other lines than its header");
	refused("--- a/stashbox.c\n+++ b/stashbox.c\n"
		"@@ -4,2 +4,2 @@\n line 03\n-line 04\n+line 4\n+line 4b\n line 05\n",
		"line 7: the hunk has other lines");
	refused("--- a/stashbox.c\n+++ b/stashbox.c\n"
		"@@ -4,3 +4,3 @@\n line 03\n-line 04\n-line 05\n+line 4\n line 06\n",
		"other lines");
	refused("--- a/stashbox.c\n+++ b/stashbox.c\n@@ -4,3 +4,3 @@\n line 03\nrubbish\n",
		"other lines");
}

static void test_hunk_headers_that_cannot_be_read(void **state)
{
	static const char *const headers[] = {
		"@@ -4,3 @@",	    "@@ -4,3 +4,3",   "@@ -x +4,3 @@",
		"@@ -4,3 +4,-3 @@", "@@ -4,3+4,3 @@", "@@ -99999999999999999999,3 +4,3 @@",
		"@@ -4, +4 @@",
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(headers); i++) {
		KL_AUTO_FREE char *text = kl_asprintf("--- a/stashbox.c\n+++ b/stashbox.c\n%s\n "
						      "line 03\n-line 04\n+line 4\n line 05\n",
						      headers[i]);

		refused(text, "line 3: the hunk's header cannot be read");
	}
	refused(HUNK, "without the two lines before it");
	refused("diff --git a/stashbox.c b/stashbox.c\n" HUNK, "without the two lines before it");
}

static void test_nul_bytes(void **state)
{
	static const char text[] = GIT_FIX "\0";

	(void)state;
	take_bytes(text, sizeof(text) - 1 + 1);
	assert_int_equal(s.refused.n, 1);
	assert_non_null(strstr(s.refused.v[0], "NUL byte"));
}

static void test_a_patch_that_is_too_large(void **state)
{
	size_t len = KL_SUBMISSION_MAX + 1;
	KL_AUTO_FREE char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', len);
	memcpy(text, GIT_FIX, strlen(GIT_FIX));
	take_bytes(text, len);
	assert_int_equal(s.refused.n, 1);
	assert_non_null(strstr(s.refused.v[0], "larger than 1024 KiB"));
}

static void test_a_file_that_becomes_too_large(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_FREE char *line = malloc(KL_SUBMISSION_MAX / 2 + 1);
	KL_AUTO_FREE char *big = NULL;

	(void)state;
	assert_non_null(line);
	memset(line, 'x', KL_SUBMISSION_MAX / 2);
	line[KL_SUBMISSION_MAX / 2] = '\0';
	big = kl_asprintf("%s\n%s", lab_stashbox_c, line);
	lab_put(&lab, big, "exercises/stash-replace/handout/stashbox.c");
	kl_buf_printf(&b, "--- a/stashbox.c\n+++ b/stashbox.c\n@@ -1,2 +1,3 @@\n line 00\n");
	kl_buf_printf(&b, "+%s\n line 01\n", line);
	refused(b.data, "stashbox.c becomes larger than 1024 KiB");
}

static void test_every_section_gets_its_reason_and_hostile_bytes_are_made_visible(void **state)
{
	(void)state;
	refused("--- a/x\033[2J.c\n+++ b/x\033[2J.c\n" HUNK "--- a/two.c\n+++ b/two.c\n" HUNK,
		"not plain");
	assert_int_equal(s.refused.n, 2);
	assert_non_null(strstr(s.refused.v[1], "two.c may not be changed"));
	refused("--- a/\342\200\256c.xobhsats\n+++ b/\342\200\256c.xobhsats\n" HUNK, "\\xe2\\x80");
}

static void test_reasons_have_an_end(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	for (int i = 0; i < 200; i++)
		kl_buf_puts(&b, "--- a/no.c\n+++ b/no.c\n" HUNK);
	refused(kl_buf_str(&b), "no.c");
	assert_int_equal(s.refused.n, 21);
	assert_non_null(strstr(s.refused.v[20], "more reasons"));
}

static void test_too_many_files(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	for (int i = 0; i < 300; i++)
		kl_buf_puts(&b, "diff --git a/stashbox.c b/stashbox.c\n");
	refused(kl_buf_str(&b), "too many files");
}

static void test_any_prefix_of_a_patch_is_survived(void **state)
{
	size_t len = strlen(GIT_FIX);

	(void)state;
	for (size_t i = 0; i < len; i += 7) {
		take_bytes(GIT_FIX, i);
		if (!s.refused.n)
			fail_msg("%zu bytes of %zu were accepted", i, len);
	}
}

static void test_a_path_that_cannot_be_read_is_a_usage_error(void **state)
{
	KL_AUTO_FREE char *none = kl_path_join(lab.root, "none.patch");

	(void)state;
	assert_int_equal(kl_intake(&e, none, &s, &err), -1);
	assert_int_equal(err.class, KL_USAGE);
	assert_int_equal(kl_intake(&e, "/dev/null", &s, &err), -1);
	assert_int_equal(err.class, KL_USAGE);
	assert_null(s.files);
}

static void test_the_environment_and_its_git_configuration_do_not_matter(void **state)
{
	KL_AUTO_FREE char *config = kl_path_join(lab.root, "gitconfig");
	KL_AUTO_FREE char *diff = NULL;

	(void)state;
	accepted(GIT_FIX);
	diff = strdup(s.diff);
	lab_put(&lab,
		"[apply]\n\twhitespace = error-all\n[diff]\n\tnoprefix = true\n"
		"\texternal = /bin/false\n[core]\n\tabbrev = 40\n\tautocrlf = true\n",
		"gitconfig");
	setenv("GIT_CONFIG_GLOBAL", config, 1);
	setenv("GIT_DIR", lab.root, 1);
	setenv("GIT_EXTERNAL_DIFF", "/bin/false", 1);
	setenv("GIT_CONFIG_COUNT", "1", 1);
	setenv("GIT_CONFIG_KEY_0", "core.autocrlf", 1);
	setenv("GIT_CONFIG_VALUE_0", "true", 1);
	accepted(GIT_FIX);
	expect_the_fix();
	assert_string_equal(s.diff, diff);
}

static void test_a_repository_around_the_temporary_folder_is_not_found(void **state)
{
	KL_AUTO_FREE char *tmp = kl_path_join(lab.root, "repo/tmp");

	(void)state;
	lab_put(&lab, "ref: refs/heads/main\n", "repo/.git/HEAD");
	lab_put(&lab, "", "repo/.git/objects/keep");
	lab_put(&lab, "", "repo/.git/refs/keep");
	/* A git that finds it fails: the configuration names a work tree that is not there. */
	lab_put(&lab, "[core]\n\trepositoryformatversion = 0\n\tworktree = /none/such\n",
		"repo/.git/config");
	lab_put(&lab, "", "repo/tmp/keep");
	setenv("TMPDIR", tmp, 1);
	accepted(GIT_FIX);
	expect_the_fix();
}

static void test_nothing_is_left_behind(void **state)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv left = { 0 };
	KL_AUTO_FREE char *tmp = kl_path_join(lab.root, "tmp");

	(void)state;
	lab_put(&lab, "", "tmp/keep");
	setenv("TMPDIR", tmp, 1);
	accepted(GIT_FIX);
	refused("--- a/no.c\n+++ b/no.c\n" HUNK, "no.c");
	assert_int_equal(kl_dir_list(tmp, &left, &err), 0);
	assert_int_equal(left.n, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_git_patch_is_applied),
		TEST(test_every_form_of_the_same_fix_has_the_same_digest_and_diff),
		TEST(test_the_canonical_diff_applies_again),
		TEST(test_a_patch_may_change_every_editable_file),
		TEST(test_lines_that_look_like_headers_are_content_inside_a_hunk),
		TEST(test_a_file_without_a_last_newline_can_be_changed),
		TEST(test_a_patch_that_undoes_itself_changes_nothing),
		TEST(test_unchanged_is_what_broken_and_noop_submit),
		TEST(test_absolute_paths),
		TEST(test_paths_that_climb),
		TEST(test_quoted_paths),
		TEST(test_files_that_are_not_editable),
		TEST(test_new_files),
		TEST(test_deleted_files),
		TEST(test_renames_and_copies),
		TEST(test_headers_that_disagree),
		TEST(test_mode_changes),
		TEST(test_symbolic_links),
		TEST(test_submodules),
		TEST(test_binary_patches),
		TEST(test_other_kinds_of_diff),
		TEST(test_no_patch_at_all),
		TEST(test_hunks_that_do_not_apply),
		TEST(test_a_hunk_without_context_is_told_so),
		TEST(test_dos_newlines_are_named_as_the_cause),
		TEST(test_hunks_that_lie_about_their_length),
		TEST(test_hunk_headers_that_cannot_be_read),
		TEST(test_nul_bytes),
		TEST(test_a_patch_that_is_too_large),
		TEST(test_a_file_that_becomes_too_large),
		TEST(test_every_section_gets_its_reason_and_hostile_bytes_are_made_visible),
		TEST(test_reasons_have_an_end),
		TEST(test_too_many_files),
		TEST(test_any_prefix_of_a_patch_is_survived),
		TEST(test_a_path_that_cannot_be_read_is_a_usage_error),
		TEST(test_the_environment_and_its_git_configuration_do_not_matter),
		TEST(test_a_repository_around_the_temporary_folder_is_not_found),
		TEST(test_nothing_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
