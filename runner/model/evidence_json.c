/*
 * Evidence as JSON, whole: what a grader's unit test records today must give
 * the same verdict tomorrow. Reading it back: evidence_read.c.
 */
#include <klinic/evidence.h>

#include "model/documents.h"
#include "model/json_io.h"

static json_t *answer_json(const struct kl_answer *a)
{
	json_t *o = json_object();

	kl_out_put(&o, "slot", json_integer(a->slot));
	kl_out_put(&o, "given", json_boolean(a->given));
	kl_out_put(&o, "value", kl_out_hex(a->value));
	kl_out_put(&o, "min", kl_out_hex(a->min));
	kl_out_put(&o, "max", kl_out_hex(a->max));
	kl_out_put(&o, "label", kl_json_text(a->label));
	return o;
}

/* {kind: heard} of the detectors that were called on; null without a canary. */
static json_t *canary_json(const struct kl_run *r)
{
	json_t *o;

	if (!r->canary)
		return json_null();
	o = json_object();
	for (int i = 0; i < KL_KIND_COUNT; i++)
		if (r->canary_due[i])
			kl_out_put(&o, kl_kind_name((enum kl_kind)i),
				   json_boolean(r->canary_heard[i]));
	return o;
}

static json_t *run_json(const struct kl_run *r)
{
	json_t *o = json_object();
	json_t *answers = json_array();

	for (size_t i = 0; i < r->n_answers; i++)
		kl_out_push(&answers, answer_json(&r->answers[i]));
	kl_out_put(&o, "seed", kl_out_u64(r->seed));
	kl_out_put(&o, "end", json_string(kl_end_name(r->end)));
	kl_out_put(&o, "guest_ns", kl_out_u64(r->guest_ns));
	kl_out_put(&o, "load_status", json_integer(r->load_status));
	kl_out_put(&o, "unload_status", json_integer(r->unload_status));
	kl_out_put(&o, "program", json_string(kl_program_end_name(r->program)));
	kl_out_put(&o, "program_status", json_integer(r->program_status));
	kl_out_put(&o, "answers", answers);
	kl_out_put(&o, "said", kl_json_text(r->said));
	kl_out_put(&o, "findings", kl_findings_record(&r->findings));
	kl_out_put(&o, "console", kl_json_text(r->console));
	kl_out_put(&o, "console_truncated", json_boolean(r->console_truncated));
	kl_out_put(&o, "memory_read", json_boolean(r->memory_read));
	kl_out_put(&o, "debug_locks", json_boolean(r->debug_locks));
	kl_out_put(&o, "tainted", kl_out_u64(r->tainted));
	kl_out_put(&o, "text_changed", kl_out_u64(r->text_changed));
	kl_out_put(&o, "text_where", kl_json_text(r->text_where));
	kl_out_put(&o, "canary", canary_json(r));
	kl_out_put(&o, "forged", json_boolean(r->forged));
	kl_out_put(&o, "log_cut", json_boolean(r->log_cut));
	kl_out_put(&o, "leaks_unheard", json_boolean(r->leaks_unheard));
	kl_out_put(&o, "oopses", kl_out_u64(r->oopses));
	kl_out_put(&o, "warnings", kl_out_u64(r->warnings));
	kl_out_put(&o, "log_differs", kl_out_u64(r->log_differs));
	kl_out_put(&o, "log_where", kl_json_text(r->log_where));
	kl_out_put(&o, "modules_wrong", kl_json_text(r->modules_wrong));
	kl_out_put(&o, "switches_changed", kl_json_strv(&r->switches_changed));
	kl_out_put(&o, "wall_ms", json_integer(r->wall_ms));
	if (kl_inspection_any(&r->inspection))
		kl_out_put(&o, "probes", kl_inspection_json(&r->inspection));
	kl_out_put(&o, "scheduled", json_boolean(r->scheduled));
	kl_out_put(&o, "points_hit", kl_out_u64(r->points_hit));
	kl_out_put(&o, "preempted", kl_out_u64(r->preempted));
	return o;
}

static json_t *check_json(const struct kl_check_evidence *c)
{
	json_t *o = json_object();
	json_t *runs = json_array();
	json_t *tolerate = json_array();

	for (size_t i = 0; i < c->n_runs; i++)
		kl_out_push(&runs, run_json(&c->runs[i]));
	for (int i = 0; i < KL_KIND_COUNT; i++)
		if (c->tolerate[i])
			kl_out_push(&tolerate, json_string(kl_kind_name((enum kl_kind)i)));
	kl_out_put(&o, "check", kl_json_text(c->check));
	kl_out_put(&o, "title", kl_json_text(c->title));
	kl_out_put(&o, "flavour", kl_json_text(c->flavour));
	kl_out_put(&o, "mode", json_string(kl_mode_name(c->mode)));
	kl_out_put(&o, "hidden", json_boolean(c->hidden));
	kl_out_put(&o, "planned", json_integer(c->planned));
	kl_out_put(&o, "tolerate", tolerate);
	kl_out_put(&o, "leaks", json_boolean(c->leaks));
	kl_out_put(&o, "infra", kl_json_text(c->infra));
	kl_out_put(&o, "control", kl_control_json(&c->control, true));
	kl_out_put(&o, "known", kl_known_json(&c->known));
	kl_out_put(&o, "runs", runs);
	return o;
}

static json_t *timing_json(const struct kl_evidence *e)
{
	json_t *o = json_object();

	kl_out_put(&o, "intake_ms", json_integer(e->intake_ms));
	kl_out_put(&o, "build_ms", json_integer(e->build_ms));
	kl_out_put(&o, "vm_ms", json_integer(e->vm_ms));
	kl_out_put(&o, "total_ms", json_integer(e->total_ms));
	return o;
}

static json_t *environment_json(const struct kl_evidence *e)
{
	json_t *o = json_object();

	kl_out_put(&o, "kernel", kl_json_text(e->kernel));
	kl_out_put(&o, "qemu", kl_json_text(e->qemu));
	kl_out_put(&o, "accel", kl_json_text(e->accel));
	kl_out_put(&o, "template_ram", json_string(e->template_ram));
	return o;
}

json_t *kl_evidence_json(const struct kl_evidence *e)
{
	json_t *o = json_object();
	json_t *checks = json_array();

	for (size_t i = 0; i < e->n_checks; i++)
		kl_out_push(&checks, check_json(&e->checks[i]));
	kl_out_put(&o, "schema", json_string(KL_EVIDENCE_SCHEMA));
	kl_out_put(&o, "exercise", kl_json_text(e->exercise));
	kl_out_put(&o, "exercise_digest", json_string(e->exercise_digest));
	kl_out_put(&o, "submission", kl_json_text(e->submission));
	kl_out_put(&o, "submission_digest", json_string(e->submission_digest));
	kl_out_put(&o, "diff", kl_json_text(e->diff));
	kl_out_put(&o, "refused", kl_json_strv(&e->refused));
	kl_out_put(&o, "policy", kl_policy_json(&e->policy));
	kl_out_put(&o, "builds", kl_builds_json(e->builds, e->n_builds));
	kl_out_put(&o, "checks", checks);
	kl_out_put(&o, "timing", timing_json(e));
	kl_out_put(&o, "environment", environment_json(e));
	return o;
}
