/*
 * What the rest of the machine notices: a real-time thread that sleeps and wakes
 * while lists of a full table are read. It is late by as long as the driver keeps
 * interrupts, softirqs or preemption off.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <klinic/check.h>

#include "../../handout/beatmon.h"

#define CLIENTS	  BEATMON_MAX_CLIENTS
#define ROUNDS	  6
#define WAKEUPS	  40
#define PERIOD_NS 2500000ULL
#define LIMIT_NS  4000000ULL /* as the brief promises */

#ifdef KL_GUEST
struct supervisor {
	const struct kl_challenge *c;
	int fd;
	volatile bool stop;
	uint64_t worst_ns;
	uint64_t lists, hash;
};

static void measure(struct supervisor *s)
{
	struct sched_param fifo = { .sched_priority = 50 };
	uint64_t next;

	if (sched_setscheduler(0, SCHED_FIFO, &fifo))
		kl_die("sched_setscheduler: %s", strerror(errno));
	next = kl_guest_ns();
	for (unsigned int i = 0; i < WAKEUPS; i++) {
		uint64_t now;

		next += PERIOD_NS + s->c->bytes[i % 32] * 2048;
		struct timespec t = { .tv_sec = next / 1000000000, .tv_nsec = next % 1000000000 };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		now = kl_guest_ns();
		if (now > next && now - next > s->worst_ns)
			s->worst_ns = now - next;
		if (now > next)
			next = now;
	}
	s->stop = true;
}

static void supervise(unsigned int index, void *arg)
{
	static struct beatmon_status records[CLIENTS];
	struct supervisor *s = arg;
	struct beatmon_list l = { .from = 1, .count = CLIENTS, .records = (uintptr_t)records };

	if (index == 0) {
		measure(s);
		return;
	}
	while (!s->stop || !s->lists) {
		l.count = CLIENTS;
		if (ioctl(s->fd, BEATMON_LIST, &l) || l.count != CLIENTS)
			kl_die("BEATMON_LIST: %u records", l.count);
		s->lists++;
	}
	for (unsigned int i = 0; i < CLIENTS; i++) {
		s->hash = kl_hash(s->hash, &records[i].id, sizeof(records[i].id));
		s->hash = kl_hash(s->hash, &records[i].beats, sizeof(records[i].beats));
	}
}

void kl_check_run(const struct kl_challenge *c)
{
	struct supervisor s = {
		.c = c, .fd = kl_open_device("/dev/beatmon", O_RDWR), .hash = KL_HASH_INIT,
	};

	if (ioctl(s.fd, BEATMON_TICK, 20))
		kl_die("BEATMON_TICK: %s", strerror(errno));
	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct beatmon_add add = { .id = 1 + i, .timeout = 100000, .limit = 1 };

		if (ioctl(s.fd, BEATMON_ADD, &add))
			kl_die("BEATMON_ADD of client %u: %s", i, strerror(errno));
	}
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int i = 0; i < CLIENTS; i++) {
			struct beatmon_beat beat = { .id = 1 + i };

			if (ioctl(s.fd, BEATMON_BEAT, &beat))
				kl_die("BEATMON_BEAT: %s", strerror(errno));
		}
	kl_threads(2, supervise, &s);
	kl_say("%llu lists, longest delay %llu ns", (unsigned long long)s.lists,
	       (unsigned long long)s.worst_ns);
	kl_answer(0, s.worst_ns);
	kl_answer(1, s.hash);
	close(s.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	uint64_t hash = KL_HASH_INIT, beats = ROUNDS;

	(void)c;
	for (uint32_t id = 1; id <= CLIENTS; id++) {
		hash = kl_hash(hash, &id, sizeof(id));
		hash = kl_hash(hash, &beats, sizeof(beats));
	}
	kl_expect_range(0, 0, LIMIT_NS, "a list of a full table holds nobody up (ns)");
	kl_expect(1, hash, "the list is complete");
}
#endif
