/* Policy notes: part of evidence and of results. Who makes them: runner/policy/. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "model/documents.h"
#include "model/json_io.h"

static void note_deinit(struct kl_policy_note *n)
{
	free(n->rule);
	free(n->file);
	free(n->name);
	free(n->text);
	*n = (struct kl_policy_note){ 0 };
}

int kl_policy_add(struct kl_policy *p, const struct kl_policy_note *note)
{
	struct kl_policy_note *more = realloc(p->v, (p->n + 1) * sizeof(*p->v));
	struct kl_policy_note *to;

	if (!more)
		return -1;
	p->v = more;
	to = &more[p->n++];
	*to = (struct kl_policy_note){
		.rule = strdup(note->rule ? note->rule : ""),
		.file = strdup(note->file ? note->file : ""),
		.line = note->line,
		.column = note->column,
		.name = strdup(note->name ? note->name : ""),
		.text = strdup(note->text ? note->text : ""),
		.refused = note->refused,
	};
	return to->rule && to->file && to->name && to->text ? 0 : -1;
}

const struct kl_policy_note *kl_policy_refusal(const struct kl_policy *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].refused)
			return &p->v[i];
	return NULL;
}

void kl_policy_deinit(struct kl_policy *p)
{
	for (size_t i = 0; i < p->n; i++)
		note_deinit(&p->v[i]);
	free(p->v);
	*p = (struct kl_policy){ 0 };
}

static json_t *note_json(const struct kl_policy_note *n)
{
	json_t *o = json_object();

	kl_out_put(&o, "rule", kl_json_text(n->rule));
	kl_out_put(&o, "file", kl_json_text(n->file));
	kl_out_put(&o, "line", json_integer(n->line));
	kl_out_put(&o, "column", json_integer(n->column));
	kl_out_put(&o, "name", kl_json_text(n->name));
	kl_out_put(&o, "text", kl_json_text(n->text));
	kl_out_put(&o, "refused", json_boolean(n->refused));
	return o;
}

json_t *kl_policy_json(const struct kl_policy *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n; i++)
		kl_out_push(&list, note_json(&p->v[i]));
	return list;
}

static int read_note(const json_t *o, struct kl_policy_note *ret, struct kl_error *err)
{
	if (kl_in_object(o, "a policy note", err) ||
	    kl_in_text(o, "rule", KL_IN_NAME_MAX, true, &ret->rule, err) ||
	    kl_in_text(o, "file", KL_IN_NAME_MAX, true, &ret->file, err) ||
	    kl_in_uint(o, "line", INT_MAX, &ret->line, err) ||
	    kl_in_uint(o, "column", INT_MAX, &ret->column, err) ||
	    kl_in_text(o, "name", KL_IN_NAME_MAX, true, &ret->name, err) ||
	    kl_in_text(o, "text", KL_IN_TEXT_MAX, true, &ret->text, err))
		return -1;
	return kl_in_bool(o, "refused", &ret->refused, err);
}

int kl_policy_from_json(const json_t *j, struct kl_policy *ret, struct kl_error *err)
{
	size_t n = json_array_size(j);

	if (!j)
		return 0;
	if (!json_is_array(j) || n > KL_IN_LIST_MAX)
		return kl_fail(err, KL_CONTENT, "“policy” must be a list");
	ret->v = calloc(n + 1, sizeof(*ret->v));
	if (!ret->v)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (read_note(json_array_get(j, i), &ret->v[ret->n++], err))
			return kl_error_prepend(err, "policy[%zu]", i);
	return 0;
}
