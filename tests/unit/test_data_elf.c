/* A module's tables, whatever somebody did to the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/elf.h>
#include <klinic/file.h>

static const char source[] = "extern int zebra(void); extern int apple(int); int defined;\n"
			     "__attribute__((section(\".modinfo\"), used)) static const char\n"
			     "info[] = \"license=GPL\\0name=zoo\";\n"
			     "int (*const table[])(void) = { zebra };\n"
			     "static int local(void) { return zebra(); }\n"
			     "int entry(void) { return apple(local()) + zebra() + defined; }\n";

/* The bytes of an object file: of source, compiled by gcc with option. */
static void compile(const char *option, struct kl_buf *ret)
{
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kl_command_create("gcc");
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
	assert_int_equal(kl_elf_undefined(b.data, b.len, &names, &err), 0);
	assert_true(kl_strv_has(&names, "apple"));
	assert_true(kl_strv_has(&names, "zebra"));
	assert_false(kl_strv_has(&names, "entry"));
	assert_false(kl_strv_has(&names, "local"));
	assert_false(kl_strv_has(&names, "defined"));
	for (size_t i = 1; i < names.n; i++)
		assert_true(strcmp(names.v[i - 1], names.v[i]) <= 0);
}

static void test_sections_relocations_and_modinfo_are_read(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO(kl_elf_deinit) struct kl_elf e = { 0 };
	struct kl_error err = KL_ERROR_INIT;
	size_t found = 0;

	(void)state;
	compile("-c", &b);
	assert_int_equal(kl_elf_read(b.data, b.len, &e, &err), 0);
	assert_int_equal(e.modinfo.n, 2);
	assert_string_equal(e.modinfo.v[0], "license=GPL");
	assert_string_equal(e.modinfo.v[1], "name=zoo");
	assert_true(kl_strv_has(&e.defined, "entry"));
	for (size_t i = 0; i < e.n_relocations; i++)
		if (e.relocations[i].target == KL_ELF_UNDEFINED) {
			assert_string_equal(e.relocations[i].symbol, "zebra");
			found++;
		}
	assert_int_equal(found, 1);
}

static void test_what_is_no_relocatable_object_is_refused(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf shared = KL_BUF_INIT;
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	struct kl_error err = KL_ERROR_INIT;
	char text[] = "no ELF at all, but long enough to be looked at: 0123456789 0123456789";

	(void)state;
	assert_int_equal(kl_elf_undefined(text, sizeof(text), &names, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_int_equal(kl_elf_undefined(NULL, 0, &names, &err), -1);
	compile("-shared", &shared);
	assert_int_equal(kl_elf_undefined(shared.data, shared.len, &names, &err), -1);
}

static void test_a_truncated_object_is_refused_at_every_length(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	compile("-c", &b);
	for (size_t len = 0; len < b.len; len++) {
		KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
		struct kl_elf e;
		char *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, b.data, len);
		/* The section headers stand last: without all of them there is no symbol table. */
		assert_int_equal(kl_elf_undefined(copy, len, &names, NULL), -1);
		assert_int_equal(names.n, 0);
		assert_int_equal(kl_elf_read(copy, len, &e, NULL), -1);
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
			KL_AUTO(kl_elf_deinit) struct kl_elf e = { 0 };

			memcpy(copy, b.data, b.len);
			copy[i] = (char)values[v];
			kl_elf_read(copy, b.len, &e, NULL);
			for (size_t n = 0; n < e.undefined.n; n++)
				assert_true(strlen(e.undefined.v[n]) < 512);
			for (size_t n = 0; n < e.n_relocations; n++)
				assert_true(e.relocations[n].section < e.n_sections);
		}
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undefined_symbols_come_sorted),
		cmocka_unit_test(test_sections_relocations_and_modinfo_are_read),
		cmocka_unit_test(test_what_is_no_relocatable_object_is_refused),
		cmocka_unit_test(test_a_truncated_object_is_refused_at_every_length),
		cmocka_unit_test(test_no_corrupt_byte_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
