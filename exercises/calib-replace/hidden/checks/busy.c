// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pollers convert without a pause, so that there is hardly a moment without a
 * conversion under way. A load may wait for those that were under way when it
 * came; it may not wait for the pollers to end.
 */
#include "../../handout/checks/tables.h"

#ifdef KL_GUEST
#include <stdatomic.h>
#endif

#define POINTS	64
#define POLLERS 8
#define BLOCKS	150 /* of each poller, at most */
#define LOADS	3

#ifdef KL_GUEST
struct job {
	const struct kl_challenge *c;
	struct tables tables;
	int fd;
	atomic_uint blocks;
	atomic_bool loaded;
};

static void poller(struct job *j, unsigned int index)
{
	static int32_t codes[POLLERS][LINCAL_BATCH_MAX], values[POLLERS][LINCAL_BATCH_MAX];
	int fd = kl_open_device(DEVICE, O_RDWR);
	uint32_t number, generation;

	codes_of(j->c, index, codes[index], LINCAL_BATCH_MAX);
	for (unsigned int i = 0; i < BLOCKS && !atomic_load(&j->loaded); i++) {
		if (convert(fd, index, codes[index], values[index], LINCAL_BATCH_MAX, &number,
			    &generation))
			kl_die("conversion by poller %u: errno %d", index, errno);
		atomic_fetch_add(&j->blocks, 1);
	}
	close(fd);
}

static void task(unsigned int index, void *arg)
{
	struct job *j = arg;
	unsigned int most = 0;

	if (index < POLLERS) {
		poller(j, index);
		return;
	}
	while (atomic_load(&j->blocks) < POLLERS)
		sleep_ms(1);
	for (unsigned int i = 0; i < LOADS; i++) {
		unsigned int before = atomic_load(&j->blocks), blocks;

		if (table_load(j->fd, &j->tables, LINCAL_CHANNELS, 2 + i, NULL))
			kl_die("load %u: errno %d", i, errno);
		blocks = atomic_load(&j->blocks) - before;
		kl_say("%u blocks during a load", blocks);
		if (blocks > most)
			most = blocks;
	}
	atomic_store(&j->loaded, true);
	kl_answer(0, most);
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct job j;

	j.c = c;
	j.fd = kl_open_device(DEVICE, O_RDWR);
	tables_make(c, POINTS, &j.tables);
	if (table_load(j.fd, &j.tables, LINCAL_CHANNELS, 1, NULL))
		kl_die("the first load: errno %d", errno);
	kl_threads(POLLERS + 1, task, &j);
	close(j.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	(void)c;
	kl_expect_range(0, 0, POLLERS * BLOCKS / 3, "blocks converted while a load waited");
}
#endif
