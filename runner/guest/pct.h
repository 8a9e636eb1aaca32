/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCT, probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi,
 * Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of Finding
 * Bugs, ASPLOS 2010): tasks get random distinct priorities, the highest that can
 * run runs, and at d - 1 of k points the running task goes below all others.
 *
 * The order only, so that the host's tests can hold it; who enforces it is sched.c.
 * A task's place is a rung: the lowest number first, and new ones are always larger
 * than all before.
 *
 * k is not known beforehand, and a count from an earlier run would be the
 * candidate's word. So a run is cut into rounds of about k points, each with new
 * priorities and d - 1 change points of its own, and k is drawn from the seed:
 * between 2^KL_PCT_SHORT and 2^KL_PCT_LONG, every power of two as likely. A run
 * that is shorter than its round is plain PCT; one that repeats what it does gets
 * many tries.
 */
#ifndef KLINIC_GUEST_PCT_H
#define KLINIC_GUEST_PCT_H

#ifdef __KERNEL__
#include <linux/string.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#endif

#define KL_PCT_DEPTH 3 /* the largest d */
#define KL_PCT_TASKS 64 /* met last are remembered */
/* CPU time that a task may have without losing its rung, ns. */
#define KL_PCT_PATIENCE_NS 100000000ULL
#define KL_PCT_SHORT	   2
#define KL_PCT_LONG	   8

struct kl_pct_task {
	int32_t id; /* 0: free */
	uint64_t rung;
	uint64_t ran; /* its CPU time when it was met or sank, ns */
	uint64_t seen; /* number of the point, for forgetting the oldest */
};

struct kl_pct {
	uint64_t state; /* of the generator */
	uint64_t points; /* met by two tasks and more, ever */
	uint64_t left; /* points of the round that are to come */
	uint64_t change[KL_PCT_DEPTH - 1]; /* counted as left is */
	uint64_t lowest; /* the largest rung that was ever given */
	uint32_t depth;
	uint32_t k; /* rounds have from k to 2k - 1 points */
	uint32_t n; /* tasks */
	struct kl_pct_task task[KL_PCT_TASKS];
};

/* splitmix64 (Vigna, prng.di.unimi.it). */
static inline uint64_t kl_pct_draw(struct kl_pct *p)
{
	uint64_t z = (p->state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* n is far below 2^32, so what the remainder favours is not to be seen. */
static inline uint32_t kl_pct_below(struct kl_pct *p, uint32_t n)
{
	return (uint32_t)(kl_pct_draw(p) >> 32) % n;
}

static inline void kl_pct_init(struct kl_pct *p, uint64_t seed, uint32_t depth)
{
	memset(p, 0, sizeof(*p));
	p->state = seed;
	p->depth = depth < 1 ? 1 : depth > KL_PCT_DEPTH ? KL_PCT_DEPTH : depth;
	p->k = 1U << (KL_PCT_SHORT + kl_pct_below(p, KL_PCT_LONG - KL_PCT_SHORT));
}

/* Priorities anew, each order as likely. */
static inline void kl_pct_shuffle(struct kl_pct *p)
{
	uint32_t order[KL_PCT_TASKS];

	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t k = kl_pct_below(p, i + 1);

		order[i] = i;
		order[i] = order[k];
		order[k] = i;
	}
	for (uint32_t i = 0; i < p->n; i++)
		p->task[order[i]].rung = ++p->lowest;
}

static inline void kl_pct_round(struct kl_pct *p)
{
	p->left = p->k + kl_pct_below(p, p->k);
	for (uint32_t i = 0; i + 1 < p->depth; i++)
		p->change[i] = 1 + kl_pct_below(p, (uint32_t)p->left);
	kl_pct_shuffle(p);
}

/*
 * The task with this id, which has run for so long. One that was not met before
 * gets its priority now, at random among the others.
 */
static inline struct kl_pct_task *kl_pct_meet(struct kl_pct *p, int32_t id, uint64_t ran)
{
	struct kl_pct_task *t, *oldest = &p->task[0];

	for (uint32_t i = 0; i < p->n; i++) {
		if (p->task[i].id == id)
			return &p->task[i];
		if (p->task[i].seen < oldest->seen)
			oldest = &p->task[i];
	}
	t = p->n < KL_PCT_TASKS ? &p->task[p->n++] : oldest;
	*t = (struct kl_pct_task){ .id = id, .ran = ran, .seen = p->points };
	kl_pct_shuffle(p);
	return t;
}

/* Below all others. */
static inline void kl_pct_sink(struct kl_pct *p, struct kl_pct_task *t, uint64_t ran)
{
	if (t->rung != p->lowest)
		t->rung = ++p->lowest;
	t->ran = ran;
}

/*
 * Who has had its patience of CPU time may be waiting in a loop for another, and
 * goes below it, as it would at a yield.
 */
static inline void kl_pct_tire(struct kl_pct *p, struct kl_pct_task *t, uint64_t ran)
{
	if (ran - t->ran > KL_PCT_PATIENCE_NS)
		kl_pct_sink(p, t, ran);
}

/*
 * A point, met by a task that has run for so long. Its rung is what it should be
 * afterwards. Points of a task that is alone are not counted: there is nothing to
 * order.
 */
static inline struct kl_pct_task *kl_pct_point(struct kl_pct *p, int32_t id, uint64_t ran)
{
	struct kl_pct_task *t = kl_pct_meet(p, id, ran);
	bool change = false;

	kl_pct_tire(p, t, ran);
	if (p->n < 2)
		return t;
	t->seen = ++p->points;
	if (!p->left)
		kl_pct_round(p);
	for (uint32_t i = 0; i + 1 < p->depth; i++)
		change |= p->change[i] == p->left;
	p->left--;
	if (change)
		kl_pct_sink(p, t, ran);
	return t;
}

#endif
