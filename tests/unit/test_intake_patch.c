/* Patches as submissions: what is taken, and what stays as it was whatever is taken. */
#include "patches.h"

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
