/* What the readers of header lines share. Private to header*.c. */
#ifndef KL_SPLAT_HEADER_WORDS_H
#define KL_SPLAT_HEADER_WORDS_H

#include <klinic/error.h>

#include "splat/header.h"

/* Steps over literal text; NULL when it is not there, or p is NULL. */
const char *kh_after(const char *p, const char *literal);
void kh_put(char *to, size_t size, const char *from, size_t len);
void kh_title(struct kl_header *h, const char *fmt, ...) KL_PRINTF(2, 3);
/* A function as a header names it: with an offset, or without (KCSAN). */
void kh_frame(struct kl_header *h, const char *p);
/* "fs/pipe.c:123" up to a blank, "!" or ":column"; returns what follows or NULL. */
const char *kh_place(struct kl_header *h, const char *p);

/* header_crash.c: what stops the machine, or the task. */
bool kh_trap(struct kl_header *h, const char *text);
bool kh_cannot_handle(struct kl_header *h, const char *text);
bool kh_cfi(struct kl_header *h, const char *text);
bool kh_kernel_bug(struct kl_header *h, const char *text);
bool kh_ubsan(struct kl_header *h, const char *text);
bool kh_panic(struct kl_header *h, const char *text);

#endif
