/*
 * klinic certify: every solution that an exercise knows, graded with all its
 * seeds and held against what is expected of it. A solution that is refused or
 * does not build fails, but proves nothing: then the exercise is wrong.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/certify.h"
#include "cli/cli.h"

#define RACE_SEEDS 16

static const struct kl_session_options whole = {
	.hidden = true,
	.visible = true,
	.all_seeds = true,
	.build_kernel = true,
	.progress = cli_progress,
};

struct order {
	const char *variant; /* or NULL: all */
	bool quick; /* verdicts without rates: the first failure of a check ends it */
	bool keep; /* the certificate, when it is whole */
	enum cli_format format;
	struct kl_session_options session;
};

static void outcome_deinit(struct cli_outcome *o)
{
	cli_judgement_deinit(&o->judgement);
	free(o->objection);
}

void cli_certification_deinit(struct cli_certification *c)
{
	for (size_t i = 0; i < c->n_outcomes; i++)
		outcome_deinit(&c->outcomes[i]);
	for (size_t i = 0; i < c->n_races; i++) {
		free(c->races[i].check);
		free(c->races[i].seeds_failed);
	}
	free(c->outcomes);
	free(c->races);
	kl_variants_deinit(&c->variants);
	kl_exercise_deinit(&c->exercise);
}

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static enum kl_verdict expected_of(enum kl_role role)
{
	return role == KL_ROLE_REFERENCE || role == KL_ROLE_ALTERNATIVE ? KL_VERDICT_PASS
									: KL_VERDICT_FAIL;
}

static bool builds(const struct kl_result *r)
{
	for (size_t i = 0; i < r->n_builds; i++)
		if (!r->builds[i].ok)
			return false;
	return true;
}

static bool caught_as_said(const struct kl_variant *v, const struct kl_result *r)
{
	/* What the policy refuses is not run: caught before the check that would have caught it. */
	if (kl_policy_refusal(&r->policy))
		return true;
	for (size_t i = 0; i < r->n_checks; i++)
		if (r->checks[i].verdict == KL_VERDICT_FAIL &&
		    kl_strv_has(&v->caught_by, r->checks[i].id))
			return true;
	return !v->caught_by.n;
}

static char *join(const struct kl_strv *sv)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	for (size_t i = 0; i < sv->n; i++)
		kl_buf_printf(&b, "%s%s", i ? ", " : "", sv->v[i]);
	return kl_buf_steal(&b);
}

/* What a variant that must pass fails by, in the panel's words; the author is to mend it. */
static char *first_detail(const struct kl_result *r)
{
	for (size_t i = 0; i < r->n_checks; i++)
		if (r->checks[i].verdict != KL_VERDICT_PASS && r->checks[i].detail)
			return kl_asprintf("%s: %s", r->checks[i].id, r->checks[i].detail);
	return strdup(r->summary);
}

/* NULL into *ret when everything is as it should be. */
static int object(const struct kl_variant *v, const struct kl_result *r, char **ret,
		  struct kl_error *err)
{
	KL_AUTO_FREE char *checks = NULL;

	*ret = NULL;
	if (r->refused.n)
		*ret = kl_asprintf("refused: %s", r->refused.v[0]);
	else if (!builds(r))
		*ret = strdup(r->summary);
	else if (r->verdict != expected_of(v->role))
		*ret = first_detail(r);
	else if (r->verdict == KL_VERDICT_PASS || caught_as_said(v, r))
		return 0;
	else if ((checks = join(&v->caught_by)))
		*ret = kl_asprintf("fails, but none of the checks that are to catch it does: %s",
				   checks);
	return *ret ? 0 : no_memory(err);
}

/* Kernel logs are most of what a judgement holds, and no certificate shows them. */
static void forget_logs(struct cli_judgement *j)
{
	for (size_t i = 0; i < j->evidence.n_checks; i++) {
		struct kl_check_evidence *c = &j->evidence.checks[i];

		for (size_t k = 0; k < c->n_runs; k++) {
			free(c->runs[k].console);
			c->runs[k].console = NULL;
		}
	}
	for (size_t i = 0; i < j->result.n_checks; i++) {
		free(j->result.checks[i].console);
		j->result.checks[i].console = NULL;
	}
}

static int judge_variant(const struct kl_exercise *e, const struct kl_session_options *session,
			 const struct kl_variant *v, struct cli_judgement *ret,
			 struct kl_error *err)
{
	if (cli_intake(e, v->path, ret, err) || cli_judge(e, session, ret, err))
		return kl_error_prepend(err, "variant %s", v->name);
	return 0;
}

/* In a hurry only the checks that are to catch a decoy are asked, until one does. */
static int judge_decoy(const struct kl_exercise *e, const struct order *o,
		       const struct kl_variant *v, struct cli_judgement *ret, struct kl_error *err)
{
	for (size_t i = 0; i < v->caught_by.n; i++) {
		struct kl_session_options session = o->session;

		session.only_check = v->caught_by.v[i];
		cli_judgement_deinit(ret);
		*ret = (struct cli_judgement){ 0 };
		if (judge_variant(e, &session, v, ret, err))
			return -1;
		if (ret->result.verdict == KL_VERDICT_FAIL)
			break;
	}
	return 0;
}

static int grade_variant(const struct kl_exercise *e, const struct order *o,
			 const struct kl_variant *v, struct cli_outcome *ret, struct kl_error *err)
{
	bool narrow = o->quick && v->role == KL_ROLE_DECOY && v->caught_by.n;

	ret->variant = v;
	ret->expected = expected_of(v->role);
	if (narrow ? judge_decoy(e, o, v, &ret->judgement, err)
		   : judge_variant(e, &o->session, v, &ret->judgement, err))
		return -1;
	forget_logs(&ret->judgement);
	return object(v, &ret->judgement.result, &ret->objection, err);
}

/* Failing seeds of one check among the first RACE_SEEDS. */
static int count_race(const struct kl_check *check, const struct kl_check_result *r,
		      struct cli_race *ret, struct kl_error *err)
{
	ret->check = strdup(check->id);
	ret->seeds_failed = calloc(RACE_SEEDS, sizeof(*ret->seeds_failed));
	if (!ret->check || !ret->seeds_failed)
		return no_memory(err);
	ret->runs = r->runs < RACE_SEEDS ? r->runs : RACE_SEEDS;
	for (size_t i = 0; i < r->n_seeds_failed; i++)
		if (r->seeds_failed[i] - check->first_seed < RACE_SEEDS &&
		    ret->failures < RACE_SEEDS)
			ret->seeds_failed[ret->failures++] = r->seeds_failed[i];
	return 0;
}

static const struct kl_check_result *find_result(const struct kl_result *r, const char *id)
{
	for (size_t i = 0; i < r->n_checks; i++)
		if (kl_str_eq(r->checks[i].id, id))
			return &r->checks[i];
	return NULL;
}

/* How often the broken module fails a scheduled check: of what was run, or run for this. */
static int measure_race(const struct kl_exercise *e, const struct order *o,
			const struct kl_check *check, const struct kl_result *broken,
			struct cli_race *ret, struct kl_error *err)
{
	KL_AUTO(cli_judgement_deinit) struct cli_judgement j = { 0 };
	const struct kl_check_result *had = find_result(broken, check->id);
	struct kl_session_options session = o->session;

	if (had && had->runs >= RACE_SEEDS)
		return count_race(check, had, ret, err);
	cli_progress_part("broken, %u seeds of %s", RACE_SEEDS, check->id);
	session.seeds = RACE_SEEDS;
	session.only_check = check->id;
	if (cli_intake(e, NULL, &j, err) || cli_judge(e, &session, &j, err))
		return kl_error_prepend(err, "race rate of %s", check->id);
	had = find_result(&j.result, check->id);
	return had ? count_race(check, had, ret, err) : 0;
}

static int measure_races(struct cli_certification *c, const struct order *o,
			 const struct kl_result *broken, struct kl_error *err)
{
	c->races = calloc(c->exercise.n_checks + 1, sizeof(*c->races));
	if (!c->races)
		return no_memory(err);
	for (size_t i = 0; i < c->exercise.n_checks; i++) {
		const struct kl_check *check = &c->exercise.checks[i];

		if (check->schedule == KL_SCHEDULE_NONE || check->mode != KL_MODE_EXACT)
			continue;
		if (measure_race(&c->exercise, o, check, broken, &c->races[c->n_races++], err))
			return -1;
	}
	return 0;
}

static int certify(struct cli_certification *c, const struct order *o, struct kl_error *err)
{
	c->outcomes = calloc(c->variants.n + 1, sizeof(*c->outcomes));
	if (!c->outcomes)
		return no_memory(err);
	c->certified = true;
	for (size_t i = 0; i < c->variants.n; i++) {
		const struct kl_variant *v = &c->variants.v[i];
		struct cli_outcome *out = &c->outcomes[c->n_outcomes];

		if (o->variant && strcmp(o->variant, v->name) != 0)
			continue;
		c->n_outcomes++;
		cli_progress_part("%s (%zu of %zu)", v->name, i + 1, c->variants.n);
		if (grade_variant(&c->exercise, o, v, out, err))
			return -1;
		c->certified &= !out->objection;
		c->infra |= out->judgement.result.verdict == KL_VERDICT_INFRA;
		if (v->role == KL_ROLE_BROKEN && !o->quick &&
		    measure_races(c, o, &out->judgement.result, err))
			return -1;
	}
	return 0;
}

static int variant_exists(const struct kl_variants *vs, const char *name, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO_FREE char *all = NULL;

	for (size_t i = 0; i < vs->n; i++)
		if (kl_strv_add(&names, vs->v[i].name))
			return no_memory(err);
	if (!name || kl_strv_has(&names, name))
		return 0;
	all = join(&names);
	return kl_fail(err, KL_USAGE, "there is no variant “%s”, but %s", name, all ? all : "");
}

static int read_order(const struct cli_args *a, struct order *o, struct kl_error *err)
{
	int format = cli_choice(a, "format", cli_text_or_json, err);
	uint64_t seeds = 0, jobs = 0;

	if (format < 0 || cli_number(a, "seeds", 1, 1024, &seeds, err) ||
	    cli_number(a, "jobs", 1, 1024, &jobs, err) ||
	    cli_output_probe(cli_value(a, "output"), err))
		return -1;
	*o = (struct order){ .variant = cli_value(a, "variant"),
			     .format = (enum cli_format)format,
			     .session = whole };
	o->session.seeds = (unsigned int)seeds;
	o->session.jobs = (unsigned int)jobs;
	o->quick = cli_flag(a, "quick");
	o->session.all_seeds = !o->quick;
	o->keep = !o->variant && !seeds && !o->quick;
	return 0;
}

static int print(const struct cli_args *a, const struct order *o, const struct cli_certification *c,
		 const json_t *j, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	const struct kl_text_style style = cli_style(cli_flag(a, "output"));

	if (o->format == CLI_JSON) {
		if (kl_json_dump(j, &b, err))
			return -1;
	} else {
		cli_certification_text(c, &style, &b);
	}
	return cli_output(a, &b, err);
}

/* What is in the cache, as it is. */
static int show_kept(const struct cli_args *a, const struct kl_exercise *e, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *j = cli_certificate_load(e);
	KL_AUTO_FREE char *path = NULL;

	if (!j)
		return cli_certificate_path(e, &path, err)
			       ? -1
			       : kl_fail(err, KL_CONTENT,
					 "%s has no certificate for what would judge it now: run "
					 "klinic certify %s, which keeps it as %s",
					 e->id, e->id, path);
	return kl_json_dump(j, &b, err) || cli_output(a, &b, err) ? -1 : CLI_DONE;
}

int cli_verb_certify(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(cli_certification_deinit) struct cli_certification c = { 0 };
	KL_AUTO_JSON json_t *j = NULL;
	struct order o;

	if (read_order(a, &o, err) || kl_exercise_find(a->positional[0], &c.exercise, err))
		return -1;
	if (cli_flag(a, "kept"))
		return show_kept(a, &c.exercise, err);
	if (kl_variants_load(&c.exercise, &c.variants, err) ||
	    variant_exists(&c.variants, o.variant, err))
		return -1;
	cli_progress_begin("certifying");
	c.whole = o.keep;
	if (certify(&c, &o, err))
		return -1;
	cli_progress_end();
	j = cli_certification_json(&c);
	if (!j)
		return no_memory(err);
	/* A machine that failed says nothing about the exercise: an earlier certificate stays. */
	if (o.keep && !c.infra && cli_certificate_save(&c.exercise, j, err))
		return -1;
	if (print(a, &o, &c, j, err))
		return -1;
	return c.certified ? CLI_DONE : c.infra ? CLI_INFRA : CLI_FAILED;
}
