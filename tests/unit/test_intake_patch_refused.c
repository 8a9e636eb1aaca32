/* Patches as submissions: the many things that are refused, each with its reason. */
#include "patches.h"

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
