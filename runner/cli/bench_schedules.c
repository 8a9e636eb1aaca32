/*
 * klinic bench schedules: how often a check fails under each kind of schedule, of
 * the broken module, the reference and the decoys that the check is to catch. What
 * docs/schedules.md shows is made by this.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/grader.h>
#include <klinic/json.h>

#include "cli/cli.h"

#define SEEDS_DEFAULT 100
#define SEEDS_MAX     1024

static const struct kind {
	const char *words;
	enum kl_schedule schedule;
	unsigned int depth;
} kinds[] = {
	{ "none", KL_SCHEDULE_NONE, 0 },    { "random", KL_SCHEDULE_RANDOM, 0 },
	{ "pct, d=1", KL_SCHEDULE_PCT, 1 }, { "pct, d=2", KL_SCHEDULE_PCT, 2 },
	{ "pct, d=3", KL_SCHEDULE_PCT, 3 },
};
#define KINDS KL_ARRAY_SIZE(kinds)

struct cell {
	unsigned int runs,
		failures; /* runs that say something: neither infra nor without evidence */
	uint64_t points; /* median of the runs */
	uint64_t guest_ms; /* the same */
};

struct row {
	const char *check, *variant;
	enum kl_role role;
	struct cell cell[KINDS];
};

struct schedules {
	struct kl_exercise exercise;
	struct kl_variants variants;
	struct row *row;
	size_t n;
	unsigned int seeds, jobs;
};

static void schedules_deinit(struct schedules *s)
{
	free(s->row);
	kl_variants_deinit(&s->variants);
	kl_exercise_deinit(&s->exercise);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t median(uint64_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n ? v[(n - 1) / 2] : 0;
}

static bool says_something(const struct kl_run *r)
{
	return r->end != KL_END_LOST && r->end != KL_END_WALL_NET;
}

static int count(const struct kl_check_evidence *c, struct cell *ret, struct kl_error *err)
{
	KL_AUTO_FREE uint64_t *points = calloc(c->n_runs + 1, sizeof(*points));
	KL_AUTO_FREE uint64_t *ms = calloc(c->n_runs + 1, sizeof(*ms));
	struct cell cell = { 0 };

	if (!points || !ms)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (size_t i = 0; i < c->n_runs; i++) {
		const struct kl_run *r = &c->runs[i];

		if (!says_something(r))
			continue;
		points[cell.runs] = r->points_hit;
		ms[cell.runs++] = r->guest_ns / 1000000;
		cell.failures += kl_run_fails(c, r);
	}
	cell.points = median(points, cell.runs);
	cell.guest_ms = median(ms, cell.runs);
	*ret = cell;
	return 0;
}

static int measure(struct schedules *s, struct kl_check *check, const struct kl_variant *v,
		   const struct kind *kind, struct cell *ret, struct kl_error *err)
{
	const struct kl_session_options o = { .hidden = true,
					      .visible = true,
					      .all_seeds = true,
					      .build_kernel = true,
					      .seeds = s->seeds,
					      .only_check = check->id,
					      .jobs = s->jobs,
					      .progress = cli_progress };
	KL_AUTO(cli_judgement_deinit) struct cli_judgement j = { 0 };

	/* The challenge is drawn from what stands in the exercise, so all kinds get the same. */
	check->schedule = kind->schedule;
	check->depth = kind->depth;
	if (cli_intake(&s->exercise, v->path, &j, err) || cli_judge(&s->exercise, &o, &j, err))
		return kl_error_prepend(err, "%s, %s", check->id, v->name);
	return j.evidence.n_checks ? count(&j.evidence.checks[0], ret, err) : 0;
}

static int measure_row(struct schedules *s, struct kl_check *check, const struct kl_variant *v,
		       struct kl_error *err)
{
	const struct kl_check as_written = *check;
	struct row *row = &s->row[s->n++];

	row->check = check->id;
	row->variant = v->name;
	row->role = v->role;
	for (size_t i = 0; i < KINDS; i++) {
		cli_progress_part("%s, %s, schedule %s", check->id, v->name, kinds[i].words);
		if (measure(s, check, v, &kinds[i], &row->cell[i], err))
			return -1;
	}
	check->schedule = as_written.schedule;
	check->depth = as_written.depth;
	return 0;
}

static bool of_interest(const struct kl_check *c, const struct kl_variant *v)
{
	return v->role == KL_ROLE_BROKEN || v->role == KL_ROLE_REFERENCE ||
	       (v->role == KL_ROLE_DECOY && kl_strv_has(&v->caught_by, c->id));
}

static int measure_all(struct schedules *s, const char *only_check, const char *only_variant,
		       struct kl_error *err)
{
	s->row = calloc(s->exercise.n_checks * s->variants.n + 1, sizeof(*s->row));
	if (!s->row)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (size_t i = 0; i < s->exercise.n_checks; i++) {
		struct kl_check *c = &s->exercise.checks[i];

		if (c->schedule == KL_SCHEDULE_NONE || c->mode != KL_MODE_EXACT ||
		    (only_check && strcmp(only_check, c->id) != 0))
			continue;
		for (size_t k = 0; k < s->variants.n; k++) {
			const struct kl_variant *v = &s->variants.v[k];

			if (only_variant ? !strcmp(only_variant, v->name) : of_interest(c, v))
				if (measure_row(s, c, v, err))
					return -1;
		}
	}
	if (s->n)
		return 0;
	return kl_fail(err, KL_USAGE,
		       "exercise %s has no such check with a schedule, or no such variant",
		       s->exercise.id);
}

static double per_thousand(const struct cell *c)
{
	return c->runs ? 1000.0 * c->failures / c->runs : 0;
}

static json_t *row_json(const struct row *r)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < KINDS; i++) {
		const struct cell *c = &r->cell[i];

		json_array_append_new(list,
				      json_pack("{s:s,s:i,s:i,s:i,s:f,s:I,s:I}", "schedule",
						kl_schedule_name(kinds[i].schedule), "depth",
						(int)kinds[i].depth, "runs", (int)c->runs,
						"failures", (int)c->failures, "per_1000",
						per_thousand(c), "points", (json_int_t)c->points,
						"guest_ms", (json_int_t)c->guest_ms));
	}
	return json_pack("{s:s,s:s,s:s,s:o}", "check", r->check, "variant", r->variant, "role",
			 kl_role_name(r->role), "schedules", list);
}

static json_t *schedules_json(const struct schedules *s)
{
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < s->n; i++)
		json_array_append_new(rows, row_json(&s->row[i]));
	return json_pack("{s:s,s:s,s:i,s:o}", "bench", "schedules", "exercise", s->exercise.id,
			 "seeds", (int)s->seeds, "rows", rows);
}

static void schedules_text(const struct schedules *s, struct kl_buf *b)
{
	const char *last = NULL;

	kl_buf_printf(b, "%s: failing runs, of %u seeds under each schedule\n", s->exercise.id,
		      s->seeds);
	for (size_t i = 0; i < s->n; i++) {
		const struct row *r = &s->row[i];

		if (r->check != last) {
			kl_buf_printf(b, "\n%-28s", r->check);
			for (size_t k = 0; k < KINDS; k++)
				kl_buf_printf(b, "%10s", kinds[k].words);
			kl_buf_puts(b, "    points\n");
		}
		last = r->check;
		kl_buf_printf(b, "  %-26s", r->variant);
		for (size_t k = 0; k < KINDS; k++) {
			const struct cell *c = &r->cell[k];

			/* A machine that let runs down shows as a smaller number of them. */
			if (c->runs == s->seeds)
				kl_buf_printf(b, "%10u", c->failures);
			else
				kl_buf_printf(b, "%5u/%-4u", c->failures, c->runs);
		}
		kl_buf_printf(b, "%10" PRIu64 "\n", r->cell[1].points);
	}
}

int cli_bench_schedules(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(schedules_deinit) struct schedules s = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *j = NULL;
	int format = cli_choice(a, "format", cli_text_or_json, err);
	uint64_t seeds = SEEDS_DEFAULT, jobs = 0;

	if (format < 0 || cli_number(a, "repeat", 1, SEEDS_MAX, &seeds, err) ||
	    cli_number(a, "jobs", 1, 1024, &jobs, err) ||
	    kl_exercise_find(a->positional[1], &s.exercise, err) ||
	    kl_variants_load(&s.exercise, &s.variants, err))
		return -1;
	s.seeds = (unsigned int)seeds;
	s.jobs = (unsigned int)jobs;
	cli_progress_begin("measuring");
	if (measure_all(&s, cli_value(a, "check"), cli_value(a, "variant"), err))
		return -1;
	cli_progress_end();
	if (format == CLI_JSON) {
		j = schedules_json(&s);
		return cli_print_json(j, err) ? -1 : CLI_DONE;
	}
	schedules_text(&s, &b);
	return cli_print_text(&b, err) ? -1 : CLI_DONE;
}
