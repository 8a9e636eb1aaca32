/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/beatmon: every open file is a monitor of its own.
 *
 * A supervisor registers clients, forwards their heartbeats and is told of those
 * that stay away. Time is counted in ticks of the monitor.
 */
#ifndef _BEATMON_H
#define _BEATMON_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BEATMON_MAX_CLIENTS	256
#define BEATMON_TICK_MS_MIN	4
#define BEATMON_TICK_MS_MAX	1000
#define BEATMON_TICK_MS_DEFAULT	20
#define BEATMON_HISTORY		32	/* gaps remembered for each client */
#define BEATMON_UNREAD		4	/* events of one client that may wait */

/* A client is ALIVE, then LATE from its first miss, DEAD from miss number limit. */
enum beatmon_state {
	BEATMON_ALIVE,
	BEATMON_LATE,
	BEATMON_DEAD,
};

enum beatmon_kind {
	BEATMON_MISS,		/* no heartbeat for another timeout */
	BEATMON_DIED,		/* the last miss; no more events follow */
	BEATMON_RECOVERED,	/* a heartbeat after one or more misses */
};

struct beatmon_add {
	__u32 id;		/* 1 to 0x7fffffff */
	__u32 timeout;		/* ticks without a heartbeat that make a miss */
	__u32 limit;		/* misses in a row that make it DEAD */
	__u32 reserved;		/* 0 */
	__u64 signature;	/* of a client that never beat */
};

/* signature = (rol64(signature, 9) ^ token) * 0x9e3779b97f4a7c15 */
struct beatmon_beat {
	__u32 id;
	__u32 reserved;		/* 0 */
	__u64 token;
};

/* What read() returns, oldest first. */
struct beatmon_event {
	__u32 id;
	__u32 kind;
	__u32 misses;
	__u32 reserved;
	__u64 serial;		/* of the registration: counts ADDs of the monitor from 1 */
	__u64 signature;
};

struct beatmon_status {
	__u32 id;
	__u32 state;
	__u32 age;		/* ticks since the last heartbeat or miss */
	__u32 misses;
	__u32 gap_min;		/* ticks between heartbeats, over the history */
	__u32 gap_median;
	__u32 gap_max;
	__u32 lost;		/* events that found BEATMON_UNREAD others waiting */
	__u64 serial;
	__u64 beats;
	__u64 signature;
};

/*
 * Clients in order of id, from the first that is not below from. Each record is
 * consistent in itself; heartbeats may come in between two records.
 */
struct beatmon_list {
	__u32 from;
	__u32 count;		/* in: room for; out: records written */
	__u64 records;		/* struct beatmon_status * */
};

struct beatmon_stats {
	__u64 ticks;		/* since the file was opened */
	__u64 events;
	__u32 clients;
	__u32 tick_ms;
};

#define BEATMON_ADD	_IOW('b', 0x40, struct beatmon_add)
#define BEATMON_REMOVE	_IO('b', 0x41)		/* argument: id */
#define BEATMON_BEAT	_IOW('b', 0x42, struct beatmon_beat)
#define BEATMON_LIST	_IOWR('b', 0x43, struct beatmon_list)
#define BEATMON_TICK	_IO('b', 0x44)		/* argument: milliseconds */
#define BEATMON_STATS	_IOR('b', 0x45, struct beatmon_stats)

#endif
