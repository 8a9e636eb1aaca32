/*
 * Time under load: silent clients must die when they are due, however busy the
 * supervisor keeps the monitor, and a client that beats must never miss. A timer
 * that gives way to whoever has the lock falls behind here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <klinic/check.h>

#include "../../handout/beatmon.h"

#define TICK_MS 8
#define SILENT	4
#define OTHERS	(BEATMON_MAX_CLIENTS - SILENT)
#define BUSY	BEATMON_MAX_CLIENTS /* the id at the end of the list */

static uint32_t timeout_of(const struct kl_challenge *c, unsigned int i)
{
	return 2 + c->bytes[i] % 3;
}

/* 8 to 10 ticks in all: long enough to drift, short enough to be cheap. */
static uint32_t limit_of(const struct kl_challenge *c, unsigned int i)
{
	return 8 / timeout_of(c, i) + (timeout_of(c, i) == 3);
}

#ifdef KL_GUEST
struct supervisor {
	const struct kl_challenge *c;
	int fd;
	volatile bool stop;
	uint64_t bad;
	uint64_t expected[SILENT], born[SILENT]; /* before and after BEATMON_ADD */
	uint64_t at_least_us[SILENT], at_most_us[SILENT], events[SILENT];
	uint64_t strangers;
};

static void add(struct supervisor *s, uint32_t id, uint32_t timeout, uint32_t limit)
{
	struct beatmon_add a = { .id = id, .timeout = timeout, .limit = limit };

	if (ioctl(s->fd, BEATMON_ADD, &a))
		kl_die("BEATMON_ADD of client %u: %s", id, strerror(errno));
}

static void wait_for_deaths(struct supervisor *s)
{
	unsigned int dead = 0;

	for (unsigned int i = 0; i < SILENT; i++) {
		s->expected[i] = kl_guest_ns();
		add(s, 1 + i, timeout_of(s->c, i), limit_of(s->c, i));
		s->born[i] = kl_guest_ns();
	}
	while (dead < SILENT) {
		struct beatmon_event event;

		if (read(s->fd, &event, sizeof(event)) != sizeof(event))
			kl_die("read: %s", strerror(errno));
		if (event.id < 1 || event.id > SILENT) {
			s->strangers++;
			continue;
		}
		s->events[event.id - 1]++;
		if (event.kind == BEATMON_DIED) {
			uint64_t now = kl_guest_ns();

			s->at_most_us[event.id - 1] = (now - s->expected[event.id - 1]) / 1000;
			s->at_least_us[event.id - 1] = (now - s->born[event.id - 1]) / 1000;
			dead++;
		}
	}
}

static void supervise(unsigned int index, void *arg)
{
	struct supervisor *s = arg;
	struct beatmon_beat beat = { .id = BUSY };

	if (index == 0) {
		wait_for_deaths(s);
		s->stop = true;
		return;
	}
	add(s, BUSY, 5, 1000000);
	/* Bounded for the case that nobody ever dies. */
	for (unsigned int i = 0; i < 4000 && !s->stop; i++)
		s->bad += ioctl(s->fd, BEATMON_BEAT, &beat) != 0;
	if (!s->stop)
		kl_die("silent clients are not declared dead");
}

void kl_check_run(const struct kl_challenge *c)
{
	struct supervisor s = { .c = c, .fd = kl_open_device("/dev/beatmon", O_RDWR) };

	if (ioctl(s.fd, BEATMON_TICK, TICK_MS))
		kl_die("BEATMON_TICK: %s", strerror(errno));
	for (unsigned int i = 0; i < OTHERS - 1; i++)
		add(&s, SILENT + 1 + i, 100000, 1);

	kl_threads(2, supervise, &s);

	for (unsigned int i = 0; i < SILENT; i++) {
		kl_answer(i, s.at_least_us[i]);
		kl_answer(SILENT + i, s.at_most_us[i]);
		kl_answer(2 * SILENT + i, s.events[i]);
	}
	kl_answer(3 * SILENT, s.strangers);
	kl_answer(3 * SILENT + 1, s.bad);
	close(s.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	for (unsigned int i = 0; i < SILENT; i++) {
		uint64_t ticks = timeout_of(c, i) * limit_of(c, i);

		/* The brief allows three ticks more; the first tick may come at once. */
		kl_expect_range(i, 0, (ticks + 3) * TICK_MS * 1000,
				"a silent client dies when it is due, also under load (us)");
		kl_expect_range(SILENT + i, (ticks - 1) * TICK_MS * 1000, UINT64_MAX,
				"a silent client does not die before its time (us)");
		kl_expect(2 * SILENT + i, limit_of(c, i), "one event for each miss");
	}
	kl_expect(3 * SILENT, 0, "a client that beats never misses");
	kl_expect(3 * SILENT + 1, 0, "every heartbeat is taken");
}
#endif
