/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * capunit: block capture from up to four analogue channels.
 *
 * CAPUNIT_SETUP on /dev/capunit makes a capture session and returns its file
 * descriptor. The session starts to fill its blocks at once, so that samples
 * from before the first read(2) are there. read(2) returns whole blocks, oldest
 * first, as native-endian __s32; close(2) ends the session.
 *
 * All sessions of a channel share its front end and with it the sample rate:
 * CAPUNIT_SETUP fails with EBUSY while the channel runs at another rate.
 * It fails with ENOSPC when CAPUNIT_MAX_SESSIONS exist, with ENOMEM when
 * the kernel has no memory for the session.
 */
#ifndef CAPUNIT_H
#define CAPUNIT_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define CAPUNIT_CHANNELS	4
#define CAPUNIT_MAX_SESSIONS	16
#define CAPUNIT_MAX_BLOCKS	32
#define CAPUNIT_MAX_GAINS	1024
#define CAPUNIT_BLOCK_SAMPLES	128
#define CAPUNIT_WAVE		256

#define CAPUNIT_MIN_RATE	1000
#define CAPUNIT_MAX_RATE	250000

/**
 * struct capunit_setup - a new session
 * @channel: 0 to CAPUNIT_CHANNELS - 1
 * @rate_hz: sample rate, a multiple of CAPUNIT_MIN_RATE
 * @nblocks: blocks that the session buffers, 1 to CAPUNIT_MAX_BLOCKS
 * @ngains: entries of @gains, 1 to CAPUNIT_MAX_GAINS
 * @gains: address of __s32[@ngains]; sample n is scaled by
 *         gains[n % @ngains] / 65536
 * @id: out: the session's slot, as the sessions attribute lists it
 * @flags: must be 0
 */
struct capunit_setup {
	__u32 channel;
	__u32 rate_hz;
	__u32 nblocks;
	__u32 ngains;
	__aligned_u64 gains;
	__u32 id;
	__u32 flags;
};

#define CAPUNIT_SETUP	_IOWR('C', 0x40, struct capunit_setup)

#ifdef __KERNEL__
struct module;

/**
 * struct capunit_frontend - the driver of one channel's converter
 * @name: for messages
 * @owner: pinned while a session uses the channel
 * @synth: fills one period of the channel's signal, CAPUNIT_WAVE values
 */
struct capunit_frontend {
	const char *name;
	struct module *owner;
	void (*synth)(u32 channel, s16 *wave);
};

int capunit_bind(u32 channel, const struct capunit_frontend *fe);
void capunit_unbind(u32 channel, const struct capunit_frontend *fe);
#endif

#endif
