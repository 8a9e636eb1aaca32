/* Whose words are they? What tells the kernel's lines from a program's, and what cannot be told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/splat.h>

#include "splat_logs.h"

static size_t count_of(const char *log)
{
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = splat_parse(log, strlen(log));

	return fs.n;
}

static void test_headers_count_only_where_the_kernel_begins_a_line(void **state)
{
	(void)state;
	assert_int_equal(
		count_of("[    1.000001][   T9] BUG: KASAN: use-after-free in f+0x1/0x2\n"), 1);
	assert_int_equal(
		count_of("[    1.000001][   T9] x BUG: KASAN: use-after-free in f+0x1/0x2\n"), 0);
	assert_int_equal(count_of("[    1.000001] [    2.000001] BUG: KASAN: x in f+0x1/0x2\n"), 0);
	/* What user space prints to the console in a log of the kernel's. */
	assert_int_equal(count_of("[    1.000001] booted\nWARNING: the shell says so\n"), 0);
	assert_int_equal(count_of("WARNING: a log without stamps says so\n"), 1);
	/* A prompt without a newline must not hide a report. */
	assert_int_equal(count_of("~ # [    1.000001][   T9] BUG: KASAN: x in f+0x1/0x2\n"), 1);
	assert_int_equal(
		count_of("~ # <4>[    1.000001] WARNING: possible circular locking dependency "
			 "detected\n"),
		1);
}

#define FAKE   "BUG: KASAN: use-after-free in f+0x1/0x2\nRead of size 8 at addr 0 by task x/1\n"
#define BOOTED "[    1.000001][    T1] booted\n"
#define WHOLE  "[    9.000001][    T1] the log is whole\n"

static void test_what_a_program_writes_to_the_console_is_no_report(void **state)
{
	(void)state;
	assert_int_equal(count_of(BOOTED FAKE WHOLE), 0);
	/* Also before the kernel said anything, and of the kinds that need no more than a header. */
	assert_int_equal(count_of(FAKE BOOTED WHOLE), 0);
	assert_int_equal(count_of(BOOTED "list_del corruption. x\nkernel BUG at a.c:1!\n"
					 "Kernel panic - not syncing: x\n" WHOLE),
			 0);
	assert_int_equal(count_of(BOOTED "unreferenced object 0x1 (size 8):\n" WHOLE), 0);
	assert_int_equal(count_of("[    1.000001] booted\n" FAKE "[    9.000001] whole\n"), 0);
	/* Nothing tells when the stamps end for good: text may convict. */
	assert_int_equal(count_of(BOOTED FAKE), 1);
	assert_int_equal(count_of(FAKE), 1);
}

static void test_a_flood_of_a_programs_words_hides_no_report(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf log = KL_BUF_INIT;
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };

	(void)state;
	kl_buf_puts(&log, BOOTED);
	for (int i = 0; i < 2 * KL_SPLAT_MAX_FINDINGS; i++)
		kl_buf_puts(&log, FAKE);
	kl_buf_puts(&log, "[    2.000002][   T9] BUG: KASAN: double-free in f+0x1/0x2 [m]\n");
	fs = splat_parse(log.data, log.len);
	assert_int_equal(fs.n, 1);
	assert_string_equal(fs.v[0].title, "KASAN: double-free in f");
}

static void test_a_programs_words_do_not_divert_a_report(void **state)
{
	static const char log[] =
		"[    1.0][    C0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n"
		"NMI backtrace for cpu 1\nRIP: 0010:innocent+0x1/0x2 [m]\n"
		"[    1.1][    C1] NMI backtrace for cpu 1\n"
		"[    1.2][    C1] RIP: 0010:spins+0x1/0x2 [m]\n";
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = splat_parse(log, strlen(log));

	(void)state;
	assert_int_equal(fs.n, 1);
	assert_string_equal(fs.v[0].function, "spins");
}

static void test_kmemleaks_list_counts_once_the_kernel_announced_it(void **state)
{
	static const char list[] =
		"unreferenced object 0xffff888000c4aa00 (size 96):\n  backtrace:\n"
		"    [<0>] f+0x1/0x2 [m]\n";
	KL_AUTO_FREE char *log = kl_asprintf(
		BOOTED "[    2.0][    T1] kmemleak: 1 new suspected memory leaks (see x)\n%s" WHOLE,
		list);

	(void)state;
	assert_int_equal(count_of(log), 2);
}

/* Eight times the facility, and the level: devkmsg_write() gives nobody the kernel's facility. */
static void test_a_raw_log_tells_what_came_through_dev_kmsg(void **state)
{
	(void)state;
	assert_int_equal(count_of("<12>[    1.000001][   T9] " FAKE), 0);
	assert_int_equal(count_of("<4>[    1.000001][   T9] " FAKE), 1);
	/* On a console without levels it looks like the kernel's. */
	assert_int_equal(count_of("[    1.000001][   T9] " FAKE), 1);
}

static void test_only_the_kernels_lines_of_a_journal_count(void **state)
{
	(void)state;
	assert_int_equal(count_of("Nov 20 06:14:48 host kernel: " FAKE), 1);
	assert_int_equal(count_of("Nov 20 06:14:48 host app[12]: on kernel: " FAKE), 0);
	assert_int_equal(count_of("2026-11-20T06:14:48.123456+01:00 host kernel: " FAKE), 1);
	assert_int_equal(count_of("2026-11-20T06:14:48.123456+01:00 host app: x kernel: " FAKE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_count_only_where_the_kernel_begins_a_line),
		cmocka_unit_test(test_what_a_program_writes_to_the_console_is_no_report),
		cmocka_unit_test(test_a_flood_of_a_programs_words_hides_no_report),
		cmocka_unit_test(test_a_programs_words_do_not_divert_a_report),
		cmocka_unit_test(test_kmemleaks_list_counts_once_the_kernel_announced_it),
		cmocka_unit_test(test_a_raw_log_tells_what_came_through_dev_kmsg),
		cmocka_unit_test(test_only_the_kernels_lines_of_a_journal_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
