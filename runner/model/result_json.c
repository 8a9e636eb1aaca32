/* The result document as JSON, schema klinic.result/1. Reading it back: result_read.c. */
#include <klinic/result.h>

#include "model/documents.h"
#include "model/json_io.h"

static json_t *dimension_json(const struct kl_dimension_score *d)
{
	json_t *o = json_object();

	kl_out_put(&o, "id", kl_json_text(d->id));
	kl_out_put(&o, "title", kl_json_text(d->title));
	kl_out_put(&o, "weight", json_integer(d->weight));
	/* “Not assessed” is no score at all: never zero. */
	kl_out_put(&o, "score", d->assessed ? kl_out_real(d->score) : json_null());
	kl_out_put(&o, "assessed", json_boolean(d->assessed));
	return o;
}

static json_t *check_json(const struct kl_check_result *c)
{
	json_t *o = json_object();
	json_t *seeds = json_array();

	for (size_t i = 0; i < c->n_seeds_failed; i++)
		kl_out_push(&seeds, kl_out_u64(c->seeds_failed[i]));
	kl_out_put(&o, "id", kl_json_text(c->id));
	kl_out_put(&o, "title", kl_json_text(c->title));
	kl_out_put(&o, "hidden", json_boolean(c->hidden));
	kl_out_put(&o, "verdict", json_string(kl_verdict_name(c->verdict)));
	kl_out_put(&o, "flavour", kl_json_text(c->flavour));
	kl_out_put(&o, "mode", json_string(kl_mode_name(c->mode)));
	kl_out_put(&o, "runs", json_integer(c->runs));
	kl_out_put(&o, "failures", json_integer(c->failures));
	kl_out_put(&o, "seeds_failed", seeds);
	kl_out_put(&o, "rate", kl_out_real(c->rate));
	kl_out_put(&o, "confidence", kl_out_real(c->confidence));
	kl_out_put(&o, "control", kl_control_json(&c->control, false));
	kl_out_put(&o, "known", kl_known_json(&c->known));
	kl_out_put(&o, "findings", kl_findings_json(&c->findings));
	kl_out_put(&o, "detail", kl_json_text(c->detail));
	kl_out_put(&o, "remark", kl_json_text(c->remark));
	kl_out_put(&o, "console", kl_json_text(c->console));
	kl_out_put(&o, "memory", kl_json_text(c->memory));
	kl_out_put(&o, "guest_ns", kl_out_u64(c->guest_ns));
	kl_out_put(&o, "points", json_integer(c->points));
	kl_out_put(&o, "points_max", json_integer(c->points_max));
	return o;
}

static json_t *score_json(const struct kl_result *r)
{
	json_t *o = json_object();

	kl_out_put(&o, "points", kl_out_real(r->points));
	kl_out_put(&o, "max", kl_out_real(r->points_max));
	return o;
}

static json_t *timing_json(const struct kl_result *r)
{
	json_t *o = json_object();

	kl_out_put(&o, "intake_ms", json_integer(r->intake_ms));
	kl_out_put(&o, "build_ms", json_integer(r->build_ms));
	kl_out_put(&o, "vm_ms", json_integer(r->vm_ms));
	kl_out_put(&o, "total_ms", json_integer(r->total_ms));
	return o;
}

static json_t *environment_json(const struct kl_result *r)
{
	json_t *o = json_object();

	kl_out_put(&o, "kernel", kl_json_text(r->kernel));
	kl_out_put(&o, "qemu", kl_json_text(r->qemu));
	kl_out_put(&o, "accel", kl_json_text(r->accel));
	kl_out_put(&o, "template_ram", json_string(r->template_ram));
	kl_out_put(&o, "klinic", kl_json_text(r->klinic));
	kl_out_put(&o, "exercise_digest", json_string(r->exercise_digest));
	return o;
}

json_t *kl_result_json(const struct kl_result *r)
{
	json_t *o = json_object();
	json_t *dimensions = json_array();
	json_t *checks = json_array();

	for (size_t i = 0; i < r->n_dimensions; i++)
		kl_out_push(&dimensions, dimension_json(&r->dimensions[i]));
	for (size_t i = 0; i < r->n_checks; i++)
		kl_out_push(&checks, check_json(&r->checks[i]));
	kl_out_put(&o, "schema", json_string(KL_RESULT_SCHEMA));
	kl_out_put(&o, "exercise", kl_json_text(r->exercise));
	kl_out_put(&o, "title", kl_json_text(r->title));
	kl_out_put(&o, "submission", kl_json_text(r->submission));
	kl_out_put(&o, "submission_digest", json_string(r->submission_digest));
	kl_out_put(&o, "verdict", json_string(kl_verdict_name(r->verdict)));
	kl_out_put(&o, "summary", kl_json_text(r->summary));
	kl_out_put(&o, "score", score_json(r));
	kl_out_put(&o, "dimensions", dimensions);
	kl_out_put(&o, "checks", checks);
	kl_out_put(&o, "findings", kl_findings_json(&r->findings));
	kl_out_put(&o, "refused", kl_json_strv(&r->refused));
	kl_out_put(&o, "policy", kl_policy_json(&r->policy));
	kl_out_put(&o, "builds", kl_builds_json(r->builds, r->n_builds));
	kl_out_put(&o, "diff", kl_json_text(r->diff));
	kl_out_put(&o, "timing", timing_json(r));
	kl_out_put(&o, "environment", environment_json(r));
	if (r->receipt.public_hex[0])
		kl_out_put(&o, "receipt", kl_receipt_json(&r->receipt));
	return o;
}
