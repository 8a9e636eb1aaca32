/*
 * The shift change on a box that is short of memory: a session is set up again
 * and again while one allocation after the other fails. Afterwards the unit must
 * be as good as new: no session listed, the channel free for another rate, every
 * slot there, right samples.
 */
#include "capture.h"

#define BLOCKS 4
#define GAINS  64

enum { WRONG_ERRNO, REFUSED, FINISHED, LISTED, SLOTS, SAMPLES };

#ifdef KL_GUEST
void kl_check_run(const struct kl_challenge *c)
{
	static struct capture cap;
	int unit = kl_open_device("/dev/capunit", O_RDWR);
	int fds[CAPUNIT_MAX_SESSIONS];
	unsigned int slots = 0;
	struct capture_sweep sweep;

	capture_init(&cap, c, 0, BLOCKS, GAINS);
	sweep = capture_sweep(unit, &cap, NULL, NULL);
	kl_say("%u attempts refused for want of memory, %u recovered, %u wrong", sweep.refused,
	       sweep.recovered, sweep.wrong);
	kl_answer(WRONG_ERRNO, sweep.wrong);
	kl_answer(REFUSED, sweep.refused);
	kl_answer(FINISHED, sweep.finished);
	kl_answer(LISTED, (uint64_t)capture_listed());

	cap.setup.rate_hz -= CAPUNIT_MIN_RATE;
	while (slots < CAPUNIT_MAX_SESSIONS) {
		int fd = capture_open(unit, &cap);

		if (fd < 0) {
			kl_say("session %u: %s", slots + 1, strerror(-fd));
			break;
		}
		fds[slots++] = fd;
	}
	kl_answer(SLOTS, slots);
	if (slots)
		kl_answer(SAMPLES, capture_hash(fds[slots - 1], 3 * BLOCKS, KL_HASH_INIT));
	while (slots)
		close(fds[--slots]);
	close(unit);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	static struct capture cap;

	capture_init(&cap, c, 0, BLOCKS, GAINS);
	cap.setup.rate_hz -= CAPUNIT_MIN_RATE;
	kl_expect(WRONG_ERRNO, 0, "set-ups that failed with something else than ENOMEM");
	kl_expect_range(REFUSED, 5, 100, "set-ups refused with ENOMEM");
	kl_expect(FINISHED, 1, "set-up works once no allocation fails");
	kl_expect(LISTED, 0, "sessions listed after the failed set-ups");
	kl_expect(SLOTS, CAPUNIT_MAX_SESSIONS,
		  "sessions that can be made at another rate afterwards");
	kl_expect(SAMPLES, capture_expect(&cap, 0, 3 * BLOCKS, KL_HASH_INIT), "samples read");
}
#endif
