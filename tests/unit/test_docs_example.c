/*
 * docs/writing-exercises.md tells the truth: its worked example is a whole
 * exercise, and its tables have every key that exercise.yaml knows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/exercise.h>
#include <klinic/file.h>
#include <klinic/intake.h>
#include <klinic/kbuild.h>

#define PAGE "docs/writing-exercises.md"

struct fixture {
	char *temp;
	struct kl_buf page;
	struct kl_exercise exercise;
};

static void succeed(int ret, const struct kl_error *err)
{
	char text[2048];

	if (ret)
		fail_msg("%s", kl_error_text(err, text, sizeof(text)));
}

/* A fenced block that is a file of the example: "```LANGUAGE PATH". */
static void put_block(const struct fixture *f, const char *path, const char *text, size_t len)
{
	KL_AUTO_FREE char *full = kl_asprintf("%s/memo-note/%s", f->temp, path);
	struct kl_error err = KL_ERROR_INIT;
	char *slash = strrchr(full, '/');

	*slash = '\0';
	succeed(kl_mkdirs(full, 0700, &err), &err);
	*slash = '/';
	succeed(kl_file_write(full, text, len, 0644, &err), &err);
}

static void put_blocks(const struct fixture *f)
{
	const char *p = f->page.data;

	while ((p = strstr(p, "\n```"))) {
		const char *info = p + 4;
		const char *body = strchr(info, '\n') + 1;
		const char *end = strstr(body - 1, "\n```\n");
		const char *space = memchr(info, ' ', (size_t)(body - 1 - info));

		if (!end)
			break;
		if (space) {
			KL_AUTO_FREE char *path =
				strndup(space + 1, (size_t)(body - 1 - (space + 1)));

			put_block(f, path, body, (size_t)(end + 1 - body));
		}
		p = end + 4; /* at the newline behind the closing fence */
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct kl_error err = KL_ERROR_INIT;
	KL_AUTO_FREE char *cache = NULL, *dir = NULL;

	if (!f || kl_tempdir_create(&f->temp, &err))
		return -1;
	cache = kl_path_join(f->temp, "cache");
	dir = kl_path_join(f->temp, "memo-note");
	setenv("XDG_CACHE_HOME", cache, 1);
	setenv("KLINIC_ROOT", ".", 1); /* unit tests run in the checkout */
	succeed(kl_file_read(PAGE, 1UL << 20, &f->page, &err), &err);
	put_blocks(f);
	succeed(kl_exercise_load(dir, &f->exercise, &err), &err);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kl_exercise_deinit(&f->exercise);
	kl_buf_deinit(&f->page);
	kl_tempdir_destroy(f->temp);
	free(f);
	return 0;
}

static void test_every_solution_of_the_worked_example_is_taken_in(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(kl_variants_deinit) struct kl_variants vs = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	succeed(kl_variants_load(&f->exercise, &vs, &err), &err);
	assert_int_equal(vs.n, 7);
	for (size_t i = 0; i < vs.n; i++) {
		KL_AUTO(kl_submission_deinit) struct kl_submission s = { 0 };

		if (!vs.v[i].path)
			continue;
		succeed(kl_intake(&f->exercise, vs.v[i].path, &s, &err), &err);
		if (s.refused.n)
			fail_msg("%s: %s", vs.v[i].name, s.refused.v[0]);
		assert_true(s.files[0].changed);
		assert_non_null(vs.v[i].role == KL_ROLE_REFERENCE ? "" : vs.v[i].why);
	}
}

static void test_every_check_of_the_worked_example_compiles_and_expects_values(void **state)
{
	static const char challenge[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	struct fixture *f = *state;

	for (size_t i = 0; i < f->exercise.n_checks; i++) {
		KL_AUTO(kl_command_destroy_p) struct kl_command *c = NULL;
		KL_AUTO(kl_buf_deinit) struct kl_buf out = KL_BUF_CAPPED(65536);
		KL_AUTO_FREE char *program = NULL, *oracle = NULL;
		struct kl_error err = KL_ERROR_INIT;

		succeed(kl_program_build(&f->exercise, &f->exercise.checks[i], &program, &oracle,
					 &err),
			&err);
		c = kl_command_create(oracle);
		kl_command_args(c, "1", challenge, NULL);
		succeed(kl_command_check(c, kl_deadline_ms(60000), &out, KL_CONTENT, &err), &err);
		assert_true(kl_str_starts(kl_buf_str(&out), "0 "));
	}
}

/* message ends with the list of all keys that there are: each is a row of a table. */
static void assert_keys_documented(const struct fixture *f, const char *message)
{
	KL_AUTO_FREE char *list = NULL;
	char *rest, *key;
	const char *keys = strstr(message, "its keys are: ");

	assert_non_null(keys);
	list = strdup(keys + strlen("its keys are: "));
	rest = list;
	while ((key = strsep(&rest, ", "))) {
		KL_AUTO_FREE char *row = kl_asprintf("\n| `%s` |", key);

		if (*key && strcmp(key, "and") != 0 && !strstr(f->page.data, row))
			fail_msg("%s has no row for the key %s", PAGE, key);
	}
}

static void test_every_key_of_an_exercise_is_documented(void **state)
{
	struct kl_exercise e = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kl_exercise_parse("x", "nosuch: 1\n", 10, &e, &err), -1);
	assert_keys_documented(*state, err.message);
}

static void test_every_key_of_a_check_is_documented(void **state)
{
	static const char at[] = "    - id: reproducer\n";
	struct fixture *f = *state;
	KL_AUTO_FREE char *path = kl_path_join(f->exercise.dir, "exercise.yaml");
	KL_AUTO(kl_buf_deinit) struct kl_buf yaml = KL_BUF_INIT, bad = KL_BUF_INIT;
	struct kl_exercise e = { 0 };
	struct kl_error err = KL_ERROR_INIT;
	const char *check;

	succeed(kl_file_read(path, 65536, &yaml, &err), &err);
	check = strstr(yaml.data, at);
	assert_non_null(check);
	kl_buf_append(&bad, yaml.data, (size_t)(check - yaml.data) + strlen(at));
	kl_buf_puts(&bad, "      nosuch: 1\n");
	kl_buf_puts(&bad, check + strlen(at));
	assert_int_equal(kl_exercise_parse("x", bad.data, bad.len, &e, &err), -1);
	assert_keys_documented(f, err.message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_solution_of_the_worked_example_is_taken_in),
		cmocka_unit_test(
			test_every_check_of_the_worked_example_compiles_and_expects_values),
		cmocka_unit_test(test_every_key_of_an_exercise_is_documented),
		cmocka_unit_test(test_every_key_of_a_check_is_documented),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
