/* Pieces of header lines: words, functions, places. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "splat/header_words.h"

const char *kh_after(const char *p, const char *literal)
{
	size_t n = strlen(literal);

	return p && !strncmp(p, literal, n) ? p + n : NULL;
}

void kh_put(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

void kh_title(struct kl_header *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(h->title, sizeof(h->title), fmt, ap);
	va_end(ap);
}

void kh_frame(struct kl_header *h, const char *p)
{
	struct kl_frame f;
	const char *rest;

	if (kl_frame_prefix(p, &f, &rest))
		kh_put(h->frame, sizeof(h->frame), f.text, strlen(f.text));
	else
		kh_put(h->frame, sizeof(h->frame), p, strcspn(p, " "));
}

const char *kh_place(struct kl_header *h, const char *p)
{
	const char *end = p + strcspn(p, " !"), *colon;
	char *digits_end;
	unsigned long line;

	for (colon = p; colon < end; colon++) {
		if (*colon != ':' || colon == p)
			continue;
		line = strtoul(colon + 1, &digits_end, 10);
		if (digits_end == colon + 1 || line == 0 || line > 10000000)
			continue;
		kh_put(h->file, sizeof(h->file), p, (size_t)(colon - p));
		h->line = (unsigned int)line;
		return digits_end;
	}
	return NULL;
}
