/*
 * vm/ring.c and vm/lists.c on memory that was made up: what one log has and the
 * other lacks is found, and no ring, list or page table that a guest leaves behind
 * takes the host along.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "vm/lists.h"
#include "vm/ring.h"

#define RAM (4 * KL_VIEW_PIECE)

/* Where things lie: physical, and through the direct map. */
enum {
	PRB = 0x1000,
	RB = 0x2000,
	LOGLEVEL = 0x3000,
	MODULES = 0x4000,
	TABLES = 0x8000,
	DESCS = 0x10000,
	INFOS = 0x11000,
	DATA = 0x12000,
};
#define COUNT_BITS 4
#define SIZE_BITS  10
#define SIZE	   (1UL << SIZE_BITS)

struct memory {
	uint8_t ram[RAM];
	struct kl_view v;
	struct kl_anatomy a;
	struct kl_ring r;
	uint64_t seq, lpos;
	struct kl_buf console;
};

static int read_ram(void *arg, uint64_t phys, void *buf, size_t len, struct kl_error *err)
{
	const struct memory *m = arg;

	(void)err;
	memcpy(buf, m->ram + phys, len);
	return 0;
}

static void put(struct memory *m, uint64_t at, uint64_t value, size_t size)
{
	memcpy(m->ram + at, &value, size);
}

static uint64_t number_of(uint64_t seq)
{
	return seq + 160;
}

/* prb_reserve() and prb_final_commit(), as they leave memory; puts the line on the console, too. */
static void say_at(struct memory *m, unsigned int level, const char *text)
{
	uint64_t i = number_of(m->seq) & ((1 << COUNT_BITS) - 1), begin = m->lpos, at;
	uint64_t block = (strlen(text) + 8 + 7) & ~7UL;

	if (begin / SIZE != (begin + block) / SIZE) {
		m->lpos = (begin / SIZE + 1) * SIZE + block;
		at = 0;
	} else {
		m->lpos = begin + block;
		at = begin % SIZE;
	}
	put(m, DATA + at, number_of(m->seq), 8);
	memcpy(m->ram + DATA + at + 8, text, strlen(text));
	put(m, DESCS + i * 24, number_of(m->seq) | 2ULL << 62, 8);
	put(m, DESCS + i * 24 + 8, begin, 8);
	put(m, DESCS + i * 24 + 16, m->lpos, 8);
	put(m, INFOS + i * 32, m->seq, 8);
	put(m, INFOS + i * 32 + 8, 6000000000 + m->seq * 1000, 8);
	put(m, INFOS + i * 32 + 16, strlen(text), 2);
	put(m, INFOS + i * 32 + 19, level << 5, 1);
	put(m, INFOS + i * 32 + 20, 67, 4);
	put(m, RB + 24, number_of(m->seq), 8);
	if (m->seq >= 1 << COUNT_BITS)
		put(m, RB + 32, number_of(m->seq) - (1 << COUNT_BITS) + 1, 8);
	if (m->seq)
		kl_buf_printf(&m->console, "[    6.%06u][   T67] %s\r\n", (unsigned int)m->seq,
			      text);
	m->seq++;
}

static void say(struct memory *m, const char *text)
{
	say_at(m, 6, text);
}

static struct memory *fresh(void)
{
	struct memory *m = calloc(1, sizeof(*m));
	uint32_t *o = m->a.offset;
	struct kl_error err = KL_ERROR_INIT;

	m->v = (struct kl_view){ .read = read_ram, .arg = m, .ram = RAM, .page_tables = TABLES };
	o[KL_DESC_RING_DESCS] = 8;
	o[KL_DESC_RING_INFOS] = 16;
	o[KL_DESC_RING_HEAD] = 24;
	o[KL_DESC_RING_TAIL] = 32;
	o[KL_RB_TEXT_RING] = 48;
	o[KL_TEXT_RING_DATA] = 8;
	o[KL_RB_FAIL] = 80;
	o[KL_DESC_TEXT] = 8;
	o[KL_INFO_TIME] = 8;
	o[KL_INFO_TEXT_LEN] = 16;
	o[KL_INFO_FACILITY] = 18;
	o[KL_INFO_CALLER] = 20;
	o[KL_MODULE_LIST] = 8;
	o[KL_MODULE_NAME] = 24;
	m->a.size[KL_PRINTK_RINGBUFFER] = 88;
	m->a.size[KL_PRB_DESC] = 24;
	m->a.size[KL_PRINTK_INFO] = 32;
	m->a.prb.phys = PRB;
	m->a.console_printk.phys = LOGLEVEL;
	m->a.modules.phys = MODULES;
	put(m, PRB, KL_DIRECT_MAP + RB, 8);
	put(m, RB, COUNT_BITS, 4);
	put(m, RB + 8, KL_DIRECT_MAP + DESCS, 8);
	put(m, RB + 16, KL_DIRECT_MAP + INFOS, 8);
	put(m, RB + 32, number_of(0), 8);
	put(m, RB + 48, SIZE_BITS, 4);
	put(m, RB + 56, KL_KERNEL_MAP + DATA, 8);
	put(m, LOGLEVEL, 7, 4);
	say(m, "the template's own");
	assert_int_equal(kl_ring_init(&m->r, &m->a, &m->v, &err), 0);
	assert_int_equal(m->r.next_seq, 1);
	kl_view_deinit(&m->v);
	return m;
}

static void destroy(struct memory **m)
{
	kl_view_deinit(&(*m)->v);
	kl_buf_deinit(&(*m)->console);
	free(*m);
}

static int compare(struct memory *m, bool lossy, struct kl_log_difference *d, struct kl_error *err)
{
	*d = (struct kl_log_difference){ 0 };
	kl_view_deinit(&m->v);
	return kl_ring_compare(&m->r, &m->a, &m->v, kl_buf_str(&m->console), lossy, d, err);
}

static void expect(struct memory *m, uint64_t lines, const char *where, bool lost)
{
	struct kl_error err = KL_ERROR_INIT;
	struct kl_log_difference d;

	if (compare(m, false, &d, &err))
		fail_msg("%s", err.message);
	if (d.where)
		assert_non_null(where);
	if (where)
		assert_string_equal(d.where, where);
	assert_int_equal(d.lines, lines);
	assert_int_equal(d.lost, lost);
	free(d.where);
}

static void expect_doctored(struct memory *m, const char *how)
{
	struct kl_error err = KL_ERROR_INIT;
	struct kl_log_difference d;

	assert_int_equal(compare(m, false, &d, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	if (!strstr(err.message, how))
		fail_msg("%s", err.message);
}

static void test_equal_logs_do_not_differ_and_user_text_is_nobodys_business(void **state)
{
	KL_AUTO(destroy) struct memory *m = fresh();

	(void)state;
	expect(m, 0, NULL, false);
	say(m, "one");
	kl_buf_puts(&m->console, "the agent's own [line]\r\nkli");
	say(m, "two");
	kl_buf_puts(&m->console, "nic: half a line\r\n[  12.5] [T1] no prefix\r\n");
	say(m, "");
	expect(m, 0, NULL, false);
}

static void test_lines_that_only_one_log_has_are_found(void **state)
{
	KL_AUTO(destroy) struct memory *hidden = fresh();
	KL_AUTO(destroy) struct memory *forged = fresh();

	(void)state;
	say(hidden, "one");
	hidden->console.len = 0;
	say(hidden, "two");
	expect(hidden, 1, "only in memory: [    6.000001][   T67] one", false);
	say(forged, "one");
	kl_buf_puts(&forged->console, "x[    6.000003][   T67] \033me\r\n");
	say(forged, "two");
	kl_buf_puts(&forged->console, "[    6.000004][   C0] too\r\n");
	expect(forged, 2, "only on the console: [    6.000003][   T67] \\x1bme", false);
}

static void test_what_the_kernel_keeps_off_the_console_is_no_difference(void **state)
{
	KL_AUTO(destroy) struct memory *m = fresh();

	(void)state;
	say_at(m, 7, "for debugging");
	m->console.len = 0;
	kl_buf_clear(&m->console);
	say(m, "heard");
	say(m, "not ended");
	m->console.len -= strlen("[    6.000003][   T67] not ended\r\n");
	m->console.data[m->console.len] = '\0';
	expect(m, 1, "only in memory: [    6.000003][   T67] not ended", false);
	put(m, DESCS + (number_of(3) & 15) * 24, number_of(3) | 1ULL << 62, 8);
	expect(m, 0, NULL, false);
}

static void test_what_fell_out_of_the_ring_must_be_on_the_console(void **state)
{
	KL_AUTO(destroy) struct memory *m = fresh();
	size_t first;

	(void)state;
	for (int i = 0; i < 100; i++)
		say(m, i % 3 ? "a line" : "a line of another length");
	expect(m, 0, NULL, false);
	first = strcspn(m->console.data, "\n") + 1;
	memmove(m->console.data, m->console.data + first, m->console.len - first + 1);
	m->console.len -= first;
	expect(m, 0, NULL, true);
}

static void test_records_that_the_kernel_lost_are_told(void **state)
{
	KL_AUTO(destroy) struct memory *m = fresh();

	(void)state;
	say(m, "one");
	kl_buf_puts(&m->console, "** 3 printk messages dropped **\r\n");
	expect(m, 0, NULL, true);
	put(m, RB + 80, 1, 8);
	m->console.len = strlen("[    6.000001][   T67] one\r\n");
	m->console.data[m->console.len] = '\0';
	expect(m, 0, NULL, true);
}

static void test_a_ring_that_contradicts_itself_was_doctored(void **state)
{
	static const struct {
		uint64_t at, value;
		const char *how;
	} cases[] = {
		{ PRB, KL_DIRECT_MAP + RB + 8, "put elsewhere" },
		{ PRB, KL_DIRECT_MAP + RAM, "nothing is mapped" },
		{ RB + 8, KL_DIRECT_MAP + INFOS, "put elsewhere" },
		{ RB + 24, 160 + 100, "more records than room" },
		{ DESCS + 24, 7, "missing" },
		{ DESCS + 24, 161, "missing" }, /* reserved for ever */
		{ DESCS + 24, 161 | 3ULL << 62, "gone" },
		{ DESCS + 24 + 8, 4, "no room" },
		{ DESCS + 24 + 8, 0, "another record's" },
		{ DESCS + 24 + 16, SIZE * 7, "spans" },
		{ INFOS + 32, 9, "one by one" },
		{ INFOS + 32 + 16, 1000, "longer than its block" },
		{ DATA + 32, 1, "another record's" },
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(cases); i++) {
		KL_AUTO(destroy) struct memory *m = fresh();

		say(m, "one");
		say(m, "two");
		expect(m, 0, NULL, false);
		put(m, cases[i].at, cases[i].value, 8);
		expect_doctored(m, cases[i].how);
	}
}

static void test_two_cpus_may_be_stopped_in_the_middle_of_a_record(void **state)
{
	KL_AUTO(destroy) struct memory *m = fresh();
	struct kl_error err = KL_ERROR_INIT;
	struct kl_log_difference d;
	size_t whole;

	(void)state;
	say(m, "one");
	say(m, "klinic: the log is whole");
	whole = m->console.len;
	say(m, "late");
	put(m, DESCS + (number_of(3) & 15) * 24, number_of(3), 8);
	m->console.len = whole + 5;
	m->console.data[m->console.len] = '\0';
	assert_int_equal(compare(m, true, &d, &err), 0);
	assert_int_equal(d.lines, 0);
	expect_doctored(m, "missing");
}

/* Whatever stands there, it ends, and nothing outside is read (ASan). */
static void test_no_memory_at_all_takes_the_host_along(void **state)
{
	KL_AUTO(destroy) struct memory *m = fresh();
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	for (int i = 0; i < 40; i++)
		say(m, "some lines");
	srand(1);
	for (int i = 0; i < 1000; i++) {
		KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
		KL_AUTO_FREE struct memory *copy = malloc(sizeof(*copy));
		struct kl_log_difference d;

		memcpy(copy, m, sizeof(*copy));
		copy->v.piece = NULL;
		copy->v.arg = copy;
		for (int k = 0; k < 3; k++) {
			static const uint64_t places[] = { RB + 24, RB + 32, DESCS, INFOS, DATA };
			uint64_t at = places[rand() % 5] + (uint64_t)(rand() % 512);

			copy->ram[at] ^= (uint8_t)(1 << rand() % 8);
		}
		if (!compare(copy, rand() % 2, &d, &err))
			free(d.where);
		kl_view_deinit(&copy->v);
	}
}

static void add_module(struct memory *m, uint64_t at, uint64_t next, const char *name)
{
	put(m, at + 8, next, 8);
	memcpy(m->ram + at + 24, name, strlen(name) + 1);
}

static int list(struct memory *m, struct kl_strv *names, struct kl_error *err)
{
	kl_view_deinit(&m->v);
	return kl_list_modules(&m->a, &m->v, names, err);
}

static void test_modules_are_found_through_the_page_tables(void **state)
{
	const uint64_t there = 0xffffffffa0005000;
	KL_AUTO(destroy) struct memory *m = fresh();
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	put(m, MODULES, there + 8, 8);
	put(m, TABLES + 511 * 8, (TABLES + 0x1000) | 1, 8);
	put(m, TABLES + 0x1000 + 510 * 8, (TABLES + 0x2000) | 1, 8);
	put(m, TABLES + 0x2000 + 256 * 8, (TABLES + 0x3000) | 1, 8);
	put(m, TABLES + 0x3000 + 5 * 8, 0x6000 | 1 | 1ULL << 63, 8);
	add_module(m, 0x6000, KL_KERNEL_MAP + MODULES, "gh\033ost");
	assert_int_equal(list(m, &names, &err), 0);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.v[0], "gh\\x1bost");
	/* A table that is its own entry, and one outside of RAM. */
	put(m, TABLES + 0x2000 + 256 * 8, RAM | 1, 8);
	assert_int_equal(list(m, &names, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	put(m, TABLES + 511 * 8, 0, 8);
	assert_int_equal(list(m, &names, &err), -1);
	assert_non_null(strstr(err.message, "nothing is mapped"));
}

static void test_a_list_without_an_end_ends(void **state)
{
	KL_AUTO(destroy) struct memory *m = fresh();
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	put(m, MODULES, KL_DIRECT_MAP + 0x6008, 8);
	add_module(m, 0x6000, KL_DIRECT_MAP + 0x6008, "self");
	assert_int_equal(list(m, &names, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_non_null(strstr(err.message, "more than 64"));
	put(m, MODULES, 0x6008, 8);
	assert_int_equal(list(m, &names, &err), -1);
	assert_non_null(strstr(err.message, "no address of the kernel"));
	put(m, MODULES, KL_DIRECT_MAP + RAM - 8, 8);
	assert_int_equal(list(m, &names, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_logs_do_not_differ_and_user_text_is_nobodys_business),
		cmocka_unit_test(test_lines_that_only_one_log_has_are_found),
		cmocka_unit_test(test_what_the_kernel_keeps_off_the_console_is_no_difference),
		cmocka_unit_test(test_what_fell_out_of_the_ring_must_be_on_the_console),
		cmocka_unit_test(test_records_that_the_kernel_lost_are_told),
		cmocka_unit_test(test_a_ring_that_contradicts_itself_was_doctored),
		cmocka_unit_test(test_two_cpus_may_be_stopped_in_the_middle_of_a_record),
		cmocka_unit_test(test_no_memory_at_all_takes_the_host_along),
		cmocka_unit_test(test_modules_are_found_through_the_page_tables),
		cmocka_unit_test(test_a_list_without_an_end_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
