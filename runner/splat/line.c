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

/*
 * "<4>" or "<12>", as dmesg -r and /proc/kmsg show it: eight times the facility,
 * and the level. The kernel's own facility is 0, and devkmsg_write() lets nobody
 * else have it (kernel/printk/printk.c): the one sure mark of user space's words.
 */
static const char *level(const char *p, bool *ret_user)
{
	const char *q;

	*ret_user = false;
	if (*p != '<')
		return p;
	q = skip_digits(p + 1);
	if (q == p + 1 || *q != '>')
		return p;
	*ret_user = q - p > 2 || p[1] > '7';
	return q + 1;
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

/* A letter stands for one of its case, a 9 for a digit or a blank, anything else for itself. */
static const char *like(const char *p, const char *sample)
{
	for (; *sample; sample++, p++) {
		bool digit = *p >= '0' && *p <= '9';

		if (*sample == '9'   ? !digit && *p != ' '
		    : *sample == 'A' ? *p < 'A' || *p > 'Z'
		    : *sample == 'a' ? *p < 'a' || *p > 'z'
				     : *p != *sample)
			return NULL;
	}
	return p;
}

/*
 * What others put in place of the kernel's stamp: dmesg -T ("[Fri Nov 20 06:14:48
 * 2026] ") and journalctl -k ("Nov 20 06:14:48 host kernel: ", or an ISO date).
 * Between the time and "kernel:" stands one word: others' lines may speak of a
 * kernel, too. Returns what follows, or NULL.
 */
static const char *foreign_stamp(const char *p)
{
	static const char kernel[] = " kernel:";
	const char *time = like(p, "[Aaa Aaa 99 99:99:99 9999]"), *host;

	if (time)
		return time;
	time = like(p, "Aaa 99 99:99:99");
	if (!time)
		time = like(p, "9999-99-99T99:99:99");
	if (!time)
		return NULL;
	/* Fractions and zone. */
	host = strchr(time, ' ');
	if (!host || host - time > 20)
		return NULL;
	host += 1 + strcspn(host + 1, " ");
	return strncmp(host, kernel, strlen(kernel)) ? NULL : host + strlen(kernel);
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
	p = level(raw, &l->user);
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
	if (!l->stamped)
		memcpy(l->caller, "?", 2);
	l->text = p;
}

size_t kl_line_stamp_inside(const char *raw, size_t len)
{
	uint64_t us;
	bool user;
	const char *p = level(raw, &user);

	if (stamp(p, &us) || foreign_stamp(p))
		return 0;
	for (p = raw + 1; p < raw + len && (p = memchr(p, '[', (size_t)(raw + len - p))); p++)
		if (stamp(p, &us))
			return (size_t)(p - raw);
	return 0;
}
