/* The result document's ownership. Its JSON: result_json.c, result_read.c. */
#include <stdlib.h>

#include <klinic/result.h>

#include "model/documents.h"

static void check_deinit(struct kl_check_result *c)
{
	free(c->id);
	free(c->title);
	free(c->flavour);
	free(c->seeds_failed);
	kl_findings_deinit(&c->findings);
	free(c->detail);
	free(c->remark);
	free(c->console);
	kl_control_deinit(&c->control);
	kl_known_deinit(&c->known);
	free(c->memory);
	*c = (struct kl_check_result){ 0 };
}

void kl_result_deinit(struct kl_result *r)
{
	for (size_t i = 0; i < r->n_dimensions; i++) {
		free(r->dimensions[i].id);
		free(r->dimensions[i].title);
	}
	for (size_t i = 0; i < r->n_checks; i++)
		check_deinit(&r->checks[i]);
	for (size_t i = 0; i < r->n_builds; i++)
		kl_build_evidence_deinit(&r->builds[i]);
	free(r->dimensions);
	free(r->checks);
	free(r->builds);
	free(r->exercise);
	free(r->title);
	free(r->submission);
	free(r->summary);
	free(r->diff);
	free(r->kernel);
	free(r->qemu);
	free(r->accel);
	free(r->klinic);
	kl_findings_deinit(&r->findings);
	kl_strv_deinit(&r->refused);
	kl_policy_deinit(&r->policy);
	*r = (struct kl_result){ 0 };
}
