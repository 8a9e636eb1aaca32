/*
 * The hang itself, without a detector's help: a full table, so that heartbeats and
 * lists keep the monitor's lock for a good part of the time, and enough ticks that
 * some of them must meet a holder. Whoever spins in softirq context on the lock of
 * the task below never comes back, and the run ends at its limit of guest time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <klinic/check.h>

#include "../../handout/beatmon.h"

#define CLIENTS BEATMON_MAX_CLIENTS
#define LOAD_NS 120000000ULL
#define CHECKED 16 /* clients beaten by number of rounds, not by time */
#define ROUNDS	12

static uint64_t fold(uint64_t signature, uint64_t token)
{
	return ((signature << 9 | signature >> 55) ^ token) * 0x9e3779b97f4a7c15ULL;
}

#ifdef KL_GUEST
struct supervisor {
	const struct kl_challenge *c;
	int fd;
	uint64_t end;
	uint64_t bad;
};

static void beat(struct supervisor *s, uint32_t id, uint64_t token)
{
	struct beatmon_beat b = { .id = id, .token = token };

	if (ioctl(s->fd, BEATMON_BEAT, &b))
		s->bad++;
}

static void load(unsigned int index, void *arg)
{
	static struct beatmon_status records[CLIENTS];
	struct supervisor *s = arg;
	struct beatmon_list l = { .from = 1, .count = CLIENTS, .records = (uintptr_t)records };
	struct beatmon_stats stats;
	struct kl_rng tokens;

	if (index == 0) {
		kl_rng_init(&tokens, s->c, 3);
		for (unsigned int round = 0; round < ROUNDS; round++)
			for (unsigned int i = 0; i < CHECKED; i++)
				beat(s, CLIENTS - i, kl_rng_u64(&tokens));
	}
	while (kl_guest_ns() < s->end) {
		for (unsigned int i = 0; i < 20; i++)
			beat(s, CLIENTS - CHECKED, 0);
		if (index == 1 && (ioctl(s->fd, BEATMON_LIST, &l) || l.count != CLIENTS ||
				   ioctl(s->fd, BEATMON_STATS, &stats)))
			s->bad++;
	}
}

void kl_check_run(const struct kl_challenge *c)
{
	struct supervisor s = { .c = c, .fd = kl_open_device("/dev/beatmon", O_RDWR | O_NONBLOCK) };
	struct beatmon_status records[CHECKED];
	struct beatmon_list l = {
		.from = CLIENTS - CHECKED + 1, .count = CHECKED, .records = (uintptr_t)records,
	};
	uint64_t hash = KL_HASH_INIT;

	if (ioctl(s.fd, BEATMON_TICK, 4))
		kl_die("BEATMON_TICK: %s", strerror(errno));
	for (unsigned int id = 1; id <= CLIENTS; id++) {
		struct beatmon_add add = {
			.id = id, .timeout = 100000, .limit = 1, .signature = c->seed * id,
		};

		if (ioctl(s.fd, BEATMON_ADD, &add))
			kl_die("BEATMON_ADD of client %u: %s", id, strerror(errno));
	}
	s.end = kl_guest_ns() + LOAD_NS;
	kl_threads(2, load, &s);

	if (ioctl(s.fd, BEATMON_LIST, &l) || l.count != CHECKED)
		kl_die("BEATMON_LIST: %u records", l.count);
	for (unsigned int i = 0; i < CHECKED; i++)
		hash = kl_hash(hash, &records[i].signature, sizeof(records[i].signature));
	kl_answer(0, s.bad);
	kl_answer(1, hash);
	close(s.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	uint64_t signature[CHECKED], hash = KL_HASH_INIT;
	struct kl_rng tokens;

	/* In the order of the list: ids rise, the beats went downwards. */
	for (unsigned int i = 0; i < CHECKED; i++)
		signature[i] = c->seed * (CLIENTS - CHECKED + 1 + i);
	kl_rng_init(&tokens, c, 3);
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int i = 0; i < CHECKED; i++)
			signature[CHECKED - 1 - i] =
				fold(signature[CHECKED - 1 - i], kl_rng_u64(&tokens));
	for (unsigned int i = 0; i < CHECKED; i++)
		hash = kl_hash(hash, &signature[i], sizeof(signature[i]));
	kl_expect(0, 0, "heartbeats and lists work under load");
	kl_expect(1, hash, "no heartbeat is lost under load");
}
#endif
