/* Results as JSON: every field of the contract, nothing lost on the way, and nothing believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/evidence.h>
#include <klinic/result.h>
#include <klinic/verdict.h>

#include "documents.h"

static struct kl_error err;

static int setup(void **state)
{
	(void)state;
	err = KL_ERROR_INIT;
	return 0;
}

static void test_a_result_comes_back_whole(void **state)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };
	KL_AUTO_JSON json_t *first = documents_result();
	KL_AUTO_JSON json_t *read = documents_through_text(first);
	KL_AUTO_JSON json_t *second = NULL;

	(void)state;
	if (kl_result_from_json(read, &r, &err))
		fail_msg("%s", err.message);
	assert_true(r.checks[0].seeds_failed[1] == 1ULL << 63);
	assert_true(r.dimensions[0].score == 2.75);
	assert_false(r.dimensions[1].assessed);
	second = kl_result_json(&r);
	assert_true(json_equal(first, second));
}

static void expect_keys(const json_t *o, const char *const *keys)
{
	for (; *keys; keys++)
		if (!json_object_get(o, *keys))
			fail_msg("“%s” is missing", *keys);
}

static void test_a_result_has_every_field_of_the_contract(void **state)
{
	static const char *const top[] = { "schema",	 "exercise",	"verdict",  "score",
					   "dimensions", "checks",	"findings", "refused",
					   "timing",	 "environment", NULL };
	static const char *const dimension[] = { "id", "weight", "score", "assessed", NULL };
	static const char *const check[] = { "id",	   "verdict",  "flavour",      "mode",
					     "runs",	   "failures", "seeds_failed", "rate",
					     "confidence", "findings", "detail",       NULL };
	static const char *const finding[] = { "kind", "title",	 "function", "file",
					       "line", "access", NULL };
	static const char *const timing[] = { "intake_ms", "build_ms", "vm_ms", "total_ms", NULL };
	static const char *const environment[] = {
		"kernel", "qemu", "accel", "template_ram", "klinic", "exercise_digest", NULL
	};
	static const char *const score[] = { "points", "max", NULL };
	KL_AUTO_JSON json_t *j = documents_result();

	(void)state;
	expect_keys(j, top);
	assert_string_equal(json_string_value(json_object_get(j, "schema")), "klinic.result/1");
	expect_keys(json_object_get(j, "score"), score);
	expect_keys(json_object_get(j, "timing"), timing);
	expect_keys(json_object_get(j, "environment"), environment);
	expect_keys(json_array_get(json_object_get(j, "checks"), 0), check);
	expect_keys(json_array_get(json_object_get(j, "dimensions"), 0), dimension);
	expect_keys(json_array_get(json_object_get(j, "findings"), 0), finding);
}

static void test_not_assessed_is_null_and_never_zero(void **state)
{
	KL_AUTO_JSON json_t *j = documents_result();
	json_t *d = json_array_get(json_object_get(j, "dimensions"), 1);
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };

	(void)state;
	assert_true(json_is_null(json_object_get(d, "score")));
	assert_true(json_is_false(json_object_get(d, "assessed")));
	json_object_set_new(d, "score", json_integer(0));
	assert_int_equal(kl_result_from_json(j, &r, &err), -1);
	assert_non_null(strstr(err.message, "dimensions[1]"));
}

static void test_a_result_without_the_extra_fields_is_read(void **state)
{
	static const char *const more[] = { "title",   "submission", "submission_digest",
					    "summary", "builds",     "diff" };
	static const char *const check_more[] = { "title",    "hidden", "remark",    "console",
						  "guest_ns", "points", "points_max" };
	KL_AUTO_JSON json_t *j = documents_result();
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(more); i++)
		json_object_del(j, more[i]);
	for (size_t i = 0; i < KL_ARRAY_SIZE(check_more); i++)
		json_object_del(json_array_get(json_object_get(j, "checks"), 0), check_more[i]);
	if (kl_result_from_json(j, &r, &err))
		fail_msg("%s", err.message);
}

static void test_a_score_that_is_no_number_is_written_as_zero(void **state)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { .exercise = strdup("x"), .points = NAN };
	KL_AUTO_JSON json_t *j = kl_result_json(&r);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "score"), "points")),
			 0);
}

static int read_result(const json_t *j)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };

	return kl_result_from_json(j, &r, &err);
}

static void test_a_result_with_any_value_of_another_type_is_survived(void **state)
{
	KL_AUTO_JSON json_t *j = documents_result();

	(void)state;
	assert_true(documents_poisoned(j, read_result) > 300);
	assert_int_equal(read_result(j), 0);
}

static void result_refused(const char *path[], json_t *value, const char *part)
{
	KL_AUTO_JSON json_t *j = documents_result();
	json_t *o = j;

	for (; path[1]; path++) {
		o = json_object_get(o, path[0]);
		if (json_is_array(o))
			o = json_array_get(o, 0);
	}
	json_object_set_new(o, path[0], value);
	assert_int_equal(read_result(j), -1);
	assert_int_equal(err.class, KL_CONTENT);
	if (!strstr(err.message, part))
		fail_msg("got: %s; expected: %s", err.message, part);
}

#define AT(...) ((const char *[]){ __VA_ARGS__, NULL })

static void test_values_out_of_their_bounds_are_refused_by_name(void **state)
{
	(void)state;
	result_refused(AT("schema"), json_string("klinic.result/2"), "klinic.result/1");
	result_refused(AT("verdict"), json_string("passed"), "“verdict”");
	result_refused(AT("checks", "rate"), json_real(1.5), "checks[0]: “rate”");
	result_refused(AT("checks", "runs"), json_integer(-1), "checks[0]: “runs”");
	result_refused(AT("checks", "runs"), json_integer(1LL << 40), "“runs”");
	result_refused(AT("checks", "seeds_failed"), json_pack("[s]", "0xzz"), "“seeds_failed”");
	result_refused(AT("checks", "seeds_failed"), json_pack("[i]", -1), "“seeds_failed”");
	result_refused(AT("checks", "id"), json_null(), "“id”");
	result_refused(AT("findings", "kind"), json_string("kasam"), "findings[0]: “kind”");
	result_refused(AT("dimensions", "score"), json_real(4.5), "“score”");
	result_refused(AT("dimensions", "weight"), json_integer(101), "“weight”");
	result_refused(AT("environment", "template_ram"), json_string("AB"), "“template_ram”");
	result_refused(AT("timing"), json_array(), "“timing”");
	result_refused(AT("exercise"), json_stringn("a\0b", 3), "NUL");
	result_refused(AT("score", "max"), json_integer(-1), "“max”");
}

static void test_verdicts_have_the_exit_statuses_of_the_contract(void **state)
{
	(void)state;
	assert_int_equal(kl_verdict_exit_status(KL_VERDICT_PASS), 0);
	assert_int_equal(kl_verdict_exit_status(KL_VERDICT_FAIL), 1);
	assert_int_equal(kl_verdict_exit_status(KL_VERDICT_INCONCLUSIVE), 5);
	assert_int_equal(kl_verdict_exit_status(KL_VERDICT_INFRA), 4);
}

static void test_every_enum_reads_its_own_spelling(void **state)
{
	(void)state;
	for (int i = 0; i < KL_VERDICT_COUNT; i++)
		assert_int_equal(kl_verdict_parse(kl_verdict_name((enum kl_verdict)i)), i);
	for (int i = 0; i < KL_MODE_COUNT; i++)
		assert_int_equal(kl_mode_parse(kl_mode_name((enum kl_mode)i)), i);
	for (int i = 0; i < KL_KIND_COUNT; i++)
		assert_int_equal(kl_kind_parse(kl_kind_name((enum kl_kind)i)), i);
	for (int i = 0; i < KL_END_COUNT; i++)
		assert_int_equal(kl_end_parse(kl_end_name((enum kl_end)i)), i);
	for (int i = 0; i < KL_PROGRAM_COUNT; i++)
		assert_int_equal(kl_program_end_parse(kl_program_end_name((enum kl_program_end)i)),
				 i);
	assert_int_equal(kl_kind_parse("?"), -1);
	assert_int_equal(kl_kind_parse(NULL), -1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_result_comes_back_whole),
		TEST(test_a_result_has_every_field_of_the_contract),
		TEST(test_not_assessed_is_null_and_never_zero),
		TEST(test_a_result_without_the_extra_fields_is_read),
		TEST(test_a_score_that_is_no_number_is_written_as_zero),
		TEST(test_a_result_with_any_value_of_another_type_is_survived),
		TEST(test_values_out_of_their_bounds_are_refused_by_name),
		TEST(test_verdicts_have_the_exit_statuses_of_the_contract),
		TEST(test_every_enum_reads_its_own_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
