// SPDX-License-Identifier: GPL-2.0-only
/*
 * A load at any instant: a service tool of real-time priority is woken by a
 * timer, at a time of the seed's choosing, and loads a table before the poller
 * that it interrupts executes its next instruction. So windows are met in which
 * nothing is called, which the schedule driver cannot open.
 */
#include "../../handout/checks/tables.h"

#ifdef KL_GUEST
#include <sched.h>
#include <stdatomic.h>
#endif

#define POINTS 2
#define COUNT  2
#define LOADS  600
#define AWAY   700000 /* ns, more than the loader needs to fall asleep: the poller is to get on */
#define SPAN   400000 /* ns beyond that, at most; several calls of the poller */
#define ENOUGH 8000000000ULL /* ns, for those whose loads wait for a grace period */
#define SHORT  24 /* calls that are little more than a look-up, for each block */
#define CODE   (-4711)

#ifdef KL_GUEST
struct job {
	const struct kl_challenge *c;
	struct tables tables;
	int fd;
	atomic_bool begun, loaded;
};

static void poll_on(struct job *j)
{
	int32_t codes[COUNT], values[COUNT], value = 0;
	uint64_t hash = 0, blocks = 0, readings = 0, wrong = 0;
	int fd = j->fd;

	codes_of(j->c, 0, codes, COUNT);
	while (!atomic_load(&j->loaded)) {
		uint32_t number, generation;
		struct lincal_reading r;
		uint64_t h;

		if (convert(fd, 0, codes, values, COUNT, &number, &generation))
			kl_die("conversion: errno %d", errno);
		h = kl_hash(KL_HASH_INIT, values, sizeof(values));
		if (!blocks++)
			hash = h;
		/* The table with number n is the nth load, and the module starts with generation 1. */
		wrong += h != hash || generation != number + 1;
		for (unsigned int i = 0; i < SHORT; i++)
			wrong += convert(fd, 1, codes, values, 1, &number, &generation) != -ENODATA;
		if (blocks % 4 != 1)
			continue;
		feed(fd, 0, CODE);
		if (read(fd, &r, sizeof(r)) != sizeof(r))
			kl_die("read: errno %d", errno);
		r.value -= (int32_t)(r.generation - 1) * MARK_STEP;
		if (!readings++)
			value = r.value;
		wrong += r.code != CODE || r.value != value;
		atomic_store(&j->begun, true);
	}
	kl_answer(0, hash);
	kl_answer(1, (uint32_t)value);
	kl_answer(2, wrong);
	kl_say("%u blocks, %u readings", (unsigned int)blocks, (unsigned int)readings);
}

static void load_on(struct job *j)
{
	struct sched_param p = { .sched_priority = 1 };
	uint64_t start;
	struct kl_rng r;
	unsigned int i;

	kl_rng_init(&r, j->c, 1);
	while (!atomic_load(&j->begun))
		sleep_ms(1);
	start = kl_guest_ns();
	if (sched_setscheduler(0, SCHED_FIFO, &p))
		kl_die("sched_setscheduler: errno %d", errno);
	for (i = 0; i < LOADS && kl_guest_ns() - start < ENOUGH; i++) {
		struct timespec t = { .tv_nsec = AWAY + (long)kl_rng_below(&r, SPAN) };

		nanosleep(&t, NULL);
		if (table_load(j->fd, &j->tables, 1, 2 + i, NULL))
			kl_die("load %u: errno %d", i, errno);
	}
	p.sched_priority = 0;
	sched_setscheduler(0, SCHED_OTHER, &p);
	atomic_store(&j->loaded, true);
	kl_say("%u loads in %u ms", i, (unsigned int)((kl_guest_ns() - start) / 1000000));
}

static void task(unsigned int index, void *arg)
{
	if (index)
		load_on(arg);
	else
		poll_on(arg);
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct job j;

	j.c = c;
	j.fd = open_channel(0, O_RDWR);
	tables_make(c, POINTS, &j.tables);
	if (table_load(j.fd, &j.tables, 1, 1, NULL))
		kl_die("the first load: errno %d", errno);
	kl_threads(2, task, &j);
	close(j.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	kl_expect(0, values_hash(c, 0, POINTS, 0, COUNT), "values");
	kl_expect(1, (uint32_t)value_at(c, 0, POINTS, CODE), "value of a sample");
	kl_expect(2, 0, "answers that were not those of the table that they name");
}
#endif
