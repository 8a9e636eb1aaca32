/*
 * klinic bench grade: what a warm grade of the reference costs, phase by phase.
 * Guests run one at a time here, so that their times add up and what is left is
 * the time outside of them. Each grade is made twice, with all evidence and with
 * none, one right after the other, so that what the evidence costs shows whatever
 * else the machine does.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/deadline.h>
#include <klinic/json.h>

#include "cli/cli.h"

#define REPETITIONS_DEFAULT 5
#define REPETITIONS_MAX	    1000

enum phase { INTAKE, BUILD, VM, VERDICT, TOTAL, GUESTS, OUTSIDE, BARE, EVIDENCE, PHASES };

static const struct {
	const char *key, *words;
} phases[PHASES] = {
	[INTAKE] = { "intake_ms", "intake" },
	[BUILD] = { "build_ms", "build" },
	[VM] = { "vm_ms", "guests and evidence" },
	[VERDICT] = { "verdict_ms", "verdict and report" },
	[TOTAL] = { "total_ms", "total" },
	[GUESTS] = { "guests_ms", "guests' own time" },
	[OUTSIDE] = { "outside_ms", "outside of guests" },
	[BARE] = { "bare_guests_ms", "guests, no evidence" },
	[EVIDENCE] = { "evidence_ms_per_run", "evidence, per run" },
};

struct sample {
	int64_t ms[PHASES];
};

static int64_t guests_ms(const struct kl_evidence *ev)
{
	int64_t sum = 0;

	for (size_t i = 0; i < ev->n_checks; i++)
		for (size_t k = 0; k < ev->checks[i].n_runs; k++)
			sum += ev->checks[i].runs[k].wall_ms;
	return sum;
}

static int64_t count_runs(const struct kl_evidence *ev)
{
	size_t n = 0;

	for (size_t i = 0; i < ev->n_checks; i++)
		n += ev->checks[i].n_runs;
	return n ? (int64_t)n : 1;
}

static int judge(const struct kl_exercise *e, const char *path, bool bare, struct cli_judgement *j,
		 struct kl_error *err)
{
	const struct kl_session_options o = { .hidden = true,
					      .visible = true,
					      .control = !bare,
					      .bare = bare,
					      .build_kernel = true,
					      .jobs = 1,
					      .progress = cli_progress };

	return cli_intake(e, path, j, err) || cli_judge(e, &o, j, err) ? -1 : 0;
}

static int measure_bare(const struct kl_exercise *e, const char *path, const struct kl_evidence *ev,
			struct sample *ret, struct kl_error *err)
{
	KL_AUTO(cli_judgement_deinit) struct cli_judgement j = { 0 };

	if (judge(e, path, true, &j, err))
		return -1;
	if (j.result.verdict == KL_VERDICT_PASS)
		return kl_fail(err, KL_INFRA, "a grade without evidence passed: that is a bug");
	if (count_runs(&j.evidence) != count_runs(ev))
		return kl_fail(err, KL_INFRA,
			       "%" PRId64 " runs without evidence and %" PRId64
			       " with it cannot be compared: %s",
			       count_runs(&j.evidence), count_runs(ev), j.result.summary);
	ret->ms[BARE] = guests_ms(&j.evidence);
	ret->ms[EVIDENCE] = (ret->ms[GUESTS] - ret->ms[BARE]) / count_runs(ev);
	return 0;
}

static int measure(const struct kl_exercise *e, const char *path, struct sample *ret,
		   struct kl_error *err)
{
	KL_AUTO(cli_judgement_deinit) struct cli_judgement j = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	int64_t begun = kl_now_ns();
	const struct kl_evidence *ev = &j.evidence;

	if (judge(e, path, false, &j, err))
		return -1;
	if (j.result.verdict != KL_VERDICT_PASS)
		return kl_fail(err, KL_CONTENT, "%s does not pass, so its time says nothing: %s",
			       path, j.result.summary);
	if (cli_render(&j.result, CLI_JSON, KL_AUDIENCE_PANEL, true, &b, err))
		return -1;
	ret->ms[TOTAL] = (kl_now_ns() - begun) / 1000000;
	ret->ms[INTAKE] = ev->intake_ms;
	ret->ms[BUILD] = ev->build_ms;
	ret->ms[VM] = ev->vm_ms;
	ret->ms[VERDICT] = ret->ms[TOTAL] - ev->intake_ms - ev->build_ms - ev->vm_ms;
	ret->ms[GUESTS] = guests_ms(ev);
	ret->ms[OUTSIDE] = ret->ms[TOTAL] - ret->ms[GUESTS];
	return measure_bare(e, path, ev, ret, err);
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct spread {
	int64_t min, median, max;
};

static struct spread spread_of(const struct sample *s, size_t n, enum phase p)
{
	int64_t v[REPETITIONS_MAX] = { 0 };

	for (size_t i = 0; i < n; i++)
		v[i] = s[i].ms[p];
	qsort(v, n, sizeof(*v), by_value);
	return (struct spread){ v[0], (v[(n - 1) / 2] + v[n / 2]) / 2, v[n - 1] };
}

static json_t *bench_json(const struct kl_exercise *e, const struct sample *s, size_t n)
{
	json_t *o = json_pack("{s:s,s:s,s:I}", "bench", "grade", "exercise", e->id, "repetitions",
			      (json_int_t)n);

	for (int p = 0; o && p < PHASES; p++) {
		struct spread d = spread_of(s, n, (enum phase)p);

		json_object_set_new(o, phases[p].key,
				    json_pack("{s:I,s:I,s:I}", "min", (json_int_t)d.min, "median",
					      (json_int_t)d.median, "max", (json_int_t)d.max));
	}
	return o;
}

static void bench_text(const struct kl_exercise *e, const struct sample *s, size_t n,
		       struct kl_buf *b)
{
	kl_buf_printf(b, "Grading the reference of %s, %zu times, one guest at a time; ms:\n\n",
		      e->id, n);
	kl_buf_printf(b, "%-22s%8s%8s%8s\n", "", "min", "median", "max");
	for (int p = 0; p < PHASES; p++) {
		struct spread d = spread_of(s, n, (enum phase)p);

		kl_buf_printf(b, "%-22s%8" PRId64 "%8" PRId64 "%8" PRId64 "\n", phases[p].words,
			      d.min, d.median, d.max);
	}
}

static int find_reference(const struct kl_exercise *e, char **ret, struct kl_error *err)
{
	KL_AUTO(kl_variants_deinit) struct kl_variants vs = { 0 };

	if (kl_variants_load(e, &vs, err))
		return -1;
	for (size_t i = 0; i < vs.n; i++)
		if (vs.v[i].role == KL_ROLE_REFERENCE)
			*ret = strdup(vs.v[i].path);
	return *ret ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

static int repeat(const struct kl_exercise *e, const char *path, struct sample *s, size_t n,
		  struct kl_error *err)
{
	struct sample warm;

	cli_progress_begin("measuring");
	cli_progress_part("warming up");
	if (measure(e, path, &warm, err))
		return -1;
	for (size_t i = 0; i < n; i++) {
		cli_progress_part("%zu of %zu", i + 1, n);
		if (measure(e, path, &s[i], err))
			return -1;
	}
	cli_progress_end();
	return 0;
}

static int bench_grade(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_FREE struct sample *s = NULL;
	KL_AUTO_FREE char *reference = NULL;
	KL_AUTO_JSON json_t *j = NULL;
	const char *path = cli_value(a, "submission");
	int format = cli_choice(a, "format", cli_text_or_json, err);
	uint64_t n = REPETITIONS_DEFAULT;

	if (format < 0 || cli_number(a, "repeat", 1, REPETITIONS_MAX, &n, err))
		return -1;
	if (kl_exercise_find(a->positional[1], &e, err) ||
	    (!path && find_reference(&e, &reference, err)))
		return -1;
	s = calloc(n, sizeof(*s));
	if (!s)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (repeat(&e, path ? path : reference, s, n, err))
		return -1;
	if (format == CLI_JSON) {
		j = bench_json(&e, s, n);
		return cli_print_json(j, err) ? -1 : CLI_DONE;
	}
	bench_text(&e, s, n, &b);
	return cli_print_text(&b, err) ? -1 : CLI_DONE;
}

int cli_verb_bench(const struct cli_args *a, struct kl_error *err)
{
	if (!strcmp(a->positional[0], "grade"))
		return bench_grade(a, err);
	if (!strcmp(a->positional[0], "schedules"))
		return cli_bench_schedules(a, err);
	return kl_fail(err, KL_USAGE,
		       "bench measures grade and schedules, not “%s”: klinic bench grade ID",
		       a->positional[0]);
}
