/* Documents for the tests of the model, and what every reader of one must stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "documents.h"

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void *zalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	assert_non_null(p);
	return p;
}

void documents_add_findings(struct kl_findings *fs)
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
		.scheduled = true,
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
	documents_add_findings(&run->findings);
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
	documents_add_findings(&r->findings);
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
	documents_add_findings(&c->findings);
}

json_t *documents_evidence(void)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence e = { 0 };
	json_t *j;

	fill_evidence(&e);
	j = kl_evidence_json(&e);
	assert_non_null(j);
	return j;
}

json_t *documents_result(void)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };
	json_t *j;

	fill_result(&r);
	j = kl_result_json(&r);
	assert_non_null(j);
	return j;
}

json_t *documents_through_text(const json_t *j)
{
	struct kl_error err = KL_ERROR_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	json_t *again = NULL;

	assert_int_equal(kl_json_dump(j, &b, &err), 0);
	assert_int_equal(kl_json_parse("t.json", b.data, b.len, &again, &err), 0);
	return again;
}

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

size_t documents_poisoned(json_t *j, int (*read)(const json_t *))
{
	size_t refused = 0;

	poison_each(j, j, read, &refused);
	return refused;
}
