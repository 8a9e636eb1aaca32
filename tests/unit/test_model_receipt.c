/* model: a receipt fits the result that it was made of, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/json.h>
#include <klinic/receipt.h>
#include <klinic/result.h>

#include <cmocka.h>

#define FILE_MAX (16UL << 20)

static const char grader[KL_DIGEST_HEX] =
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/* The key of RFC 8032, 7.1, test 1. */
static const struct kl_sign_key key = {
	.secret = { 0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92,
		    0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b,
		    0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60, 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a,
		    0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3,
		    0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a },
	.public_hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
};

static const char *const names[] = { "broken", "decoy",	      "flagged",     "hang",	  "hostile",
				     "infra",  "panic",	      "policy",	     "reference", "refused",
				     "unread", "unbuildable", "wrong-answer" };

/* A recorded result with a receipt, as it comes back from its file. */
static json_t *signed_result(const char *name)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *plain = NULL, *full = NULL;
	char path[128];
	json_t *back = NULL;
	struct kl_error err = KL_ERROR_INIT;

	snprintf(path, sizeof(path), "tests/golden/graders/%s.result.json", name);
	if (kl_result_load(path, &r, &err))
		fail_msg("%s", err.message);
	assert_int_equal(r.receipt_state, KL_RECEIPT_NONE);
	plain = kl_result_json(&r);
	assert_int_equal(kl_receipt_make(plain, grader, &key, &r.receipt, &err), 0);
	full = kl_result_json(&r);
	assert_int_equal(kl_json_dump(full, &b, &err), 0);
	assert_int_equal(kl_json_parse(name, b.data, b.len, &back, &err), 0);
	return back;
}

static enum kl_receipt_state state_of(const json_t *j, enum kl_receipt_part *ret_part)
{
	enum kl_receipt_state state = KL_RECEIPT_STATE_COUNT;
	struct kl_receipt r;
	struct kl_error err = KL_ERROR_INIT;

	if (!kl_receipt_check(j, &r, &state, ret_part, &err))
		return state;
	assert_int_equal(err.class, KL_CONTENT);
	return KL_RECEIPT_STATE_COUNT;
}

static void test_a_receipt_comes_back_good_from_its_file(void **state)
{
	enum kl_receipt_part part;

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(names); i++) {
		KL_AUTO_JSON json_t *j = signed_result(names[i]);
		KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };
		KL_AUTO_JSON json_t *again = NULL;

		assert_int_equal(state_of(j, &part), KL_RECEIPT_GOOD);
		/* And from a result that was read and written again: klinic report. */
		assert_int_equal(kl_result_from_json(j, &r, NULL), 0);
		again = kl_result_json(&r);
		assert_true(json_equal(again, j));
	}
}

/* Another value of the same kind, at every leaf in turn; *n counts them. */
struct flip {
	json_t *root;
	size_t n;
};

static json_t *other(const json_t *v)
{
	const char *s = json_string_value(v);
	char text[8192];
	size_t len;

	switch (json_typeof(v)) {
	case JSON_STRING:
		len = json_string_length(v);
		if (!len || len >= sizeof(text))
			return json_string(len ? "" : "x");
		memcpy(text, s, len);
		text[len - 1] = text[len - 1] == '0' ? '1' : '0';
		return json_stringn_nocheck(text, len);
	case JSON_INTEGER:
		return json_integer(json_integer_value(v) + 1);
	case JSON_REAL:
		return json_real(json_real_value(v) + 0.25);
	case JSON_TRUE:
		return json_false();
	case JSON_FALSE:
		return json_true();
	default:
		return json_string("x");
	}
}

static void must_differ(const struct flip *f, const char *where)
{
	enum kl_receipt_part part = KL_RECEIPT_PART_COUNT;
	enum kl_receipt_state state = state_of(f->root, &part);

	if (state == KL_RECEIPT_GOOD || state == KL_RECEIPT_NONE)
		fail_msg("a change of %s is not seen", where);
}

static void walk(struct flip *f, json_t *j, const char *where);

static void walk_object(struct flip *f, json_t *o, const char *where)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv keys = { 0 };
	const char *name;
	json_t *v;

	json_object_foreach(o, name, v) assert_int_equal(kl_strv_add(&keys, name), 0);
	for (size_t i = 0; i < keys.n; i++) {
		KL_AUTO_JSON json_t *kept = json_incref(json_object_get(o, keys.v[i]));

		name = keys.v[i];
		if (json_is_object(kept) || json_is_array(kept)) {
			walk(f, kept, name);
		} else {
			json_object_set_new(o, name, other(kept));
			must_differ(f, name);
			f->n++;
		}
		json_object_del(o, name);
		/* Without its receipt a result is unsigned: another test. */
		if (strcmp(name, "receipt") != 0)
			must_differ(f, name);
		json_object_set(o, name, kept);
	}
	json_object_set_new(o, "zq-new", json_null());
	must_differ(f, where);
	json_object_del(o, "zq-new");
}

static void walk_array(struct flip *f, json_t *list, const char *where)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		KL_AUTO_JSON json_t *kept = json_incref(json_array_get(list, i));

		if (json_is_object(kept) || json_is_array(kept)) {
			walk(f, kept, where);
			continue;
		}
		json_array_set_new(list, i, other(kept));
		must_differ(f, where);
		json_array_set(list, i, kept);
		f->n++;
	}
	json_array_append_new(list, json_null());
	must_differ(f, where);
	json_array_remove(list, json_array_size(list) - 1);
}

static void walk(struct flip *f, json_t *j, const char *where)
{
	if (json_is_object(j))
		walk_object(f, j, where);
	else
		walk_array(f, j, where);
}

static void test_every_single_change_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(names); i++) {
		KL_AUTO_JSON json_t *j = signed_result(names[i]);
		struct flip f = { .root = j };
		enum kl_receipt_part part;

		walk(&f, j, "the whole");
		assert_true(f.n > 30);
		assert_int_equal(state_of(j, &part), KL_RECEIPT_GOOD);
	}
}

static void test_times_are_told_from_the_rest(void **state)
{
	KL_AUTO_JSON json_t *a = signed_result("broken");
	KL_AUTO_JSON json_t *b = signed_result("broken");
	json_t *build = json_array_get(json_object_get(b, "builds"), 0);
	enum kl_receipt_part part = KL_RECEIPT_PART_COUNT;
	struct kl_receipt x, y;

	(void)state;
	json_object_set_new(json_object_get(a, "timing"), "vm_ms", json_integer(1));
	assert_int_equal(state_of(a, &part), KL_RECEIPT_CHANGED);
	assert_int_equal(part, KL_RECEIPT_TIMING);
	assert_non_null(build);
	json_object_set_new(build, "wall_ms", json_integer(77777));
	assert_int_equal(state_of(b, &part), KL_RECEIPT_CHANGED);
	assert_int_equal(part, KL_RECEIPT_TIMING);
	/* Two that differ in times alone have the same result digest. */
	json_object_del(a, "receipt");
	json_object_del(b, "receipt");
	assert_int_equal(kl_receipt_make(a, grader, &key, &x, NULL), 0);
	assert_int_equal(kl_receipt_make(b, grader, &key, &y, NULL), 0);
	assert_string_equal(x.digest[KL_RECEIPT_RESULT], y.digest[KL_RECEIPT_RESULT]);
	assert_string_not_equal(x.digest[KL_RECEIPT_TIMING], y.digest[KL_RECEIPT_TIMING]);
}

static void test_spaces_and_the_order_of_keys_do_not_count(void **state)
{
	KL_AUTO_JSON json_t *j = signed_result("decoy");
	KL_AUTO_JSON json_t *back = NULL;
	KL_AUTO_FREE char *text =
		json_dumps(j, JSON_INDENT(7) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
	enum kl_receipt_part part;

	(void)state;
	assert_int_equal(kl_json_parse("decoy", text, strlen(text), &back, NULL), 0);
	assert_int_equal(state_of(back, &part), KL_RECEIPT_GOOD);
}

static void test_a_receipt_of_another_result_does_not_fit(void **state)
{
	KL_AUTO_JSON json_t *good = signed_result("reference");
	KL_AUTO_JSON json_t *bad = signed_result("broken");
	enum kl_receipt_part part;

	(void)state;
	json_object_set(bad, "receipt", json_object_get(good, "receipt"));
	assert_int_equal(state_of(bad, &part), KL_RECEIPT_CHANGED);
}

/* Written down once: another canonical form would make every receipt that is kept worthless. */
static void test_the_canonical_form_stays_as_it_is(void **state)
{
	KL_AUTO_JSON json_t *j = json_loads(
		"{\"b\": [1, 2.5, 1e300, -0.1, true, null, \"\\u00e9\\n\\\"\\u007f/\"], \"a\": {},"
		" \"builds\": [{\"wall_ms\": 5, \"ok\": true}], \"timing\": {\"total_ms\": 9}}",
		0, NULL);
	struct kl_receipt r;

	(void)state;
	assert_non_null(j);
	assert_int_equal(kl_receipt_make(j, grader, &key, &r, NULL), 0);
	/* sha256sum of {"a":{},"b":[1,2.5,1e300,-0.1,true,null,"é\n\"DEL/"],"builds":[{"ok":true}]} */
	assert_string_equal(r.digest[KL_RECEIPT_RESULT],
			    "912d359c5e621a35b14cbaeee86c0bb65751ce15046a642fd454f406c7a4afa0");
	/* of {"builds":[5],"timing":{"total_ms":9}} */
	assert_string_equal(r.digest[KL_RECEIPT_TIMING],
			    "40933a3ca11f1ba33bd5531dd2dc9d463a409bfeeacd37a9109227ada3a68670");
	/* of {"accel":null,"kernel":null,"qemu":null,"template_ram":null} */
	assert_string_equal(r.digest[KL_RECEIPT_KERNEL],
			    "064f307080fb0b51aebd09bc2c435d45774b901af1b222b072b12826abdb07a7");
	assert_string_equal(r.signature,
			    "8519f5e056667a3e6190b807fbdad0c660c1edfc8e0ac28f636440fb48800c2b"
			    "f031ae9d7bb8d9e83bf0cc64371f1327e93c31855ad21d9e5b12bafccde61209");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_receipt_comes_back_good_from_its_file),
		cmocka_unit_test(test_every_single_change_is_seen),
		cmocka_unit_test(test_times_are_told_from_the_rest),
		cmocka_unit_test(test_spaces_and_the_order_of_keys_do_not_count),
		cmocka_unit_test(test_a_receipt_of_another_result_does_not_fit),
		cmocka_unit_test(test_the_canonical_form_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
