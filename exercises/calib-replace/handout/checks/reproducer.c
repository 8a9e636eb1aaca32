// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two pollers convert blocks, one reads samples as they come, while the service
 * tool loads one table after the other. Every block must come from one table,
 * and the kernel must have nothing to say.
 */
#include "tables.h"

#define POINTS 48
#define BLOCK  192
#define ROUNDS 6
#define CODE   0x1234

enum { CONVERT_A, CONVERT_B, POLL, LOAD, FEED, TASKS };

#ifdef KL_GUEST
struct job {
	const struct kl_challenge *c;
	struct tables tables;
	int fd; /* for reading and writing */
	int poll_fd;
	uint32_t first; /* generation of the table with number 1 */
};

static void convert_blocks(struct job *j, unsigned int task)
{
	int32_t codes[BLOCK], values[BLOCK];
	uint64_t right = 0;
	uint64_t hash = 0;

	codes_of(j->c, task, codes, BLOCK);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint32_t number, generation;
		uint64_t h;

		if (convert(j->fd, task, codes, values, BLOCK, &number, &generation))
			continue;
		h = kl_hash(KL_HASH_INIT, values, sizeof(values));
		if (!i)
			hash = h;
		right += h == hash && generation == j->first + number - 1;
	}
	kl_answer(2 * task, hash);
	kl_answer(2 * task + 1, right);
}

static void poll_samples(struct job *j)
{
	uint64_t wrong = 0;
	struct lincal_reading r;
	int32_t value = 0;
	bool first = true;

	do {
		if (read(j->poll_fd, &r, sizeof(r)) != sizeof(r))
			kl_die("read: errno %d", errno);
		r.value -= (int32_t)(r.generation - j->first + 1) * MARK_STEP;
		if (first)
			value = r.value;
		first = false;
		wrong += r.code != CODE || r.value != value;
	} while (r.sequence < ROUNDS);
	kl_answer(4, (uint32_t)value);
	kl_answer(5, wrong);
}

static void task(unsigned int index, void *arg)
{
	struct job *j = arg;

	switch (index) {
	case CONVERT_A:
	case CONVERT_B:
		convert_blocks(j, index);
		break;
	case POLL:
		poll_samples(j);
		break;
	case LOAD:
		for (unsigned int i = 0; i < ROUNDS; i++)
			if (table_load(j->fd, &j->tables, 4, 2 + i, NULL))
				kl_die("load %u: errno %d", i, errno);
		break;
	case FEED:
		for (unsigned int i = 0; i < ROUNDS; i++)
			feed(j->fd, POLL, CODE);
		break;
	}
}

void kl_check_run(const struct kl_challenge *c)
{
	struct job j = { .c = c, .fd = kl_open_device(DEVICE, O_RDWR) };

	tables_make(c, POINTS, &j.tables);
	if (table_load(j.fd, &j.tables, 4, 1, &j.first))
		kl_die("the first load: errno %d", errno);
	/* Before anything is fed: a file delivers what comes after it was opened. */
	j.poll_fd = open_channel(POLL, O_RDONLY);
	kl_threads(TASKS, task, &j);
	close(j.poll_fd);
	close(j.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	kl_expect(0, values_hash(c, CONVERT_A, POINTS, CONVERT_A, BLOCK), "values of poller A");
	kl_expect(1, ROUNDS, "blocks of poller A from one table each");
	kl_expect(2, values_hash(c, CONVERT_B, POINTS, CONVERT_B, BLOCK), "values of poller B");
	kl_expect(3, ROUNDS, "blocks of poller B from one table each");
	kl_expect(4, (uint32_t)value_at(c, POLL, POINTS, CODE), "value of the first sample");
	kl_expect(5, 0, "samples with another code or value");
}
#endif
