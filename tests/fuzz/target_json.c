/* Fuzz: evidence, results with their receipts, and drgn's answers. What was read must be written and read again alike. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/evidence.h>
#include <klinic/receipt.h>
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

/* Nobody has signed it: it is never good. What a key's owner signs is another matter. */
static void receipt(const json_t *j)
{
	enum kl_receipt_state state = KL_RECEIPT_STATE_COUNT;
	enum kl_receipt_part part = KL_RECEIPT_PART_COUNT;
	struct kl_error err = KL_ERROR_INIT;
	struct kl_receipt r = { 0 };

	if (!json_is_object(j))
		return;
	if (kl_receipt_check(j, &r, &state, &part, &err))
		FUZZ_MUST(err.class == KL_CONTENT && *err.message);
	else
		FUZZ_MUST(state >= 0 && state < KL_RECEIPT_STATE_COUNT);
}

static void inspection(const json_t *j)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection a = { 0 }, b = { 0 };
	KL_AUTO_JSON json_t *ja = NULL, *jb = NULL;
	KL_AUTO_FREE char *one = NULL, *two = NULL;
	struct kl_error err = KL_ERROR_INIT;

	if (kl_inspection_from_json(j, &a, &err))
		return;
	ja = kl_inspection_json(&a);
	one = fuzz_dump(ja);
	FUZZ_MUST(!kl_inspection_from_json(ja, &b, &err));
	jb = kl_inspection_json(&b);
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
	receipt(j);
	inspection(j);
	inspection(json_object_get(j, "probes"));
	return 0;
}
