/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * lincal: raw converter codes in, physical units out.
 *
 * The acquisition daemon feeds codes with write(2), one struct lincal_sample
 * each. A poller opens /dev/lincal, selects a channel, and gets one struct
 * lincal_reading from each read(2), which waits for a sample that this open
 * file has not yet delivered. LINCAL_IOC_CONVERT does the same to a block of
 * codes that the caller has already got.
 *
 * Every value of one call comes from one calibration table, that which was
 * live at some moment of the call; the generation in the answer says which.
 */
#ifndef LINCAL_H
#define LINCAL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define LINCAL_CHANNELS		8
#define LINCAL_POINTS_MIN	2
#define LINCAL_POINTS_MAX	256
#define LINCAL_BATCH_MAX	1024

/* Codes are those of a 24-bit converter. */
#define LINCAL_CODE_MIN		(-(1 << 23))
#define LINCAL_CODE_MAX		((1 << 23) - 1)

struct lincal_sample {
	__u32 channel;
	__s32 code;
};

struct lincal_reading {
	__u32 sequence;		/* of the channel's samples, from 1 */
	__u32 generation;	/* of the table that value comes from */
	__s32 code;
	__s32 value;
};

/* A curve is a list of these, code strictly ascending; straight in between, flat outside. */
struct lincal_point {
	__s32 code;
	__s32 value;
};

struct lincal_load {
	__u32 channels;		/* curves in the table: channels 0 ... channels - 1 */
	__u32 points;		/* break points of each curve */
	__u64 data;		/* struct lincal_point[channels][points] */
	__u32 generation;	/* out */
	__u32 pad;		/* 0 */
};

struct lincal_convert {
	__u32 channel;
	__u32 count;		/* 1 ... LINCAL_BATCH_MAX */
	__u64 codes;		/* __s32[count] */
	__u64 values;		/* __s32[count], out */
	__u32 generation;	/* out */
	__u32 pad;		/* 0 */
};

struct lincal_info {
	__u32 generation;
	__u32 channels;
	__u32 loads;
	__u32 open_files;
	__u64 samples;
	__u64 conversions;
};

#define LINCAL_IOC_SELECT	_IOW('L', 0x60, __u32)
#define LINCAL_IOC_LOAD		_IOWR('L', 0x61, struct lincal_load)
#define LINCAL_IOC_CONVERT	_IOWR('L', 0x62, struct lincal_convert)
#define LINCAL_IOC_INFO		_IOR('L', 0x63, struct lincal_info)

#endif
