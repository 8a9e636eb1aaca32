// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, under many schedules: two service tools loading tables of
 * different width, pollers on a channel that each table has and on one that
 * comes and goes, a waiting reader, and the attribute in sysfs.
 */
#include "../../handout/checks/tables.h"

#ifdef KL_GUEST
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#endif

#define POINTS	 40
#define BLOCK	 192
#define ROUNDS	 6
#define LAST	 (LINCAL_CHANNELS - 1) /* the channel that comes and goes */
#define CODE	 (-77777)
#define NUMBER_B 500 /* marks of the second loader start here */

#define GENERATIONS (2 * ROUNDS + 4) /* the first is the module's own, and there is no 0 */

enum { CONVERT_ALWAYS, CONVERT_SOMETIMES, WAIT, LOAD_A, LOAD_B, FEED, TASKS };

#ifdef KL_GUEST
struct job {
	const struct kl_challenge *c;
	struct tables tables[2];
	int fd, wait_fd;
	atomic_bool last;
	uint32_t number_of[GENERATIONS]; /* as the loaders were told */
	struct seen {
		uint32_t generation, number;
	} block[2 * ROUNDS];
	struct lincal_reading reading[512];
	unsigned int blocks, readings;
};

static void load_one(struct job *j, struct tables *t, unsigned int channels, unsigned int number)
{
	uint32_t generation;
	int err = table_load(j->fd, t, channels, number, &generation);

	if (err)
		kl_die("load %u: errno %d", number, -err);
	if (generation >= GENERATIONS)
		kl_die("load %u: generation %u", number, generation);
	j->number_of[generation] = number;
}

static void convert_always(struct job *j)
{
	int32_t codes[BLOCK], values[BLOCK];
	uint32_t number, generation, last = 0;
	uint64_t hash = 0, right = 0;

	codes_of(j->c, 0, codes, BLOCK);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t h;

		if (convert(j->fd, 0, codes, values, BLOCK, &number, &generation))
			continue;
		j->block[i] = (struct seen){ generation, number };
		h = kl_hash(KL_HASH_INIT, values, sizeof(values));
		if (!i)
			hash = h;
		/* Tables never come back: the generations a poller sees do not fall. */
		right += h == hash && number != UINT32_MAX && generation >= last;
		last = generation;
	}
	kl_answer(0, hash);
	kl_answer(1, right);
}

static void convert_sometimes(struct job *j)
{
	int32_t codes[BLOCK], values[BLOCK];
	uint32_t number, generation;
	uint64_t hash = 0, wrong = 0;
	char text[32];

	codes_of(j->c, 1, codes, BLOCK);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		int err = convert(j->fd, LAST, codes, values, BLOCK, &number, &generation);
		uint64_t h = kl_hash(KL_HASH_INIT, values, sizeof(values));

		if (err == -ENODATA)
			continue;
		if (!hash)
			hash = h;
		wrong += err || h != hash || number == UINT32_MAX;
		j->block[ROUNDS + i] = (struct seen){ generation, number };
		if (kl_read_file("/sys/class/misc/lincal/generation", text, sizeof(text)) <= 0 ||
		    strtoul(text, NULL, 10) < generation)
			wrong++;
	}
	kl_answer(2, wrong);
}

static uint64_t read_one(struct job *j)
{
	struct lincal_reading r;

	if (read(j->wait_fd, &r, sizeof(r)) != sizeof(r))
		return errno == ENODATA ? 0 : 1;
	j->reading[j->readings++] = r;
	return r.code != CODE;
}

/* When all are done: does each generation that came with values name the table they are from? */
static void compare(struct job *j)
{
	uint64_t wrong = 0;
	int32_t value = 0;

	for (unsigned int i = 0; i < 2 * ROUNDS; i++) {
		struct seen *s = &j->block[i];

		wrong += s->generation >= GENERATIONS || s->number != j->number_of[s->generation];
	}
	for (unsigned int i = 0; i < j->readings; i++) {
		struct lincal_reading *r = &j->reading[i];

		if (r->generation >= GENERATIONS) {
			wrong++;
			continue;
		}
		r->value -= (int32_t)j->number_of[r->generation] * MARK_STEP;
		if (!i)
			value = r->value;
		wrong += r->value != value;
	}
	kl_answer(4, (uint32_t)value);
	kl_answer(9, wrong);
}

/*
 * The channel may be gone when a sample comes, and the sample with it. Before
 * the last is fed another one is bound to come, and waiting is safe.
 */
static void wait_samples(struct job *j)
{
	struct pollfd p = { .fd = j->wait_fd, .events = POLLIN };
	uint64_t wrong = 0;

	for (unsigned int i = 0; i < 500 && (!atomic_load(&j->last) || poll(&p, 1, 0)); i++) {
		wrong += read_one(j);
		sched_yield();
	}
	kl_answer(3, wrong);
}

static void load(struct job *j, unsigned int which)
{
	unsigned int number = which ? NUMBER_B : 2;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned int channels = i % 2 == which ? LINCAL_CHANNELS : 3;

		load_one(j, &j->tables[which], channels, number + i);
	}
}

static void feed_one(struct job *j, bool last)
{
	atomic_store(&j->last, last);
	feed(j->fd, LAST, CODE);
}

static void task(unsigned int index, void *arg)
{
	struct job *j = arg;

	switch (index) {
	case CONVERT_ALWAYS:
		convert_always(j);
		break;
	case CONVERT_SOMETIMES:
		convert_sometimes(j);
		break;
	case WAIT:
		wait_samples(j);
		break;
	case LOAD_A:
	case LOAD_B:
		load(j, index - LOAD_A);
		break;
	case FEED:
		for (unsigned int i = 0; i < ROUNDS; i++)
			feed_one(j, i + 1 == ROUNDS);
		break;
	}
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct job j;
	int32_t codes[BLOCK], values[BLOCK];
	uint32_t number, generation;
	struct lincal_info info;

	j.c = c;
	j.fd = kl_open_device(DEVICE, O_RDWR);
	tables_make(c, POINTS, &j.tables[0]);
	tables_make(c, POINTS, &j.tables[1]);
	load_one(&j, &j.tables[0], LINCAL_CHANNELS, 1);
	j.wait_fd = open_channel(LAST, O_RDONLY);
	kl_threads(TASKS, task, &j);
	/* The reader of LAST may have been refused to the end; nobody is now. */
	load_one(&j, &j.tables[0], LINCAL_CHANNELS, 400);
	feed(j.fd, LAST, CODE);
	if (read_one(&j))
		kl_die("the last read: errno %d", errno);
	codes_of(c, 1, codes, BLOCK);
	if (convert(j.fd, LAST, codes, values, BLOCK, &number, &generation))
		kl_die("the last conversion: errno %d", errno);
	kl_answer(5, kl_hash(KL_HASH_INIT, values, sizeof(values)));
	kl_answer(6, number);
	compare(&j);
	if (ioctl(j.fd, LINCAL_IOC_INFO, &info))
		kl_die("LINCAL_IOC_INFO: errno %d", errno);
	kl_answer(7, info.loads);
	kl_answer(8, generation - info.loads);
	close(j.wait_fd);
	close(j.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	kl_expect(0, values_hash(c, 0, POINTS, 0, BLOCK), "values of the lasting channel");
	kl_expect(1, ROUNDS, "blocks of the lasting channel from one table each");
	kl_expect(2, 0, "blocks of the passing channel that were wrong");
	kl_expect(3, 0, "samples with another code");
	kl_expect(4, (uint32_t)value_at(c, LAST, POINTS, CODE),
		  "value of a sample, without the mark of its generation");
	kl_expect(5, values_hash(c, LAST, POINTS, 1, BLOCK), "values of the passing channel");
	kl_expect(6, 400, "table that is live at the end");
	kl_expect(7, 2 * ROUNDS + 2, "loads");
	kl_expect(8, 1, "generation, counted from the number of loads");
	kl_expect(9, 0, "answers whose values and generation are of two tables");
}
#endif
