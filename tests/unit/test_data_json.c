/* JSON: what is refused, and that output is stable whatever bytes it came from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <klinic/file.h>
#include <klinic/json.h>

static void refused(const char *text, unsigned int line, const char *part)
{
	struct kl_error err = KL_ERROR_INIT;
	json_t *j = NULL;

	assert_int_equal(kl_json_parse("r.json", text, strlen(text), &j, &err), -1);
	assert_null(j);
	assert_int_equal(err.class, KL_CONTENT);
	assert_string_equal(err.path, "r.json");
	assert_int_equal(err.line, line);
	if (!strstr(err.message, part))
		fail_msg("%s", err.message);
}

static void test_bad_documents_are_refused_with_their_line(void **state)
{
	(void)state;
	refused("{\"a\": 1,\n \"a\": 2}", 2, "duplicate");
	refused("{\"a\":\n\n", 3, "not valid JSON");
	refused("{} {}", 1, "end of file expected");
	refused("{\"a\": \"\\u0000\"}", 1, "\\u0000");
	refused("[\"\xff\"]", 1, "byte 0xff");
	refused("", 1, "not valid JSON");
}

static void test_complaint_quotes_no_terminal_escapes(void **state)
{
	const char *text = "{\"a\": \x1b[2J}";
	struct kl_error err = KL_ERROR_INIT;
	json_t *j = NULL;

	(void)state;
	assert_int_equal(kl_json_parse("r.json", text, strlen(text), &j, &err), -1);
	assert_null(strchr(err.message, 0x1b));
}

static void test_deep_nesting_is_refused(void **state)
{
	char text[4097];

	(void)state;
	memset(text, '[', 4096);
	text[4096] = '\0';
	refused(text, 1, "maximum parsing depth");
}

static void test_load_is_bounded(void **state)
{
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;
	KL_AUTO_FREE char *path = NULL;
	KL_AUTO_JSON json_t *j = NULL;
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(kl_tempdir_create(&dir, &err), 0);
	path = kl_path_join(dir, "x.json");
	assert_int_equal(kl_file_write(path, "{\"a\": [1, 2, 3]}", 16, 0600, &err), 0);
	assert_int_equal(kl_json_load(path, 15, &j, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_int_equal(kl_json_load(path, 16, &j, &err), 0);
	assert_int_equal(json_array_size(json_object_get(j, "a")), 3);
}

static void test_output_keeps_order_and_reads_back_the_same(void **state)
{
	KL_AUTO_JSON json_t *j =
		json_pack("{s:i, s:f, s:[], s:s}", "z", 1, "rate", 0.1, "m", "a", "\xc3\xa4\n");
	KL_AUTO_JSON json_t *again = NULL;
	KL_AUTO(kl_buf_deinit) struct kl_buf one = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf two = KL_BUF_INIT;
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(kl_json_dump(j, &one, &err), 0);
	assert_string_equal(kl_buf_str(&one), "{\n  \"z\": 1,\n  \"rate\": 0.1,\n  \"m\": [],\n"
					      "  \"a\": \"\xc3\xa4\\n\"\n}\n");
	assert_int_equal(kl_json_parse("one", one.data, one.len, &again, &err), 0);
	assert_int_equal(kl_json_dump(again, &two, &err), 0);
	assert_string_equal(kl_buf_str(&one), kl_buf_str(&two));
}

static void test_dump_over_the_cap_is_an_error(void **state)
{
	KL_AUTO_JSON json_t *j = json_pack("[s]", "more than ten bytes");
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_CAPPED(10);
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(kl_json_dump(j, &b, &err), -1);
	assert_int_equal(kl_json_dump(NULL, &b, &err), -1);
}

static void test_bad_bytes_become_replacement_characters(void **state)
{
	KL_AUTO_JSON json_t *j = kl_json_textn("a\xff\0\xe2\x82\xed\xa0\x80z\xe2\x82\xac", 12);

	(void)state;
	assert_non_null(j);
	assert_string_equal(json_string_value(j),
			    "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
			    "\xef\xbf\xbd\xef\xbf\xbdz\xe2\x82\xac");
}

static void test_every_byte_pair_makes_a_string_that_reads_back(void **state)
{
	(void)state;
	for (unsigned int pair = 0; pair < 65536; pair += 7) {
		char bytes[] = { (char)(pair >> 8), (char)pair };
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
		KL_AUTO_JSON json_t *list = json_array();
		KL_AUTO_JSON json_t *again = NULL;
		struct kl_error err = KL_ERROR_INIT;

		assert_int_equal(json_array_append_new(list, kl_json_textn(bytes, 2)), 0);
		assert_int_equal(kl_json_dump(list, &b, &err), 0);
		assert_int_equal(kl_json_parse("pair", b.data, b.len, &again, &err), 0);
		assert_true(json_equal(list, again));
	}
}

static void test_absent_text_is_null_and_vectors_are_lists(void **state)
{
	struct kl_strv sv = { 0 };
	KL_AUTO_JSON json_t *nothing = kl_json_text(NULL);
	KL_AUTO_JSON json_t *empty = kl_json_strv(&sv);
	KL_AUTO_JSON json_t *list = NULL;

	(void)state;
	assert_true(json_is_null(nothing));
	assert_int_equal(json_array_size(empty), 0);
	assert_int_equal(kl_strv_add(&sv, "x"), 0);
	list = kl_json_strv(&sv);
	assert_string_equal(json_string_value(json_array_get(list, 0)), "x");
	kl_strv_deinit(&sv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_documents_are_refused_with_their_line),
		cmocka_unit_test(test_complaint_quotes_no_terminal_escapes),
		cmocka_unit_test(test_deep_nesting_is_refused),
		cmocka_unit_test(test_load_is_bounded),
		cmocka_unit_test(test_output_keeps_order_and_reads_back_the_same),
		cmocka_unit_test(test_dump_over_the_cap_is_an_error),
		cmocka_unit_test(test_bad_bytes_become_replacement_characters),
		cmocka_unit_test(test_every_byte_pair_makes_a_string_that_reads_back),
		cmocka_unit_test(test_absent_text_is_null_and_vectors_are_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
