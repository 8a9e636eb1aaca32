/*
 * Growing byte buffers with a cap, and vectors of strings. Whatever a guest,
 * a candidate or a file sizes goes through a cap.
 */
#ifndef KLINIC_STR_H
#define KLINIC_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <klinic/error.h>

#define KL_BUF_CAP_DEFAULT (64UL << 20)

/* data is always terminated by a NUL that len does not count, or NULL when nothing was written. */
struct kl_buf {
	char *data;
	size_t len;
	size_t alloc;
	size_t cap; /* 0 means KL_BUF_CAP_DEFAULT */
	bool failed; /* sticky: an append ran out of memory or over the cap */
};

#define KL_BUF_INIT	 ((struct kl_buf){ 0 })
#define KL_BUF_CAPPED(n) ((struct kl_buf){ .cap = (n) })

/* 0, or -1 and b->failed: out of memory, or over the cap (then nothing is appended). */
int kl_buf_append(struct kl_buf *b, const void *data, size_t len);
int kl_buf_puts(struct kl_buf *b, const char *s);
int kl_buf_printf(struct kl_buf *b, const char *fmt, ...) KL_PRINTF(2, 3);
int kl_buf_vprintf(struct kl_buf *b, const char *fmt, va_list ap);
void kl_buf_clear(struct kl_buf *b);
/* Never NULL. */
const char *kl_buf_str(const struct kl_buf *b);
/* The bytes, owned by the caller; the buffer is empty afterwards. NULL only without memory. */
char *kl_buf_steal(struct kl_buf *b);
/* -1 and err when any append failed. what names the thing that was too large. */
int kl_buf_check(const struct kl_buf *b, const char *what, struct kl_error *err);
void kl_buf_deinit(struct kl_buf *b);

/* v is NULL-terminated whenever it is not NULL; strings are owned. */
struct kl_strv {
	char **v;
	size_t n;
};

int kl_strv_add(struct kl_strv *sv, const char *s); /* copies; -1 without memory */
int kl_strv_addf(struct kl_strv *sv, const char *fmt, ...) KL_PRINTF(2, 3);
bool kl_strv_has(const struct kl_strv *sv, const char *s);
int kl_strv_copy(struct kl_strv *to, const struct kl_strv *from);
void kl_strv_sort(struct kl_strv *sv);
void kl_strv_deinit(struct kl_strv *sv);

/* asprintf that returns the string, or NULL without memory. */
char *kl_asprintf(const char *fmt, ...) KL_PRINTF(1, 2);
bool kl_str_eq(const char *a, const char *b); /* NULL equals NULL */
bool kl_str_starts(const char *s, const char *prefix);
bool kl_str_ends(const char *s, const char *suffix);
/* Lowercase letters, digits and inner dashes, 1 to 64 bytes: ids of exercises, checks, rubrics. */
bool kl_str_is_id(const char *s);
/*
 * Appends s with everything unprintable made visible (\xNN) and at most max
 * bytes of it: candidate and guest text on its way to a terminal.
 */
int kl_buf_safe(struct kl_buf *b, const char *s, size_t len, size_t max);
/* The same for what must stay one line: newlines and tabs are made visible, too. */
int kl_buf_safe_line(struct kl_buf *b, const char *s, size_t len, size_t max);

#endif
