// SPDX-License-Identifier: GPL-2.0-only
/*
 * A poller that is off the CPU in the middle of a conversion holds up no other
 * poller. It may be so, once in a while, if it was stopped where it held a lock
 * for a moment: less than half of the tries are let pass.
 */
#include "stalled.h"

#define POINTS 64
#define SMALL  16
#define TRIES  8
#define PERIOD 2000 /* ms */

#ifdef KL_GUEST
struct job {
	const struct kl_challenge *c;
	struct stall stall;
	int fd;
	int32_t codes[LINCAL_BATCH_MAX], values[LINCAL_BATCH_MAX];
};

static void one(void *arg)
{
	struct job *j = arg;
	uint32_t number, generation;

	if (convert(j->fd, 3, j->codes, j->values, LINCAL_BATCH_MAX, &number, &generation))
		kl_die("conversion of the first poller: errno %d", errno);
}

static void other_poller(struct job *j)
{
	int32_t codes[SMALL], values[SMALL];
	int fd = open_channel(2, O_RDWR);
	uint64_t hash = 0, held_up = 0;
	struct lincal_reading r;

	codes_of(j->c, 2, codes, SMALL);
	for (unsigned int n = 1; n <= TRIES; n++) {
		uint32_t number, generation;
		uint64_t start;

		stall_begin(&j->stall, n);
		start = kl_guest_ns();
		if (convert(fd, 2, codes, values, SMALL, &number, &generation))
			kl_die("conversion of the second poller: errno %d", errno);
		feed(fd, 2, (int32_t)n);
		if (read(fd, &r, sizeof(r)) != sizeof(r) || r.code != (int32_t)n)
			kl_die("reading of the second poller: errno %d", errno);
		held_up += kl_guest_ns() - start > 300000000;
		hash = kl_hash(KL_HASH_INIT, values, sizeof(values));
		sleep_ms(20);
	}
	kl_answer(0, hash);
	kl_answer(1, held_up);
	kl_say("held up %u times", (unsigned int)held_up);
	close(fd);
}

static void task(unsigned int index, void *arg)
{
	struct job *j = arg;

	if (!index) {
		other_poller(j);
		return;
	}
	for (unsigned int n = 1; n <= TRIES; n++)
		stall_round(&j->stall, n, one, j);
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct job j;
	struct tables t;

	j.c = c;
	j.fd = kl_open_device(DEVICE, O_RDWR);
	tables_make(c, POINTS, &t);
	if (table_load(j.fd, &t, LINCAL_CHANNELS, 1, NULL))
		kl_die("the load: errno %d", errno);
	codes_of(c, 3, j.codes, LINCAL_BATCH_MAX);
	stall_setup(PERIOD);
	kl_threads(2, task, &j);
	stall_restore();
	close(j.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	kl_expect(0, values_hash(c, 2, POINTS, 2, SMALL), "values of the second poller");
	kl_expect_range(1, 0, TRIES / 2 - 1, "tries in which the second poller was held up");
}
#endif
