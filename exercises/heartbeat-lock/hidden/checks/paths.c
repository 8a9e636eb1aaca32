/*
 * Every way into the driver, at once and while the monitor ticks: misses, deaths
 * and recoveries are posted, read, polled for and purged, clients come and go, the
 * tick is changed, the list and the counters are read.
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

#define MORTALS	   4 /* die in silence */
#define BEATEN	   24 /* get heartbeats all the time */
#define GUESTS	   12 /* come and go */
#define ROUNDS	   8
#define RECOVERIES 2
#define FOREVER	   0x7fffffff

enum { FIRST_MORTAL = 10, FIRST_BEATEN = 100, FIRST_GUEST = 200, SLEEPY = 300 };

static uint64_t fold(uint64_t signature, uint64_t token)
{
	return ((signature << 9 | signature >> 55) ^ token) * 0x9e3779b97f4a7c15ULL;
}

#ifdef KL_GUEST
struct supervisor {
	const struct kl_challenge *c;
	int fd;
	unsigned int died[MORTALS], last_misses[MORTALS];
	unsigned int recovered;
	uint64_t strangers; /* events that nobody should have caused */
	uint64_t mortal_signatures;
	unsigned int guests_served;
	uint64_t bad_lists;
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

static void add(struct supervisor *s, uint32_t id, uint32_t timeout, uint32_t limit)
{
	struct beatmon_add a = {
		.id = id, .timeout = timeout, .limit = limit, .signature = s->c->seed ^ id,
	};

	must(ioctl(s->fd, BEATMON_ADD, &a), "BEATMON_ADD");
}

static void beat(struct supervisor *s, uint32_t id, uint64_t token)
{
	struct beatmon_beat b = { .id = id, .token = token };

	must(ioctl(s->fd, BEATMON_BEAT, &b), "BEATMON_BEAT");
}

static unsigned int list(struct supervisor *s, uint32_t from, struct beatmon_status *records,
			 unsigned int n)
{
	struct beatmon_list l = { .from = from, .count = n, .records = (uintptr_t)records };

	must(ioctl(s->fd, BEATMON_LIST, &l), "BEATMON_LIST");
	return l.count;
}

static void heartbeats(struct supervisor *s)
{
	struct kl_rng tokens;

	kl_rng_init(&tokens, s->c, 7);
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int i = 0; i < BEATEN; i++)
			beat(s, FIRST_BEATEN + i, kl_rng_u64(&tokens));
}

/* Guests miss at once, so that their events wait in the queue when they go. */
static void come_and_go(struct supervisor *s)
{
	for (unsigned int i = 0; i < GUESTS; i++) {
		struct beatmon_beat stale = { .id = FIRST_GUEST + i };

		add(s, FIRST_GUEST + i, i % 2 ? 1 : FOREVER, FOREVER);
		if (i % 2)
			nap(6);
		must(ioctl(s->fd, BEATMON_REMOVE, FIRST_GUEST + i), "BEATMON_REMOVE");
		if (ioctl(s->fd, BEATMON_BEAT, &stale) && errno == ENOENT)
			s->guests_served++;
	}
}

static void look_and_tune(struct supervisor *s)
{
	struct beatmon_status records[MORTALS + BEATEN + 4];
	struct beatmon_stats stats;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		unsigned int n = list(s, 1, records, MORTALS + BEATEN + 4);

		for (unsigned int i = 1; i < n; i++)
			s->bad_lists += records[i].id <= records[i - 1].id;
		s->bad_lists += n < MORTALS + BEATEN;
		must(ioctl(s->fd, BEATMON_STATS, &stats), "BEATMON_STATS");
		if (round % 4 == 1)
			must(ioctl(s->fd, BEATMON_TICK, round % 8 == 1 ? 8 : 4), "BEATMON_TICK");
		nap(1);
	}
}

static void recover(struct supervisor *s)
{
	/* Misses are far apart: the event of the recovery must find room in the queue. */
	add(s, SLEEPY, 30, FOREVER);
	for (unsigned int i = 0; i < RECOVERIES; i++) {
		struct beatmon_status status = { 0 };

		for (unsigned int naps = 0; naps < 400 && !status.misses; naps++) {
			nap(2);
			list(s, SLEEPY, &status, 1);
		}
		beat(s, SLEEPY, i);
	}
}

static bool all_read(const struct supervisor *s)
{
	bool all = s->recovered == RECOVERIES;

	for (unsigned int i = 0; i < MORTALS; i++)
		all = all && s->died[i];
	return all;
}

static void take_event(struct supervisor *s, const struct beatmon_event *event)
{
	uint32_t i = event->id - FIRST_MORTAL;

	if (event->id >= FIRST_MORTAL && i < MORTALS) {
		s->died[i] += event->kind == BEATMON_DIED;
		s->last_misses[i] = event->misses;
		if (event->kind == BEATMON_DIED)
			s->mortal_signatures += event->signature;
	} else if (event->id == SLEEPY) {
		s->recovered += event->kind == BEATMON_RECOVERED;
	} else if (event->id < FIRST_GUEST || event->id >= FIRST_GUEST + GUESTS) {
		s->strangers++;
	}
}

static void read_events(struct supervisor *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	struct beatmon_event events[3];

	/* SLEEPY misses all the time: a blocking read comes back. */
	for (unsigned int turn = 0; turn < 400 && !all_read(s); turn++) {
		if (turn % 2 && poll(&p, 1, 100) <= 0)
			continue;
		ssize_t n = read(s->fd, events, sizeof(events));
		if (n < 0)
			kl_die("read: %s", strerror(errno));
		for (size_t i = 0; i < (size_t)n / sizeof(events[0]); i++)
			take_event(s, &events[i]);
	}
}

static void work(unsigned int index, void *arg)
{
	static void (*const jobs[])(struct supervisor *) = {
		heartbeats, come_and_go, look_and_tune, recover, read_events,
	};

	jobs[index](arg);
}

void kl_check_run(const struct kl_challenge *c)
{
	struct supervisor s = { .c = c, .fd = kl_open_device("/dev/beatmon", O_RDWR) };
	struct beatmon_status records[BEATEN];
	struct pollfd p = { .fd = s.fd, .events = POLLIN };
	uint64_t hash = KL_HASH_INIT, died = 0, misses = 0;
	struct beatmon_stats stats;
	struct beatmon_event event;

	must(ioctl(s.fd, BEATMON_TICK, 4), "BEATMON_TICK");
	for (unsigned int i = 0; i < MORTALS; i++)
		add(&s, FIRST_MORTAL + i, 1 + i % 2, 1 + c->bytes[i] % 3);
	for (unsigned int i = 0; i < BEATEN; i++)
		add(&s, FIRST_BEATEN + i, 10000, 1);

	kl_threads(5, work, &s);

	for (unsigned int i = 0; i < MORTALS; i++) {
		died += s.died[i];
		misses = misses * 16 + s.last_misses[i];
	}
	kl_answer(0, died);
	kl_answer(1, misses);
	kl_answer(2, s.mortal_signatures);
	kl_answer(3, s.recovered);
	kl_answer(4, s.strangers);
	kl_answer(5, s.guests_served);
	kl_answer(6, s.bad_lists);

	if (list(&s, FIRST_BEATEN, records, BEATEN) != BEATEN)
		kl_die("clients went missing");
	for (unsigned int i = 0; i < BEATEN; i++) {
		hash = kl_hash(hash, &records[i].id, sizeof(records[i].id));
		hash = kl_hash(hash, &records[i].beats, sizeof(records[i].beats));
		hash = kl_hash(hash, &records[i].signature, sizeof(records[i].signature));
	}
	kl_answer(7, hash);

	for (unsigned int i = 0; i < MORTALS; i++)
		must(ioctl(s.fd, BEATMON_REMOVE, FIRST_MORTAL + i), "BEATMON_REMOVE");
	for (unsigned int i = 0; i < BEATEN; i++)
		must(ioctl(s.fd, BEATMON_REMOVE, FIRST_BEATEN + i), "BEATMON_REMOVE");
	must(ioctl(s.fd, BEATMON_REMOVE, SLEEPY), "BEATMON_REMOVE");
	must(ioctl(s.fd, BEATMON_STATS, &stats), "BEATMON_STATS");
	/* Gone with their events, and the timer has no more work. */
	kl_answer(8, stats.clients * 2 + (poll(&p, 1, 0) != 0));
	add(&s, SLEEPY, 1, 2);
	kl_answer(9, read(s.fd, &event, sizeof(event)) == sizeof(event) ? event.serial : 0);
	close(s.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	uint64_t signature[BEATEN], hash = KL_HASH_INIT, misses = 0, sum = 0, beats = ROUNDS;
	struct kl_rng tokens;

	for (unsigned int i = 0; i < MORTALS; i++) {
		misses = misses * 16 + 1 + c->bytes[i] % 3;
		sum += c->seed ^ (FIRST_MORTAL + i);
	}
	kl_expect(0, MORTALS, "each silent client dies once");
	kl_expect(1, misses, "a client dies at its limit of misses");
	kl_expect(2, sum, "events carry the client's signature");
	kl_expect(3, RECOVERIES, "a heartbeat after a miss is reported as a recovery");
	kl_expect(4, 0, "no event of a client that kept its timeout");
	kl_expect(5, GUESTS, "clients can come and go");
	kl_expect(6, 0, "the list is complete and in order");

	kl_rng_init(&tokens, c, 7);
	for (unsigned int i = 0; i < BEATEN; i++)
		signature[i] = c->seed ^ (FIRST_BEATEN + i);
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int i = 0; i < BEATEN; i++)
			signature[i] = fold(signature[i], kl_rng_u64(&tokens));
	for (uint32_t i = 0; i < BEATEN; i++) {
		uint32_t id = FIRST_BEATEN + i;

		hash = kl_hash(hash, &id, sizeof(id));
		hash = kl_hash(hash, &beats, sizeof(beats));
		hash = kl_hash(hash, &signature[i], sizeof(signature[i]));
	}
	kl_expect(7, hash, "no heartbeat is lost");
	kl_expect(8, 0, "a removed client takes its events along");
	kl_expect(9, MORTALS + BEATEN + 1 + GUESTS + 1, "serials count the registrations");
}
#endif
