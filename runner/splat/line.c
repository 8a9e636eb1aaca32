/* Takes a line of a kernel log apart: level, time stamp, caller, text. */
#include <string.h>

#include "splat/line.h"

static const char *skip_digits(const char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

static const char *skip_blanks(const char *p)
{
	while (*p == ' ')
		p++;
	return p;
}

/* Both ends of "[…] ": at the end of a line the blank may have been lost. */
static const char *close_bracket(const char *p)
{
	if (*p != ']')
		return NULL;
	return p + 1;
}

/* "<4>" or "<12>": the level, as the console of a kernel without a loglevel filter shows it. */
static const char *level(const char *p)
{
	const char *q;

	if (*p != '<')
		return p;
	q = skip_digits(p + 1);
	return q > p + 1 && *q == '>' ? q + 1 : p;
}

static uint64_t digits_value(const char *p, const char *end)
{
	uint64_t v = 0;

	for (; p < end && v < UINT64_MAX / 100; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	return v;
}

/* "[   12.345678]": returns what follows, or NULL. */
static const char *stamp(const char *p, uint64_t *ret_us)
{
	const char *whole, *dot, *end, *after;
	uint64_t us, s;

	if (*p != '[')
		return NULL;
	whole = skip_blanks(p + 1);
	dot = skip_digits(whole);
	if (dot == whole || *dot != '.')
		return NULL;
	end = skip_digits(dot + 1);
	after = close_bracket(end);
	if (end == dot + 1 || end - dot > 10 || !after)
		return NULL;
	s = digits_value(whole, dot);
	us = digits_value(dot + 1, end);
	for (long n = end - dot - 1; n < 6; n++)
		us *= 10;
	for (long n = end - dot - 1; n > 6; n--)
		us /= 10;
	*ret_us = s > UINT64_MAX / 2000000 ? UINT64_MAX : s * 1000000 + us;
	return after;
}

/* "[   T12]" or "[    C1]": CONFIG_PRINTK_CALLER (kernel/printk/printk.c, print_caller). */
static const char *caller(const char *p, char ret[KL_SPLAT_CALLER])
{
	const char *who, *end, *after;

	if (*p != '[')
		return NULL;
	who = skip_blanks(p + 1);
	if (*who != 'T' && *who != 'C')
		return NULL;
	end = skip_digits(who + 1);
	after = close_bracket(end);
	if (end == who + 1 || end - who >= KL_SPLAT_CALLER || !after)
		return NULL;
	memcpy(ret, who, (size_t)(end - who));
	ret[end - who] = '\0';
	return after;
}

/*
 * What others put in place of the kernel's stamp: dmesg -T ("[Fri Nov 20 06:14:48
 * 2026] ") and journalctl -k ("Nov 20 06:14:48 host kernel: ", or an ISO date).
 * Returns what follows, or NULL.
 */
static const char *foreign_stamp(const char *p)
{
	static const char sample[] = "[Aaa Aaa 99 99:99:99 9999]";
	const char *kernel;
	size_t i;

	for (i = 0; sample[i]; i++) {
		char c = p[i];
		bool digit = c >= '0' && c <= '9';

		if (sample[i] == '9'   ? !digit && c != ' '
		    : sample[i] == 'A' ? c < 'A' || c > 'Z'
		    : sample[i] == 'a' ? c < 'a' || c > 'z'
				       : c != sample[i])
			break;
	}
	if (!sample[i])
		return p + i;
	for (i = 0; i < 3 && ((p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= 'a' && p[i] <= 'z')); i++)
		;
	if (!(i == 3 && p[3] == ' ') && !(skip_digits(p) == p + 4 && p[4] == '-'))
		return NULL;
	kernel = strstr(p, " kernel: ");
	return kernel && kernel - p < 100 && memchr(p, ':', (size_t)(kernel - p)) ? kernel + 8
										  : NULL;
}

void kl_line_split(struct kl_line *l, char *raw, size_t len)
{
	const char *p, *q;

	while (len && (raw[len - 1] == '\r' || raw[len - 1] == '\n'))
		raw[--len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)raw[i] < 0x20 || raw[i] == 0x7f)
			raw[i] = ' ';
	l->caller[0] = '\0';
	l->stamped = false;
	l->time_us = 0;
	p = level(raw);
	q = stamp(p, &l->time_us);
	if (!q && (q = foreign_stamp(p)) && *q == ' ' && stamp(q + 1, &l->time_us))
		q = stamp(q + 1, &l->time_us);
	if (q) {
		l->stamped = true;
		p = q;
	}
	q = caller(p, l->caller);
	if (q) {
		l->stamped = true;
		p = q;
	}
	if (l->stamped && *p == ' ')
		p++;
	l->text = p;
}

size_t kl_line_stamp_inside(const char *raw, size_t len)
{
	uint64_t us;
	const char *p;

	if (stamp(level(raw), &us) || foreign_stamp(level(raw)))
		return 0;
	for (p = raw + 1; p < raw + len && (p = memchr(p, '[', (size_t)(raw + len - p))); p++)
		if (stamp(p, &us))
			return (size_t)(p - raw);
	return 0;
}
