// SPDX-License-Identifier: GPL-2.0-only
/*
 * A poller waits for a sample for a long time. Meanwhile tables are loaded,
 * others convert and read, none of them held up; then its own channel is gone
 * from the live table when the sample comes at last.
 */
#include "../../handout/checks/tables.h"

#define POINTS 32
#define BLOCK  200
#define LAST   (LINCAL_CHANNELS - 1)
#define CODE   424242
#define LOADS  12
#define WAIT   25000 /* ms */
#define SOON   1000000000ULL /* ns */

enum { FIRST_WAITER, SECOND_WAITER, BUSY, FEED, TASKS };

#ifdef KL_GUEST
struct job {
	const struct kl_challenge *c;
	struct tables tables;
	int fd, wait_fd[2];
	uint64_t slowest[3]; /* load, convert, read */
	uint64_t hash;
};

static void slowest(uint64_t *worst, uint64_t *start)
{
	uint64_t now = kl_guest_ns();

	if (now - *start > *worst)
		*worst = now - *start;
	*start = now;
}

/* The first one's channel is in every table, the second one's is gone at the end. */
static void waiter(struct job *j, unsigned int which)
{
	struct lincal_reading r = { 0 };
	ssize_t n = read(j->wait_fd[which], &r, sizeof(r));

	if (which && n < 0 && errno == ENODATA) {
		kl_answer(6, (uint32_t)CODE);
		kl_answer(7, 0);
		return;
	}
	if (n != sizeof(r))
		kl_die("waiting read: errno %d", errno);
	/* The table with number n is the nth load, and the module starts with generation 1. */
	r.value -= (int32_t)(r.generation - 1) * MARK_STEP;
	if (which) {
		kl_answer(6, (uint32_t)r.code);
		kl_answer(7, 0);
		kl_say("a reading from generation %u", r.generation);
	} else {
		kl_answer(4, (uint32_t)r.value);
		kl_answer(5, r.generation);
	}
}

static void busy(struct job *j)
{
	int32_t codes[BLOCK], values[BLOCK];
	int fd = open_channel(1, O_RDWR);

	codes_of(j->c, 1, codes, BLOCK);
	sleep_ms(50); /* the others are asleep in their reads now */
	for (unsigned int i = 0; i < LOADS; i++) {
		unsigned int channels = i % 3 == 2 || i == LOADS - 1 ? 4 : LINCAL_CHANNELS;
		uint64_t start = kl_guest_ns();
		uint32_t number, generation;
		struct lincal_reading r;

		if (table_load(j->fd, &j->tables, channels, 2 + i, &generation))
			kl_die("load: errno %d", errno);
		slowest(&j->slowest[0], &start);
		if (convert(j->fd, 1, codes, values, BLOCK, &number, &generation) ||
		    number != 2 + i)
			kl_die("conversion after load %u: errno %d, table %u", i, errno, number);
		slowest(&j->slowest[1], &start);
		feed(fd, 1, CODE);
		if (read(fd, &r, sizeof(r)) != sizeof(r) || r.code != CODE)
			kl_die("read: errno %d", errno);
		slowest(&j->slowest[2], &start);
		j->hash = kl_hash(KL_HASH_INIT, values, sizeof(values));
	}
	close(fd);
}

static void task(unsigned int index, void *arg)
{
	struct job *j = arg;

	switch (index) {
	case FIRST_WAITER:
	case SECOND_WAITER:
		waiter(j, index);
		break;
	case BUSY:
		busy(j);
		break;
	case FEED:
		sleep_ms(WAIT);
		feed(j->fd, 0, CODE);
		feed(j->fd, LAST, CODE);
		break;
	}
}

void kl_check_run(const struct kl_challenge *c)
{
	struct job j = { .c = c, .fd = kl_open_device(DEVICE, O_RDWR) };

	tables_make(c, POINTS, &j.tables);
	if (table_load(j.fd, &j.tables, LINCAL_CHANNELS, 1, NULL))
		kl_die("the first load: errno %d", errno);
	j.wait_fd[0] = open_channel(0, O_RDONLY);
	j.wait_fd[1] = open_channel(LAST, O_RDONLY);
	kl_threads(TASKS, task, &j);
	kl_answer(0, j.hash);
	for (unsigned int i = 0; i < 3; i++)
		kl_answer(1 + i, j.slowest[i]);
	close(j.wait_fd[0]);
	close(j.wait_fd[1]);
	close(j.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	kl_expect(0, values_hash(c, 1, POINTS, 1, BLOCK), "values of the busy poller");
	kl_expect_range(1, 0, SOON, "longest load while pollers wait, ns");
	kl_expect_range(2, 0, SOON, "longest conversion while others wait, ns");
	kl_expect_range(3, 0, SOON, "longest read while others wait, ns");
	kl_expect(4, (uint32_t)value_at(c, 0, POINTS, CODE), "value of the sample waited for");
	kl_expect_range(5, 2, 2 + LOADS, "generation of the sample waited for");
	kl_expect(6, CODE, "sample of a channel that has gone");
	kl_expect(7, 0, "end of the wait for a channel that has gone");
}
#endif
