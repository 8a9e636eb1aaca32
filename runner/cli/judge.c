/* From a submission to a result: intake, session, grader, in the one order there is. */
#include <stdlib.h>
#include <string.h>

#include <klinic/deadline.h>
#include <klinic/grader.h>
#include <klinic/intake.h>

#include "cli/cli.h"

void cli_judgement_deinit(struct cli_judgement *j)
{
	kl_submission_deinit(&j->submission);
	kl_evidence_deinit(&j->evidence);
	kl_result_deinit(&j->result);
}

int cli_intake(const struct kl_exercise *e, const char *path, struct cli_judgement *j,
	       struct kl_error *err)
{
	int64_t begun = kl_now_ns();

	if (path ? kl_intake(e, path, &j->submission, err)
		 : kl_intake_unchanged(e, &j->submission, err))
		return -1;
	j->evidence.intake_ms = (kl_now_ns() - begun) / 1000000;
	return 0;
}

static int grade(const struct kl_exercise *e, struct cli_judgement *j, struct kl_error *err)
{
	KL_AUTO(kl_rubric_deinit) struct kl_rubric rubric = { 0 };

	if (kl_rubric_find(e->rubric, &rubric, err) ||
	    kl_grade(e, &rubric, &j->evidence, &j->result, err))
		return -1;
	j->result.klinic = strdup(cli_version());
	return j->result.klinic ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

int cli_judge(const struct kl_exercise *e, const struct kl_session_options *o,
	      struct cli_judgement *j, struct kl_error *err)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence ev = { 0 };
	int64_t begun = kl_now_ns();

	kl_session_set_failed_fn(kl_run_fails);
	if (kl_session_run(e, &j->submission, o, &ev, err) || cli_certificate_known(e, &ev, err))
		return -1;
	ev.intake_ms = j->evidence.intake_ms;
	ev.total_ms = ev.intake_ms + (kl_now_ns() - begun) / 1000000;
	kl_evidence_deinit(&j->evidence);
	j->evidence = ev;
	ev = (struct kl_evidence){ 0 };
	return grade(e, j, err);
}

int cli_regrade(const struct kl_exercise *e, struct cli_judgement *j, struct kl_error *err)
{
	kl_result_deinit(&j->result);
	return grade(e, j, err);
}

static int infra_check(const struct kl_check *c, const struct kl_error *why,
		       struct kl_check_evidence *ret)
{
	ret->check = strdup(c->id);
	ret->title = strdup(c->title);
	ret->flavour = strdup(c->flavour);
	ret->infra = strdup(why->message);
	ret->mode = c->mode;
	ret->hidden = c->hidden;
	ret->planned = c->seeds;
	return ret->check && ret->title && ret->flavour && ret->infra ? 0 : -1;
}

static int infra_evidence(const struct kl_exercise *e, const struct kl_session_options *o,
			  const struct kl_error *why, const struct kl_submission *s,
			  struct kl_evidence *ev)
{
	ev->exercise = strdup(e->id);
	ev->submission = strdup(s->source ? s->source : "");
	ev->diff = strdup(s->diff ? s->diff : "");
	memcpy(ev->exercise_digest, e->digest, sizeof(ev->exercise_digest));
	memcpy(ev->submission_digest, s->digest, sizeof(ev->submission_digest));
	ev->checks = calloc(e->n_checks + 1, sizeof(*ev->checks));
	if (!ev->exercise || !ev->submission || !ev->diff || !ev->checks)
		return -1;
	for (size_t i = 0; i < e->n_checks; i++) {
		const struct kl_check *c = &e->checks[i];

		if ((c->hidden ? o->hidden : o->visible) &&
		    (!o->only_check || kl_str_eq(o->only_check, c->id)) &&
		    infra_check(c, why, &ev->checks[ev->n_checks++]))
			return -1;
	}
	return 0;
}

int cli_judge_infra(const struct kl_exercise *e, const struct kl_session_options *o,
		    const struct kl_error *why, struct cli_judgement *j, struct kl_error *err)
{
	if (infra_evidence(e, o, why, &j->submission, &j->evidence))
		return kl_fail(err, KL_INFRA, "out of memory");
	return grade(e, j, err);
}

int cli_result_status(const struct kl_result *r)
{
	return r->refused.n ? CLI_CONTENT : kl_verdict_exit_status(r->verdict);
}
