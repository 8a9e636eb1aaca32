/*
 * What the checks of capunit share: making sessions, reading them, and the
 * samples that a working unit delivers.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <string.h>

#include <klinic/check.h>

#include "../capunit.h"

#define BLOCK_BYTES (CAPUNIT_BLOCK_SAMPLES * sizeof(int32_t))

/* A session as a challenge has it: what is asked for, and hence what it must deliver. */
struct capture {
	struct capunit_setup setup;
	int32_t gains[CAPUNIT_MAX_GAINS];
};

static inline void capture_init(struct capture *cap, const struct kl_challenge *c, uint64_t stream,
				unsigned int nblocks, unsigned int ngains)
{
	struct kl_rng rng;

	kl_rng_init(&rng, c, stream);
	memset(cap, 0, sizeof(*cap));
	cap->setup.channel = (uint32_t)kl_rng_below(&rng, CAPUNIT_CHANNELS);
	cap->setup.rate_hz = CAPUNIT_MIN_RATE * (2 + (uint32_t)kl_rng_below(&rng, 200));
	cap->setup.nblocks = nblocks;
	cap->setup.ngains = ngains;
	cap->setup.gains = (uintptr_t)cap->gains;
	kl_rng_fill(&rng, cap->gains, ngains * sizeof(cap->gains[0]));
}

#ifdef KL_GUEST
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CAPTURE_SESSIONS "/sys/class/misc/capunit/sessions"

/* Descriptor of the new session, or -errno. */
static inline int capture_open(int unit, struct capture *cap)
{
	int fd = ioctl(unit, CAPUNIT_SETUP, &cap->setup);

	return fd < 0 ? -errno : fd;
}

/* Continues the hash with the session's next nblocks blocks. */
static inline uint64_t capture_hash(int fd, unsigned int nblocks, uint64_t h)
{
	static char buf[CAPUNIT_MAX_BLOCKS * BLOCK_BYTES];

	for (size_t left = nblocks * BLOCK_BYTES; left;) {
		size_t ask = left < sizeof(buf) ? left : sizeof(buf);
		ssize_t n = read(fd, buf, ask);

		if (n <= 0)
			return (uint64_t)errno;
		h = kl_hash(h, buf, (size_t)n);
		left -= (size_t)n;
	}
	return h;
}

/* Sessions that the unit lists, -errno when it cannot say. */
static inline int capture_listed(void)
{
	char buf[4096];
	int n = kl_read_file(CAPTURE_SESSIONS, buf, sizeof(buf)), lines = 0;

	if (n < 0)
		return n;
	for (const char *p = buf; *p; p++)
		lines += *p == '\n';
	return lines;
}

/* What came of setting up a session again and again, another allocation failing each time. */
struct capture_sweep {
	unsigned int refused; /* with ENOMEM, as it should be */
	unsigned int wrong; /* with something else */
	unsigned int recovered; /* the kernel had a second choice, the session was made */
	bool finished; /* the last attempt met no fault */
};

/* after(fd, arg) is called after each attempt, fd -1 if it was refused; then fd is closed. */
static inline struct capture_sweep capture_sweep(int unit, struct capture *cap,
						 void (*after)(int fd, void *arg), void *arg)
{
	struct capture_sweep sweep = { 0 };

	for (unsigned int nth = 1; nth <= 400 && !sweep.finished; nth++) {
		int fd;
		bool injected;

		kl_fail_nth(nth);
		fd = ioctl(unit, CAPUNIT_SETUP, &cap->setup);
		if (fd < 0)
			fd = -errno;
		injected = kl_fail_nth(0) == 0;

		if (fd < 0 && injected && fd == -ENOMEM)
			sweep.refused++;
		else if (fd < 3)
			sweep.wrong++;
		else if (injected)
			sweep.recovered++;
		else
			sweep.finished = true;
		if (!injected && fd < 0)
			break;
		if (after)
			after(fd < 3 ? -1 : fd, arg);
		if (fd >= 3)
			close(fd);
	}
	return sweep;
}
#endif

#ifdef KL_ORACLE
/* The hash that capture_hash() finds for nblocks blocks from the first-th on. */
static inline uint64_t capture_expect(const struct capture *cap, unsigned int first,
				      unsigned int nblocks, uint64_t h)
{
	uint32_t stride = cap->setup.rate_hz / CAPUNIT_MIN_RATE;
	uint32_t from = first * CAPUNIT_BLOCK_SAMPLES;

	for (uint32_t n = from; n < from + nblocks * CAPUNIT_BLOCK_SAMPLES; n++) {
		uint32_t i = n * stride % CAPUNIT_WAVE;
		uint32_t t = i * (cap->setup.channel + 1) % CAPUNIT_WAVE;
		int64_t wave = (int64_t)(t < CAPUNIT_WAVE / 2 ? t : CAPUNIT_WAVE - t) * 255 - 16320;
		int32_t sample = (int32_t)((wave * cap->gains[n % cap->setup.ngains]) >> 16);

		h = kl_hash(h, &sample, sizeof(sample));
	}
	return h;
}
#endif

#endif
