/* Fuzz: compiler output, which says what a candidate's #error and #line make it say. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "fuzz.h"
#include "kbuild/internal.h"

static void check(const struct kl_diagnostic *d)
{
	FUZZ_MUST(d->file && d->severity && d->text);
	FUZZ_MUST(!strpbrk(d->file, "\n") && !strpbrk(d->text, "\n"));
	FUZZ_MUST(!strcmp(d->severity, "error") || !strcmp(d->severity, "warning") ||
		  !strcmp(d->severity, "note"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	KL_AUTO_FREE char *log = fuzz_text(data, size);
	struct kl_diagnostic *v = NULL;
	size_t n = 0;

	FUZZ_MUST(!kb_diagnostics_parse(log, "/build/desk/", &v, &n));
	for (size_t i = 0; i < n; i++)
		check(&v[i]);
	kb_diagnostics_free(v, n);
	return 0;
}
