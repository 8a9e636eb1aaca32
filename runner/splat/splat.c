/*
 * The parser: bytes to lines, lines to the caller that printed them (printk tags
 * each line with task or CPU), a report per caller at a time, findings in the
 * order in which their reports began. Lines without tags share one caller.
 *
 * A log may come from a hostile guest. Lines are cut at LINE_MAX, callers with
 * an open report at CALLERS, reports at KL_REPORT_MAX_LINES, traces and texts
 * by their types, findings at KL_SPLAT_MAX_FINDINGS; each byte is looked at a
 * bounded number of times.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/splat.h>

#include "splat/report.h"

#define LINE_CAP  4096 /* printk's records end at 1 KiB */
#define CALLERS	  64
#define CUT_LINES 8 /* lines that may stand between "cut here" and its header */

/* What a caller is about to report, or reports. */
struct caller {
	bool used;
	char name[KL_SPLAT_CALLER];
	uint64_t turn; /* of its last line: the quietest makes room */
	bool open;
	struct kl_report report;
	bool suspect; /* the report is not known to be the kernel's */
	bool led; /* "cut here" or a row of = stood directly before */
	unsigned int cut; /* lines left in which "cut here" waits for its header */
	size_t lead_offset;
	uint64_t lead_time_us;
	char message[KL_HEADER_TEXT]; /* between "cut here" and the header */
};

struct kl_splat {
	char line[LINE_CAP + 1];
	size_t len; /* of line */
	size_t line_offset, next_offset;
	bool stamps; /* some line was stamped: unstamped ones are not the kernel's */
	bool leaks; /* kmemleak said so: its list, read from debugfs, has no stamps */
	bool failed;
	uint64_t turn;
	size_t opened;
	unsigned long dropped;
	struct kl_findings done;
	struct kl_findings suspects; /* see disbelieve() */
	size_t suspects_opened;
	unsigned long suspects_dropped;
	struct caller callers[CALLERS];
};

struct kl_splat *kl_splat_create(void)
{
	return calloc(1, sizeof(struct kl_splat));
}

void kl_splat_destroy(struct kl_splat *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < CALLERS; i++)
		kl_report_deinit(&s->callers[i].report);
	kl_findings_deinit(&s->done);
	kl_findings_deinit(&s->suspects);
	free(s);
}

void kl_splat_destroy_p(struct kl_splat **s)
{
	kl_splat_destroy(*s);
}

static int end_report(struct kl_splat *s, struct caller *c)
{
	struct kl_finding f = { 0 };

	if (!c->open)
		return 0;
	c->open = false;
	if (c->report.dropped) {
		kl_report_deinit(&c->report);
		return 0;
	}
	if (kl_report_close(&c->report, &f) < 0)
		return -1;
	if (kl_findings_push(c->suspect ? &s->suspects : &s->done, &f) < 0) {
		kl_finding_deinit(&f);
		return -1;
	}
	return 0;
}

static struct caller *find_caller(struct kl_splat *s, const char *name)
{
	for (size_t i = 0; i < CALLERS; i++)
		if (s->callers[i].used && !strcmp(s->callers[i].name, name))
			return &s->callers[i];
	return NULL;
}

/* NULL without memory. */
static struct caller *make_caller(struct kl_splat *s, const char *name)
{
	struct caller *c = &s->callers[0];

	for (size_t i = 0; i < CALLERS && c->used; i++)
		if (!s->callers[i].used || s->callers[i].turn < c->turn)
			c = &s->callers[i];
	if (end_report(s, c) < 0)
		return NULL;
	*c = (struct caller){ .used = true };
	memcpy(c->name, name, strlen(name) + 1);
	return c;
}

static void open_report(struct kl_splat *s, struct caller *c, const struct kl_header *h,
			const struct kl_line *l)
{
	kl_report_open(&c->report, h, l);
	if (c->led || c->cut) {
		c->report.offset = c->lead_offset;
		if (!c->report.time_us)
			c->report.time_us = c->lead_time_us;
	}
	if (h->kind == KL_KIND_WARN)
		memcpy(c->report.message, c->message, sizeof(c->message));
	c->message[0] = '\0';
	c->led = false;
	c->cut = 0;
	c->open = true;
	c->suspect = !l->stamped && !(s->leaks && h->form == KL_FORM_LEAK);
	c->report.dropped = s->opened >= KL_SPLAT_MAX_FINDINGS;
	if (c->report.dropped)
		s->dropped++;
	else
		s->opened++;
	if (c->suspect && c->report.dropped)
		s->suspects_dropped++;
	else if (c->suspect)
		s->suspects_opened++;
}

/*
 * Where the kernel stamps its lines, what has no stamp is what a program wrote to
 * the console, and reports in it are none. That is known when a stamped line
 * follows: a log without any, or one whose stamps end for good, is taken as it is.
 */
static void disbelieve(struct kl_splat *s)
{
	for (size_t i = 0; i < CALLERS && s->suspects_opened + s->suspects_dropped; i++)
		if (s->callers[i].open && s->callers[i].suspect) {
			kl_report_deinit(&s->callers[i].report);
			s->callers[i].open = false;
		}
	kl_findings_deinit(&s->suspects);
	s->opened -= s->suspects_opened;
	s->dropped -= s->suspects_dropped;
	s->suspects_opened = 0;
	s->suspects_dropped = 0;
}

static bool is_cut_here(const char *text)
{
	return !strncmp(text, "------------[ cut here ]-", 25);
}

/* Rows and "cut here" come before a header; so do the words of a WARN. */
static int lead(struct kl_splat *s, struct caller *c, const struct kl_line *l)
{
	bool cut = is_cut_here(l->text), row = kl_is_row(l->text, '=');

	/* A list's complaint may come before its "cut here". */
	if (cut && c && c->open && c->report.header.form == KL_FORM_MESSAGE && !c->report.answered)
		return 0;
	if (!cut && !row) {
		if (!c)
			return 0;
		c->led = false;
		if (c->cut) {
			c->cut--;
			if (!c->message[0])
				strncat(c->message, l->text, sizeof(c->message) - 1);
		}
		if (!c->cut && !c->open)
			c->used = false;
		return 0;
	}
	if (!c && !(c = make_caller(s, l->caller)))
		return -1;
	if (end_report(s, c) < 0)
		return -1;
	c->led = row;
	c->cut = cut ? CUT_LINES : 0;
	c->lead_offset = l->offset;
	c->lead_time_us = l->time_us;
	c->message[0] = '\0';
	return 0;
}

/* Is this header to be believed where it stands? */
static bool believe(const struct kl_splat *s, const struct caller *c, const struct kl_header *h,
		    const struct kl_line *l)
{
	if (h->vague && s->stamps && !l->stamped)
		return false;
	/* Counters and debug objects only ever complain in the words of a WARN. */
	if (h->form == KL_FORM_MESSAGE && h->kind != KL_KIND_LIST && h->kind != KL_KIND_OTHER)
		return c && c->cut;
	return true;
}

/*
 * A stall is announced by one CPU and its trace printed by the CPU that hangs,
 * in an NMI: the report goes on where that begins.
 */
static void follow_nmi(struct kl_splat *s, const struct kl_line *l)
{
	if (strncmp(l->text, "NMI backtrace for cpu ", 22) != 0)
		return;
	for (size_t i = 0; i < CALLERS; i++) {
		struct caller *c = &s->callers[i];
		const struct kl_report *r = &c->report;

		if (!c->open || c->suspect == l->stamped || r->header.form != KL_FORM_LOCKUP ||
		    r->has_rip || r->trace_state != KL_TRACE_NONE)
			continue;
		memcpy(c->name, l->caller, sizeof(c->name));
		return;
	}
}

static int take_line(struct kl_splat *s, const struct kl_line *l)
{
	struct caller *c = find_caller(s, l->caller);
	enum kl_report_next next = KL_REPORT_ENDED;
	struct kl_header h;

	if (l->user)
		return 0;
	if (l->stamped) {
		s->stamps = true;
		disbelieve(s);
	}
	if (!c) {
		follow_nmi(s, l);
		c = find_caller(s, l->caller);
	}
	if (c)
		c->turn = ++s->turn;
	if (kl_header_parse(l->text, &h)) {
		if (c && c->open && kl_report_absorbs(&c->report, &h, l))
			return 0;
		if (believe(s, c, &h, l)) {
			s->leaks |= l->stamped && h.kind == KL_KIND_KMEMLEAK;
			if (!c && !(c = make_caller(s, l->caller)))
				return -1;
			c->turn = ++s->turn;
			if (end_report(s, c) < 0)
				return -1;
			open_report(s, c, &h, l);
			return 0;
		}
	}
	if (c && c->open) {
		next = kl_report_line(&c->report, l);
		if (next == KL_REPORT_NO_MEMORY)
			return -1;
		if (next != KL_REPORT_GOES_ON && end_report(s, c) < 0)
			return -1;
		if (next == KL_REPORT_ENDS) {
			c->used = false;
			return 0;
		}
	}
	if (next == KL_REPORT_GOES_ON && !is_cut_here(l->text) && !kl_is_row(l->text, '='))
		return 0;
	return lead(s, c, l);
}

static int take_part(struct kl_splat *s, char *raw, size_t len, size_t offset, size_t end)
{
	struct kl_line l = { .offset = offset, .end = end };
	char kept = raw[len];
	int rc;

	raw[len] = '\0';
	kl_line_split(&l, raw, len);
	rc = take_line(s, &l);
	raw[len] = kept;
	return rc;
}

static int end_line(struct kl_splat *s)
{
	size_t len = s->len, inside;
	int rc = 0;

	s->line[len] = '\0';
	s->len = 0;
	inside = kl_line_stamp_inside(s->line, len);
	if (inside)
		rc = take_part(s, s->line, inside, s->line_offset, s->line_offset + inside);
	if (!rc)
		rc = take_part(s, s->line + inside, len - inside, s->line_offset + inside,
			       s->next_offset);
	s->line_offset = s->next_offset;
	if (rc < 0)
		s->failed = true;
	return rc;
}

int kl_splat_feed(struct kl_splat *s, const char *data, size_t len)
{
	while (len && !s->failed) {
		const char *newline = memchr(data, '\n', len);
		size_t n = newline ? (size_t)(newline - data) : len;
		size_t room = LINE_CAP - s->len;

		memcpy(s->line + s->len, data, n < room ? n : room);
		s->len += n < room ? n : room;
		n += newline ? 1 : 0;
		s->next_offset += n;
		data += n;
		len -= n;
		if (newline && end_line(s) < 0)
			return -1;
	}
	return s->failed ? -1 : 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct kl_finding *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* All or nothing: findings that were already moved are taken back. */
static int hand_over(struct kl_splat *s, struct kl_findings *ret)
{
	size_t had = ret->n;

	for (size_t i = 0; i < s->suspects.n; i++)
		if (kl_findings_push(&s->done, &s->suspects.v[i]) < 0)
			return -1;
	kl_findings_deinit(&s->suspects);
	if (s->done.n)
		qsort(s->done.v, s->done.n, sizeof(*s->done.v), by_offset);
	for (size_t i = 0; i < s->done.n; i++) {
		if (kl_findings_push(ret, &s->done.v[i]) == 0)
			continue;
		while (ret->n > had)
			kl_finding_deinit(&ret->v[--ret->n]);
		return -1;
	}
	kl_findings_deinit(&s->done);
	return 0;
}

int kl_splat_finish(struct kl_splat *s, struct kl_findings *ret, unsigned long *ret_dropped)
{
	if (!s->failed && s->len)
		(void)end_line(s);
	for (size_t i = 0; i < CALLERS && !s->failed; i++)
		if (end_report(s, &s->callers[i]) < 0)
			s->failed = true;
	if (s->failed || hand_over(s, ret) < 0)
		return -1;
	if (ret_dropped)
		*ret_dropped = s->dropped;
	s->opened = 0;
	s->dropped = 0;
	s->suspects_opened = 0;
	s->suspects_dropped = 0;
	return 0;
}

int kl_splat_parse(const char *log, size_t len, struct kl_findings *ret, struct kl_error *err)
{
	KL_AUTO(kl_splat_destroy_p) struct kl_splat *s = kl_splat_create();

	if (!s || kl_splat_feed(s, log, len) < 0 || kl_splat_finish(s, ret, NULL) < 0)
		return kl_fail(err, KL_INFRA, "no memory to read a kernel log of %zu bytes", len);
	return 0;
}
