/* What a compile said, as JSON: part of evidence and of results. */
#include <limits.h>
#include <stdlib.h>

#include "model/documents.h"
#include "model/json_io.h"

static json_t *diagnostic_json(const struct kl_diagnostic *d)
{
	json_t *o = json_object();

	kl_out_put(&o, "file", kl_json_text(d->file));
	kl_out_put(&o, "line", json_integer(d->line));
	kl_out_put(&o, "column", json_integer(d->column));
	kl_out_put(&o, "severity", kl_json_text(d->severity));
	kl_out_put(&o, "text", kl_json_text(d->text));
	return o;
}

static json_t *build_json(const struct kl_build_evidence *b)
{
	json_t *o = json_object();
	json_t *diagnostics = json_array();

	for (size_t i = 0; i < b->n; i++)
		kl_out_push(&diagnostics, diagnostic_json(&b->diagnostics[i]));
	kl_out_put(&o, "flavour", kl_json_text(b->flavour));
	kl_out_put(&o, "ok", json_boolean(b->ok));
	kl_out_put(&o, "timed_out", json_boolean(b->timed_out));
	kl_out_put(&o, "diagnostics", diagnostics);
	kl_out_put(&o, "log", kl_json_text(b->log));
	kl_out_put(&o, "wall_ms", json_integer(b->wall_ms));
	return o;
}

json_t *kl_builds_json(const struct kl_build_evidence *builds, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		kl_out_push(&list, build_json(&builds[i]));
	return list;
}

static int read_diagnostic(const json_t *o, void *to, struct kl_error *err)
{
	struct kl_diagnostic *ret = to;

	if (kl_in_text(o, "file", KL_IN_NAME_MAX, false, &ret->file, err) ||
	    kl_in_uint(o, "line", INT_MAX, &ret->line, err) ||
	    kl_in_uint(o, "column", INT_MAX, &ret->column, err) ||
	    kl_in_text(o, "severity", KL_IN_NAME_MAX, false, &ret->severity, err))
		return -1;
	return kl_in_text(o, "text", KL_IN_TEXT_MAX, false, &ret->text, err);
}

static int read_build(const json_t *o, struct kl_build_evidence *ret, struct kl_error *err)
{
	if (kl_in_object(o, "a build", err) ||
	    kl_in_text(o, "flavour", KL_IN_NAME_MAX, true, &ret->flavour, err) ||
	    kl_in_bool(o, "ok", &ret->ok, err) ||
	    kl_in_bool(o, "timed_out", &ret->timed_out, err) ||
	    kl_in_text(o, "log", KL_IN_TEXT_MAX, false, &ret->log, err) ||
	    kl_in_int(o, "wall_ms", 0, INT64_MAX, &ret->wall_ms, err))
		return -1;
	return kl_in_items(o, "diagnostics", KL_IN_LIST_MAX, sizeof(*ret->diagnostics),
			   read_diagnostic, &ret->diagnostics, &ret->n, err);
}

int kl_builds_from_json(const json_t *j, struct kl_build_evidence **ret, size_t *ret_n,
			struct kl_error *err)
{
	size_t n = json_array_size(j);

	if (!json_is_array(j) || n > KL_IN_LIST_MAX)
		return kl_fail(err, KL_CONTENT, "“builds” must be a list");
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (read_build(json_array_get(j, i), &(*ret)[(*ret_n)++], err))
			return kl_error_prepend(err, "builds[%zu]", i);
	return 0;
}
