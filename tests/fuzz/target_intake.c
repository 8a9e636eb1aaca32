/*
 * Fuzz: a submitted file from its bytes to the files it makes: patch or mail,
 * git's decoding and applying included. Slow, because git is started; what is
 * accepted must be the same again as its own diff.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/intake.h>

#include "fuzz.h"

static void take(const uint8_t *data, size_t size, struct kl_submission *ret)
{
	KL_AUTO(fuzz_file_close) struct fuzz_file f = fuzz_file_open(data, size);
	struct kl_error err = KL_ERROR_INIT;

	FUZZ_MUST(!kl_intake(fuzz_desk(), f.path, ret, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	KL_AUTO(kl_submission_deinit) struct kl_submission s = { 0 }, t = { 0 };

	take(data, size, &s);
	if (s.refused.n) {
		FUZZ_MUST(!*s.digest);
		return 0;
	}
	FUZZ_MUST(s.n == fuzz_desk()->editable.n && *s.digest);
	for (size_t i = 0; i < s.n; i++)
		FUZZ_MUST(s.files[i].len <= KL_SUBMISSION_MAX &&
			  !memchr(s.files[i].data, '\0', s.files[i].len));
	if (!*s.diff)
		return 0;
	take((const uint8_t *)s.diff, strlen(s.diff), &t);
	FUZZ_MUST(!t.refused.n && !strcmp(s.digest, t.digest));
	return 0;
}
