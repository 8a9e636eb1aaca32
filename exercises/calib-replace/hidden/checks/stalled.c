// SPDX-License-Identifier: GPL-2.0-only
/*
 * A poller that is off the CPU for seconds in the middle of a conversion, while
 * tables are loaded and the memory of old ones is used again: the block it
 * comes back with must be that of one table all the same.
 */
#include "stalled.h"

#define POINTS 256
#define ROUNDS 4
#define PERIOD 8000 /* ms */
#define MANY   40 /* loads within one stall: more than somebody keeps spare tables */

#ifdef KL_GUEST
struct job {
	struct stall stall;
	struct tables tables, small;
	int fd;
	int32_t codes[LINCAL_BATCH_MAX], values[LINCAL_BATCH_MAX];
	uint64_t hash, wrong;
};

static void one(void *arg)
{
	struct job *j = arg;
	uint32_t number, generation;
	uint64_t h;

	if (convert(j->fd, 3, j->codes, j->values, LINCAL_BATCH_MAX, &number, &generation))
		j->wrong++;
	h = kl_hash(KL_HASH_INIT, j->values, sizeof(j->values));
	if (!j->hash)
		j->hash = h;
	/* The module starts with generation 1, and the table with number n is the nth load. */
	j->wrong += h != j->hash || generation != number + 1;
}

static void load(struct job *j, struct tables *t, unsigned int number)
{
	if (table_load(j->fd, t, LINCAL_CHANNELS, number, NULL))
		kl_die("load %u: errno %d", number, errno);
}

static void task(unsigned int index, void *arg)
{
	struct job *j = arg;
	unsigned int number = 2;

	for (unsigned int n = 1; n <= ROUNDS; n++) {
		uint64_t start;

		if (index) {
			stall_round(&j->stall, n, one, j);
			continue;
		}
		stall_begin(&j->stall, n);
		start = kl_guest_ns();
		load(j, &j->tables, number++);
		if (kl_guest_ns() - start < 1000000000) {
			for (unsigned int i = 0; n == 2 && i < MANY; i++)
				load(j, &j->small, number++);
			/* Who was stalled before it took a table comes back to one of the usual ones. */
			if (n == 2)
				load(j, &j->tables, number++);
			/* The poller is still away: long enough for whatever was put off. */
			sleep_ms(6500);
			kl_slab_objects("kmalloc-4k");
			kl_slab_objects("kmalloc-96");
			kl_slab_objects("kmalloc-128");
		}
		for (unsigned int i = 0; i < 2; i++)
			load(j, &j->tables, number++);
		sleep_ms(20);
	}
	if (!index)
		kl_answer(2, number);
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct job j;

	j.fd = kl_open_device(DEVICE, O_RDWR);
	tables_make(c, POINTS, &j.tables);
	codes_of(c, 3, j.codes, LINCAL_BATCH_MAX);
	tables_make(c, 8, &j.small);
	load(&j, &j.tables, 1);
	stall_setup(PERIOD);
	kl_threads(2, task, &j);
	stall_restore();
	kl_answer(0, j.hash);
	kl_answer(1, j.wrong);
	kl_say("%u blocks", atomic_load(&j.stall.blocks));
	close(j.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	kl_expect(0, values_hash(c, 3, POINTS, 3, LINCAL_BATCH_MAX), "values");
	kl_expect(1, 0, "blocks that were not those of one table");
	kl_expect_range(2, 2 + 3 * ROUNDS, 2 + 3 * ROUNDS + MANY + 1, "loads that went through");
}
#endif
