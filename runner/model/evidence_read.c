/* Evidence from JSON. The file may be anybody's: every type and size is checked. */
#include <limits.h>

#include <klinic/evidence.h>

#include "model/documents.h"
#include "model/json_io.h"

static int read_status(const json_t *o, const char *key, int *ret, struct kl_error *err)
{
	int64_t value;

	if (kl_in_int(o, key, INT_MIN, INT_MAX, &value, err))
		return -1;
	*ret = (int)value;
	return 0;
}

static int read_answer(const json_t *o, void *to, struct kl_error *err)
{
	struct kl_answer *ret = to;

	if (kl_in_uint(o, "slot", 65535, &ret->slot, err) ||
	    kl_in_bool(o, "given", &ret->given, err) || kl_in_u64(o, "value", &ret->value, err) ||
	    kl_in_u64(o, "min", &ret->min, err) || kl_in_u64(o, "max", &ret->max, err))
		return -1;
	return kl_in_text(o, "label", KL_IN_NAME_MAX, false, &ret->label, err);
}

/* Evidence from before there were canaries has none. */
static int read_canary(const json_t *o, struct kl_run *ret, struct kl_error *err)
{
	const json_t *c = json_object_get(o, "canary"), *heard;
	const char *name;

	if (!c || json_is_null(c))
		return 0;
	if (kl_in_object(c, "canary", err))
		return -1;
	ret->canary = true;
	json_object_foreach((json_t *)c, name, heard)
	{
		int kind = kl_kind_parse(name);

		if (kind < 0 || !json_is_boolean(heard))
			return kl_fail(err, KL_CONTENT,
				       "canary: %.40s is no detector, or no boolean", name);
		ret->canary_due[kind] = true;
		ret->canary_heard[kind] = json_is_true(heard);
	}
	return 0;
}

/*
 * What evidence recorded before these were looked at does not have: absent is as if
 * nothing had been found.
 */
static int read_later_facts(const json_t *o, struct kl_run *ret, struct kl_error *err)
{
	if ((json_object_get(o, "forged") && kl_in_bool(o, "forged", &ret->forged, err)) ||
	    (json_object_get(o, "scheduled") && kl_in_bool(o, "scheduled", &ret->scheduled, err)) ||
	    (json_object_get(o, "log_cut") && kl_in_bool(o, "log_cut", &ret->log_cut, err)) ||
	    (json_object_get(o, "leaks_unheard") &&
	     kl_in_bool(o, "leaks_unheard", &ret->leaks_unheard, err)) ||
	    (json_object_get(o, "oopses") && kl_in_u64(o, "oopses", &ret->oopses, err)) ||
	    (json_object_get(o, "warnings") && kl_in_u64(o, "warnings", &ret->warnings, err)) ||
	    (json_object_get(o, "log_differs") &&
	     kl_in_u64(o, "log_differs", &ret->log_differs, err)) ||
	    (json_object_get(o, "log_where") &&
	     kl_in_text(o, "log_where", KL_IN_TEXT_MAX, false, &ret->log_where, err)) ||
	    (json_object_get(o, "modules_wrong") &&
	     kl_in_text(o, "modules_wrong", KL_IN_TEXT_MAX, false, &ret->modules_wrong, err)))
		return -1;
	return json_object_get(o, "switches_changed")
		       ? kl_in_strings(o, "switches_changed", &ret->switches_changed, err)
		       : 0;
}

static int read_run(const json_t *o, void *to, struct kl_error *err)
{
	struct kl_run *ret = to;
	const json_t *findings;
	int end, program;

	if (kl_in_u64(o, "seed", &ret->seed, err) ||
	    kl_in_enum(o, "end", kl_end_parse, &end, err) ||
	    kl_in_u64(o, "guest_ns", &ret->guest_ns, err) ||
	    read_status(o, "load_status", &ret->load_status, err) ||
	    read_status(o, "unload_status", &ret->unload_status, err) ||
	    kl_in_enum(o, "program", kl_program_end_parse, &program, err) ||
	    read_status(o, "program_status", &ret->program_status, err) ||
	    kl_in_items(o, "answers", KL_IN_LIST_MAX, sizeof(*ret->answers), read_answer,
			&ret->answers, &ret->n_answers, err) ||
	    kl_in_text(o, "said", KL_IN_TEXT_MAX, false, &ret->said, err) ||
	    kl_in_text(o, "console", KL_IN_TEXT_MAX, false, &ret->console, err) ||
	    kl_in_bool(o, "console_truncated", &ret->console_truncated, err) ||
	    kl_in_bool(o, "memory_read", &ret->memory_read, err) ||
	    kl_in_bool(o, "debug_locks", &ret->debug_locks, err) ||
	    kl_in_u64(o, "tainted", &ret->tainted, err) ||
	    kl_in_u64(o, "text_changed", &ret->text_changed, err) ||
	    kl_in_text(o, "text_where", KL_IN_TEXT_MAX, false, &ret->text_where, err) ||
	    read_canary(o, ret, err) || kl_in_int(o, "wall_ms", 0, INT64_MAX, &ret->wall_ms, err) ||
	    kl_in_u64(o, "points_hit", &ret->points_hit, err) ||
	    kl_in_u64(o, "preempted", &ret->preempted, err) || read_later_facts(o, ret, err) ||
	    kl_inspection_from_json(json_object_get(o, "probes"), &ret->inspection, err) ||
	    kl_in_list(o, "findings", KL_IN_LIST_MAX, &findings, err))
		return -1;
	ret->end = (enum kl_end)end;
	ret->program = (enum kl_program_end)program;
	return kl_findings_from_json(findings, &ret->findings, err);
}

static int read_tolerate(const json_t *o, struct kl_check_evidence *ret, struct kl_error *err)
{
	const json_t *list;

	if (kl_in_list(o, "tolerate", KL_KIND_COUNT, &list, err))
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		int kind = kl_kind_parse(json_string_value(json_array_get(list, i)));

		if (kind < 0)
			return kl_fail(err, KL_CONTENT, "“tolerate” must name kinds of findings");
		ret->tolerate[kind] = true;
	}
	return 0;
}

static int read_check(const json_t *o, void *to, struct kl_error *err)
{
	struct kl_check_evidence *ret = to;
	int mode;

	if (kl_in_text(o, "check", KL_IN_NAME_MAX, true, &ret->check, err) ||
	    kl_in_text(o, "title", KL_IN_NAME_MAX, false, &ret->title, err) ||
	    kl_in_text(o, "flavour", KL_IN_NAME_MAX, false, &ret->flavour, err) ||
	    kl_in_enum(o, "mode", kl_mode_parse, &mode, err) ||
	    kl_in_bool(o, "hidden", &ret->hidden, err) ||
	    kl_in_uint(o, "planned", INT_MAX, &ret->planned, err) || read_tolerate(o, ret, err) ||
	    kl_in_bool(o, "leaks", &ret->leaks, err) ||
	    kl_in_text(o, "infra", KL_IN_TEXT_MAX, false, &ret->infra, err) ||
	    kl_control_from_json(json_object_get(o, "control"), &ret->control, err) ||
	    kl_known_from_json(json_object_get(o, "known"), &ret->known, err))
		return -1;
	ret->mode = (enum kl_mode)mode;
	return kl_in_items(o, "runs", KL_IN_LIST_MAX, sizeof(*ret->runs), read_run, &ret->runs,
			   &ret->n_runs, err);
}

static int read_timing(const json_t *o, struct kl_evidence *ret, struct kl_error *err)
{
	if (kl_in_object(o, "“timing”", err) ||
	    kl_in_int(o, "intake_ms", 0, INT64_MAX, &ret->intake_ms, err) ||
	    kl_in_int(o, "build_ms", 0, INT64_MAX, &ret->build_ms, err) ||
	    kl_in_int(o, "vm_ms", 0, INT64_MAX, &ret->vm_ms, err))
		return -1;
	return kl_in_int(o, "total_ms", 0, INT64_MAX, &ret->total_ms, err);
}

static int read_environment(const json_t *o, struct kl_evidence *ret, struct kl_error *err)
{
	if (kl_in_object(o, "“environment”", err) ||
	    kl_in_text(o, "kernel", KL_IN_NAME_MAX, false, &ret->kernel, err) ||
	    kl_in_text(o, "qemu", KL_IN_NAME_MAX, false, &ret->qemu, err) ||
	    kl_in_text(o, "accel", KL_IN_NAME_MAX, false, &ret->accel, err))
		return -1;
	return kl_in_digest(o, "template_ram", ret->template_ram, err);
}

static int read_evidence(const json_t *o, struct kl_evidence *ret, struct kl_error *err)
{
	const json_t *builds;

	if (kl_in_object(o, "evidence", err) || kl_in_schema(o, KL_EVIDENCE_SCHEMA, err) ||
	    kl_in_text(o, "exercise", KL_IN_NAME_MAX, true, &ret->exercise, err) ||
	    kl_in_digest(o, "exercise_digest", ret->exercise_digest, err) ||
	    kl_in_text(o, "submission", KL_IN_NAME_MAX, false, &ret->submission, err) ||
	    kl_in_digest(o, "submission_digest", ret->submission_digest, err) ||
	    kl_in_text(o, "diff", KL_IN_TEXT_MAX, false, &ret->diff, err) ||
	    kl_in_strings(o, "refused", &ret->refused, err) ||
	    kl_policy_from_json(json_object_get(o, "policy"), &ret->policy, err) ||
	    kl_in_list(o, "builds", KL_IN_LIST_MAX, &builds, err) ||
	    kl_builds_from_json(builds, &ret->builds, &ret->n_builds, err) ||
	    kl_in_items(o, "checks", KL_IN_LIST_MAX, sizeof(*ret->checks), read_check, &ret->checks,
			&ret->n_checks, err) ||
	    read_timing(json_object_get(o, "timing"), ret, err))
		return -1;
	return read_environment(json_object_get(o, "environment"), ret, err);
}

int kl_evidence_from_json(const json_t *j, struct kl_evidence *ret, struct kl_error *err)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence e = { 0 };

	if (read_evidence(j, &e, err))
		return -1;
	*ret = e;
	e = (struct kl_evidence){ 0 };
	return 0;
}
