/* Text on its way into HTML or XML. Private to report/. */
#ifndef KLINIC_REPORT_MARKUP_H
#define KLINIC_REPORT_MARKUP_H

#include <klinic/str.h>

/*
 * Appends text, escaped for element content and for quoted attributes of HTML
 * and XML 1.0 alike: markup becomes references; control characters, bytes that
 * are no UTF-8 and characters that reorder text become visible. NULL is "".
 */
void kl_markup_text(struct kl_buf *b, const char *text);
void kl_markup_textn(struct kl_buf *b, const char *text, size_t len);
/* For attributes: line breaks and tabs become spaces, as a parser would make them. */
void kl_markup_attr(struct kl_buf *b, const char *text);

#endif
