/*
 * The kept corpus of one target, as a test: every input once, with the same
 * compiler and sanitizers as everything else. usage: replay_NAME [FILE|FOLDER]…
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "fuzz.h"

#define INPUT_MAX (1UL << 20)

static struct kl_strv paths;

static void replay(const char *path)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_FREE uint8_t *exact = NULL;
	struct kl_error err = KL_ERROR_INIT;

	/* Named before it is read: whoever dies of it says no more. */
	print_message("%s\n", path);
	if (kl_file_read(path, INPUT_MAX, &b, &err))
		fail_msg("%s", err.message);
	exact = malloc(b.len ? b.len : 1);
	assert_non_null(exact);
	if (b.len)
		memcpy(exact, b.data, b.len);
	assert_int_equal(LLVMFuzzerTestOneInput(exact, b.len), 0);
}

static void test_kept_inputs_do_no_harm(void **state)
{
	(void)state;
	assert_true(paths.n > 0);
	for (size_t i = 0; i < paths.n; i++)
		replay(paths.v[i]);
}

static void add(const char *path)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	if (!kl_file_is_dir(path)) {
		(void)kl_strv_add(&paths, path);
		return;
	}
	(void)kl_dir_list(path, &names, NULL);
	for (size_t i = 0; i < names.n; i++)
		(void)kl_strv_addf(&paths, "%s/%s", path, names.v[i]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_kept_inputs_do_no_harm) };
	int rc;

	(void)LLVMFuzzerInitialize(&argc, &argv);
	add(FUZZ_CORPUS); /* of this target: set by the Makefile */
	for (int i = 1; i < argc; i++)
		add(argv[i]);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	kl_strv_deinit(&paths);
	return rc;
}
