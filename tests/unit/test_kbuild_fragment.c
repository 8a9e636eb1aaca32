/* Config fragments: read strictly, and held against what kconfig made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "kbuild/internal.h"

static void accepts(const char *text)
{
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kb_fragment_check("f.config", text, &err), 0);
}

static void refuses(const char *text, unsigned int line)
{
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kb_fragment_check("f.config", text, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_string_equal(err.path, "f.config");
	assert_int_equal(err.line, line);
}

static void test_options_comments_and_blank_lines_are_a_fragment(void **state)
{
	(void)state;
	accepts("");
	accepts("# a comment\n\nCONFIG_SMP=y\nCONFIG_NAME=\"x y\"\nCONFIG_PANIC_TIMEOUT=-1");
	accepts("# CONFIG_SMP is not set\n");
}

static void test_anything_else_is_refused_with_its_line(void **state)
{
	(void)state;
	refuses("CONFIG_A=y\nSMP=y\n", 2);
	refuses("CONFIG_A\n", 1);
	refuses("CONFIG_A=\n", 1);
	refuses("CONFIG_=y\n", 1);
	refuses("\n CONFIG_A=y\n", 2);
}

static void test_a_name_that_stands_twice_is_refused(void **state)
{
	(void)state;
	refuses("CONFIG_A=y\nCONFIG_AB=y\nCONFIG_A=n\n", 3);
	refuses("CONFIG_A=y\n# CONFIG_A is not set\n", 2);
}

static const char config[] = "#\n# Automatically generated\n#\nCONFIG_SMP=y\nCONFIG_HZ=250\n"
			     "# CONFIG_STRICT_DEVMEM is not set\nCONFIG_KASAN_GENERIC=y\n";

static void test_lines_in_force_are_verified(void **state)
{
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(kb_fragment_verify("f", "CONFIG_SMP=y\nCONFIG_HZ=250\n", config, &err), 0);
	assert_int_equal(kb_fragment_verify("f", "CONFIG_STRICT_DEVMEM=n\n", config, &err), 0);
	assert_int_equal(kb_fragment_verify("f", "CONFIG_UNHEARD_OF=n\n", config, &err), 0);
}

static void ineffective(const char *text, unsigned int line, const char *what)
{
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kb_fragment_verify("f", text, config, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_int_equal(err.line, line);
	assert_non_null(strstr(err.message, what));
}

static void test_a_line_that_kconfig_dropped_is_told_with_its_place(void **state)
{
	(void)state;
	ineffective("CONFIG_SMP=y\nCONFIG_KASAN=y\n", 2, "CONFIG_KASAN=y did not take effect");
	ineffective("CONFIG_STRICT_DEVMEM=y\n", 1, "made it n");
	ineffective("# x\n# CONFIG_SMP is not set\n", 2, "made it y");
	ineffective("CONFIG_HZ=25\n", 1, "made it 250");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_comments_and_blank_lines_are_a_fragment),
		cmocka_unit_test(test_anything_else_is_refused_with_its_line),
		cmocka_unit_test(test_a_name_that_stands_twice_is_refused),
		cmocka_unit_test(test_lines_in_force_are_verified),
		cmocka_unit_test(test_a_line_that_kconfig_dropped_is_told_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
