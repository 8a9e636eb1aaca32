/* Golden kernel logs for the tests of the splat room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/json.h>
#include <klinic/splat.h>

#include "splat_logs.h"

struct kl_strv splat_log_names(void)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv all = { 0 };
	struct kl_strv names = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kl_dir_list(SPLAT_LOGS, &all, &err), 0);
	for (size_t i = 0; i < all.n; i++) {
		size_t n = strlen(all.v[i]);

		if (!kl_str_ends(all.v[i], ".log"))
			continue;
		assert_int_equal(kl_strv_addf(&names, "%.*s", (int)(n - 4), all.v[i]), 0);
	}
	assert_true(names.n > 20);
	return names;
}

struct kl_buf splat_log(const char *name)
{
	KL_AUTO_FREE char *path = kl_asprintf(SPLAT_LOGS "/%s.log", name);
	struct kl_buf log = KL_BUF_INIT;
	struct kl_error err = KL_ERROR_INIT;

	assert_non_null(path);
	assert_int_equal(kl_file_read(path, 1 << 20, &log, &err), 0);
	return log;
}

struct kl_findings splat_parse(const char *log, size_t len)
{
	struct kl_findings fs = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kl_splat_parse(log, len, &fs, &err), 0);
	return fs;
}

char *splat_text(const struct kl_findings *fs, bool with_place)
{
	json_t *list = json_array();
	char *text;

	for (size_t i = 0; i < fs->n; i++) {
		const struct kl_finding *f = &fs->v[i];
		json_t *o = kl_finding_json(f);

		if (with_place) {
			json_object_set_new(o, "offset", json_integer((json_int_t)f->offset));
			json_object_set_new(o, "length", json_integer((json_int_t)f->length));
			json_object_set_new(o, "time_us", json_integer((json_int_t)f->time_us));
		}
		json_array_append_new(list, o);
	}
	text = json_dumps(list, JSON_INDENT(2));
	json_decref(list);
	assert_non_null(text);
	return text;
}

char *splat_parse_text(const char *log, size_t len, bool with_place)
{
	struct kl_findings fs = splat_parse(log, len);
	char *text = splat_text(&fs, with_place);

	kl_findings_deinit(&fs);
	return text;
}

unsigned int splat_random(unsigned int *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}
