/* Fuzz: evidence and results read from files. What was read must be written and read again alike. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/evidence.h>
#include <klinic/result.h>

#include "fuzz.h"

static void evidence(const json_t *j)
{
	KL_AUTO(kl_evidence_deinit) struct kl_evidence a = { 0 }, b = { 0 };
	KL_AUTO_JSON json_t *ja = NULL, *jb = NULL;
	KL_AUTO_FREE char *one = NULL, *two = NULL;
	struct kl_error err = KL_ERROR_INIT;

	if (kl_evidence_from_json(j, &a, &err)) {
		FUZZ_MUST(err.class == KL_CONTENT && *err.message && !a.exercise && !a.n_checks);
		return;
	}
	ja = kl_evidence_json(&a);
	one = fuzz_dump(ja);
	FUZZ_MUST(!kl_evidence_from_json(ja, &b, &err));
	jb = kl_evidence_json(&b);
	two = fuzz_dump(jb);
	FUZZ_MUST(!strcmp(one, two));
}

static void result(const json_t *j)
{
	KL_AUTO(kl_result_deinit) struct kl_result a = { 0 }, b = { 0 };
	KL_AUTO_JSON json_t *ja = NULL, *jb = NULL;
	KL_AUTO_FREE char *one = NULL, *two = NULL;
	struct kl_error err = KL_ERROR_INIT;

	if (kl_result_from_json(j, &a, &err)) {
		FUZZ_MUST(err.class == KL_CONTENT && *err.message && !a.exercise && !a.n_checks);
		return;
	}
	ja = kl_result_json(&a);
	one = fuzz_dump(ja);
	FUZZ_MUST(!kl_result_from_json(ja, &b, &err));
	jb = kl_result_json(&b);
	two = fuzz_dump(jb);
	FUZZ_MUST(!strcmp(one, two));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	KL_AUTO_FREE char *text = fuzz_text(data, size);
	KL_AUTO_JSON json_t *j = NULL;
	struct kl_error err = KL_ERROR_INIT;

	if (kl_json_parse("input.json", text, size, &j, &err)) {
		FUZZ_MUST(err.class == KL_CONTENT && *err.message);
		return 0;
	}
	evidence(j);
	result(j);
	return 0;
}
