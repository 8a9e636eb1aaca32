/* Fuzz: C source as the policy reads it, against the handout in tests/fuzz/desk/. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/policy.h>

#include "fuzz.h"
#include "policy/lex.h"

static void check_tokens(const char *text, size_t size, bool trigraphs)
{
	KL_AUTO(pl_tokens_deinit) struct pl_tokens t = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	FUZZ_MUST(!pl_lex(text, size, trigraphs, &t, &err));
	FUZZ_MUST(t.n <= size);
	for (size_t i = 0; i < t.n; i++) {
		FUZZ_MUST(t.v[i].text && t.v[i].line && t.v[i].column);
		FUZZ_MUST(!t.v[i].text[t.v[i].len]);
		FUZZ_MUST(!i || t.v[i - 1].line <= t.v[i].line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[] = "desk.c";
	KL_AUTO_FREE char *text = fuzz_text(data, size);
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
	struct kl_submission_file f = { .path = path, .data = text, .len = size, .changed = true };
	struct kl_submission s = { .files = &f, .n = 1 };
	struct kl_error err = KL_ERROR_INIT;

	check_tokens(text, size, false);
	check_tokens(text, size, true);
	FUZZ_MUST(!kl_policy_source(fuzz_desk(), &s, &p, &err));
	for (size_t i = 0; i < p.n; i++)
		FUZZ_MUST(p.v[i].rule && p.v[i].text && !strpbrk(p.v[i].text, "\n\033"));
	return 0;
}
