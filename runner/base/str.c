/* Growing buffers with a cap, and vectors of strings. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/str.h>

static int buf_reserve(struct kl_buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : KL_BUF_CAP_DEFAULT;
	size_t need = b->len + more + 1;
	size_t alloc;
	char *data;

	if (more > cap || b->len + more > cap) {
		b->failed = true;
		return -1;
	}
	if (need <= b->alloc)
		return 0;
	alloc = b->alloc ? b->alloc : 64;
	while (alloc < need)
		alloc *= 2;
	data = realloc(b->data, alloc);
	if (!data) {
		b->failed = true;
		return -1;
	}
	b->data = data;
	b->alloc = alloc;
	return 0;
}

int kl_buf_append(struct kl_buf *b, const void *data, size_t len)
{
	if (buf_reserve(b, len))
		return -1;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int kl_buf_puts(struct kl_buf *b, const char *s)
{
	return kl_buf_append(b, s, strlen(s));
}

int kl_buf_vprintf(struct kl_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || buf_reserve(b, (size_t)n)) {
		b->failed = true;
		return -1;
	}
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
	return 0;
}

int kl_buf_printf(struct kl_buf *b, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = kl_buf_vprintf(b, fmt, ap);
	va_end(ap);
	return ret;
}

void kl_buf_clear(struct kl_buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

const char *kl_buf_str(const struct kl_buf *b)
{
	return b->data ? b->data : "";
}

char *kl_buf_steal(struct kl_buf *b)
{
	char *data = b->data ? b->data : strdup("");

	*b = (struct kl_buf){ .cap = b->cap };
	return data;
}

int kl_buf_check(const struct kl_buf *b, const char *what, struct kl_error *err)
{
	if (!b->failed)
		return 0;
	return kl_fail(err, KL_INFRA, "%s is larger than %zu bytes, or memory ran out", what,
		       b->cap ? b->cap : KL_BUF_CAP_DEFAULT);
}

void kl_buf_deinit(struct kl_buf *b)
{
	free(b->data);
	*b = KL_BUF_INIT;
}

static int strv_add_owned(struct kl_strv *sv, char *s)
{
	char **v;

	if (!s)
		return -1;
	v = realloc(sv->v, (sv->n + 2) * sizeof(*v));
	if (!v) {
		free(s);
		return -1;
	}
	v[sv->n++] = s;
	v[sv->n] = NULL;
	sv->v = v;
	return 0;
}

int kl_strv_add(struct kl_strv *sv, const char *s)
{
	return strv_add_owned(sv, strdup(s));
}

int kl_strv_addf(struct kl_strv *sv, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return n < 0 ? -1 : strv_add_owned(sv, s);
}

bool kl_strv_has(const struct kl_strv *sv, const char *s)
{
	for (size_t i = 0; i < sv->n; i++)
		if (!strcmp(sv->v[i], s))
			return true;
	return false;
}

int kl_strv_copy(struct kl_strv *to, const struct kl_strv *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (kl_strv_add(to, from->v[i]))
			return -1;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void kl_strv_sort(struct kl_strv *sv)
{
	if (sv->n > 1)
		qsort(sv->v, sv->n, sizeof(*sv->v), compare);
}

void kl_strv_deinit(struct kl_strv *sv)
{
	for (size_t i = 0; i < sv->n; i++)
		free(sv->v[i]);
	free(sv->v);
	*sv = (struct kl_strv){ 0 };
}

char *kl_asprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return n < 0 ? NULL : s;
}

bool kl_str_eq(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool kl_str_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool kl_str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

bool kl_str_is_id(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > 64 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= '0' && s[i] <= '9') && s[i] != '-')
			return false;
	return true;
}

/* Length of the UTF-8 character at s, or 0: bad, overlong, surrogate, or a C1 control. */
static size_t utf8_len(const unsigned char *s, size_t len)
{
	size_t n = s[0] >= 0xf0 && s[0] < 0xf5	 ? 4
		   : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		   : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
						 : 0;

	if (!n || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) ||
	    (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	/* Bidirectional controls reorder what a person reads: U+202A…202E, U+2066…2069, U+200E/F. */
	if (s[0] == 0xe2 &&
	    ((s[1] == 0x80 && ((s[2] >= 0xaa && s[2] <= 0xae) || s[2] == 0x8e || s[2] == 0x8f)) ||
	     (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9)))
		return 0;
	return n;
}

static int append_safe(struct kl_buf *b, const char *s, size_t len, size_t max, const char *also)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t shown = len < max ? len : max;
	size_t i = 0;

	while (i < shown) {
		size_t n = u[i] >= 0x80 ? utf8_len(u + i, len - i) : 1;

		if (n > 1 || (n == 1 && (isprint(u[i]) || (u[i] && strchr(also, u[i]))))) {
			if (kl_buf_append(b, s + i, n))
				return -1;
			i += n;
		} else {
			if (kl_buf_printf(b, "\\x%02x", u[i]))
				return -1;
			i++;
		}
	}
	if (shown < len)
		return kl_buf_printf(b, "… (%zu more bytes)", len - shown);
	return 0;
}

int kl_buf_safe(struct kl_buf *b, const char *s, size_t len, size_t max)
{
	return append_safe(b, s, len, max, "\n\t");
}

int kl_buf_safe_line(struct kl_buf *b, const char *s, size_t len, size_t max)
{
	return append_safe(b, s, len, max, "");
}
