/* Controls and known rates as JSON, both ways: they stand in evidence and in results. */
#include <limits.h>

#include "model/documents.h"
#include "model/json_io.h"

json_t *kl_control_json(const struct kl_control *c, bool infra)
{
	json_t *o;

	if (!c->asked)
		return json_null();
	o = json_object();
	kl_out_put(&o, "variant", kl_json_text(c->variant));
	kl_out_put(&o, "runs", json_integer(c->runs));
	kl_out_put(&o, "failures", json_integer(c->failures));
	kl_out_put(&o, "cached", json_boolean(c->cached));
	if (infra)
		kl_out_put(&o, "infra", kl_json_text(c->infra));
	return o;
}

int kl_control_from_json(const json_t *j, struct kl_control *ret, struct kl_error *err)
{
	if (!j || json_is_null(j))
		return 0;
	ret->asked = true;
	if (kl_in_object(j, "“control”", err) ||
	    kl_in_text(j, "variant", KL_IN_NAME_MAX, false, &ret->variant, err) ||
	    kl_in_uint(j, "runs", INT_MAX, &ret->runs, err) ||
	    kl_in_uint(j, "failures", INT_MAX, &ret->failures, err) ||
	    kl_in_bool(j, "cached", &ret->cached, err))
		return -1;
	return json_object_get(j, "infra")
		       ? kl_in_text(j, "infra", KL_IN_TEXT_MAX, false, &ret->infra, err)
		       : 0;
}

json_t *kl_known_json(const struct kl_known *k)
{
	json_t *o;

	if (!k->variant)
		return json_null();
	o = json_object();
	kl_out_put(&o, "variant", kl_json_text(k->variant));
	kl_out_put(&o, "runs", json_integer(k->runs));
	kl_out_put(&o, "failures", json_integer(k->failures));
	kl_out_put(&o, "p", kl_out_real(kl_chance(k->runs, k->failures)));
	return o;
}

int kl_known_from_json(const json_t *j, struct kl_known *ret, struct kl_error *err)
{
	if (!j || json_is_null(j))
		return 0;
	if (kl_in_object(j, "“known”", err) ||
	    kl_in_text(j, "variant", KL_IN_NAME_MAX, true, &ret->variant, err) ||
	    kl_in_uint(j, "runs", INT_MAX, &ret->runs, err) ||
	    kl_in_uint(j, "failures", INT_MAX, &ret->failures, err))
		return -1;
	if (ret->failures > ret->runs)
		return kl_fail(err, KL_CONTENT, "“known” has more failures than runs");
	return 0;
}
