/* Call trace frames, taken apart. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "splat/frame.h"

static bool is_symbol_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '$';
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static const char *skip_hex_number(const char *p)
{
	const char *q;

	if (p[0] != '0' || p[1] != 'x')
		return NULL;
	for (q = p + 2; is_hex(*q); q++)
		;
	return q > p + 2 && q - p <= 18 ? q : NULL;
}

/* " [module]", also with the build ID that newer kernels add: " [module 0123abcd]". */
static const char *module_tag(const char *p, const char **ret_name, size_t *ret_len)
{
	const char *q;

	*ret_len = 0;
	if (p[0] != ' ' || p[1] != '[')
		return p;
	for (q = p + 2; is_symbol_byte(*q) || *q == '-'; q++)
		;
	*ret_name = p + 2;
	*ret_len = (size_t)(q - (p + 2));
	if (*q == ' ')
		for (q++; is_hex(*q); q++)
			;
	if (*q != ']' || !*ret_len || *ret_len >= 64) {
		*ret_len = 0;
		return p;
	}
	return q + 1;
}

bool kl_frame_prefix(const char *text, struct kl_frame *ret, const char **ret_rest)
{
	const char *p = text, *module = NULL;
	size_t len, module_len;

	while (is_symbol_byte(*p))
		p++;
	if (p == text || *p != '+')
		return false;
	p = skip_hex_number(p + 1);
	if (!p || *p != '/')
		return false;
	p = skip_hex_number(p + 1);
	if (!p)
		return false;
	len = (size_t)(p - text);
	p = module_tag(p, &module, &module_len);
	if (len + module_len + 4 > sizeof(ret->text))
		return false;
	memcpy(ret->text, text, len);
	if (module_len) {
		memcpy(ret->text + len, " [", 2);
		memcpy(ret->text + len + 2, module, module_len);
		ret->text[len + 2 + module_len] = ']';
		len += module_len + 3;
	}
	ret->text[len] = '\0';
	ret->guess = false;
	*ret_rest = p;
	return true;
}

bool kl_frame_parse(const char *line, struct kl_frame *ret)
{
	bool guess = false;
	const char *p = line;

	while (*p == ' ' || *p == '\t')
		p++;
	if (p[0] == '[' && p[1] == '<') {
		p = strstr(p, ">] ");
		if (!p)
			return false;
		p += 3;
	}
	if (p[0] == '?' && p[1] == ' ') {
		guess = true;
		p += 2;
	}
	if (!kl_frame_prefix(p, ret, &p))
		return false;
	ret->guess = guess;
	while (*p == ' ')
		p++;
	/* arm64 tags frames: (P) for a probe, (F), (U) … */
	if (p[0] == '(' && p[1] && strchr(p, ')'))
		p = strchr(p, ')') + 1;
	return !*p;
}

void kl_frame_function(const char *frame, char *ret, size_t size)
{
	size_t n = 0;

	while (is_symbol_byte(frame[n]) && (frame[n] != '.' || n == 0) && n + 1 < size)
		n++;
	memcpy(ret, frame, n);
	ret[n] = '\0';
}

bool kl_frame_in_module(const char *frame)
{
	return strstr(frame, " [") != NULL;
}

bool kl_frame_split(const char *frame, struct kl_frame_parts *ret)
{
	const char *plus = strchr(frame, '+'), *slash, *tag;
	char *end;
	size_t n;

	if (!plus || (size_t)(plus - frame) >= sizeof(ret->symbol))
		return false;
	*ret = (struct kl_frame_parts){ 0 };
	memcpy(ret->symbol, frame, (size_t)(plus - frame));
	ret->offset = strtoull(plus + 1, &end, 16);
	slash = end;
	if (*slash != '/')
		return false;
	ret->size = strtoull(slash + 1, &end, 16);
	tag = strchr(end, '[');
	if (!tag)
		return true;
	n = strcspn(tag + 1, "]");
	if (n >= sizeof(ret->module))
		return false;
	memcpy(ret->module, tag + 1, n);
	return true;
}
