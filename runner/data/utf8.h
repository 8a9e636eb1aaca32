/* UTF-8, judged byte by byte (RFC 3629). */
#ifndef DATA_UTF8_H
#define DATA_UTF8_H

#include <stddef.h>

/* Length of the character at s, of which left > 0 bytes are there; 0 when it is none. */
size_t kl_utf8_length(const unsigned char *s, size_t left, unsigned int *ret_code);

#endif
