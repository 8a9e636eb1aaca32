/* vm: what a module may ask of a run, and what QEMU may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "guest/mailbox.h"
#include "vm/qemu.h"
#include "vm/template.h"

#include <cmocka.h>

static char *dir;

static int setup(void **state)
{
	(void)state;
	return kl_tempdir_create(&dir, NULL);
}

static int teardown(void **state)
{
	(void)state;
	kl_tempdir_destroy(kl_take(dir));
	return 0;
}

/* NULL when a module of that size with these calls has room in a run. */
static char *objection(off_t size, const struct kl_strv *calls)
{
	KL_AUTO_FREE char *ko = kl_path_join(dir, "x.ko");
	char *why = NULL;
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kl_file_write(ko, "", 0, 0600, NULL), 0);
	assert_int_equal(truncate(ko, size), 0);
	if (kl_vm_module_fits(ko, calls, &why, &err))
		fail_msg("%s", err.message);
	return why;
}

static void test_a_module_larger_than_half_the_mailbox_is_objected_to(void **state)
{
	struct kl_strv none = { 0 };
	KL_AUTO_FREE char *why = NULL;

	(void)state;
	assert_null(objection(KL_MAIL_SIZE / 2, &none));
	why = objection(KL_MAIL_SIZE / 2 + 1, &none);
	assert_non_null(why);
	assert_non_null(strstr(why, "4096 KiB"));
}

static void test_more_names_of_calls_than_the_orders_hold_are_objected_to(void **state)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv calls = { 0 };
	KL_AUTO_FREE char *why = NULL;
	size_t used = 0;

	(void)state;
	/* What is no point takes no room. */
	for (int i = 0; i < 1000; i++)
		assert_int_equal(kl_strv_addf(&calls, "__asan_load%d_noabort", i), 0);
	while (used + 16 <= KL_MAIL_POINTS - 2) {
		assert_int_equal(kl_strv_addf(&calls, "call_%010zu", used), 0);
		used += 16;
	}
	assert_null(objection(1, &calls));
	assert_int_equal(kl_strv_add(&calls, "one_call_more_here"), 0);
	why = objection(1, &calls);
	assert_non_null(why);
	assert_non_null(strstr(why, "calls so many functions"));
}

static void test_a_module_that_went_away_is_the_machines_affair(void **state)
{
	struct kl_strv none = { 0 };
	struct kl_error err = KL_ERROR_INIT;
	char *why = NULL;

	(void)state;
	assert_int_equal(kl_vm_module_fits("/nonexistent.ko", &none, &why, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
}

/* A QEMU that floods its stderr before it goes: the flood ends at the cap, and its beginning is told. */
static void test_what_qemu_says_is_capped_and_told(void **state)
{
	static char nothing[] = "none";
	KL_AUTO(kl_buf_deinit) struct kl_buf got = KL_BUF_INIT;
	KL_AUTO_FREE char *script = kl_path_join(dir, "qemu");
	KL_AUTO_FREE char *out = kl_path_join(dir, "out");
	KL_AUTO_FREE char *text =
		kl_asprintf("#!/bin/sh\necho 'qemu: no such machine' >&2\n"
			    "head -c 65000 /dev/zero >&2 && echo first >%s\n"
			    "head -c 1000 /dev/zero >&2 2>&1 || echo capped >>%s\n"
			    "exit 1\n",
			    out, out);
	struct kl_machine m = { .bzimage = nothing, .initramfs = nothing, .vmlinux = nothing };
	struct kl_qemu q = KL_QEMU_INIT;
	KL_AUTO_CLOSE int ram = kl_vm_memfd("ram", 4096, NULL);
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	m.qemu = script;
	assert_int_equal(kl_file_write(script, text, strlen(text), 0700, NULL), 0);
	assert_int_equal(
		kl_qemu_start(&m, KL_VM_FORK, ram, "x", 1, kl_deadline_ms(60000), &q, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	if (!strstr(err.message, "QEMU does not start: qemu: no such machine"))
		fail_msg("%s", err.message);
	for (int i = 0; i < 600 && kl_file_read(out, 100, &got, NULL); i++)
		usleep(100000);
	assert_string_equal(kl_buf_str(&got), "first\ncapped\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_module_larger_than_half_the_mailbox_is_objected_to),
		TEST(test_more_names_of_calls_than_the_orders_hold_are_objected_to),
		TEST(test_a_module_that_went_away_is_the_machines_affair),
		TEST(test_what_qemu_says_is_capped_and_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
