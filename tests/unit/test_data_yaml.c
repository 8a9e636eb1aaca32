/* YAML in: what is read, what is refused and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <klinic/deadline.h>
#include <klinic/yaml.h>

static struct kl_yaml y;
static struct kl_error err;

static int setup(void **state)
{
	(void)state;
	y = (struct kl_yaml){ 0 };
	err = KL_ERROR_INIT;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kl_yaml_deinit(&y);
	return 0;
}

static void parse(const char *text)
{
	int rc = kl_yaml_parse("f.yaml", text, strlen(text), &y, &err);

	if (rc)
		fail_msg("refused: %s", err.message);
}

static void expect_place(unsigned int line, unsigned int column, const char *part)
{
	assert_int_equal(err.class, KL_CONTENT);
	assert_string_equal(err.path, "f.yaml");
	if (!strstr(err.message, part) || err.line != line || err.column != column)
		fail_msg("got %u:%u: %s; expected %u:%u: %s", err.line, err.column, err.message,
			 line, column, part);
	err = KL_ERROR_INIT;
}

static void refused_n(const char *text, size_t len, unsigned int line, unsigned int column,
		      const char *part)
{
	assert_int_equal(kl_yaml_parse("f.yaml", text, len, &y, &err), -1);
	assert_null(y.root);
	expect_place(line, column, part);
}

static void refused(const char *text, unsigned int line, unsigned int column, const char *part)
{
	refused_n(text, strlen(text), line, column, part);
}

static void test_tree_knows_values_order_and_places(void **state)
{
	const struct kl_yaml_node *list;

	(void)state;
	parse("title: A lock too few\nfiles:\n  - a.c\n  - \"b.c\"\nnested: {x: 1}\n");
	assert_int_equal(y.root->type, KL_YAML_MAP);
	assert_int_equal(y.root->n, 3);
	assert_string_equal(y.root->keys[1]->text, "files");
	assert_string_equal(kl_yaml_get(y.root, "title")->text, "A lock too few");
	assert_int_equal(kl_yaml_get(y.root, "title")->column, 8);
	list = kl_yaml_get(y.root, "files");
	assert_int_equal(list->type, KL_YAML_LIST);
	assert_int_equal(list->n, 2);
	assert_int_equal(list->items[1]->line, 4);
	assert_int_equal(list->items[1]->column, 5);
	assert_true(list->items[1]->quoted);
	assert_false(list->items[0]->quoted);
	assert_null(kl_yaml_get(y.root, "absent"));
	assert_null(kl_yaml_get(list, "title"));
}

static void test_block_scalar_is_quoted_text(void **state)
{
	(void)state;
	parse("brief: |\n  one\n  two\n");
	assert_string_equal(y.root->items[0]->text, "one\ntwo\n");
	assert_true(y.root->items[0]->quoted);
}

static void test_anchors_aliases_and_merges_are_refused(void **state)
{
	(void)state;
	refused("a: &x 1\nb: 2\n", 1, 4, "anchors");
	refused("a: [&x [1], 2]\n", 1, 5, "anchors");
	refused("a: &x {b: 1}\n", 1, 4, "anchors");
	refused("a: 1\nb: *x\n", 2, 4, "aliases");
	refused("<<: *x\n", 1, 5, "aliases");
}

static void test_tags_are_refused(void **state)
{
	(void)state;
	refused("a: !!python/object 1\n", 1, 4, "tags");
	refused("a: !x [1]\n", 1, 4, "tags");
	refused("%TAG ! tag:x,2000:\n---\na: 1\n", 1, 1, "%TAG");
}

static void test_second_document_is_refused(void **state)
{
	(void)state;
	refused("a: 1\n---\nb: 2\n", 2, 1, "second document");
	parse("---\na: 1\n...\n");
}

static void test_duplicate_key_is_refused_at_the_second(void **state)
{
	(void)state;
	refused("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", 5, 3, "key 'c' is given twice");
	refused("{a: 1, \"a\": 2}\n", 1, 8, "key 'a' is given twice");
}

static void test_keys_must_be_words(void **state)
{
	(void)state;
	refused("[a, b]: 1\n", 1, 1, "a key must be a word");
	refused("? {a: 1}\n: 2\n", 1, 3, "a key must be a word");
	refused("? \n: 2\n", 1, 2, "a key must be a word");
}

static void test_empty_documents_are_refused(void **state)
{
	(void)state;
	refused("", 1, 1, "empty");
	refused("# only words\n", 1, 1, "empty");
	refused("---\n", 1, 1, "empty");
	refused("a: 1\n b: [\n", 2, 3, "not valid YAML");
}

static void test_bytes_that_are_no_text_are_refused_where_they_stand(void **state)
{
	(void)state;
	refused_n("a: b\0c\n", 7, 1, 5, "control character 0x00");
	refused("a: 1\nb: \x1b[2J\n", 2, 4, "control character 0x1b");
	refused("a: \xff\n", 1, 4, "0xff is not UTF-8");
	refused("a: \xc0\x80\n", 1, 4, "not UTF-8"); /* overlong */
	refused("a: \xed\xa0\x80\n", 1, 4, "not UTF-8"); /* surrogate */
	refused("a: \xf4\x90\x80\x80\n", 1, 4, "not UTF-8"); /* above U+10FFFF */
	refused("\xc3\xa4: \xe2\x82", 1, 4, "not UTF-8"); /* cut off; columns count characters */
	refused_n("\xff\xfe"
		  "a\0:\0 \0b\0",
		  10, 1, 1, "not UTF-8");
	parse("a: \xe2\x82\xac \xf0\x9f\x90\xa7\n");
}

static void test_escaped_control_characters_are_refused(void **state)
{
	(void)state;
	refused("a: \"x\\0y\"\n", 1, 4, "control");
	refused("a: \"x\\e[2J\"\n", 1, 4, "control");
	parse("a: \"tab\\tline\\n\"\n");
}

static void test_depth_is_bounded(void **state)
{
	char text[80];

	(void)state;
	memset(text, '[', 32);
	memset(text + 32, ']', 32);
	text[64] = '\0';
	parse(text);
	kl_yaml_deinit(&y);
	memset(text, '[', 33);
	memset(text + 33, ']', 33);
	text[66] = '\0';
	refused(text, 1, 33, "32 deep");
}

static void test_nodes_are_bounded(void **state)
{
	size_t len = 2 * 65536;
	char *text = malloc(len + 1);

	(void)state;
	assert_non_null(text);
	text[0] = '[';
	for (size_t i = 1; i < len; i += 2) {
		text[i] = 'a';
		text[i + 1] = ',';
	}
	text[len] = ']';
	/* The list and its 65,536 entries are one too many. */
	refused_n(text, len + 1, 1, 131072, "65536 values");
	free(text);
}

static void test_text_is_bounded(void **state)
{
	size_t len = (1UL << 20) + 1;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '#', len);
	refused_n(text, len, 0, 0, "1 MiB");
	free(text);
}

/* A megabyte of anything is answered at once, not after its square. */
static void test_hostile_megabytes_are_quick(void **state)
{
	static const char *const pieces[] = { "[",   "{", "- ",	     "? ",   "a: ", "\"",
					      "a\n", "%", "&a ",     "!a",   "|\n", ": ",
					      "a,",  "'", "- - -\n", "{a: [" };
	size_t max = 1UL << 20;
	char *text = malloc(max);
	int64_t start = kl_now_ns();

	(void)state;
	assert_non_null(text);
	for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
		size_t len = 0, n = strlen(pieces[p]);

		for (; len + n <= max; len += n)
			memcpy(text + len, pieces[p], n);
		if (!kl_yaml_parse("f.yaml", text, len, &y, &err))
			kl_yaml_deinit(&y);
	}
	free(text);
	if (kl_now_ns() - start > 20000000000)
		fail_msg("took %.1f s", (double)(kl_now_ns() - start) / 1e9);
}

static void test_many_keys_are_checked_quickly(void **state)
{
	struct kl_buf b = KL_BUF_INIT;
	int64_t start = kl_now_ns();

	(void)state;
	for (int i = 0; i < 32000; i++)
		kl_buf_printf(&b, "k%d: 1\n", i);
	parse(kl_buf_str(&b));
	assert_int_equal(y.root->n, 32000);
	assert_true(kl_now_ns() - start < 10000000000);
	kl_buf_deinit(&b);
}

static void test_unknown_key_is_named_with_what_is_allowed(void **state)
{
	static const char *const known[] = { "id", "title", NULL };

	(void)state;
	parse("id: x\ntitel: y\n");
	assert_int_equal(kl_yaml_known(&y, y.root, "exercise", known, &err), -1);
	expect_place(2, 1, "exercise has no key 'titel'; its keys are: id, title");
	assert_int_equal(kl_yaml_known(&y, y.root->items[0], "check", known, &err), -1);
	expect_place(1, 5, "check must be a map");
}

static void test_missing_key_is_a_complaint_at_the_map(void **state)
{
	const struct kl_yaml_node *n = NULL;

	(void)state;
	parse("a:\n  b: 1\n");
	assert_int_equal(kl_yaml_need(&y, y.root->items[0], "c", &n, &err), -1);
	assert_null(n);
	expect_place(2, 3, "key 'c' is missing");
	assert_int_equal(kl_yaml_need(&y, y.root->items[0], "b", &n, &err), 0);
	assert_string_equal(n->text, "1");
}

static void test_string_refuses_nothing_and_keeps_the_old_value(void **state)
{
	char *s = strdup("old");

	(void)state;
	parse("[\"\", null, ~, [a], 'null', 6.1]");
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(kl_yaml_string(&y, y.root->items[i], "title", &s, &err), -1);
		assert_string_equal(s, "old");
		assert_non_null(strstr(err.message, "title"));
	}
	assert_int_equal(kl_yaml_string(&y, y.root->items[4], "title", &s, &err), 0);
	assert_string_equal(s, "null");
	assert_int_equal(kl_yaml_string(&y, y.root->items[5], "title", &s, &err), 0);
	assert_string_equal(s, "6.1");
	free(s);
}

static void test_int_is_decimal_and_in_range(void **state)
{
	int64_t v = 7;

	(void)state;
	parse("[010, 0x10, '3', 1e3, 5.0, 99999999999999999999, 11, -1, '', ~, 1_0, +3, -, [1], "
	      "10, 0]");
	for (size_t i = 0; i < 14; i++) {
		if (!kl_yaml_int(&y, y.root->items[i], "runs", 0, 10, &v, &err))
			fail_msg("entry %zu taken for %d", i, (int)v);
		assert_int_equal(v, 7);
		assert_non_null(strstr(err.message, "runs must be a whole number from 0 to 10"));
	}
	assert_int_equal(kl_yaml_int(&y, y.root->items[14], "runs", 0, 10, &v, &err), 0);
	assert_int_equal(v, 10);
	assert_int_equal(kl_yaml_int(&y, y.root->items[15], "runs", 0, 10, &v, &err), 0);
	assert_int_equal(v, 0);
}

static void test_bool_is_true_or_false_and_nothing_else(void **state)
{
	bool v = true;

	(void)state;
	parse("[yes, True, 1, 'true', on, false, true]");
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(kl_yaml_bool(&y, y.root->items[i], "hidden", &v, &err), -1);
	assert_int_equal(kl_yaml_bool(&y, y.root->items[5], "hidden", &v, &err), 0);
	assert_false(v);
	assert_int_equal(kl_yaml_bool(&y, y.root->items[6], "hidden", &v, &err), 0);
	assert_true(v);
}

static void test_strings_append_and_refuse_duplicates(void **state)
{
	struct kl_strv sv = { 0 };

	(void)state;
	parse("- [a, b]\n- [c, a]\n- [d, e, d]\n- [f, [g]]\n- h\n- []\n");
	assert_int_equal(kl_yaml_strings(&y, y.root->items[0], "files", &sv, &err), 0);
	assert_int_equal(sv.n, 2);
	assert_int_equal(kl_yaml_strings(&y, y.root->items[1], "files", &sv, &err), -1);
	expect_place(2, 7, "files names 'a' twice");
	assert_int_equal(kl_yaml_strings(&y, y.root->items[2], "files", &sv, &err), -1);
	expect_place(3, 10, "files names 'd' twice");
	assert_int_equal(kl_yaml_strings(&y, y.root->items[3], "files", &sv, &err), -1);
	expect_place(4, 7, "files must be text, not a list");
	assert_int_equal(kl_yaml_strings(&y, y.root->items[4], "files", &sv, &err), -1);
	expect_place(5, 3, "files must be a list");
	assert_int_equal(kl_yaml_strings(&y, y.root->items[5], "files", &sv, &err), 0);
	assert_int_equal(sv.n, 2);
	assert_string_equal(sv.v[1], "b");
	kl_strv_deinit(&sv);
}

static void test_enum_lists_what_is_allowed(void **state)
{
	static const char *const names[] = { "fix", NULL, "review" };
	int v = 9;

	(void)state;
	parse("[review, mend, [fix]]");
	assert_int_equal(kl_yaml_enum(&y, y.root->items[1], "kind", names, 3, &v, &err), -1);
	expect_place(1, 10, "kind cannot be 'mend'; it must be one of: fix, review");
	assert_int_equal(kl_yaml_enum(&y, y.root->items[2], "kind", names, 3, &v, &err), -1);
	assert_int_equal(v, 9);
	assert_int_equal(kl_yaml_enum(&y, y.root->items[0], "kind", names, 3, &v, &err), 0);
	assert_int_equal(v, 2);
}

static void test_missing_file_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(kl_yaml_load("/nonexistent/x.yaml", &y, &err), -1);
	assert_non_null(strstr(err.message, "/nonexistent/x.yaml"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_tree_knows_values_order_and_places),
		T(test_block_scalar_is_quoted_text),
		T(test_anchors_aliases_and_merges_are_refused),
		T(test_tags_are_refused),
		T(test_second_document_is_refused),
		T(test_duplicate_key_is_refused_at_the_second),
		T(test_keys_must_be_words),
		T(test_empty_documents_are_refused),
		T(test_bytes_that_are_no_text_are_refused_where_they_stand),
		T(test_escaped_control_characters_are_refused),
		T(test_depth_is_bounded),
		T(test_nodes_are_bounded),
		T(test_text_is_bounded),
		T(test_hostile_megabytes_are_quick),
		T(test_many_keys_are_checked_quickly),
		T(test_unknown_key_is_named_with_what_is_allowed),
		T(test_missing_key_is_a_complaint_at_the_map),
		T(test_string_refuses_nothing_and_keeps_the_old_value),
		T(test_int_is_decimal_and_in_range),
		T(test_bool_is_true_or_false_and_nothing_else),
		T(test_strings_append_and_refuse_duplicates),
		T(test_enum_lists_what_is_allowed),
		T(test_missing_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
