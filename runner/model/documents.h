/* What the documents of this room share: builds stand in evidence and in results. */
#ifndef MODEL_DOCUMENTS_H
#define MODEL_DOCUMENTS_H

#include <klinic/evidence.h>
#include <klinic/json.h>

/* As kl_findings_json(), and where in the log each was read: evidence forgets nothing. */
json_t *kl_findings_record(const struct kl_findings *fs);

/* null when it was not asked for; infra says why only in evidence, which is not for everybody. */
json_t *kl_control_json(const struct kl_control *c, bool infra);
json_t *kl_known_json(const struct kl_known *k); /* null when it is not known */
/* NULL is an older document, of the time before them. */
int kl_control_from_json(const json_t *j, struct kl_control *ret, struct kl_error *err);
int kl_known_from_json(const json_t *j, struct kl_known *ret, struct kl_error *err);

json_t *kl_policy_json(const struct kl_policy *p);
/* NULL is an older document, of the time before the policy: no notes. */
int kl_policy_from_json(const json_t *j, struct kl_policy *ret, struct kl_error *err);

json_t *kl_builds_json(const struct kl_build_evidence *builds, size_t n);
/* Fills *ret and *ret_n as far as it came, also on failure: the owner's deinit frees them. */
int kl_builds_from_json(const json_t *j, struct kl_build_evidence **ret, size_t *ret_n,
			struct kl_error *err);

#endif
