/* Wrapping counts characters, one column each: enough for what our texts hold. */
#include <string.h>

#include <klinic/cleanup.h>

#include "report/flow.h"

#define MIN_WIDTH 40
#define MAX_WIDTH 160
#define MIN_TEXT  16 /* columns that an indent must leave */
#define TEXT_MAX  16384

static const char *const paints[] = {
	[KL_PAINT_NONE] = "",	       [KL_PAINT_BOLD] = "\033[1m",
	[KL_PAINT_DIM] = "\033[2m",    [KL_PAINT_RED] = "\033[1;31m",
	[KL_PAINT_GREEN] = "\033[32m", [KL_PAINT_YELLOW] = "\033[33m",
};

/* Our own punctuation in ASCII; anything else that is not ASCII becomes "?". */
static const struct {
	const char *utf8, *ascii;
} plain[] = {
	{ "“", "\"" }, { "”", "\"" }, { "‘", "'" }, { "’", "'" }, { "…", "..." },
	{ "–", "-" },  { "—", "-" },  { "·", "|" }, { "✓", "+" }, { "✗", "x" },
};

struct kl_flow kl_flow_of(struct kl_buf *b, const struct kl_text_style *s)
{
	struct kl_flow f = { .b = b, .width = 80 };

	if (!s)
		return f;
	f.color = s->color;
	f.unicode = s->unicode;
	if (s->width)
		f.width = s->width < MIN_WIDTH	 ? MIN_WIDTH
			  : s->width > MAX_WIDTH ? MAX_WIDTH
						 : s->width;
	return f;
}

static bool continues_character(char c)
{
	return (c & 0xc0) == 0x80;
}

static size_t columns(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += !continues_character(s[i]);
	return n;
}

static void put_ascii(struct kl_buf *b, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char *instead = "?";

		if (!(s[i] & 0x80)) {
			kl_buf_append(b, s + i, 1);
			continue;
		}
		if (continues_character(s[i]))
			continue;
		for (size_t k = 0; k < KL_ARRAY_SIZE(plain); k++)
			if (len - i >= strlen(plain[k].utf8) &&
			    !memcmp(s + i, plain[k].utf8, strlen(plain[k].utf8)))
				instead = plain[k].ascii;
		kl_buf_puts(b, instead);
	}
}

/* Safe for the terminal, in its character set. */
static void make_safe(const struct kl_flow *f, struct kl_buf *to, const char *text)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf safe = KL_BUF_INIT;

	kl_buf_safe(&safe, text, strlen(text), TEXT_MAX);
	if (f->unicode)
		kl_buf_append(to, kl_buf_str(&safe), safe.len);
	else
		put_ascii(to, kl_buf_str(&safe), safe.len);
	if (safe.failed || to->failed)
		f->b->failed = true;
}

static void paint_on(struct kl_flow *f, enum kl_paint p)
{
	if (f->color)
		kl_buf_puts(f->b, paints[p]);
}

static void paint_off(struct kl_flow *f, enum kl_paint p)
{
	if (f->color && p != KL_PAINT_NONE)
		kl_buf_puts(f->b, "\033[0m");
}

void kl_flow_spaces(struct kl_flow *f, unsigned int n)
{
	while (n--)
		kl_buf_puts(f->b, " ");
}

unsigned int kl_flow_columns(const struct kl_flow *f, const char *text)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf safe = KL_BUF_INIT;

	make_safe(f, &safe, text);
	return (unsigned int)columns(kl_buf_str(&safe), safe.len);
}

unsigned int kl_flow_word(struct kl_flow *f, enum kl_paint paint, const char *text)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf safe = KL_BUF_INIT;

	make_safe(f, &safe, text);
	for (size_t i = 0; i < safe.len; i++)
		if (safe.data[i] == '\n' || safe.data[i] == '\t')
			safe.data[i] = ' ';
	paint_on(f, paint);
	kl_buf_append(f->b, kl_buf_str(&safe), safe.len);
	paint_off(f, paint);
	return (unsigned int)columns(kl_buf_str(&safe), safe.len);
}

/* Bytes of the first n columns of s. */
static size_t head(const char *s, size_t len, size_t n)
{
	size_t i = 0, seen = 0;

	while (i < len) {
		if (!continues_character(s[i]) && seen++ == n)
			break;
		i++;
	}
	return i;
}

void kl_flow_text(struct kl_flow *f, bool begun, unsigned int first, unsigned int rest,
		  enum kl_paint paint, const char *text)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf safe = KL_BUF_INIT;
	unsigned int limit = f->width > rest + MIN_TEXT ? f->width : rest + MIN_TEXT;
	unsigned int at = first;
	bool bare = true; /* nothing on this line yet */
	const char *s, *end;

	make_safe(f, &safe, text);
	s = kl_buf_str(&safe);
	end = s + safe.len;
	if (!begun)
		kl_flow_spaces(f, first);
	paint_on(f, paint);
	while ((s += strspn(s, " \n\t")) < end) {
		size_t len = strcspn(s, " \n\t");
		size_t cols = columns(s, len);

		if (at + !bare + cols > limit && (!bare || at > rest)) {
			kl_buf_puts(f->b, "\n");
			kl_flow_spaces(f, rest);
			at = rest;
			bare = true;
		}
		if (!bare)
			kl_buf_puts(f->b, " ");
		at += !bare;
		if (at + cols > limit) {
			len = head(s, len, limit - at);
			cols = columns(s, len);
		}
		kl_buf_append(f->b, s, len);
		at += cols;
		bare = false;
		s += len;
	}
	paint_off(f, paint);
	kl_buf_puts(f->b, "\n");
}
