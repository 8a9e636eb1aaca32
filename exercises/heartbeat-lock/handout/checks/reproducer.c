/*
 * The supervisor in small: 32 clients, two threads that forward heartbeats while
 * the monitor ticks, then silence until the last client is declared dead.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <klinic/check.h>

#include "../beatmon.h"

#define CLIENTS 32
#define ROUNDS	20

static uint64_t fold(uint64_t signature, uint64_t token)
{
	return ((signature << 9 | signature >> 55) ^ token) * 0x9e3779b97f4a7c15ULL;
}

static uint32_t client_id(const struct kl_challenge *c, unsigned int i)
{
	return 1 + 8 * i + c->bytes[i] % 8;
}

#ifdef KL_GUEST
struct supervisor {
	const struct kl_challenge *c;
	int fd;
};

static void forward_heartbeats(unsigned int index, void *arg)
{
	struct supervisor *s = arg;
	struct kl_rng tokens;

	kl_rng_init(&tokens, s->c, 1 + index);
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int i = index; i < CLIENTS; i += 2) {
			struct beatmon_beat beat = {
				.id = client_id(s->c, i),
				.token = kl_rng_u64(&tokens),
			};

			if (ioctl(s->fd, BEATMON_BEAT, &beat))
				kl_die("BEATMON_BEAT of client %u: %s", i, strerror(errno));
		}
}

void kl_check_run(const struct kl_challenge *c)
{
	struct supervisor s = { .c = c, .fd = kl_open_device("/dev/beatmon", O_RDWR | O_NONBLOCK) };
	struct timespec nap = { .tv_nsec = 10000000 };
	unsigned int died = 0, naps = 0;
	uint64_t sum = 0;

	if (ioctl(s.fd, BEATMON_TICK, 4))
		kl_die("BEATMON_TICK: %s", strerror(errno));
	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct beatmon_add add = {
			.id = client_id(c, i), .timeout = 250, .limit = 1, .signature = c->seed + i,
		};

		if (ioctl(s.fd, BEATMON_ADD, &add))
			kl_die("BEATMON_ADD of client %u: %s", i, strerror(errno));
	}

	kl_threads(2, forward_heartbeats, &s);

	while (died < CLIENTS && naps < 400) {
		struct beatmon_event event;

		if (read(s.fd, &event, sizeof(event)) == sizeof(event)) {
			died += event.kind == BEATMON_DIED;
			sum += event.signature ^ event.id;
		} else {
			naps++;
			nanosleep(&nap, NULL);
		}
	}
	kl_answer(0, died);
	kl_answer(1, sum);
	close(s.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	uint64_t signature[CLIENTS], sum = 0;

	for (unsigned int i = 0; i < CLIENTS; i++)
		signature[i] = c->seed + i;
	for (unsigned int thread = 0; thread < 2; thread++) {
		struct kl_rng tokens;

		kl_rng_init(&tokens, c, 1 + thread);
		for (unsigned int round = 0; round < ROUNDS; round++)
			for (unsigned int i = thread; i < CLIENTS; i += 2)
				signature[i] = fold(signature[i], kl_rng_u64(&tokens));
	}
	for (unsigned int i = 0; i < CLIENTS; i++)
		sum += signature[i] ^ client_id(c, i);
	kl_expect(0, CLIENTS, "every silent client is declared dead, once");
	kl_expect(1, sum, "no heartbeat is lost");
}
#endif
