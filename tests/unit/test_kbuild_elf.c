/* Undefined symbols of a module, whatever somebody did to the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

static const char source[] = "extern int zebra(void); extern int apple(int); int defined;\n"
			     "static int local(void) { return zebra(); }\n"
			     "int entry(void) { return apple(local()) + zebra() + defined; }\n";

/* The bytes of an object file: of source, compiled by gcc with option. */
static void compile(const char *option, struct kl_buf *ret)
{
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kb_tool("gcc", -1);
	KL_AUTO_FREE char *path = NULL;

	assert_int_equal(kl_tempdir_create(&dir, NULL), 0);
	path = kl_path_join(dir, "x.o");
	kl_command_args(c, "-O0", "-fPIC", option, "-o", path, "-x", "c", "-", NULL);
	kl_command_stdin_data(c, source, strlen(source));
	assert_int_equal(kl_command_check(c, kl_deadline_ms(60000), NULL, KL_INFRA, NULL), 0);
	assert_int_equal(kl_file_read(path, 1 << 20, ret, NULL), 0);
}

static void test_undefined_symbols_come_sorted(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	compile("-c", &b);
	assert_int_equal(kb_elf_undefined(b.data, b.len, &names, &err), 0);
	assert_true(kl_strv_has(&names, "apple"));
	assert_true(kl_strv_has(&names, "zebra"));
	assert_false(kl_strv_has(&names, "entry"));
	assert_false(kl_strv_has(&names, "local"));
	assert_false(kl_strv_has(&names, "defined"));
	for (size_t i = 1; i < names.n; i++)
		assert_true(strcmp(names.v[i - 1], names.v[i]) <= 0);
}

static void test_what_is_no_relocatable_object_is_refused(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf shared = KL_BUF_INIT;
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	struct kl_error err = KL_ERROR_INIT;
	char text[] = "no ELF at all, but long enough to be looked at: 0123456789 0123456789";

	(void)state;
	assert_int_equal(kb_elf_undefined(text, sizeof(text), &names, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_int_equal(kb_elf_undefined(NULL, 0, &names, &err), -1);
	compile("-shared", &shared);
	assert_int_equal(kb_elf_undefined(shared.data, shared.len, &names, &err), -1);
}

static void test_a_truncated_object_is_refused_at_every_length(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	compile("-c", &b);
	for (size_t len = 0; len < b.len; len++) {
		KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
		char *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, b.data, len);
		/* The section headers stand last: without all of them there is no symbol table. */
		assert_int_equal(kb_elf_undefined(copy, len, &names, NULL), -1);
		assert_int_equal(names.n, 0);
		free(copy);
	}
}

static void test_no_corrupt_byte_does_harm(void **state)
{
	static const unsigned char values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	char *copy;

	(void)state;
	compile("-c", &b);
	copy = malloc(b.len);
	assert_non_null(copy);
	for (size_t i = 0; i < b.len; i++) {
		for (size_t v = 0; v < KL_ARRAY_SIZE(values); v++) {
			KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

			memcpy(copy, b.data, b.len);
			copy[i] = (char)values[v];
			kb_elf_undefined(copy, b.len, &names, NULL);
			for (size_t n = 0; n < names.n; n++)
				assert_true(strlen(names.v[n]) < 512);
		}
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undefined_symbols_come_sorted),
		cmocka_unit_test(test_what_is_no_relocatable_object_is_refused),
		cmocka_unit_test(test_a_truncated_object_is_refused_at_every_length),
		cmocka_unit_test(test_no_corrupt_byte_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
