/* A result from JSON: “klinic report” is given files that anybody may have written. */
#include <limits.h>
#include <stdlib.h>

#include <klinic/result.h>

#include "model/documents.h"
#include "model/json_io.h"

#define RESULT_FILE_MAX (64UL << 20)

static int read_dimension(const json_t *o, void *to, struct kl_error *err)
{
	struct kl_dimension_score *ret = to;

	if (kl_in_text(o, "id", KL_IN_NAME_MAX, true, &ret->id, err) ||
	    kl_in_text(o, "title", KL_IN_NAME_MAX, false, &ret->title, err) ||
	    kl_in_uint(o, "weight", 100, &ret->weight, err) ||
	    kl_in_bool(o, "assessed", &ret->assessed, err))
		return -1;
	if (ret->assessed)
		return kl_in_real(o, "score", 0, 4, &ret->score, err);
	if (!json_is_null(json_object_get(o, "score")))
		return kl_fail(err, KL_CONTENT, "“score” must be null: it was not assessed");
	return 0;
}

static int read_seeds(const json_t *o, struct kl_check_result *ret, struct kl_error *err)
{
	const json_t *list;

	if (kl_in_list(o, "seeds_failed", KL_IN_LIST_MAX, &list, err))
		return -1;
	ret->seeds_failed = calloc(json_array_size(list) + 1, sizeof(*ret->seeds_failed));
	if (!ret->seeds_failed)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (kl_in_u64_value(json_array_get(list, i), "seeds_failed",
				    &ret->seeds_failed[ret->n_seeds_failed++], err))
			return -1;
	return 0;
}

/* What the contract does not promise (docs/architecture.md) may be missing. */
static int read_check_more(const json_t *o, struct kl_check_result *ret, struct kl_error *err)
{
	if (kl_in_text(o, "title", KL_IN_NAME_MAX, false, &ret->title, err) ||
	    kl_in_text(o, "remark", KL_IN_TEXT_MAX, false, &ret->remark, err) ||
	    kl_in_text(o, "console", KL_IN_TEXT_MAX, false, &ret->console, err) ||
	    kl_in_text(o, "memory", KL_IN_TEXT_MAX, false, &ret->memory, err))
		return -1;
	if (kl_control_from_json(json_object_get(o, "control"), &ret->control, err) ||
	    kl_known_from_json(json_object_get(o, "known"), &ret->known, err))
		return -1;
	if (json_object_get(o, "hidden") && kl_in_bool(o, "hidden", &ret->hidden, err))
		return -1;
	if (json_object_get(o, "guest_ns") && kl_in_u64(o, "guest_ns", &ret->guest_ns, err))
		return -1;
	if (json_object_get(o, "points") && kl_in_uint(o, "points", INT_MAX, &ret->points, err))
		return -1;
	if (json_object_get(o, "points_max") &&
	    kl_in_uint(o, "points_max", INT_MAX, &ret->points_max, err))
		return -1;
	return 0;
}

static int read_check(const json_t *o, void *to, struct kl_error *err)
{
	struct kl_check_result *ret = to;
	const json_t *findings;
	int verdict, mode;

	if (kl_in_text(o, "id", KL_IN_NAME_MAX, true, &ret->id, err) ||
	    kl_in_enum(o, "verdict", kl_verdict_parse, &verdict, err) ||
	    kl_in_text(o, "flavour", KL_IN_NAME_MAX, false, &ret->flavour, err) ||
	    kl_in_enum(o, "mode", kl_mode_parse, &mode, err) ||
	    kl_in_uint(o, "runs", INT_MAX, &ret->runs, err) ||
	    kl_in_uint(o, "failures", INT_MAX, &ret->failures, err) || read_seeds(o, ret, err) ||
	    kl_in_real(o, "rate", 0, 1, &ret->rate, err) ||
	    kl_in_real(o, "confidence", 0, 1, &ret->confidence, err) ||
	    kl_in_text(o, "detail", KL_IN_TEXT_MAX, false, &ret->detail, err) ||
	    kl_in_list(o, "findings", KL_IN_LIST_MAX, &findings, err) ||
	    kl_findings_from_json(findings, &ret->findings, err))
		return -1;
	ret->verdict = (enum kl_verdict)verdict;
	ret->mode = (enum kl_mode)mode;
	return read_check_more(o, ret, err);
}

static int read_score(const json_t *o, struct kl_result *ret, struct kl_error *err)
{
	if (kl_in_object(o, "“score”", err) || kl_in_real(o, "points", 0, 1e9, &ret->points, err))
		return -1;
	return kl_in_real(o, "max", 0, 1e9, &ret->points_max, err);
}

static int read_timing(const json_t *o, struct kl_result *ret, struct kl_error *err)
{
	if (kl_in_object(o, "“timing”", err) ||
	    kl_in_int(o, "intake_ms", 0, INT64_MAX, &ret->intake_ms, err) ||
	    kl_in_int(o, "build_ms", 0, INT64_MAX, &ret->build_ms, err) ||
	    kl_in_int(o, "vm_ms", 0, INT64_MAX, &ret->vm_ms, err))
		return -1;
	return kl_in_int(o, "total_ms", 0, INT64_MAX, &ret->total_ms, err);
}

static int read_environment(const json_t *o, struct kl_result *ret, struct kl_error *err)
{
	if (kl_in_object(o, "“environment”", err) ||
	    kl_in_text(o, "kernel", KL_IN_NAME_MAX, false, &ret->kernel, err) ||
	    kl_in_text(o, "qemu", KL_IN_NAME_MAX, false, &ret->qemu, err) ||
	    kl_in_text(o, "accel", KL_IN_NAME_MAX, false, &ret->accel, err) ||
	    kl_in_text(o, "klinic", KL_IN_NAME_MAX, false, &ret->klinic, err) ||
	    kl_in_digest(o, "template_ram", ret->template_ram, err))
		return -1;
	return kl_in_digest(o, "exercise_digest", ret->exercise_digest, err);
}

static int read_more(const json_t *o, struct kl_result *ret, struct kl_error *err)
{
	const json_t *builds = json_object_get(o, "builds");

	if (kl_in_text(o, "title", KL_IN_NAME_MAX, false, &ret->title, err) ||
	    kl_in_text(o, "submission", KL_IN_NAME_MAX, false, &ret->submission, err) ||
	    kl_in_text(o, "summary", KL_IN_TEXT_MAX, false, &ret->summary, err) ||
	    kl_in_text(o, "diff", KL_IN_TEXT_MAX, false, &ret->diff, err))
		return -1;
	if (json_object_get(o, "submission_digest") &&
	    kl_in_digest(o, "submission_digest", ret->submission_digest, err))
		return -1;
	if (kl_receipt_from_json(json_object_get(o, "receipt"), &ret->receipt, err))
		return -1;
	return builds ? kl_builds_from_json(builds, &ret->builds, &ret->n_builds, err) : 0;
}

static int read_result(const json_t *o, struct kl_result *ret, struct kl_error *err)
{
	const json_t *findings;
	int verdict;

	if (kl_in_object(o, "a result", err) || kl_in_schema(o, KL_RESULT_SCHEMA, err) ||
	    kl_in_text(o, "exercise", KL_IN_NAME_MAX, true, &ret->exercise, err) ||
	    kl_in_enum(o, "verdict", kl_verdict_parse, &verdict, err) ||
	    read_score(json_object_get(o, "score"), ret, err) ||
	    kl_in_items(o, "dimensions", KL_IN_LIST_MAX, sizeof(*ret->dimensions), read_dimension,
			&ret->dimensions, &ret->n_dimensions, err) ||
	    kl_in_items(o, "checks", KL_IN_LIST_MAX, sizeof(*ret->checks), read_check, &ret->checks,
			&ret->n_checks, err) ||
	    kl_in_list(o, "findings", KL_IN_LIST_MAX, &findings, err) ||
	    kl_findings_from_json(findings, &ret->findings, err) ||
	    kl_in_strings(o, "refused", &ret->refused, err) ||
	    kl_policy_from_json(json_object_get(o, "policy"), &ret->policy, err) ||
	    read_timing(json_object_get(o, "timing"), ret, err) ||
	    read_environment(json_object_get(o, "environment"), ret, err))
		return -1;
	ret->verdict = (enum kl_verdict)verdict;
	return read_more(o, ret, err);
}

int kl_result_from_json(const json_t *j, struct kl_result *ret, struct kl_error *err)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };

	if (read_result(j, &r, err))
		return -1;
	*ret = r;
	r = (struct kl_result){ 0 };
	return 0;
}

int kl_result_load(const char *path, struct kl_result *ret, struct kl_error *err)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };
	KL_AUTO_JSON json_t *j = NULL;

	if (kl_json_load(path, RESULT_FILE_MAX, &j, err))
		return -1;
	if (kl_result_from_json(j, &r, err) ||
	    kl_receipt_check(j, &r.receipt, &r.receipt_state, &r.receipt_changed, err))
		return kl_error_prepend(err, "%s is no result of klinic", path);
	*ret = r;
	r = (struct kl_result){ 0 };
	return 0;
}
