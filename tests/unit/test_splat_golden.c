/*
 * Kernel logs, most of them recorded from Linux 6.1 with a module that commits
 * each fault on demand, and the findings they make. KLINIC_GOLDEN_UPDATE=1
 * rewrites the findings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "splat_logs.h"

static void compare(const char *name)
{
	KL_AUTO_FREE char *path = kl_asprintf(SPLAT_LOGS "/%s.json", name);
	KL_AUTO(kl_buf_deinit) struct kl_buf log = splat_log(name);
	KL_AUTO(kl_buf_deinit) struct kl_buf want = KL_BUF_INIT;
	KL_AUTO_FREE char *got = splat_parse_text(log.data, log.len, true);
	struct kl_error err = KL_ERROR_INIT;

	if (getenv("KLINIC_GOLDEN_UPDATE"))
		assert_int_equal(kl_file_write(path, got, strlen(got), 0644, &err), 0);
	assert_int_equal(kl_file_read(path, 1 << 20, &want, &err), 0);
	if (strcmp(want.data, got) != 0)
		print_error("%s differs:\n%s\n", path, got);
	assert_string_equal(want.data, got);
}

static void test_recorded_logs_give_the_findings_beside_them(void **state)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = splat_log_names();

	(void)state;
	for (size_t i = 0; i < names.n; i++)
		compare(names.v[i]);
}

/* What golden files would let slip: the few things that everybody downstream relies on. */
static void test_kinds_functions_and_places_of_recorded_reports(void **state)
{
	static const struct {
		const char *log;
		unsigned int index, count;
		enum kl_kind kind;
		unsigned int line;
		const char *function, *access, *file;
	} want[] = {
		{ "kasan-then-oops", 0, 2, KL_KIND_KASAN, 0, "mishap_read_serial", "read of size 8",
		  NULL },
		{ "kasan-then-oops", 1, 2, KL_KIND_GPF, 0, "mishap_fault", NULL, NULL },
		{ "lockdep-circular", 0, 1, KL_KIND_LOCKDEP, 0, "mishap_ba", NULL, NULL },
		{ "rcu-usage", 0, 1, KL_KIND_RCU, 205, "mishap_fault", NULL, "mishap.c" },
		{ "kernel-bug", 0, 1, KL_KIND_BUG, 237, "mishap_fault", NULL, "mishap.c" },
		{ "page-fault", 0, 1, KL_KIND_PAGE_FAULT, 0, "mishap_fault", "write", NULL },
		{ "hung-task-panic", 0, 2, KL_KIND_HUNG_TASK, 0, "mishap_fault", NULL, NULL },
		{ "hung-task-panic", 1, 2, KL_KIND_PANIC, 0, NULL, NULL, NULL },
		{ "panic-on-kasan", 1, 2, KL_KIND_PANIC, 0, NULL, NULL, NULL },
		{ "panic-on-oops", 1, 2, KL_KIND_PANIC, 0, NULL, NULL, NULL },
		{ "list-bug", 0, 2, KL_KIND_LIST, 0, "stash_unlink", NULL, NULL },
		{ "list-bug", 1, 2, KL_KIND_PANIC, 0, NULL, NULL, NULL },
		{ "ubsan", 0, 2, KL_KIND_UBSAN, 101, "mishap_shift", NULL, "mishap.c" },
		{ "soft-lockup", 0, 2, KL_KIND_SOFT_LOCKUP, 0, "mishap_fault", NULL, NULL },
		{ "rcu-stall", 0, 1, KL_KIND_RCU_STALL, 0, "mishap_fault", NULL, NULL },
		{ "rcu-stall-elsewhere", 0, 2, KL_KIND_RCU_STALL, 0, "stash_spin", NULL, NULL },
		{ "rcu-stall-elsewhere", 1, 2, KL_KIND_RCU_STALL, 0, "stash_spin", NULL, NULL },
		{ "sleep-in-atomic", 0, 3, KL_KIND_SLEEP_IN_ATOMIC, 274, "mishap_alloc_atomic",
		  NULL, "include/linux/sched/mm.h" },
		{ "sleep-in-atomic", 1, 3, KL_KIND_SLEEP_IN_ATOMIC, 0, "mishap_sleepy", NULL,
		  NULL },
		{ "kmemleak", 1, 5, KL_KIND_KMEMLEAK, 0, "mishap_fault", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(want); i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf log = splat_log(want[i].log);
		KL_AUTO(kl_findings_deinit) struct kl_findings fs = splat_parse(log.data, log.len);
		const struct kl_finding *f = &fs.v[want[i].index];

		assert_int_equal(fs.n, want[i].count);
		assert_int_equal(f->kind, want[i].kind);
		assert_true(kl_str_eq(f->function, want[i].function));
		assert_true(kl_str_eq(f->access, want[i].access));
		assert_true(kl_str_eq(f->file, want[i].file));
		assert_int_equal(f->line, want[i].line);
	}
}

static void test_words_of_user_space_make_no_report(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf log = splat_log("forged-words");
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = splat_parse(log.data, log.len);

	(void)state;
	assert_int_equal(fs.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_logs_give_the_findings_beside_them),
		cmocka_unit_test(test_kinds_functions_and_places_of_recorded_reports),
		cmocka_unit_test(test_words_of_user_space_make_no_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
