/*
 * The printk ring, read from outside and held against the console. Records are
 * numbered, name their text block, and the block names its record: a ring that
 * was doctored by hand is likely to contradict itself, and that counts, too.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/str.h>

#include "guest/mailbox.h"
#include "vm/ring.h"

/* kernel/printk/printk_ringbuffer.h: two bits of state, the rest is the number. */
#define STATE(sv)  ((sv) >> 62)
#define NUMBER(sv) ((sv) & ~(3ULL << 62))
enum { RESERVED, COMMITTED, FINALIZED, REUSABLE };
#define LPOS_FAILED 1
#define LPOS_EMPTY  3

#define BITS_MAX   24 /* 16 MiB: CONFIG_LOG_BUF_SHIFT is 17 */
#define STRUCT_MAX 1024

/* kernel/printk/printk.c: CONSOLE_LOG_MAX */
#define PRINTED_MAX 1024

struct reader {
	const struct kl_ring *ring;
	const struct kl_anatomy *a;
	uint8_t *descs, *infos, *data; /* as they lay in the guest */
	uint64_t head, tail, fail;
};

struct record {
	uint64_t seq, ns;
	uint32_t caller;
	unsigned int level;
	bool open; /* may still be continued: not on the console yet */
	size_t len;
	char text[PRINTED_MAX];
};

static uint64_t get(const uint8_t *p, uint32_t offset, size_t size)
{
	uint64_t v = 0;

	memcpy(&v, p + offset, size);
	return v;
}

static int doctored(struct kl_error *err, const char *how)
{
	return kl_fail(err, KL_CONTENT, "the kernel's log buffer is not sound: %s", how);
}

/* What does not change after boot, and the two ends. */
static int read_head(const struct kl_anatomy *a, struct kl_view *v, struct kl_ring *r,
		     struct reader *ret, struct kl_error *err)
{
	const uint32_t *o = a->offset;
	uint8_t rb[STRUCT_MAX];
	uint8_t *desc = rb + o[KL_RB_DESC_RING], *text = rb + o[KL_RB_TEXT_RING];

	if (a->size[KL_PRINTK_RINGBUFFER] > sizeof(rb))
		return kl_fail(err, KL_INFRA, "struct printk_ringbuffer is larger than known");
	if (kl_view_phys(v, a->prb.phys, &r->at, sizeof(r->at), err) ||
	    kl_view_virt(v, r->at, rb, a->size[KL_PRINTK_RINGBUFFER], err))
		return -1;
	r->count_bits = (uint32_t)get(desc, o[KL_DESC_RING_COUNT_BITS], 4);
	r->descs = get(desc, o[KL_DESC_RING_DESCS], 8);
	r->infos = get(desc, o[KL_DESC_RING_INFOS], 8);
	r->size_bits = (uint32_t)get(text, o[KL_TEXT_RING_SIZE_BITS], 4);
	r->data = get(text, o[KL_TEXT_RING_DATA], 8);
	ret->head = get(desc, o[KL_DESC_RING_HEAD], 8);
	ret->tail = get(desc, o[KL_DESC_RING_TAIL], 8);
	ret->fail = get(rb, o[KL_RB_FAIL], 8);
	return 0;
}

static uint64_t count_of(const struct kl_ring *r)
{
	return 1ULL << r->count_bits;
}

static void reader_deinit(struct reader *x)
{
	free(x->descs);
	free(x->infos);
	free(x->data);
}

static int copy(struct kl_view *v, uint64_t from, uint64_t len, uint8_t **ret, struct kl_error *err)
{
	KL_AUTO_FREE uint8_t *p = malloc(len);

	if (!p)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_view_virt(v, from, p, len, err))
		return -1;
	*ret = kl_take(p);
	return 0;
}

/* r->count_bits and size_bits are the template's. */
static int read_all(struct reader *x, struct kl_view *v, struct kl_error *err)
{
	const struct kl_ring *r = x->ring;

	return copy(v, r->descs, count_of(r) * x->a->size[KL_PRB_DESC], &x->descs, err) ||
			       copy(v, r->infos, count_of(r) * x->a->size[KL_PRINTK_INFO],
				    &x->infos, err) ||
			       copy(v, r->data, 1ULL << r->size_bits, &x->data, err)
		       ? -1
		       : 0;
}

int kl_ring_init(struct kl_ring *r, const struct kl_anatomy *a, struct kl_view *v,
		 struct kl_error *err)
{
	struct kl_ring got = { 0 };
	struct reader x = { 0 };
	uint8_t info[STRUCT_MAX];
	uint64_t at;

	if (read_head(a, v, &got, &x, err) ||
	    kl_view_phys(v, a->console_printk.phys, &got.loglevel, sizeof(got.loglevel), err))
		return kl_error_prepend(err, "the template's log");
	if (got.count_bits > BITS_MAX || got.size_bits > BITS_MAX ||
	    a->size[KL_PRINTK_INFO] > sizeof(info))
		return kl_fail(err, KL_INFRA, "the template's log is larger than known");
	at = got.infos + (x.head & (count_of(&got) - 1)) * a->size[KL_PRINTK_INFO];
	if (kl_view_virt(v, at, info, a->size[KL_PRINTK_INFO], err))
		return kl_error_prepend(err, "the template's log");
	got.next_seq = get(info, a->offset[KL_INFO_SEQ], 8) + 1;
	got.fail = x.fail;
	*r = got;
	return 0;
}

/* get_data() of kernel/printk/printk_ringbuffer.c. *ret_lost: there was no room for the text. */
static int text_of(const struct reader *x, uint64_t number, const uint8_t *desc,
		   const uint8_t **ret, size_t *ret_room, bool *ret_lost, struct kl_error *err)
{
	uint64_t size = 1ULL << x->ring->size_bits;
	uint64_t begin = get(desc, x->a->offset[KL_DESC_TEXT], 8);
	uint64_t next = get(desc, x->a->offset[KL_DESC_TEXT] + 8, 8);
	uint64_t at = begin & (size - 1), end = next & (size - 1);

	*ret_room = 0;
	*ret = x->data;
	*ret_lost = (begin & next & 1) && begin != LPOS_EMPTY;
	if (begin & next & 1)
		return 0;
	if (begin >> x->ring->size_bits != next >> x->ring->size_bits) {
		/* It did not fit behind the last one, and lies at the start. */
		if ((begin + size) >> x->ring->size_bits != next >> x->ring->size_bits)
			return doctored(err, "a text block spans it");
		at = 0;
	}
	if (at % 8 || end % 8 || end < at + 8)
		return doctored(err, "a text block has no room for its number");
	if (get(x->data, (uint32_t)at, 8) != number)
		return doctored(err, "a text block is another record's");
	*ret = x->data + at + 8;
	*ret_room = end - at - 8;
	return 0;
}

/* 1 with *ret, 0 when there is no such record any more, or yet; -1. */
static int record_of(const struct reader *x, uint64_t number, bool lossy, struct record *ret,
		     bool *lost, struct kl_error *err)
{
	uint64_t i = number & (count_of(x->ring) - 1);
	const uint8_t *desc = x->descs + i * x->a->size[KL_PRB_DESC];
	const uint8_t *info = x->infos + i * x->a->size[KL_PRINTK_INFO];
	uint64_t sv = get(desc, x->a->offset[KL_DESC_STATE], 8);
	const uint8_t *text = x->data;
	size_t room = 0, len;

	if (STATE(sv) == REUSABLE)
		return 0;
	if (NUMBER(sv) != NUMBER(number) || STATE(sv) == RESERVED)
		return lossy ? 0 : doctored(err, "a record is missing");
	ret->seq = get(info, x->a->offset[KL_INFO_SEQ], 8);
	if (text_of(x, NUMBER(number), desc, &text, &room, lost, err))
		return -1;
	len = get(info, x->a->offset[KL_INFO_TEXT_LEN], 2);
	if (*lost)
		len = 0;
	if (len > room)
		return doctored(err, "a record's text is longer than its block");
	ret->len = len < PRINTED_MAX ? len : PRINTED_MAX;
	memcpy(ret->text, text, ret->len);
	ret->ns = get(info, x->a->offset[KL_INFO_TIME], 8);
	ret->caller = (uint32_t)get(info, x->a->offset[KL_INFO_CALLER], 4);
	ret->level = (unsigned int)(get(info, x->a->offset[KL_INFO_FACILITY] + 1, 1) >> 5);
	ret->open = STATE(sv) == COMMITTED;
	return 1;
}

/* The serial port puts a return before each newline, and texts have some of their own. */
static void append_without_returns(struct kl_buf *b, const char *p, size_t len)
{
	const char *end = p + len;

	while (p < end) {
		const char *stop = memchr(p, '\r', (size_t)(end - p));

		kl_buf_append(b, p, (size_t)((stop ? stop : end) - p));
		p = stop ? stop + 1 : end;
	}
}

/* record_print_text() of kernel/printk/printk.c; without what a console adds. */
static void print(struct record *r, struct kl_buf *ret)
{
	char prefix[64], caller[12];
	size_t len = 0, left = r->len, plen;
	const char *p = r->text;
	bool cut = false;

	snprintf(caller, sizeof(caller), "%c%u", r->caller >> 31 ? 'C' : 'T',
		 r->caller & 0x7fffffff);
	plen = (size_t)snprintf(prefix, sizeof(prefix), "[%5" PRIu64 ".%06" PRIu64 "][%6s] ",
				r->ns / 1000000000, r->ns % 1000000000 / 1000, caller);
	for (size_t i = 0; i < r->len; i++)
		if (!r->text[i])
			r->text[i] = ' ';
	for (;;) {
		const char *end = memchr(p, '\n', left);
		size_t line = end ? (size_t)(end - p) : left;

		if (!end && cut)
			break;
		if (len + plen + left + 2 > PRINTED_MAX) {
			if (len + plen + line + 2 > PRINTED_MAX)
				break;
			left = PRINTED_MAX - len - plen - 2;
			cut = true;
		}
		kl_buf_puts(ret, prefix);
		append_without_returns(ret, p, line);
		kl_buf_puts(ret, "\n");
		len += plen + line + 1;
		if (left == line)
			break;
		p += line + 1;
		left -= line + 1;
	}
}

static const char *skip(const char *p, const char *end, const char *of)
{
	while (p < end && strchr(of, *p))
		p++;
	return p;
}

/* "[    6.201802][   T67] ", as print() writes it and nothing else does. */
static bool is_prefix(const char *p, const char *end)
{
	static const char digits[] = "0123456789";
	const char *was;

	p = skip(p + 1, end, " ");
	p = skip(p, end, digits);
	if (p == end || *p++ != '.')
		return false;
	was = p;
	p = skip(p, end, digits);
	if (p - was != 6 || end - p < 2 || memcmp(p, "][", 2) != 0)
		return false;
	p = skip(p + 2, end, " ");
	if (p == end || (*p != 'T' && *p != 'C'))
		return false;
	p = skip(p + 1, end, digits);
	return end - p >= 2 && !memcmp(p, "] ", 2);
}

static void differ(struct kl_log_difference *d, const char *who, const char *line, const char *end)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	const char *stop = memchr(line, '\n', (size_t)(end - line));

	if (d->lines < KL_LOG_DIFFERENCES_MAX)
		d->lines++;
	if (d->where)
		return;
	kl_buf_puts(&b, who);
	kl_buf_safe(&b, line, (size_t)((stop ? stop : end) - line), 200);
	d->where = kl_buf_steal(&b);
}

/* What lies on the console between two records. Returns the lines of the kernel's in it. */
static uint64_t look_between(const char *p, const char *end, bool excused,
			     struct kl_log_difference *d)
{
	static const char dropped[] = " printk messages dropped **";
	uint64_t n = 0;

	if (memmem(p, (size_t)(end - p), dropped, strlen(dropped)))
		d->lost = true;
	for (; p < end && (p = memchr(p, '[', (size_t)(end - p))); p++) {
		if (!is_prefix(p, end))
			continue;
		n++;
		if (!excused)
			differ(d, "only on the console: ", p, end);
	}
	return n;
}

struct compare {
	const char *at, *end; /* what of the console is not accounted for yet */
	uint64_t fell; /* records that fell out of the ring before the first one that is there */
	bool begun;
	struct kl_log_difference d;
};

static void find(struct compare *c, struct record *r, uint32_t loglevel)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	bool excused = !c->begun && c->fell;
	const char *p;
	uint64_t n;

	print(r, &b);
	p = b.len ? memmem(c->at, (size_t)(c->end - c->at), b.data, b.len) : NULL;
	if (!p) {
		if (b.len && !r->open && r->level < loglevel)
			differ(&c->d, "only in memory: ", b.data, b.data + b.len);
		return;
	}
	n = look_between(c->at, p, excused, &c->d);
	if (excused && n < c->fell)
		c->d.lost = true;
	c->begun = true;
	c->at = p + b.len;
}

/* On a machine with two CPUs, what comes behind the agent's last words may be half there. */
static uint64_t last_number(const struct reader *x, bool lossy)
{
	static const char words[] = KL_MAIL_LAST_WORDS;
	struct record r = { 0 };
	bool lost = false;

	if (!lossy)
		return x->head;
	for (uint64_t n = x->head;; n--) {
		if (record_of(x, n, true, &r, &lost, NULL) == 1 &&
		    memmem(r.text, r.len, words, strlen(words)))
			return n;
		if (n == x->tail)
			return x->head;
	}
}

static int compare_all(const struct reader *x, bool lossy, struct compare *c, struct kl_error *err)
{
	uint64_t last = last_number(x, lossy), expected = 0;
	struct record r = { 0 };

	for (uint64_t n = x->tail;; n++) {
		bool lost = false;
		int got = record_of(x, n, lossy, &r, &lost, err);

		if (got < 0)
			return -1;
		if (got && expected && r.seq != expected)
			return doctored(err, "its records are not numbered one by one");
		if (got && !expected && r.seq > x->ring->next_seq)
			c->fell = r.seq - x->ring->next_seq;
		if (expected && !got && !lossy)
			return doctored(err, "a record in its middle is gone");
		if (got)
			expected = r.seq + 1;
		c->d.lost |= got && lost && r.seq >= x->ring->next_seq;
		if (got && !lost && r.seq >= x->ring->next_seq)
			find(c, &r, x->ring->loglevel);
		if (n == last || c->d.lines >= KL_LOG_DIFFERENCES_MAX)
			return 0;
	}
}

int kl_ring_compare(const struct kl_ring *r, const struct kl_anatomy *a, struct kl_view *v,
		    const char *console, bool lossy, struct kl_log_difference *ret,
		    struct kl_error *err)
{
	KL_AUTO(reader_deinit) struct reader x = { .ring = r, .a = a };
	KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_CAPPED(strlen(console) + 1);
	struct compare c = { 0 };
	struct kl_ring now = { 0 };

	if (read_head(a, v, &now, &x, err))
		return -1;
	if (now.at != r->at || now.descs != r->descs || now.infos != r->infos ||
	    now.data != r->data || now.count_bits != r->count_bits || now.size_bits != r->size_bits)
		return doctored(err, "it has been put elsewhere");
	if (x.head - x.tail >= count_of(r))
		return doctored(err, "it has more records than room");
	if (read_all(&x, v, err))
		return -1;
	if (!x.descs || !x.infos || !x.data)
		return kl_fail(err, KL_INFRA, "out of memory");
	append_without_returns(&text, console, strlen(console));
	if (text.failed)
		return kl_fail(err, KL_INFRA, "out of memory");
	c.at = kl_buf_str(&text);
	c.end = c.at + text.len;
	c.d.lost = x.fail != r->fail;
	if (compare_all(&x, lossy, &c, err)) {
		free(c.d.where);
		return -1;
	}
	if (!lossy && c.d.lines < KL_LOG_DIFFERENCES_MAX)
		look_between(c.at, c.end, !c.begun && c.fell, &c.d);
	*ret = c.d;
	return 0;
}
