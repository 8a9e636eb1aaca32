/* Escaping, in one place. What may stand in XML 1.0: https://www.w3.org/TR/xml/#charsets */
#include <string.h>

#include <klinic/cleanup.h>

#include "report/markup.h"

static const char *reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* U+FFFE and U+FFFF are UTF-8 that XML forbids. */
static bool is_noncharacter(const char *s, size_t left)
{
	return left >= 3 && (s[0] & 0xff) == 0xef && (s[1] & 0xff) == 0xbf && (s[2] & 0xff) >= 0xbe;
}

static void escape(struct kl_buf *b, const char *text, size_t len, bool attribute)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf safe = KL_BUF_INIT;
	const char *s;
	size_t from = 0, i = 0;

	if (kl_buf_safe(&safe, text, len, len)) {
		b->failed = true;
		return;
	}
	s = kl_buf_str(&safe);
	while (i < safe.len) {
		const char *instead = reference(s[i]);
		size_t n = 1;

		if (attribute && (s[i] == '\n' || s[i] == '\t'))
			instead = " ";
		if (is_noncharacter(s + i, safe.len - i)) {
			instead = "\xef\xbf\xbd"; /* U+FFFD */
			n = 3;
		}
		if (instead) {
			kl_buf_append(b, s + from, i - from);
			kl_buf_puts(b, instead);
			from = i + n;
		}
		i += n;
	}
	kl_buf_append(b, s + from, safe.len - from);
}

void kl_markup_textn(struct kl_buf *b, const char *text, size_t len)
{
	escape(b, text, len, false);
}

void kl_markup_text(struct kl_buf *b, const char *text)
{
	if (text)
		escape(b, text, strlen(text), false);
}

void kl_markup_attr(struct kl_buf *b, const char *text)
{
	if (text)
		escape(b, text, strlen(text), true);
}
