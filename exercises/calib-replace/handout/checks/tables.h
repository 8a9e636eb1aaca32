/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables and codes made from the challenge, for the checks of lincal.
 *
 * Each channel has one shape of curve. A table is that shape lifted as a whole
 * by its mark, a number that no two tables of a check share. The curve's first
 * point, at LINCAL_CODE_MIN, bears the mark alone. So a block of codes that
 * begins with LINCAL_CODE_MIN tells which table its values come from, and what
 * is left after taking the mark away is the same for every table.
 */
#ifndef LINCAL_CHECK_TABLES_H
#define LINCAL_CHECK_TABLES_H

#include <klinic/check.h>

#include "../lincal.h"

#define MARK_STEP 4096 /* one mark to the next, in units of value */

static inline void shape(const struct kl_challenge *c, unsigned int channel, unsigned int points,
			 struct lincal_point *ret)
{
	int32_t stride = (LINCAL_CODE_MAX - LINCAL_CODE_MIN) / (int32_t)points;
	struct kl_rng r;

	kl_rng_init(&r, c, 100 + channel);
	for (unsigned int i = 0; i < points; i++) {
		ret[i].code = LINCAL_CODE_MIN + (int32_t)i * stride;
		if (i)
			ret[i].code += (int32_t)kl_rng_below(&r, (uint64_t)stride);
		ret[i].value = i ? (int32_t)kl_rng_below(&r, 1 << 24) : 0;
	}
}

/* codes[0] is LINCAL_CODE_MIN, the rest anything that the converter may deliver. */
static inline void codes_of(const struct kl_challenge *c, unsigned int stream, int32_t *codes,
			    unsigned int count)
{
	struct kl_rng r;

	kl_rng_init(&r, c, 200 + stream);
	codes[0] = LINCAL_CODE_MIN;
	for (unsigned int i = 1; i < count; i++)
		codes[i] = LINCAL_CODE_MIN + (int32_t)kl_rng_below(&r, 1 << 24);
}

#ifdef KL_GUEST
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "/dev/lincal"

static inline void sleep_ms(unsigned int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* The points of a whole table, ready to be marked and loaded again and again. */
struct tables {
	unsigned int points;
	struct lincal_point *p; /* [LINCAL_CHANNELS][points] */
	int32_t mark; /* of the last load */
};

static inline void tables_make(const struct kl_challenge *c, unsigned int points,
			       struct tables *ret)
{
	ret->points = points;
	ret->mark = 0;
	ret->p = calloc((size_t)LINCAL_CHANNELS * points, sizeof(*ret->p));
	if (!ret->p)
		kl_die("no memory for a table");
	for (unsigned int i = 0; i < LINCAL_CHANNELS; i++)
		shape(c, i, points, ret->p + (size_t)i * points);
}

/* Loads the table with a mark of (number * MARK_STEP): 0 and its generation, or -errno. */
static inline int table_load(int fd, struct tables *t, unsigned int channels, unsigned int number,
			     uint32_t *ret_generation)
{
	int32_t mark = (int32_t)(number * MARK_STEP);
	struct lincal_load req = {
		.channels = channels,
		.points = t->points,
		.data = (uintptr_t)t->p,
	};

	for (size_t i = 0; i < (size_t)LINCAL_CHANNELS * t->points; i++)
		t->p[i].value += mark - t->mark;
	t->mark = mark;
	if (ioctl(fd, LINCAL_IOC_LOAD, &req))
		return -errno;
	if (ret_generation)
		*ret_generation = req.generation;
	return 0;
}

/* Converts: 0, the mark's number and the generation, values with the mark taken away; or -errno. */
static inline int convert(int fd, unsigned int channel, const int32_t *codes, int32_t *values,
			  unsigned int count, uint32_t *ret_number, uint32_t *ret_generation)
{
	struct lincal_convert req = {
		.channel = channel,
		.count = count,
		.codes = (uintptr_t)codes,
		.values = (uintptr_t)values,
	};
	int32_t mark;

	*ret_number = *ret_generation = 0;
	if (ioctl(fd, LINCAL_IOC_CONVERT, &req))
		return -errno;
	mark = values[0];
	for (unsigned int i = 0; i < count; i++)
		values[i] = (int32_t)((uint32_t)values[i] - (uint32_t)mark);
	*ret_number = mark % MARK_STEP ? UINT32_MAX : (uint32_t)mark / MARK_STEP;
	*ret_generation = req.generation;
	return 0;
}

/* open(2) of the device with a channel selected. */
static inline int open_channel(uint32_t channel, int flags)
{
	int fd = kl_open_device(DEVICE, flags);

	if (ioctl(fd, LINCAL_IOC_SELECT, &channel))
		kl_die("LINCAL_IOC_SELECT %u: errno %d", channel, errno);
	return fd;
}

static inline void feed(int fd, uint32_t channel, int32_t code)
{
	struct lincal_sample s = { .channel = channel, .code = code };

	if (write(fd, &s, sizeof(s)) != sizeof(s))
		kl_die("feeding channel %u: errno %d", channel, errno);
}
#endif

#ifdef KL_ORACLE
/* The value of a code before it is lifted by a mark. */
static inline int32_t value_of(const struct lincal_point *p, unsigned int points, int32_t code)
{
	unsigned int i = 0;

	if (code <= p[0].code)
		return p[0].value;
	if (code >= p[points - 1].code)
		return p[points - 1].value;
	while (p[i + 1].code <= code)
		i++;
	return (int32_t)(p[i].value + ((int64_t)p[i + 1].value - p[i].value) * (code - p[i].code) /
					      (p[i + 1].code - p[i].code));
}

/* What a block of codes must come to, as a hash over the values without the mark. */
static inline uint64_t values_hash(const struct kl_challenge *c, unsigned int channel,
				   unsigned int points, unsigned int stream, unsigned int count)
{
	struct lincal_point p[LINCAL_POINTS_MAX];
	int32_t codes[LINCAL_BATCH_MAX];
	uint64_t h = KL_HASH_INIT;

	shape(c, channel, points, p);
	codes_of(c, stream, codes, count);
	for (unsigned int i = 0; i < count; i++) {
		int32_t v = value_of(p, points, codes[i]);

		h = kl_hash(h, &v, sizeof(v));
	}
	return h;
}

/* The same for one code. */
static inline int32_t value_at(const struct kl_challenge *c, unsigned int channel,
			       unsigned int points, int32_t code)
{
	struct lincal_point p[LINCAL_POINTS_MAX];

	shape(c, channel, points, p);
	return value_of(p, points, code);
}
#endif

#endif
