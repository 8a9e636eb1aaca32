/*
 * The same reports, however the bytes come: in pieces, interleaved, without
 * tags or stamps, with other line ends, cut off, in garbage, in masses.
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
#include <klinic/splat.h>

#include "splat_logs.h"

static char *parse_pieces(const char *log, size_t len, size_t first, size_t piece)
{
	KL_AUTO(kl_splat_destroy_p) struct kl_splat *s = kl_splat_create();
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };
	unsigned long dropped = 99;

	assert_non_null(s);
	for (size_t at = 0, n = first; at < len; at += n, n = piece) {
		if (n > len - at)
			n = len - at;
		assert_int_equal(kl_splat_feed(s, log + at, n), 0);
	}
	assert_int_equal(kl_splat_finish(s, &fs, &dropped), 0);
	assert_int_equal(dropped, 0);
	return splat_text(&fs, true);
}

static void test_every_split_of_a_log_gives_the_same_findings(void **state)
{
	static const char *const small[] = { "list-bug", "lockdep-return-to-user", "kmemleak",
					     "other-headers" };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(small); i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf log = splat_log(small[i]);
		KL_AUTO_FREE char *whole = splat_parse_text(log.data, log.len, true);

		for (size_t at = 1; at < log.len; at++) {
			KL_AUTO_FREE char *split = parse_pieces(log.data, log.len, at, log.len);

			assert_string_equal(whole, split);
		}
	}
}

static void test_logs_in_pieces_of_any_size_give_the_same_findings(void **state)
{
	static const size_t pieces[] = { 1, 2, 7, 64, 1021 };
	KL_AUTO(kl_strv_deinit) struct kl_strv names = splat_log_names();

	(void)state;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf log = splat_log(names.v[i]);
		KL_AUTO_FREE char *whole = splat_parse_text(log.data, log.len, true);

		for (size_t k = 0; k < KL_ARRAY_SIZE(pieces); k++) {
			KL_AUTO_FREE char *split =
				parse_pieces(log.data, log.len, pieces[k], pieces[k]);

			assert_string_equal(whole, split);
		}
	}
}

/* Each line of the log through fn; the caller frees what comes out. */
static struct kl_buf each_line(const char *log, void (*fn)(struct kl_buf *out, const char *line))
{
	struct kl_buf out = KL_BUF_INIT;
	KL_AUTO_FREE char *copy = strdup(log);
	char *line, *rest = copy;

	while ((line = strsep(&rest, "\n")))
		if (rest || *line)
			fn(&out, line);
	assert_false(out.failed);
	return out;
}

static const char *past(const char *line, char open, char close)
{
	const char *end = *line == open ? strchr(line, close) : NULL;

	return end ? end + 1 : line;
}

static void without_tag(struct kl_buf *out, const char *line)
{
	const char *text = past(line, '<', '>'), *stamp_end = past(text, '[', ']');

	kl_buf_printf(out, "%.*s%s\n", (int)(stamp_end - line), line, past(stamp_end, '[', ']'));
}

static void without_stamp(struct kl_buf *out, const char *line)
{
	const char *text = past(past(past(line, '<', '>'), '[', ']'), '[', ']');

	kl_buf_printf(out, "%s\n", text != line && *text == ' ' ? text + 1 : text);
}

static void with_level(struct kl_buf *out, const char *line)
{
	kl_buf_printf(out, "<4>%s\n", past(line, '<', '>'));
}

static void with_crlf(struct kl_buf *out, const char *line)
{
	kl_buf_printf(out, "%s\r\n", line);
}

static void as_dmesg_T(struct kl_buf *out, const char *line)
{
	const char *text = past(line, '<', '>'), *rest = past(text, '[', ']');

	kl_buf_printf(out, rest == text ? "%.0s%s\n" : "[Fri Nov  6 06:14:48 2026]%.0s%s\n", text,
		      rest);
}

static void as_journal(struct kl_buf *out, const char *line)
{
	const char *text = past(line, '<', '>'), *rest = past(text, '[', ']');

	kl_buf_printf(out, rest == text ? "%s\n" : "Nov 20 06:14:48 host kernel:%s\n",
		      past(rest, '[', ']'));
}

static void as_syslog(struct kl_buf *out, const char *line)
{
	kl_buf_printf(out, "2026-11-20T06:14:48.000000+00:00 host kernel: %s\n",
		      past(line, '<', '>'));
}

/* Logs in which stamps are all that tells the kernel's words from a program's. */
static bool needs_stamps(const char *name)
{
	return kl_str_starts(name, "words-");
}

static void test_other_dresses_of_a_log_change_nothing(void **state)
{
	static void (*const dresses[])(struct kl_buf *, const char *) = {
		without_tag, without_stamp, with_level, with_crlf, as_dmesg_T, as_journal, as_syslog
	};
	KL_AUTO(kl_strv_deinit) struct kl_strv names = splat_log_names();

	(void)state;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf log = splat_log(names.v[i]);
		KL_AUTO_FREE char *want = splat_parse_text(log.data, log.len, false);

		for (size_t k = 0; k < KL_ARRAY_SIZE(dresses); k++) {
			if ((dresses[k] == without_stamp || dresses[k] == as_syslog) &&
			    needs_stamps(names.v[i]))
				continue;
			KL_AUTO(kl_buf_deinit) struct kl_buf d = each_line(log.data, dresses[k]);
			KL_AUTO_FREE char *got = splat_parse_text(d.data, d.len, false);

			assert_string_equal(want, got);
		}
	}
}

/* The log as if another task had printed it. */
static struct kl_buf of_task(const char *name, const char *from, const char *to)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf log = splat_log(name);
	struct kl_buf out = KL_BUF_INIT;
	const char *p = log.data, *hit;

	assert_int_equal(strlen(from), strlen(to));
	while ((hit = strstr(p, from))) {
		kl_buf_append(&out, p, (size_t)(hit - p));
		kl_buf_puts(&out, to);
		p = hit + strlen(from);
	}
	kl_buf_puts(&out, p);
	return out;
}

static bool next_line(const char **p, struct kl_buf *out)
{
	const char *end = strchr(*p, '\n');

	if (!end)
		return false;
	kl_buf_append(out, *p, (size_t)(end + 1 - *p));
	*p = end + 1;
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct kl_finding *)a)->title, ((const struct kl_finding *)b)->title);
}

static void test_interleaved_reports_of_three_tasks_come_out_whole(void **state)
{
	static const char *const names[] = { "kasan-then-oops", "lockdep-circular", "ubsan" };
	static const char *const tasks[] = { "[   T29]", "[    C1]", "[  T307]" };
	unsigned int random = 1;

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct kl_buf logs[3];
		const char *p[3];
		KL_AUTO(kl_buf_deinit) struct kl_buf mixed = KL_BUF_INIT;
		KL_AUTO(kl_findings_deinit) struct kl_findings apart = { 0 }, together = { 0 };
		KL_AUTO_FREE char *want = NULL, *got = NULL;

		for (int i = 0; i < 3; i++) {
			KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };

			logs[i] = of_task(names[i], "[   T29]", tasks[i]);
			p[i] = logs[i].data;
			fs = splat_parse(logs[i].data, logs[i].len);
			assert_int_equal(kl_findings_copy(&apart, &fs), 0);
		}
		for (bool more = true; more;) {
			int i = (int)(splat_random(&random) % 3);

			more = next_line(&p[i], &mixed) || next_line(&p[0], &mixed) ||
			       next_line(&p[1], &mixed) || next_line(&p[2], &mixed);
		}
		together = splat_parse(mixed.data, mixed.len);
		for (size_t i = 1; i < together.n; i++)
			assert_true(together.v[i - 1].offset <= together.v[i].offset);
		qsort(apart.v, apart.n, sizeof(*apart.v), by_text);
		qsort(together.v, together.n, sizeof(*together.v), by_text);
		want = splat_text(&apart, false);
		got = splat_text(&together, false);
		assert_string_equal(want, got);
		for (int i = 0; i < 3; i++)
			kl_buf_deinit(&logs[i]);
	}
}

static void test_truncated_log_gives_the_first_of_the_whole_logs_kinds(void **state)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = splat_log_names();

	(void)state;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf log = splat_log(names.v[i]);
		KL_AUTO(kl_findings_deinit) struct kl_findings all = splat_parse(log.data, log.len);

		/* What a program said is known when the kernel's next line comes. */
		if (needs_stamps(names.v[i]))
			continue;
		for (const char *p = log.data; (p = strchr(p, '\n')); p++) {
			size_t len = (size_t)(p - log.data);
			KL_AUTO(kl_findings_deinit)
			struct kl_findings fs = splat_parse(log.data, len);

			assert_true(fs.n <= all.n);
			for (size_t k = 0; k < fs.n; k++) {
				assert_int_equal(fs.v[k].kind, all.v[k].kind);
				assert_true(fs.v[k].offset + fs.v[k].length <= len + 1);
			}
		}
	}
}

static void test_report_length_ends_with_the_reports_last_line(void **state)
{
	static const struct {
		const char *log, *first, *last;
	} want[] = {
		{ "panic-on-oops", "general protection", "end trace" },
		{ "kasan-then-oops", "======", "======" },
		{ "lockdep-circular", "======", "</TASK>" },
		{ "lockdep-return-to-user", "======", "mishap_fault+0x3cf" },
		{ "hung-task-panic", "INFO: task", "</TASK>" },
		{ "list-bug", "list_del", "end trace" },
		{ "ubsan", "======", "======" },
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(want); i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf log = splat_log(want[i].log);
		KL_AUTO(kl_findings_deinit) struct kl_findings fs = splat_parse(log.data, log.len);
		const char *start = log.data + fs.v[0].offset;
		const char *end = start + fs.v[0].length, *hit;

		assert_int_equal(end[-1], '\n');
		hit = strstr(start, want[i].first);
		assert_true(hit && hit < strchr(start, '\n'));
		hit = end - 1;
		while (hit > start && hit[-1] != '\n')
			hit--;
		hit = strstr(hit, want[i].last);
		assert_true(hit && hit < end);
	}
}

static void test_lines_of_any_length_are_survived(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf log = KL_BUF_INIT;
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };

	(void)state;
	kl_buf_puts(&log, "[    1.000001][   T9] BUG: ");
	for (int i = 0; i < 1 << 16; i++)
		kl_buf_puts(&log, "KASAN: (){, at: [<>] ");
	kl_buf_puts(&log, "\n[    2.000002][   T9] BUG: KASAN: use-after-free in f+0x1/0x2 [m]\n");
	fs = splat_parse(log.data, log.len);
	assert_int_equal(fs.n, 2);
	assert_int_equal(fs.v[1].kind, KL_KIND_KASAN);
	assert_string_equal(fs.v[1].function, "f");
	assert_int_equal(fs.v[1].time_us, 2000002);
	assert_int_equal(fs.v[1].offset + fs.v[1].length, log.len);
}

static void test_findings_over_the_cap_are_counted(void **state)
{
	KL_AUTO(kl_splat_destroy_p) struct kl_splat *s = kl_splat_create();
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };
	unsigned long dropped = 0;
	char line[128];

	(void)state;
	for (int i = 0; i < KL_SPLAT_MAX_FINDINGS + 44; i++) {
		int n = snprintf(line, sizeof(line),
				 "[    1.%06d][   T9] BUG: KASAN: use-after-free in f%d+0x1/0x2\n",
				 i, i);

		assert_int_equal(kl_splat_feed(s, line, (size_t)n), 0);
	}
	assert_int_equal(kl_splat_finish(s, &fs, &dropped), 0);
	assert_int_equal(fs.n, KL_SPLAT_MAX_FINDINGS);
	assert_int_equal(dropped, 44);
	assert_string_equal(fs.v[255].function, "f255");
}

static void test_more_callers_than_are_kept_open_lose_no_report(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf log = KL_BUF_INIT;
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++)
		kl_buf_printf(&log, "[    1.%06d][ T%04d] BUG: KASAN: x in f%d+0x1/0x2\n", i, i, i);
	for (int i = 0; i < 200; i++)
		kl_buf_printf(&log, "[    2.%06d][ T%04d] Read of size 8 at addr 0\n", i, i);
	fs = splat_parse(log.data, log.len);
	assert_int_equal(fs.n, 200);
	assert_string_equal(fs.v[0].function, "f0");
	assert_null(fs.v[0].access); /* made room */
	assert_string_equal(fs.v[199].access, "read of size 8");
}

static void test_findings_go_to_the_end_and_a_parser_serves_again(void **state)
{
	static const char one[] = "[    1.000001] BUG: KASAN: x in f+0x1/0x2";
	KL_AUTO(kl_splat_destroy_p) struct kl_splat *s = kl_splat_create();
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };

	(void)state;
	assert_int_equal(kl_splat_feed(s, one, strlen(one)), 0);
	assert_int_equal(kl_splat_finish(s, &fs, NULL), 0);
	assert_int_equal(fs.n, 1);
	assert_int_equal(kl_splat_finish(s, &fs, NULL), 0);
	assert_int_equal(fs.n, 1);
	assert_int_equal(kl_splat_feed(s, one, strlen(one)), 0);
	assert_int_equal(kl_splat_finish(s, &fs, NULL), 0);
	assert_int_equal(fs.n, 2);
	kl_splat_destroy(NULL);
}

static void check_sane(const struct kl_findings *fs, size_t len)
{
	assert_true(fs->n <= KL_SPLAT_MAX_FINDINGS);
	for (size_t i = 0; i < fs->n; i++) {
		const struct kl_finding *f = &fs->v[i];

		assert_non_null(f->title);
		assert_true(f->offset + f->length <= len);
		assert_true(!i || fs->v[i - 1].offset <= f->offset);
		assert_true(f->trace.n <= 64);
	}
}

/* Pieces of real logs, cut, glued and bitten: everything that the parser knows, in every disorder. */
static void test_garbage_of_report_parts_stays_within_bounds(void **state)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = splat_log_names();
	KL_AUTO(kl_buf_deinit) struct kl_buf all = KL_BUF_INIT;
	unsigned int random = 7;

	(void)state;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf log = splat_log(names.v[i]);

		kl_buf_append(&all, log.data, log.len);
	}
	assert_true(all.len > 0);
	for (int round = 0; round < 300 && all.len; round++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
		KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };

		for (int k = 0; k < 60; k++) {
			size_t at = splat_random(&random) % all.len;
			size_t n = splat_random(&random) % 400;

			kl_buf_append(&b, all.data + at, n > all.len - at ? all.len - at : n);
		}
		for (size_t k = 0; k < b.len / 200; k++)
			b.data[splat_random(&random) % b.len] = (char)splat_random(&random);
		fs = splat_parse(b.data, b.len);
		check_sane(&fs, b.len);
	}
}

static void test_random_bytes_are_survived(void **state)
{
	static const char some[] = " []()<>{}+/0x1fT:.#=\n\r\\?-BUGKASANtrace";
	unsigned int random = 3;

	(void)state;
	for (int round = 0; round < 200; round++) {
		char data[4096];
		KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };

		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = round % 2 ? (char)splat_random(&random)
					    : some[splat_random(&random) % (sizeof(some) - 1)];
		fs = splat_parse(data, sizeof(data));
		check_sane(&fs, sizeof(data));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_split_of_a_log_gives_the_same_findings),
		cmocka_unit_test(test_logs_in_pieces_of_any_size_give_the_same_findings),
		cmocka_unit_test(test_other_dresses_of_a_log_change_nothing),
		cmocka_unit_test(test_interleaved_reports_of_three_tasks_come_out_whole),
		cmocka_unit_test(test_truncated_log_gives_the_first_of_the_whole_logs_kinds),
		cmocka_unit_test(test_report_length_ends_with_the_reports_last_line),
		cmocka_unit_test(test_lines_of_any_length_are_survived),
		cmocka_unit_test(test_findings_over_the_cap_are_counted),
		cmocka_unit_test(test_more_callers_than_are_kept_open_lose_no_report),
		cmocka_unit_test(test_findings_go_to_the_end_and_a_parser_serves_again),
		cmocka_unit_test(test_garbage_of_report_parts_stays_within_bounds),
		cmocka_unit_test(test_random_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
