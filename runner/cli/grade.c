/* klinic grade: the full, hidden judgement of one submission. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/sign.h>

#include "cli/cli.h"

static const char *const audiences[] = {
	[KL_AUDIENCE_PANEL] = "panel",
	[KL_AUDIENCE_CANDIDATE] = "candidate",
	NULL,
};

struct order {
	const char *submission;
	enum cli_format format;
	enum kl_audience audience;
	bool log;
	struct kl_session_options session;
	struct kl_sign_key key;
};

static void order_deinit(struct order *o)
{
	kl_sign_key_deinit(&o->key);
}

static int read_order(const struct cli_args *a, struct order *o, struct kl_error *err)
{
	int format = cli_choice(a, "format", cli_formats, err);
	int audience = format < 0 ? -1 : cli_choice(a, "audience", audiences, err);
	uint64_t seed = 0, seeds = 0, jobs = 0;

	if (audience < 0 || cli_number(a, "seed", 0, UINT64_MAX, &seed, err) ||
	    cli_number(a, "seeds", 1, 1024, &seeds, err) ||
	    cli_number(a, "jobs", 1, 1024, &jobs, err))
		return -1;
	*o = (struct order){
		.submission = cli_value(a, "submission"),
		.format = (enum cli_format)format,
		.audience = (enum kl_audience)audience,
		.log = cli_flag(a, "log"),
		.session = {
			.hidden = true,
			.visible = true,
			.control = true,
			.build_kernel = true,
			.rebuild_template = cli_flag(a, "rebuild-template"),
			.has_seed = cli_flag(a, "seed"),
			.seed = seed,
			.seeds = (unsigned int)seeds,
			.only_check = cli_value(a, "check"),
			.jobs = (unsigned int)jobs,
			.progress = cli_progress,
		},
	};
	if (!o->submission)
		return kl_fail(err, KL_USAGE, "say what to grade: --submission PATH");
	if (o->session.has_seed && o->session.seeds)
		return kl_fail(err, KL_USAGE, "--seed and --seeds exclude each other");
	if (o->log && (o->format != CLI_TEXT || o->audience != KL_AUDIENCE_PANEL))
		return kl_fail(err, KL_USAGE,
			       "--log is for --format text and the panel: --evidence FILE has the "
			       "logs as JSON");
	return cli_output_probe(cli_value(a, "output"), err) ||
			       cli_output_probe(cli_value(a, "evidence"), err)
		       ? -1
		       : 0;
}

static int check_exists(const struct kl_exercise *e, const char *id, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf all = KL_BUF_INIT;

	if (!id || kl_exercise_check(e, id))
		return 0;
	for (size_t i = 0; i < e->n_checks; i++)
		kl_buf_printf(&all, "%s%s", i ? ", " : "", e->checks[i].id);
	return kl_fail(err, KL_USAGE, "%s has no check “%s”, but %s", e->id, id, kl_buf_str(&all));
}

static void append_logs(const struct kl_evidence *ev, struct kl_buf *b)
{
	for (size_t i = 0; i < ev->n_checks; i++) {
		const struct kl_check_evidence *c = &ev->checks[i];

		for (size_t k = 0; k < c->n_runs; k++) {
			const struct kl_run *r = &c->runs[k];
			const char *log = r->console ? r->console : "";

			kl_buf_printf(b, "\nKernel log of %s, seed %" PRIu64 ":\n", c->check,
				      r->seed);
			cli_log_text(b, log, strlen(log));
		}
	}
}

static int write_evidence(const char *path, const struct kl_evidence *ev, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *j = NULL;

	if (!path)
		return 0;
	j = kl_evidence_json(ev);
	if (!j)
		return kl_fail(err, KL_INFRA, "out of memory");
	return kl_json_dump(j, &b, err) ? -1 : cli_write_file(path, &b, err);
}

/* Redacted first: a receipt is for what its reader gets. */
static int print_result(const struct cli_args *a, const struct order *o,
			const struct kl_exercise *e, struct cli_judgement *j, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (o->audience == KL_AUDIENCE_CANDIDATE && o->format == CLI_JSON &&
	    cli_redact(&j->result, err))
		return -1;
	if (o->format == CLI_JSON && cli_sign(e, &o->key, &j->result, err))
		return -1;
	if (cli_render(&j->result, o->format, o->audience, cli_flag(a, "output"), &b, err))
		return -1;
	if (o->log)
		append_logs(&j->evidence, &b);
	return cli_output(a, &b, err);
}

/* The machine failed after intake: a document says so too. The sentence goes to stderr either way. */
static int report_infra(const struct cli_args *a, const struct order *o,
			const struct kl_exercise *e, struct cli_judgement *j, struct kl_error *err)
{
	struct kl_error other = KL_ERROR_INIT;

	if (err->class == KL_INFRA && o->format != CLI_TEXT &&
	    !cli_judge_infra(e, &o->session, err, j, &other))
		print_result(a, o, e, j, &other);
	return -1;
}

int cli_verb_grade(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(cli_judgement_deinit) struct cli_judgement j = { 0 };
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO(order_deinit) struct order o = { 0 };

	if (read_order(a, &o, err) || kl_exercise_find(a->positional[0], &e, err) ||
	    check_exists(&e, o.session.only_check, err))
		return -1;
	/* Before the long work: a result that could not be signed would be lost. */
	if (o.format == CLI_JSON && kl_sign_key_open(true, &o.key, err))
		return -1;
	cli_progress_begin("grading");
	if (cli_intake(&e, o.submission, &j, err))
		return -1;
	if (cli_judge(&e, &o.session, &j, err))
		return report_infra(a, &o, &e, &j, err);
	cli_progress_end();
	if (write_evidence(cli_value(a, "evidence"), &j.evidence, err) ||
	    print_result(a, &o, &e, &j, err))
		return -1;
	return cli_result_status(&j.result);
}
