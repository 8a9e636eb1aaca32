/* Evidence and findings as JSON: nothing is lost on the way, and nothing is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/evidence.h>

#include "documents.h"

static struct kl_error err;

static int setup(void **state)
{
	(void)state;
	err = KL_ERROR_INIT;
	return 0;
}

static void test_evidence_comes_back_whole(void **state)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence e = { 0 };
	KL_AUTO_JSON json_t *first = documents_evidence();
	KL_AUTO_JSON json_t *read = documents_through_text(first);
	KL_AUTO_JSON json_t *second = NULL;
	const struct kl_run *run;

	(void)state;
	if (kl_evidence_from_json(read, &e, &err))
		fail_msg("%s", err.message);
	run = &e.checks[0].runs[0];
	assert_true(run->seed == UINT64_MAX);
	assert_true(run->answers[0].value == 0xdeadbeefcafef00d);
	assert_true(run->answers[0].min == 1ULL << 53);
	assert_true(run->tainted == 1ULL << 60);
	assert_true(run->log_cut && run->leaks_unheard);
	assert_int_equal(run->warnings, 4294967295);
	assert_string_equal(run->log_where, "only in memory: BUG");
	assert_string_equal(run->switches_changed.v[0], "kasan_flags");
	assert_int_equal(run->load_status, -12);
	assert_int_equal(run->findings.v[0].offset, 1000);
	assert_int_equal(run->findings.v[0].time_us, 12345678);
	assert_string_equal(run->console, "[    1.0] BUG\n");
	assert_true(e.checks[0].tolerate[KL_KIND_WARN]);
	assert_string_equal(e.checks[1].infra, "the kernel did not boot");
	assert_null(e.checks[0].infra);
	assert_string_equal(e.template_ram, "");
	second = kl_evidence_json(&e);
	assert_true(json_equal(first, second));
}

/* Recorded before the host looked at these: as if nothing had been found. */
static void test_evidence_of_an_older_klinic_is_read(void **state)
{
	static const char *const later[] = { "log_cut",	      "leaks_unheard",	  "oopses",
					     "warnings",      "log_differs",	  "log_where",
					     "modules_wrong", "switches_changed", "scheduled" };
	KL_AUTO(kl_evidence_deinit) struct kl_evidence e = { 0 };
	KL_AUTO_JSON json_t *document = documents_evidence();
	json_t *check = json_array_get(json_object_get(document, "checks"), 0);
	json_t *run = json_array_get(json_object_get(check, "runs"), 0);

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(later); i++)
		assert_int_equal(json_object_del(run, later[i]), 0);
	if (kl_evidence_from_json(document, &e, &err))
		fail_msg("%s", err.message);
	assert_false(e.checks[0].runs[0].log_cut);
	assert_int_equal(e.checks[0].runs[0].log_differs, 0);
	assert_null(e.checks[0].runs[0].modules_wrong);
	assert_int_equal(e.checks[0].runs[0].switches_changed.n, 0);
	kl_evidence_deinit(&e);
	json_object_set_new(run, "switches_changed", json_integer(1));
	assert_int_equal(kl_evidence_from_json(document, &e, &err), -1);
}

static void test_empty_evidence_comes_back(void **state)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence e = { .exercise = strdup("x") };
	KL_AUTO(kl_evidence_deinit) struct kl_evidence back = { 0 };
	KL_AUTO_JSON json_t *first = kl_evidence_json(&e);
	KL_AUTO_JSON json_t *second = NULL;

	(void)state;
	if (kl_evidence_from_json(first, &back, &err))
		fail_msg("%s", err.message);
	second = kl_evidence_json(&back);
	assert_true(json_equal(first, second));
}

static int read_evidence(const json_t *j)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence e = { 0 };

	return kl_evidence_from_json(j, &e, &err);
}

static void test_evidence_with_any_value_of_another_type_is_survived(void **state)
{
	KL_AUTO_JSON json_t *j = documents_evidence();

	(void)state;
	assert_true(documents_poisoned(j, read_evidence) > 300);
	assert_int_equal(read_evidence(j), 0);
}

static void test_a_finding_in_the_shape_of_the_command(void **state)
{
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };
	KL_AUTO_JSON json_t *j = NULL;
	KL_AUTO_JSON json_t *expected = NULL;

	(void)state;
	documents_add_findings(&fs);
	j = kl_findings_json(&fs);
	expected =
		json_pack("[{s:s, s:s, s:s, s:s, s:i, s:s, s:[s]},"
			  " {s:s, s:s, s:n, s:n, s:n, s:n, s:[]}]",
			  "kind", "kasan", "title", "KASAN: slab-use-after-free Read in stash_read",
			  "function", "stash_read", "file", "stashbox.c", "line", 120, "access",
			  "read of size 8", "trace", "stash_read+0x4e/0x120 [stashbox]", "kind",
			  "other", "title", "?", "function", "file", "line", "access", "trace");
	assert_true(json_equal(j, expected));
}

static void test_copied_findings_are_independent(void **state)
{
	KL_AUTO(kl_findings_deinit) struct kl_findings from = { 0 };
	KL_AUTO(kl_findings_deinit) struct kl_findings to = { 0 };
	KL_AUTO_JSON json_t *a = NULL;
	KL_AUTO_JSON json_t *b = NULL;

	(void)state;
	for (int i = 0; i < 5; i++)
		documents_add_findings(&from);
	assert_int_equal(kl_findings_copy(&to, &from), 0);
	a = kl_findings_json(&from);
	kl_findings_deinit(&from);
	b = kl_findings_json(&to);
	assert_int_equal(to.n, 10);
	assert_true(json_equal(a, b));
}

static void test_united_findings_stand_once_each(void **state)
{
	KL_AUTO(kl_findings_deinit) struct kl_findings from = { 0 };
	KL_AUTO(kl_findings_deinit) struct kl_findings to = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++)
		documents_add_findings(&from);
	assert_int_equal(kl_findings_unite(&to, &from), 0);
	assert_int_equal(to.n, 2);
	free(from.v[0].function);
	from.v[0].function = strdup("stash_drop"); /* elsewhere: another one */
	from.v[1].kind = KL_KIND_WARN;
	assert_int_equal(kl_findings_unite(&to, &from), 0);
	assert_int_equal(to.n, 4);
	assert_string_equal(to.v[2].function, "stash_drop");
	assert_string_equal(to.v[0].function, "stash_read");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_evidence_comes_back_whole),
		TEST(test_evidence_of_an_older_klinic_is_read),
		TEST(test_empty_evidence_comes_back),
		TEST(test_evidence_with_any_value_of_another_type_is_survived),
		TEST(test_a_finding_in_the_shape_of_the_command),
		TEST(test_copied_findings_are_independent),
		TEST(test_united_findings_stand_once_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
