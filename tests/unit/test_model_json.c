/* Evidence and results as JSON: nothing is lost on the way, and nothing is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/evidence.h>
#include <klinic/result.h>
#include <klinic/verdict.h>

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct kl_error err;

static int setup(void **state)
{
	(void)state;
	err = KL_ERROR_INIT;
	return 0;
}

static void *zalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	assert_non_null(p);
	return p;
}

static void add_finding(struct kl_findings *fs)
{
	struct kl_finding f = {
		.kind = KL_KIND_KASAN,
		.title = strdup("KASAN: slab-use-after-free Read in stash_read"),
		.function = strdup("stash_read"),
		.file = strdup("stashbox.c"),
		.line = 120,
		.access = strdup("read of size 8"),
		.offset = 1000,
		.length = 2000,
		.time_us = 12345678,
	};
	struct kl_finding bare = { .kind = KL_KIND_OTHER, .title = strdup("?") };

	assert_int_equal(kl_strv_add(&f.trace, "stash_read+0x4e/0x120 [stashbox]"), 0);
	assert_int_equal(kl_findings_push(fs, &f), 0);
	assert_int_equal(kl_findings_push(fs, &bare), 0);
	assert_null(f.title);
}

static void add_notes(struct kl_policy *p)
{
	const struct kl_policy_note refused = {
		.rule = (char *)"detector-switch",
		.file = (char *)"stash.c",
		.line = 12,
		.column = 3,
		.name = (char *)"kasan_disable_current",
		.text = (char *)"it silences a detector",
		.refused = true,
	};
	const struct kl_policy_note flagged = { .rule = (char *)"import",
						.file = (char *)"stash.ko" };

	assert_int_equal(kl_policy_add(p, &refused), 0);
	assert_int_equal(kl_policy_add(p, &flagged), 0);
	assert_ptr_equal(kl_policy_refusal(p), &p->v[0]);
}

static void add_builds(struct kl_build_evidence **builds, size_t *n)
{
	*builds = zalloc(1, sizeof(**builds));
	*n = 1;
	(*builds)[0].flavour = strdup("kasan");
	(*builds)[0].log = strdup("bad \xff byte");
	(*builds)[0].wall_ms = 700;
	(*builds)[0].diagnostics = zalloc(1, sizeof(struct kl_diagnostic));
	(*builds)[0].n = 1;
	(*builds)[0].diagnostics[0] = (struct kl_diagnostic){
		.file = strdup("stashbox.c"),
		.line = 3,
		.column = 7,
		.severity = strdup("error"),
		.text = strdup("expected ‘;’"),
	};
}

static void fill_run(struct kl_run *run)
{
	*run = (struct kl_run){
		.seed = UINT64_MAX,
		.end = KL_END_PANIC,
		.guest_ns = 4300000000,
		.load_status = -12,
		.unload_status = 1,
		.program = KL_PROGRAM_SIGNALLED,
		.program_status = 11,
		.said = strdup("lost 3 reads"),
		.console = strdup("[    1.0] BUG\n"),
		.console_truncated = true,
		.memory_read = true,
		.tainted = 1ULL << 60,
		.log_cut = true,
		.leaks_unheard = true,
		.oopses = 1,
		.warnings = 4294967295,
		.log_differs = 2,
		.log_where = strdup("only in memory: BUG"),
		.modules_wrong = strdup("ghost"),
		.wall_ms = 2100,
		.points_hit = 4711,
		.preempted = 1400,
	};
	assert_int_equal(kl_strv_add(&run->switches_changed, "kasan_flags"), 0);
	run->answers = zalloc(2, sizeof(*run->answers));
	run->n_answers = 2;
	run->answers[0] = (struct kl_answer){ .slot = 3,
					      .given = true,
					      .value = 0xdeadbeefcafef00d,
					      .min = 1ULL << 53,
					      .max = UINT64_MAX,
					      .label = strdup("sum") };
	run->answers[1].slot = 63;
	add_finding(&run->findings);
}

static void fill_evidence(struct kl_evidence *e)
{
	*e = (struct kl_evidence){
		.exercise = strdup("stash-replace"),
		.exercise_digest = DIGEST_A,
		.submission_digest = DIGEST_B,
		.submission = strdup("fix.patch"),
		.diff = strdup("--- a/x\n"),
		.kernel = strdup("6.1.0 kasan"),
		.qemu = strdup("7.2.0"),
		.accel = strdup("tcg+icount"),
		.intake_ms = 1,
		.build_ms = 2,
		.vm_ms = 3,
		.total_ms = 6,
	};
	assert_int_equal(kl_strv_add(&e->refused, "a reason"), 0);
	add_notes(&e->policy);
	add_builds(&e->builds, &e->n_builds);
	e->checks = zalloc(2, sizeof(*e->checks));
	e->n_checks = 2;
	e->checks[0].check = strdup("readers");
	e->checks[0].title = strdup("Readers");
	e->checks[0].flavour = strdup("kasan");
	e->checks[0].hidden = true;
	e->checks[0].planned = 8;
	e->checks[0].leaks = true;
	e->checks[0].tolerate[KL_KIND_WARN] = true;
	e->checks[0].runs = zalloc(1, sizeof(struct kl_run));
	e->checks[0].n_runs = 1;
	fill_run(&e->checks[0].runs[0]);
	e->checks[1].check = strdup("leaks");
	e->checks[1].mode = KL_MODE_PARALLEL;
	e->checks[1].infra = strdup("the kernel did not boot");
}

static void fill_result(struct kl_result *r)
{
	struct kl_check_result *c;

	*r = (struct kl_result){
		.exercise = strdup("stash-replace"),
		.title = strdup("Readers meet a writer"),
		.submission = strdup("fix.patch"),
		.verdict = KL_VERDICT_FAIL,
		.summary = strdup("One check failed."),
		.points = 3.5,
		.points_max = 10,
		.diff = strdup(""),
		.intake_ms = 5,
		.total_ms = 9,
		.kernel = strdup("6.1.0"),
		.qemu = strdup("7.2.0"),
		.accel = strdup("tcg"),
		.klinic = strdup("0.1"),
		.template_ram = DIGEST_B,
		.exercise_digest = DIGEST_A,
		.submission_digest = DIGEST_B,
	};
	assert_int_equal(kl_strv_add(&r->refused, "a reason"), 0);
	add_notes(&r->policy);
	add_finding(&r->findings);
	add_builds(&r->builds, &r->n_builds);
	r->dimensions = zalloc(2, sizeof(*r->dimensions));
	r->n_dimensions = 2;
	r->dimensions[0] = (struct kl_dimension_score){ .id = strdup("concurrency"),
							.title = strdup("Concurrency"),
							.weight = 15,
							.assessed = true,
							.score = 2.75 };
	r->dimensions[1] = (struct kl_dimension_score){ .id = strdup("upstream"), .weight = 5 };
	r->checks = zalloc(1, sizeof(*r->checks));
	r->n_checks = 1;
	c = &r->checks[0];
	*c = (struct kl_check_result){
		.id = strdup("readers"),
		.title = strdup("Readers"),
		.hidden = true,
		.verdict = KL_VERDICT_FAIL,
		.flavour = strdup("kasan"),
		.runs = 3,
		.failures = 1,
		.rate = 1.0 / 3,
		.confidence = 1,
		.detail = strdup("seed 3"),
		.remark = strdup("the kernel reported a fault"),
		.console = strdup("[ 1.0] BUG\n"),
		.guest_ns = 77,
		.points = 1,
		.points_max = 3,
	};
	c->seeds_failed = zalloc(2, sizeof(*c->seeds_failed));
	c->n_seeds_failed = 2;
	c->seeds_failed[0] = 3;
	c->seeds_failed[1] = 1ULL << 63;
	add_finding(&c->findings);
}

static json_t *evidence_document(void)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence e = { 0 };
	json_t *j;

	fill_evidence(&e);
	j = kl_evidence_json(&e);
	assert_non_null(j);
	return j;
}

static json_t *result_document(void)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };
	json_t *j;

	fill_result(&r);
	j = kl_result_json(&r);
	assert_non_null(j);
	return j;
}

/* Through text, as a file would take it. */
static json_t *through_text(const json_t *j)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	json_t *again = NULL;

	assert_int_equal(kl_json_dump(j, &b, &err), 0);
	assert_int_equal(kl_json_parse("t.json", b.data, b.len, &again, &err), 0);
	return again;
}

static void test_evidence_comes_back_whole(void **state)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence e = { 0 };
	KL_AUTO_JSON json_t *first = evidence_document();
	KL_AUTO_JSON json_t *read = through_text(first);
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
	static const char *const later[] = { "log_cut",	      "leaks_unheard",	 "oopses",
					     "warnings",      "log_differs",	 "log_where",
					     "modules_wrong", "switches_changed" };
	KL_AUTO(kl_evidence_deinit) struct kl_evidence e = { 0 };
	KL_AUTO_JSON json_t *document = evidence_document();
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

static void test_a_result_comes_back_whole(void **state)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };
	KL_AUTO_JSON json_t *first = result_document();
	KL_AUTO_JSON json_t *read = through_text(first);
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
	KL_AUTO_JSON json_t *j = result_document();

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
	KL_AUTO_JSON json_t *j = result_document();
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
	KL_AUTO_JSON json_t *j = result_document();
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

/*
 * Every value of the document, one at a time, becomes something of another
 * type: the reader must complain or read on, and never crash or leak.
 */
static void poison_each(json_t *root, json_t *j, int (*read)(const json_t *), size_t *refused)
{
	const char *key;
	json_t *v;
	size_t i;
	void *next;
	KL_AUTO_JSON json_t *hostile = json_pack("[i, f, s, b, n, {}, []]", -7, 1e300, "x\ny", 1);

	json_object_foreach_safe(j, next, key, v)
	{
		KL_AUTO_JSON json_t *kept = json_incref(v);

		poison_each(root, v, read, refused);
		for (i = 0; i < json_array_size(hostile); i++) {
			json_object_set(j, key, json_array_get(hostile, i));
			*refused += read(root) != 0;
		}
		json_object_set(j, key, kept);
	}
	for (size_t k = 0; k < json_array_size(j); k++) {
		KL_AUTO_JSON json_t *kept = json_incref(json_array_get(j, k));

		poison_each(root, kept, read, refused);
		for (i = 0; i < json_array_size(hostile); i++) {
			json_array_set(j, k, json_array_get(hostile, i));
			*refused += read(root) != 0;
		}
		json_array_set(j, k, kept);
	}
}

static int read_evidence(const json_t *j)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence e = { 0 };

	return kl_evidence_from_json(j, &e, &err);
}

static int read_result(const json_t *j)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };

	return kl_result_from_json(j, &r, &err);
}

static void test_evidence_with_any_value_of_another_type_is_survived(void **state)
{
	KL_AUTO_JSON json_t *j = evidence_document();
	size_t refused = 0;

	(void)state;
	poison_each(j, j, read_evidence, &refused);
	assert_true(refused > 300);
	assert_int_equal(read_evidence(j), 0);
}

static void test_a_result_with_any_value_of_another_type_is_survived(void **state)
{
	KL_AUTO_JSON json_t *j = result_document();
	size_t refused = 0;

	(void)state;
	poison_each(j, j, read_result, &refused);
	assert_true(refused > 300);
	assert_int_equal(read_result(j), 0);
}

static void result_refused(const char *path[], json_t *value, const char *part)
{
	KL_AUTO_JSON json_t *j = result_document();
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

static void test_a_finding_in_the_shape_of_the_command(void **state)
{
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };
	KL_AUTO_JSON json_t *j = NULL;
	KL_AUTO_JSON json_t *expected = NULL;

	(void)state;
	add_finding(&fs);
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
		add_finding(&from);
	assert_int_equal(kl_findings_copy(&to, &from), 0);
	a = kl_findings_json(&from);
	kl_findings_deinit(&from);
	b = kl_findings_json(&to);
	assert_int_equal(to.n, 10);
	assert_true(json_equal(a, b));
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
		TEST(test_evidence_comes_back_whole),
		TEST(test_evidence_of_an_older_klinic_is_read),
		TEST(test_empty_evidence_comes_back),
		TEST(test_a_result_comes_back_whole),
		TEST(test_a_result_has_every_field_of_the_contract),
		TEST(test_not_assessed_is_null_and_never_zero),
		TEST(test_a_result_without_the_extra_fields_is_read),
		TEST(test_a_score_that_is_no_number_is_written_as_zero),
		TEST(test_evidence_with_any_value_of_another_type_is_survived),
		TEST(test_a_result_with_any_value_of_another_type_is_survived),
		TEST(test_values_out_of_their_bounds_are_refused_by_name),
		TEST(test_a_finding_in_the_shape_of_the_command),
		TEST(test_copied_findings_are_independent),
		TEST(test_verdicts_have_the_exit_statuses_of_the_contract),
		TEST(test_every_enum_reads_its_own_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
