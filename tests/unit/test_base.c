/* base: errors keep their class and cause, buffers their cap, trees are removed without following links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

static void test_prepended_context_keeps_class_place_and_cause(void **state)
{
	struct kl_error err = KL_ERROR_INIT;
	char text[2048];

	(void)state;
	assert_int_equal(kl_fail_at(&err, "a.yaml", 3, 7, "unknown key '%s'", "x"), -1);
	kl_error_prepend(&err, "exercise %s", "e");
	assert_int_equal(err.class, KL_CONTENT);
	assert_string_equal(kl_error_text(&err, text, sizeof(text)),
			    "a.yaml:3:7: exercise e: unknown key 'x'");
}

static void test_prepending_a_long_context_keeps_the_cause(void **state)
{
	struct kl_error err = KL_ERROR_INIT;
	char longer[3000];

	(void)state;
	memset(longer, 'c', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	kl_fail(&err, KL_INFRA, "the cause");
	kl_error_prepend(&err, "%s", longer);
	assert_string_equal(err.message + strlen(err.message) - 9, "the cause");
	kl_fail(&err, KL_INFRA, "%s", longer);
	kl_error_prepend(&err, "context");
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

static void test_append_over_the_cap_appends_nothing_and_sticks(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_CAPPED(4);
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(kl_buf_puts(&b, "abc"), 0);
	assert_int_equal(kl_buf_puts(&b, "de"), -1);
	assert_string_equal(kl_buf_str(&b), "abc");
	assert_int_equal(kl_buf_append(&b, "", SIZE_MAX), -1);
	assert_int_equal(kl_buf_check(&b, "log", &err), -1);
	assert_int_equal(err.class, KL_INFRA);
}

static void test_terminal_controls_and_bidi_marks_become_visible(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	static const char text[] = "a\x1b[2J\xc3\xa4\xff\xe2\x80\xae.";

	(void)state;
	assert_int_equal(kl_buf_safe(&b, text, sizeof(text) - 1, 100), 0);
	assert_string_equal(kl_buf_str(&b), "a\\x1b[2J\xc3\xa4\\xff\\xe2\\x80\\xae.");
	kl_buf_clear(&b);
	kl_buf_safe(&b, "abcdef", 6, 2);
	assert_string_equal(kl_buf_str(&b), "ab… (4 more bytes)");
}

static void test_plain_paths_have_no_dots_roots_or_controls(void **state)
{
	static const char *const bad[] = { "",	    "/a",   "a/../b", "..",   "a//b",
					   "a/./b", "a/b/", "a\\b",   "a\nb", "./a" };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(bad); i++)
		assert_false(kl_path_is_plain(bad[i]));
	assert_true(kl_path_is_plain("a/b.c"));
	assert_true(kl_path_is_plain("..a/b..c"));
}

static void test_removing_a_tree_leaves_what_links_point_to(void **state)
{
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;
	KL_AUTO_FREE char *in = NULL, *out = NULL, *link = NULL, *sub = NULL;
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(kl_tempdir_create(&dir, &err), 0);
	in = kl_path_join(dir, "tree");
	sub = kl_path_join(in, "a/b/c");
	out = kl_path_join(dir, "kept");
	link = kl_path_join(sub, "link");
	assert_int_equal(kl_mkdirs(sub, 0700, &err), 0);
	assert_int_equal(kl_file_write(out, "x", 1, 0600, &err), 0);
	assert_int_equal(symlink(dir, link), 0);
	chmod(sub, 0);
	assert_int_equal(kl_remove_tree(in, &err), 0);
	assert_false(kl_file_exists(in));
	assert_true(kl_file_exists(out));
	assert_int_equal(kl_remove_tree(in, &err), 0);
}

static void test_reading_refuses_large_files_fifos_and_folders(void **state)
{
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;
	KL_AUTO_FREE char *f = NULL, *fifo = NULL;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(kl_tempdir_create(&dir, &err), 0);
	f = kl_path_join(dir, "f");
	fifo = kl_path_join(dir, "fifo");
	assert_int_equal(kl_file_write(f, "12345", 5, 0600, &err), 0);
	assert_int_equal(kl_file_read(f, 5, &b, &err), 0);
	assert_string_equal(kl_buf_str(&b), "12345");
	assert_int_equal(kl_file_read(f, 4, &b, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(kl_file_read(fifo, 4, &b, &err), -1);
	assert_int_equal(kl_file_read(dir, 4, &b, &err), -1);
}

static void test_a_held_lock_is_refused_at_the_deadline(void **state)
{
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;
	KL_AUTO_FREE char *f = NULL;
	KL_AUTO_CLOSE int a = -1;
	int b = -1;
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(kl_tempdir_create(&dir, &err), 0);
	f = kl_path_join(dir, "lock");
	assert_int_equal(kl_lock(f, KL_FOREVER, &a, &err), 0);
	assert_int_equal(kl_try_lock(f, &b, &err), 0);
	assert_int_equal(kl_lock(f, kl_deadline_ms(30), &b, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	assert_int_equal(b, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prepended_context_keeps_class_place_and_cause),
		cmocka_unit_test(test_prepending_a_long_context_keeps_the_cause),
		cmocka_unit_test(test_append_over_the_cap_appends_nothing_and_sticks),
		cmocka_unit_test(test_terminal_controls_and_bidi_marks_become_visible),
		cmocka_unit_test(test_plain_paths_have_no_dots_roots_or_controls),
		cmocka_unit_test(test_removing_a_tree_leaves_what_links_point_to),
		cmocka_unit_test(test_reading_refuses_large_files_fifos_and_folders),
		cmocka_unit_test(test_a_held_lock_is_refused_at_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
