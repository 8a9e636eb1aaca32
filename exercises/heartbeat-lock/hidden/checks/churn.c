/*
 * Clients that go while others are at them: every client of a full list is removed
 * and registered again, and in between it misses, is given the heartbeat that it was
 * late for, stands in a list that is being read, and has an event that is being read.
 * What belonged to a registration must go with it, and must not be taken from the
 * next one of the same id. Of a second monitor the last client goes while the first
 * one comes; others are closed with clients that miss.
 *
 * Before that, alone: how many events of a client may wait, and that reading them
 * makes room for as many again.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <klinic/check.h>

#include "../../handout/beatmon.h"

#define CLIENTS 40 /* in a list of several chunks, whatever their size */
#define REMOVALS (3 * CLIENTS)
#define SERIALS (CLIENTS + 1 + REMOVALS)
#define LAST	40 /* misses of the client that is looked at alone */
#define CLOSES	2
#define CHANGES	16
#define FOREVER 0x7fffffff

enum { ALONE = 1000 };

#ifdef KL_GUEST
struct supervisor {
	const struct kl_challenge *c;
	int fd;
	volatile bool stop;
	uint64_t serials;	  /* registrations so far */
	bool gone[SERIALS + 1];	  /* by serial: BEATMON_REMOVE has returned */
	uint64_t serial[CLIENTS]; /* of the client that has this id now */
	uint64_t ghosts;	  /* events of a registration that was gone before read() */
	uint64_t bad_lists, bad_beats, lost_too_soon;
	int other;
	unsigned int only; /* 0 or 1: its client, less 1 */
};

static void must(int ret, const char *what)
{
	if (ret)
		kl_die("%s: %s", what, strerror(errno));
}

static void nap(unsigned int ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000L };

	nanosleep(&t, NULL);
}

static void add(int fd, uint32_t id, uint32_t limit)
{
	struct beatmon_add a = { .id = id, .timeout = 1, .limit = limit };

	must(ioctl(fd, BEATMON_ADD, &a), "BEATMON_ADD");
}

static struct beatmon_status look(int fd, uint32_t id)
{
	struct beatmon_status status = { 0 };
	struct beatmon_list l = { .from = id, .count = 1, .records = (uintptr_t)&status };

	must(ioctl(fd, BEATMON_LIST, &l), "BEATMON_LIST");
	return status;
}

/* Nobody is registered but one client, nobody reads but us. */
static void look_at_one(struct supervisor *s)
{
	struct beatmon_event event;
	struct beatmon_status status = { 0 };
	uint64_t first = 0, read_in_all = 0, second = 0;
	uint32_t last = 0;
	bool rising = true;

	add(s->fd, ALONE, LAST);
	s->serials++;
	for (unsigned int naps = 0; naps < 400 && status.misses < 2 * BEATMON_UNREAD; naps++) {
		nap(4);
		status = look(s->fd, ALONE);
	}
	while (read(s->fd, &event, sizeof(event)) == sizeof(event)) {
		if (read_in_all < BEATMON_UNREAD)
			first = first * 64 + event.misses;
		rising = rising && event.misses > last && event.serial == 1;
		last = event.misses;
		read_in_all++;
	}
	for (unsigned int naps = 0; naps < 400 && status.state != BEATMON_DEAD; naps++) {
		nap(4);
		status = look(s->fd, ALONE);
	}
	for (; read(s->fd, &event, sizeof(event)) == sizeof(event); second++) {
		rising = rising && event.misses > last && event.serial == 1;
		last = event.misses;
	}
	kl_answer(0, first);
	kl_answer(1, rising);
	kl_answer(2, second);
	kl_answer(3, read_in_all + second + look(s->fd, ALONE).lost);
	must(ioctl(s->fd, BEATMON_REMOVE, ALONE), "BEATMON_REMOVE");
	s->gone[1] = true;
}

/* All of them, then a pause in which they miss again: who is busy with one meets it. */
static void come_and_go(struct supervisor *s)
{
	for (unsigned int n = 0; n < REMOVALS; n++) {
		unsigned int i = (n + s->c->bytes[n / CLIENTS]) % CLIENTS;

		must(ioctl(s->fd, BEATMON_REMOVE, 1 + i), "BEATMON_REMOVE");
		s->gone[s->serial[i]] = true;
		add(s->fd, 1 + i, FOREVER);
		s->serial[i] = ++s->serials;
		if (n % CLIENTS == CLIENTS - 1)
			nap(20);
	}
	s->stop = true;
}

static void heartbeats(struct supervisor *s)
{
	struct kl_rng which;

	kl_rng_init(&which, s->c, 11);
	for (unsigned int n = 0; n < 4000 && !s->stop; n++) {
		struct beatmon_beat beat = {
			.id = 1 + kl_rng_below(&which, CLIENTS),
		};

		s->bad_beats += ioctl(s->fd, BEATMON_BEAT, &beat) && errno != ENOENT;
	}
}

static void lists(struct supervisor *s)
{
	struct beatmon_status records[CLIENTS];

	for (unsigned int n = 0; n < 400 && !s->stop; n++) {
		struct beatmon_list l = {
			.from = 1, .count = CLIENTS, .records = (uintptr_t)records,
		};

		must(ioctl(s->fd, BEATMON_LIST, &l), "BEATMON_LIST");
		s->bad_lists += l.count > CLIENTS;
		for (unsigned int i = 0; i < l.count; i++) {
			s->bad_lists += records[i].id - 1 >= CLIENTS || !records[i].serial ||
					(i && records[i].id <= records[i - 1].id);
			/* Without a heartbeat each event is a miss, and the first ones find room. */
			s->lost_too_soon += !records[i].beats && records[i].lost &&
					    records[i].misses < records[i].lost + BEATMON_UNREAD;
		}
	}
}

static void events(struct supervisor *s)
{
	bool gone[SERIALS + 1];
	struct beatmon_event event;

	for (unsigned int n = 0; n < 4000 && !s->stop; n++) {
		memcpy(gone, s->gone, sizeof(gone));
		if (read(s->fd, &event, sizeof(event)) == sizeof(event))
			s->ghosts += event.serial > SERIALS || gone[event.serial];
		else
			nap(1);
	}
}

static void work(unsigned int index, void *arg)
{
	static void (*const jobs[])(struct supervisor *) = {
		come_and_go, heartbeats, lists, events,
	};

	jobs[index](arg);
}

/* When nobody takes any, each has as many events waiting as may. */
static uint64_t short_of_events(struct supervisor *s)
{
	unsigned int waiting[CLIENTS] = { 0 };
	struct beatmon_event event;
	uint64_t wrong = 0;

	nap(4 * (BEATMON_UNREAD + 8));
	/* No tick falls into the reading, not even one that was due already. */
	must(ioctl(s->fd, BEATMON_TICK, BEATMON_TICK_MS_MAX), "BEATMON_TICK");
	nap(12);
	while (read(s->fd, &event, sizeof(event)) == sizeof(event))
		if (event.id - 1 < CLIENTS)
			waiting[event.id - 1]++;
	for (unsigned int i = 0; i < CLIENTS; i++)
		wrong += waiting[i] != BEATMON_UNREAD;
	return wrong;
}

static void change_the_only_one(unsigned int index, void *arg)
{
	struct supervisor *s = arg;

	if (index)
		add(s->other, 1 + !s->only, FOREVER);
	else
		must(ioctl(s->other, BEATMON_REMOVE, 1 + s->only), "BEATMON_REMOVE");
}

/* Who stops the clock for the one that goes must not stop it for the one that comes. */
static uint64_t stopped_clocks(struct supervisor *s)
{
	uint64_t stopped = 0;

	s->other = kl_open_device("/dev/beatmon", O_RDWR | O_NONBLOCK);
	must(ioctl(s->other, BEATMON_TICK, 4), "BEATMON_TICK");
	add(s->other, 1 + s->only, FOREVER);
	for (unsigned int n = 0; n < CHANGES; n++) {
		struct pollfd p = { .fd = s->other, .events = POLLIN };

		kl_threads(2, change_the_only_one, s);
		s->only = !s->only;
		stopped += poll(&p, 1, 200) != 1;
	}
	close(s->other);
	return stopped;
}

static void close_at_any_moment(unsigned int index, void *arg)
{
	struct supervisor *s = arg;

	if (index) {
		/* Somebody to take the time of the one who closes. */
		while (!s->stop)
			look(s->fd, 1);
		return;
	}
	for (unsigned int n = 0; n < CLOSES; n++) {
		int fd = kl_open_device("/dev/beatmon", O_RDWR | O_NONBLOCK);

		must(ioctl(fd, BEATMON_TICK, 4), "BEATMON_TICK");
		for (unsigned int i = 0; i < CLIENTS; i++)
			add(fd, 1 + i, FOREVER);
		close(fd);
	}
	s->stop = true;
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct supervisor s;

	s.c = c;
	s.fd = kl_open_device("/dev/beatmon", O_RDWR | O_NONBLOCK);
	must(ioctl(s.fd, BEATMON_TICK, 4), "BEATMON_TICK");
	look_at_one(&s);

	for (unsigned int i = 0; i < CLIENTS; i++) {
		add(s.fd, 1 + i, FOREVER);
		s.serial[i] = ++s.serials;
	}
	nap(10);
	kl_threads(4, work, &s);
	kl_answer(4, s.ghosts);
	kl_answer(5, s.bad_lists);
	kl_answer(6, s.bad_beats);
	kl_answer(7, short_of_events(&s));

	kl_answer(9, s.lost_too_soon);
	kl_answer(10, stopped_clocks(&s));
	s.stop = false;
	kl_threads(2, close_at_any_moment, &s);
	kl_answer(8, look(s.fd, CLIENTS).id);
	close(s.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	uint64_t first = 0;

	(void)c;
	for (unsigned int i = 1; i <= BEATMON_UNREAD; i++)
		first = first * 64 + i;
	kl_expect(0, first, "each miss is one event, in order, while few wait");
	kl_expect(1, 1, "events come in order");
	kl_expect(2, BEATMON_UNREAD, "as many events wait as may, and reading makes room");
	kl_expect(3, LAST, "an event is read or counted as lost");
	kl_expect(4, 0, "a removed client takes its events along");
	kl_expect(5, 0, "the list is in order while clients come and go");
	kl_expect(6, 0, "heartbeats are taken while clients come and go");
	kl_expect(7, 0, "reading makes room for the next events of a client");
	kl_expect(9, 0, "no event is lost while fewer than BEATMON_UNREAD wait");
	kl_expect(10, 0, "time goes on for a client that comes when the last one goes");
	kl_expect(8, CLIENTS, "one monitor does not notice that another is closed");
}
#endif
