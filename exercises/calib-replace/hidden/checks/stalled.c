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

#ifdef KL_GUEST
struct job {
	struct stall stall;
	struct tables tables;
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
		if (table_load(j->fd, &j->tables, LINCAL_CHANNELS, number++, NULL))
			kl_die("load: errno %d", errno);
		if (kl_guest_ns() - start < 1000000000) {
			/* The poller is still away: long enough for whatever was put off. */
			sleep_ms(6500);
			kl_slab_objects("kmalloc-4k");
			kl_slab_objects("kmalloc-96");
			kl_slab_objects("kmalloc-128");
		}
		for (unsigned int i = 0; i < 2; i++)
			if (table_load(j->fd, &j->tables, LINCAL_CHANNELS, number++, NULL))
				kl_die("load: errno %d", errno);
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
	if (table_load(j.fd, &j.tables, LINCAL_CHANNELS, 1, NULL))
		kl_die("the first load: errno %d", errno);
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
	kl_expect(2, 2 + 3 * ROUNDS, "loads that went through");
}
#endif
