/* Fuzz: YAML, and what exercise.yaml and a rubric make of it. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/rubric.h>
#include <klinic/yaml.h>

#include "fuzz.h"

static void walk(const struct kl_yaml_node *node, unsigned int depth)
{
	FUZZ_MUST(node && depth < 40 && node->line && node->column);
	if (node->type == KL_YAML_SCALAR) {
		FUZZ_MUST(node->text && strlen(node->text) <= 1UL << 20);
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		if (node->type == KL_YAML_MAP) {
			const struct kl_yaml_node *key = node->keys[i];

			walk(key, depth + 1);
			FUZZ_MUST(kl_yaml_get(node, key->text) == node->items[i]);
		}
		walk(node->items[i], depth + 1);
	}
}

/* A complaint is one about content, and has words. */
static void check_complaint(const struct kl_error *err)
{
	FUZZ_MUST(err->class == KL_CONTENT && *err->message);
}

static void read_rubric(const uint8_t *data, size_t size)
{
	KL_AUTO(kl_rubric_deinit) struct kl_rubric r = { 0 };
	KL_AUTO(fuzz_file_close) struct fuzz_file f = fuzz_file_open(data, size);
	struct kl_error err = KL_ERROR_INIT;

	if (kl_rubric_load(f.path, &r, &err))
		check_complaint(&err);
}

static void read_exercise(const char *text, size_t size)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	if (kl_exercise_parse("exercise.yaml", text, size, &e, &err)) {
		check_complaint(&err);
		FUZZ_MUST(!e.id && !e.checks && !e.n_checks);
		return;
	}
	FUZZ_MUST(kl_str_is_id(e.id) && e.n_checks && e.flavours.n && e.editable.n);
	for (size_t i = 0; i < e.n_checks; i++)
		FUZZ_MUST(kl_exercise_check(&e, e.checks[i].id) == &e.checks[i] &&
			  kl_strv_has(&e.flavours, e.checks[i].flavour));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	KL_AUTO_FREE char *text = fuzz_text(data, size);
	KL_AUTO(kl_yaml_deinit) struct kl_yaml y = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	if (kl_yaml_parse("input.yaml", text, size, &y, &err)) {
		check_complaint(&err);
		return 0;
	}
	walk(y.root, 0);
	read_exercise(text, size);
	read_rubric(data, size);
	return 0;
}
