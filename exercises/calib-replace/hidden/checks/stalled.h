/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A task that the scheduler takes off the CPU in the middle of whatever it does,
 * kernel or not, for seconds: a real-time task that has used up the share of
 * real-time tasks (sched_rt_runtime_us of each sched_rt_period_us) is not run
 * again before the period ends. See Documentation/scheduler/sched-rt-group.rst.
 */
#ifndef LINCAL_CHECK_STALLED_H
#define LINCAL_CHECK_STALLED_H

#include "../../handout/checks/tables.h"

#ifdef KL_GUEST
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#define RT_RUNTIME "/proc/sys/kernel/sched_rt_runtime_us"
#define RT_PERIOD  "/proc/sys/kernel/sched_rt_period_us"

/*
 * The period is to be below the hung-task limit of the guest: who waits for the
 * stalled task may be in state D. The share is several ticks and several
 * conversions: it may be overdrawn by a tick, which the next period pays, and
 * what is left then must do to end one round and to begin another.
 */
static inline void stall_setup(unsigned int period_ms)
{
	char text[32];

	snprintf(text, sizeof(text), "%u", period_ms * 1000);
	if (kl_write_file(RT_RUNTIME, "40000") || kl_write_file(RT_PERIOD, text))
		kl_die("cannot set the real-time share");
}

static inline void stall_restore(void)
{
	kl_write_file(RT_PERIOD, "1000000");
	kl_write_file(RT_RUNTIME, "950000");
}

static inline void realtime(bool on)
{
	struct sched_param p = { .sched_priority = on ? 1 : 0 };

	if (sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &p))
		kl_die("sched_setscheduler: errno %d", errno);
}

/* What the stalling poller and the one who sees it stall share: numbers of rounds, from 1. */
struct stall {
	atomic_uint begun; /* may run */
	atomic_uint at_work; /* runs, or is stalled */
	atomic_uint ended; /* shall stop */
	atomic_uint blocks; /* calls of one(), in all */
};

/* The poller's side of round n: waits for it, then calls one() until it is over. */
static inline void stall_round(struct stall *s, unsigned int n, void (*one)(void *), void *arg)
{
	while (atomic_load(&s->begun) < n)
		sleep_ms(5);
	realtime(true);
	atomic_store(&s->at_work, n);
	do {
		one(arg);
		atomic_fetch_add(&s->blocks, 1);
	} while (atomic_load(&s->ended) < n);
	realtime(false);
}

/*
 * The other side: begins round n and comes back when the poller is off the CPU.
 * That this task, which is none of the real-time ones, runs again is the sign.
 */
static inline void stall_begin(struct stall *s, unsigned int n)
{
	atomic_store(&s->begun, n);
	for (unsigned int i = 0; atomic_load(&s->at_work) < n; i++) {
		if (i == 4000)
			kl_die("the poller does not come back");
		sleep_ms(5);
	}
	atomic_store(&s->ended, n);
}
#endif

#endif
