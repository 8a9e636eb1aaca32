/* UTF-8, judged byte by byte: overlong forms, surrogates and cut-off characters are none. */
#include "data/utf8.h"

size_t kl_utf8_length(const unsigned char *s, size_t left, unsigned int *ret_code)
{
	unsigned int code = s[0];
	size_t n = code >= 0xf0 ? 4 : code >= 0xe0 ? 3 : 2;

	if (code < 0x80) {
		*ret_code = code;
		return 1;
	}
	if (code < 0xc2 || code > 0xf4 || n > left)
		return 0;
	code &= 0x7fU >> n;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fU);
	}
	if ((n == 3 && code < 0x800) || (n == 4 && code < 0x10000) ||
	    (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return 0;
	*ret_code = code;
	return n;
}
