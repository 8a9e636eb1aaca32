/* Findings as JSON: the shape of “klinic splat”, of results and of evidence. */
#include <limits.h>

#include <klinic/finding.h>

#include "model/documents.h"
#include "model/json_io.h"

json_t *kl_finding_json(const struct kl_finding *f)
{
	json_t *o = json_object();

	kl_out_put(&o, "kind", json_string(kl_kind_name(f->kind)));
	kl_out_put(&o, "title", kl_json_text(f->title ? f->title : ""));
	kl_out_put(&o, "function", kl_json_text(f->function));
	kl_out_put(&o, "file", kl_json_text(f->file));
	kl_out_put(&o, "line", f->line ? json_integer(f->line) : json_null());
	kl_out_put(&o, "access", kl_json_text(f->access));
	kl_out_put(&o, "trace", kl_json_strv(&f->trace));
	return o;
}

json_t *kl_findings_json(const struct kl_findings *fs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < fs->n; i++)
		kl_out_push(&list, kl_finding_json(&fs->v[i]));
	return list;
}

json_t *kl_findings_record(const struct kl_findings *fs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < fs->n; i++) {
		json_t *o = kl_finding_json(&fs->v[i]);

		kl_out_put(&o, "offset", kl_out_u64(fs->v[i].offset));
		kl_out_put(&o, "length", kl_out_u64(fs->v[i].length));
		kl_out_put(&o, "time_us", kl_out_u64(fs->v[i].time_us));
		kl_out_push(&list, o);
	}
	return list;
}

/* Where the finding stood in its log is told by evidence only. */
static int read_place(const json_t *o, struct kl_finding *ret, struct kl_error *err)
{
	uint64_t offset, length;

	if (!json_object_get(o, "offset"))
		return 0;
	if (kl_in_u64(o, "offset", &offset, err) || kl_in_u64(o, "length", &length, err) ||
	    kl_in_u64(o, "time_us", &ret->time_us, err))
		return -1;
	if (offset > KL_IN_TEXT_MAX || length > KL_IN_TEXT_MAX)
		return kl_fail(err, KL_CONTENT, "“offset” and “length” must lie within a log");
	ret->offset = offset;
	ret->length = length;
	return 0;
}

static int read_finding(const json_t *o, struct kl_finding *ret, struct kl_error *err)
{
	int kind;

	if (kl_in_object(o, "a finding", err) || kl_in_enum(o, "kind", kl_kind_parse, &kind, err) ||
	    kl_in_text(o, "title", KL_IN_NAME_MAX, true, &ret->title, err) ||
	    kl_in_text(o, "function", KL_IN_NAME_MAX, false, &ret->function, err) ||
	    kl_in_text(o, "file", KL_IN_NAME_MAX, false, &ret->file, err) ||
	    kl_in_text(o, "access", KL_IN_NAME_MAX, false, &ret->access, err) ||
	    kl_in_strings(o, "trace", &ret->trace, err))
		return -1;
	ret->kind = (enum kl_kind)kind;
	if (!json_is_null(json_object_get(o, "line")) &&
	    kl_in_uint(o, "line", INT_MAX, &ret->line, err))
		return -1;
	return read_place(o, ret, err);
}

int kl_findings_from_json(const json_t *j, struct kl_findings *ret, struct kl_error *err)
{
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };

	if (!json_is_array(j) || json_array_size(j) > KL_IN_LIST_MAX)
		return kl_fail(err, KL_CONTENT, "findings must be a list of at most %lu",
			       KL_IN_LIST_MAX);
	for (size_t i = 0; i < json_array_size(j); i++) {
		KL_AUTO(kl_finding_deinit) struct kl_finding f = { 0 };

		if (read_finding(json_array_get(j, i), &f, err))
			return kl_error_prepend(err, "findings[%zu]", i);
		if (kl_findings_push(&fs, &f))
			return kl_fail(err, KL_INFRA, "out of memory");
	}
	*ret = fs;
	fs = (struct kl_findings){ 0 };
	return 0;
}
