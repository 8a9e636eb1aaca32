/* Fuzz: kernel logs. Whole and in pieces must give the same findings, and they survive JSON. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/splat.h>

#include "fuzz.h"

static char *as_text(const struct kl_findings *fs)
{
	KL_AUTO_JSON json_t *j = kl_findings_json(fs);

	return fuzz_dump(j);
}

static void check(const struct kl_findings *fs, size_t size)
{
	FUZZ_MUST(fs->n <= KL_SPLAT_MAX_FINDINGS);
	for (size_t i = 0; i < fs->n; i++) {
		const struct kl_finding *f = &fs->v[i];

		FUZZ_MUST(f->kind >= 0 && f->kind < KL_KIND_COUNT);
		FUZZ_MUST(f->title && *f->title);
		FUZZ_MUST(f->length <= size && f->offset <= size - f->length);
		FUZZ_MUST(!i || fs->v[i - 1].offset <= f->offset);
		FUZZ_MUST(!f->line || f->file);
	}
}

static void feed_pieces(const char *text, size_t size, size_t piece, struct kl_findings *ret)
{
	KL_AUTO(kl_splat_destroy_p) struct kl_splat *s = kl_splat_create();

	FUZZ_MUST(s);
	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		KL_AUTO_FREE char *copy = fuzz_text((const uint8_t *)text + at, n);

		FUZZ_MUST(!kl_splat_feed(s, copy, n));
	}
	FUZZ_MUST(!kl_splat_finish(s, ret, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	KL_AUTO(kl_findings_deinit) struct kl_findings whole = { 0 }, pieces = { 0 }, read = { 0 };
	KL_AUTO_FREE char *text = fuzz_text(data, size), *one = NULL, *two = NULL, *three = NULL;
	struct kl_error err = KL_ERROR_INIT;
	KL_AUTO_JSON json_t *j = NULL;

	FUZZ_MUST(!kl_splat_parse(text, size, &whole, &err));
	check(&whole, size);
	feed_pieces(text, size, size % 61 + 3, &pieces);
	one = as_text(&whole);
	two = as_text(&pieces);
	FUZZ_MUST(!strcmp(one, two));
	FUZZ_MUST(!kl_json_parse("findings", one, strlen(one), &j, &err));
	FUZZ_MUST(!kl_findings_from_json(j, &read, &err));
	three = as_text(&read);
	FUZZ_MUST(!strcmp(one, three));
	return 0;
}
