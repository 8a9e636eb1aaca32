/* The compiler's words, typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "kbuild/internal.h"

static const char gcc_log[] =
	"  CC [M]  /tmp/m/ring.o\n"
	"In file included from ./include/linux/fs.h:5,\n"
	"                 from /tmp/m/ring.c:3:\n"
	"./include/linux/fs.h:99:1: note: declared here\n"
	"/tmp/m/ring.c: In function 'ring_read':\n"
	"/tmp/m/ring.c:41:9: error: 'x' undeclared (first use in this function); odd: yes\n"
	"   41 |         x = 1;\n"
	"/tmp/m/sub/util.h:7:2: warning: #warning look: here [-Wcpp]\n"
	"/tmp/m/ring.c:3:10: fatal error: nothing.h: No such file or directory\n"
	"/tmp/m/ring.s:12: Error: no such instruction\n"
	"ERROR: modpost: \"no_such_symbol\" [/tmp/m/ring.ko] undefined!\n"
	"make: *** [Makefile:1: all] Error 2\n";

static void is(const struct kl_diagnostic *d, const char *file, unsigned int line,
	       unsigned int column, const char *severity, const char *text)
{
	assert_string_equal(d->file, file);
	assert_int_equal(d->line, line);
	assert_int_equal(d->column, column);
	assert_string_equal(d->severity, severity);
	assert_string_equal(d->text, text);
}

static void test_gcc_and_modpost_are_understood(void **state)
{
	struct kl_diagnostic *v = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(kb_diagnostics_parse(gcc_log, "/tmp/m/", &v, &n), 0);
	assert_int_equal(n, 5);
	is(&v[0], "include/linux/fs.h", 99, 1, "note", "declared here");
	is(&v[1], "ring.c", 41, 9, "error",
	   "'x' undeclared (first use in this function); odd: yes");
	is(&v[2], "sub/util.h", 7, 2, "warning", "#warning look: here [-Wcpp]");
	is(&v[3], "ring.c", 3, 10, "error", "nothing.h: No such file or directory");
	is(&v[4], "", 0, 0, "error", "\"no_such_symbol\" [/tmp/m/ring.ko] undefined!");
	kb_diagnostics_free(v, n);
}

static void test_a_place_without_a_column_is_understood(void **state)
{
	struct kl_diagnostic *v = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(kb_diagnostics_parse("a.c:3: error: unterminated", "", &v, &n), 0);
	assert_int_equal(n, 1);
	is(&v[0], "a.c", 3, 0, "error", "unterminated");
	kb_diagnostics_free(v, n);
}

static void test_lines_that_only_look_like_it_are_left_alone(void **state)
{
	struct kl_diagnostic *v = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(
		kb_diagnostics_parse(":3:4: error: x\na.c:3:4:error: x\n"
				     "a.c:3:4: hint: x\n::::\na.c:9999999999999: error: x\n",
				     "", &v, &n),
		0);
	assert_int_equal(n, 0);
	assert_null(v);
}

static void test_a_flood_is_capped(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	struct kl_diagnostic *v = NULL;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 5000; i++)
		kl_buf_printf(&b, "a.c:1:1: error: %01000d\n", i);
	assert_int_equal(kb_diagnostics_parse(kl_buf_str(&b), "", &v, &n), 0);
	assert_int_equal(n, 200);
	assert_int_equal(strlen(v[0].text), 500);
	kb_diagnostics_free(v, n);
}

static void test_folders_of_the_sandbox_are_taken_out_of_the_log(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	assert_int_equal(kb_text_without("/tmp/m/a.c and /tmp/m/b.c", "/tmp/m/", &b), 0);
	assert_string_equal(kl_buf_str(&b), "a.c and b.c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gcc_and_modpost_are_understood),
		cmocka_unit_test(test_a_place_without_a_column_is_understood),
		cmocka_unit_test(test_lines_that_only_look_like_it_are_left_alone),
		cmocka_unit_test(test_a_flood_is_capped),
		cmocka_unit_test(test_folders_of_the_sandbox_are_taken_out_of_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
