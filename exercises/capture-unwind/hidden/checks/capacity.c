/*
 * What the unit can do must stay: sixteen sessions with thirty-two blocks each,
 * on all channels, filled before the first read; and it holds memory for
 * sessions only while they live.
 */
#include "../../handout/checks/capture.h"
#include "accounts.h"

#define BLOCKS CAPUNIT_MAX_BLOCKS
#define GAINS  7

enum { IDLE, OPENED, LISTED, IDS, PRETRIGGER, SAMPLES, ONE_MORE, FULL, EMPTIED, TOO_SMALL, AGAIN };

static inline void session_init(struct capture *cap, const struct kl_challenge *c, unsigned int i)
{
	capture_init(cap, c, 5 + i, BLOCKS, GAINS);
	cap->setup.channel = i % CAPUNIT_CHANNELS;
	cap->setup.rate_hz = CAPUNIT_MIN_RATE * (3 + i % CAPUNIT_CHANNELS);
}

#ifdef KL_GUEST
#include <poll.h>

static char ring[BLOCKS * BLOCK_BYTES];

void kl_check_run(const struct kl_challenge *c)
{
	static struct capture cap;
	int unit = kl_open_device("/dev/capunit", O_RDWR), fd;
	int fds[CAPUNIT_MAX_SESSIONS];
	uint64_t opened = 0, ids = 0, whole = 0, too_small = 0, h = KL_HASH_INIT;

	kl_answer(IDLE, accounts_idle());
	for (unsigned int i = 0; i < CAPUNIT_MAX_SESSIONS; i++) {
		session_init(&cap, c, i);
		fds[i] = capture_open(unit, &cap);
		if (fds[i] < 0)
			break;
		ids |= 1ULL << (cap.setup.id & 63);
		opened++;
	}
	kl_answer(OPENED, opened);
	kl_answer(IDS, ids);
	kl_answer(LISTED, (uint64_t)capture_listed());
	kl_answer(ONE_MORE, capture_open(unit, &cap) == -ENOSPC);
	kl_answer(FULL,
		  accounts_settle(CAPUNIT_MAX_SESSIONS, CAPUNIT_MAX_SESSIONS * BLOCKS,
				  CAPUNIT_CHANNELS, CAPUNIT_MAX_SESSIONS + CAPUNIT_CHANNELS + 1));

	for (unsigned int i = 0; i < opened; i++) {
		struct pollfd p = { .fd = fds[i], .events = POLLIN };
		ssize_t n = poll(&p, 1, 1000) == 1 ? read(fds[i], ring, sizeof(ring)) : 0;

		whole += n == (ssize_t)sizeof(ring);
		h = kl_hash(h, ring, n > 0 ? (size_t)n : 0);
	}
	kl_answer(PRETRIGGER, whole);
	kl_answer(SAMPLES, h);
	for (unsigned int i = 0; i < opened; i++)
		close(fds[i]);
	kl_answer(EMPTIED, accounts_idle());

	session_init(&cap, c, 0);
	fd = capture_open(unit, &cap);
	if (fd >= 3) {
		h = capture_hash(fd, 3 * BLOCKS, KL_HASH_INIT);
		/* Too small a buffer is refused whatever the session holds. */
		too_small = read(fd, ring, BLOCK_BYTES - 1) == -1 && errno == EINVAL;
	}
	kl_answer(TOO_SMALL, too_small);
	kl_answer(AGAIN, h);
	close(fd);
	close(unit);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	static struct capture cap;
	uint64_t h = KL_HASH_INIT;

	kl_expect(IDLE, 1, "an idle unit holds no memory");
	kl_expect(OPENED, CAPUNIT_MAX_SESSIONS, "sessions at a time");
	kl_expect(IDS, (1ULL << CAPUNIT_MAX_SESSIONS) - 1, "slots given out");
	kl_expect(LISTED, CAPUNIT_MAX_SESSIONS, "sessions listed");
	kl_expect(ONE_MORE, 1, "one session too many is refused with ENOSPC");
	kl_expect(FULL, 1, "each session has the blocks that it asked for");
	kl_expect(PRETRIGGER, CAPUNIT_MAX_SESSIONS,
		  "sessions whose ring was full at the first read");
	for (unsigned int i = 0; i < CAPUNIT_MAX_SESSIONS; i++) {
		session_init(&cap, c, i);
		h = capture_expect(&cap, 0, BLOCKS, h);
	}
	kl_expect(SAMPLES, h, "samples of all sessions");
	kl_expect(EMPTIED, 1, "nothing lives after the last close");
	kl_expect(TOO_SMALL, 1, "a buffer smaller than a block is refused");
	session_init(&cap, c, 0);
	kl_expect(AGAIN, capture_expect(&cap, 0, 3 * BLOCKS, KL_HASH_INIT), "samples afterwards");
}
#endif
