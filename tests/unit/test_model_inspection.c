/* Inspections read back what they write, and nothing that is not one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/inspection.h>

static const char whole[] =
	"{\"asked\":[\"tasks\",\"pending\"],\"why\":\"held-locks: lost\","
	"\"tasks\":{\"complete\":true,\"waiting\":27,\"items\":[{\"pid\":29,\"comm\":\"check\","
	"\"state\":\"D\",\"user\":true,\"place\":\"module\","
	"\"frames\":[\"schedule+0x1\",\"mine [m]\"]}]},"
	"\"pending\":{\"complete\":false,\"items\":[{\"kind\":\"timer\",\"function\":\"late\","
	"\"place\":\"gone\"}]},"
	"\"slabs\":{\"complete\":true,\"caches\":[{\"cache\":\"kmalloc-64\",\"size\":64,"
	"\"objects\":12}],\"items\":[{\"place\":\"gone\",\"site\":\"mine+0x1\","
	"\"cache\":\"kmalloc-64\",\"size\":64,\"objects\":3}]}}";

static int parse(const char *text, struct kl_inspection *ret, struct kl_error *err)
{
	KL_AUTO_JSON json_t *j = json_loads(text, 0, NULL);

	assert_non_null(j);
	return kl_inspection_from_json(j, ret, err);
}

static void test_what_was_written_is_read_back(void **state)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };
	KL_AUTO_JSON json_t *was = json_loads(whole, 0, NULL), *is = NULL;
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(parse(whole, &in, &err), 0);
	assert_true(in.asked[KL_PROBE_TASKS] && in.asked[KL_PROBE_PENDING]);
	assert_false(in.asked[KL_PROBE_SLABS] || in.answered[KL_PROBE_HELD_LOCKS]);
	assert_true(in.complete[KL_PROBE_TASKS]);
	assert_false(in.complete[KL_PROBE_PENDING]);
	assert_int_equal(in.tasks[0].place, KL_PLACE_MODULE);
	assert_string_equal(in.tasks[0].frames.v[1], "mine [m]");
	assert_int_equal(in.sites[0].objects, 3);
	is = kl_inspection_json(&in);
	assert_true(json_equal(was, is));
}

static void test_tasks_can_be_forgotten_as_if_nobody_had_asked(void **state)
{
	KL_AUTO(kl_inspection_deinit) struct kl_inspection in = { 0 };
	KL_AUTO_JSON json_t *j = NULL;
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(parse(whole, &in, &err), 0);
	kl_inspection_forget_tasks(&in);
	assert_true(kl_inspection_any(&in));
	j = kl_inspection_json(&in);
	assert_null(json_object_get(j, "tasks"));
	assert_int_equal(json_array_size(json_object_get(j, "asked")), 1);
	assert_non_null(json_object_get(j, "pending"));
}

static void test_what_is_no_inspection_is_refused(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"asked\":[\"teapots\"],\"why\":null}",
		"{\"asked\":[7],\"why\":null}",
		"{\"asked\":[],\"why\":null,\"tasks\":[]}",
		"{\"asked\":[],\"why\":null,\"tasks\":{\"complete\":true,\"waiting\":-1,\"items\":["
		"]}}",
		"{\"asked\":[],\"why\":null,\"pending\":{\"complete\":true}}",
		"{\"asked\":[],\"why\":null,\"pending\":{\"complete\":true,\"items\":[{}]}}",
		"{\"asked\":[],\"why\":null,\"pending\":{\"complete\":1,\"items\":[]}}",
		"{\"asked\":[],\"why\":null,\"pending\":{\"complete\":true,\"items\":[{\"kind\":"
		"\"timer\","
		"\"function\":null,\"place\":\"gone\"}]}}",
		"{\"asked\":[],\"why\":null,\"pending\":{\"complete\":true,\"items\":[{\"kind\":"
		"\"timer\","
		"\"function\":\"f\",\"place\":\"moon\"}]}}",
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(bad); i++) {
		struct kl_inspection in = { 0 };
		struct kl_error err = KL_ERROR_INIT;

		if (!parse(bad[i], &in, &err))
			fail_msg("taken for an inspection: %s", bad[i]);
		assert_int_equal(err.class, KL_CONTENT);
		assert_false(kl_inspection_any(&in));
	}
}

static void test_lists_have_an_end(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	struct kl_inspection in = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	kl_buf_puts(&b, "{\"asked\":[],\"why\":null,\"pending\":{\"complete\":true,\"items\":[1");
	for (int i = 0; i < 5000; i++)
		kl_buf_puts(&b, ",1");
	kl_buf_puts(&b, "]}}");
	assert_int_equal(parse(b.data, &in, &err), -1);
	assert_non_null(strstr(err.message, "items"));
}

static void test_an_older_document_asked_nothing(void **state)
{
	struct kl_inspection in = { 0 };

	(void)state;
	assert_int_equal(kl_inspection_from_json(NULL, &in, NULL), 0);
	assert_false(kl_inspection_any(&in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_written_is_read_back),
		cmocka_unit_test(test_tasks_can_be_forgotten_as_if_nobody_had_asked),
		cmocka_unit_test(test_what_is_no_inspection_is_refused),
		cmocka_unit_test(test_lists_have_an_end),
		cmocka_unit_test(test_an_older_document_asked_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
