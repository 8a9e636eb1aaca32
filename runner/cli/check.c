/* klinic check: the visible checks on the files of a workspace, in short. The candidate's side. */
#include <inttypes.h>
#include <string.h>

#include "cli/desk.h"

static void diagnostics(const struct kl_result *r, struct kl_buf *b)
{
	for (size_t i = 0; i < r->n_builds; i++) {
		const struct kl_build_evidence *build = &r->builds[i];

		if (build->ok)
			continue;
		if (build->timed_out)
			kl_buf_puts(b, "  compiling took too long and was stopped\n");
		for (size_t k = 0; k < build->n; k++) {
			const struct kl_diagnostic *d = &build->diagnostics[k];

			kl_buf_puts(b, "  ");
			kl_buf_safe(b, d->file ? d->file : "?", strlen(d->file ? d->file : "?"),
				    256);
			kl_buf_printf(b, ":%u:%u: %s: ", d->line, d->column,
				      d->severity ? d->severity : "note");
			kl_buf_safe(b, d->text ? d->text : "", strlen(d->text ? d->text : ""),
				    1024);
			kl_buf_puts(b, "\n");
		}
		if (!build->n && build->log)
			cli_log_text(b, build->log, strlen(build->log));
	}
}

static const char *mark(const struct kl_text_style *s, enum kl_verdict v)
{
	switch (v) {
	case KL_VERDICT_PASS:
		return s->unicode ? "✓" : "+";
	case KL_VERDICT_FAIL:
		return s->unicode ? "✗" : "x";
	case KL_VERDICT_INCONCLUSIVE:
	case KL_VERDICT_INFRA:
	case KL_VERDICT_COUNT:
		break;
	}
	return "?";
}

static void check_text(const struct kl_check_result *c, const struct kl_text_style *s,
		       struct kl_buf *b)
{
	const char *color = c->verdict == KL_VERDICT_PASS   ? "\033[32m"
			    : c->verdict == KL_VERDICT_FAIL ? "\033[31m"
							    : "\033[33m";

	kl_buf_printf(b, "%s%s%s %s", s->color ? color : "", mark(s, c->verdict),
		      s->color ? "\033[0m" : "", c->title);
	if (c->failures)
		kl_buf_printf(b, " (%u of %u runs failed, first with seed %" PRIu64 ")",
			      c->failures, c->runs, c->seeds_failed[0]);
	kl_buf_puts(b, "\n");
	if (c->verdict != KL_VERDICT_PASS && c->remark && *c->remark) {
		kl_buf_puts(b, "    ");
		kl_buf_safe(b, c->remark, strlen(c->remark), 2000);
		kl_buf_puts(b, "\n");
	}
}

/* Refused by intake or by the policy. */
static bool refusals(const struct kl_result *r, struct kl_buf *b)
{
	for (size_t i = 0; i < r->refused.n; i++) {
		kl_buf_puts(b, "Refused: ");
		kl_buf_safe(b, r->refused.v[i], strlen(r->refused.v[i]), 1000);
		kl_buf_puts(b, "\n");
	}
	for (size_t i = 0; i < r->policy.n; i++) {
		const struct kl_policy_note *n = &r->policy.v[i];
		KL_AUTO(kl_buf_deinit) struct kl_buf words = KL_BUF_INIT;

		if (!n->refused)
			continue;
		kl_buf_puts(&words, n->file);
		if (n->line)
			kl_buf_printf(&words, ":%u:%u", n->line, n->column);
		kl_buf_printf(&words, ": %s: %s", n->rule, n->text);
		kl_buf_puts(b, "Refused: ");
		kl_buf_safe(b, kl_buf_str(&words), words.len, 1000);
		kl_buf_puts(b, "\n");
	}
	return r->refused.n || kl_policy_refusal(&r->policy);
}

void cli_desk_text(const struct kl_result *r, struct kl_buf *b)
{
	const struct kl_text_style s = cli_style(false);
	size_t held = 0;

	if (refusals(r, b))
		return;
	if (!r->n_checks) {
		kl_buf_puts(b, "The module does not build:\n");
		diagnostics(r, b);
		return;
	}
	for (size_t i = 0; i < r->n_checks; i++) {
		check_text(&r->checks[i], &s, b);
		held += r->checks[i].verdict == KL_VERDICT_PASS;
	}
	diagnostics(r, b);
	if (r->findings.n) {
		kl_buf_puts(b, "\nWhat the kernel reported:\n");
		cli_findings_text(&r->findings, true, b);
	}
	kl_buf_printf(b, "\n%zu of %zu visible checks hold. More are run on what you submit.\n",
		      held, r->n_checks);
}

int cli_desk_options(const struct cli_args *a, struct kl_session_options *ret, struct kl_error *err)
{
	uint64_t seed = 0, seeds = 0, jobs = 0;

	if (cli_number(a, "seed", 0, UINT64_MAX, &seed, err) ||
	    cli_number(a, "seeds", 1, 1024, &seeds, err) ||
	    cli_number(a, "jobs", 1, 1024, &jobs, err))
		return -1;
	if (cli_flag(a, "seed") && seeds)
		return kl_fail(err, KL_USAGE, "--seed and --seeds exclude each other");
	*ret = (struct kl_session_options){
		.visible = true,
		.build_kernel = true,
		.has_seed = cli_flag(a, "seed"),
		.seed = seed,
		.seeds = (unsigned int)seeds,
		.jobs = (unsigned int)jobs,
		.only_check = cli_value(a, "check"),
		.progress = cli_progress,
	};
	return 0;
}

int cli_desk_check(const struct kl_exercise *e, const char *id, struct kl_error *err)
{
	const struct kl_check *c = id ? kl_exercise_check(e, id) : NULL;
	KL_AUTO(kl_buf_deinit) struct kl_buf all = KL_BUF_INIT;

	if (!id || (c && !c->hidden))
		return 0;
	/* Whether a hidden one has this name is nobody's business here. */
	for (size_t i = 0; i < e->n_checks; i++)
		if (!e->checks[i].hidden)
			kl_buf_printf(&all, "%s%s", all.len ? ", " : "", e->checks[i].id);
	return kl_fail(err, KL_USAGE, "%s has no visible check “%s”, but %s", e->id, id,
		       kl_buf_str(&all));
}

int cli_verb_check(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(cli_judgement_deinit) struct cli_judgement j = { 0 };
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_FREE char *dir = NULL;
	struct kl_session_options o = { 0 };
	int format = cli_choice(a, "format", cli_text_or_json, err);

	if (format < 0 || cli_desk_options(a, &o, err) ||
	    cli_workspace_open(a->positional[0], &dir, &e, err) ||
	    cli_desk_check(&e, o.only_check, err))
		return -1;
	cli_progress_begin("checking");
	if (cli_intake(&e, dir, &j, err) || cli_judge(&e, &o, &j, err))
		return -1;
	cli_progress_end();
	if (format == CLI_JSON) {
		if (cli_redact(&j.result, err) ||
		    cli_render(&j.result, CLI_JSON, KL_AUDIENCE_CANDIDATE, false, &b, err))
			return -1;
	} else {
		cli_desk_text(&j.result, &b);
	}
	if (format == CLI_JSON ? cli_print(&b, err) : cli_print_text(&b, err))
		return -1;
	return cli_result_status(&j.result);
}
