/*
 * Each allocation of a set-up fails in turn, for a small ring and a larger one.
 * After each attempt the kernel's books must be as before. How many allocations a
 * set-up makes is the driver's own affair; the kernel's trace of them shows one that
 * will not take no for an answer (__GFP_NOFAIL, or asking again after a refusal).
 */
#include "../../handout/checks/capture.h"
#include "accounts.h"
#include "tracing.h"

#define SMALL 1
#define LARGE 6
#define GAINS 100
/* Session, source, one block; directory entry and file. All else may be part of these. */
#define REFUSED_AT_LEAST 5

enum {
	IDLE,
	SMALL_WRONG,
	SMALL_LEFT,
	LARGE_WRONG,
	LARGE_LEFT,
	REFUSED,
	NOFAIL,
	AGAIN,
	SHORT,
	FDS,
	RATE,
	SAMPLES
};

#ifdef KL_GUEST
struct watch {
	long nblocks;
	unsigned int left; /* attempts that left something behind */
	unsigned int short_rings; /* sessions made with fewer blocks than asked for */
	unsigned int nofail; /* allocations that may not fail */
	unsigned int again; /* sessions made although the driver itself was refused memory */
};

static void watch(int fd, void *arg)
{
	struct watch *w = arg;
	struct trace_allocations seen = trace_read();

	w->nofail += seen.nofail;
	w->again += fd >= 0 && seen.refused_module;
	if (fd < 0) {
		if (!accounts_idle()) {
			if (!w->left++)
				accounts_say("after a refusal");
		}
	} else if (!accounts_settle(1, w->nblocks, 1, 3)) {
		w->short_rings++;
	}
	trace_clear();
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct capture cap;
	int unit = kl_open_device("/dev/capunit", O_RDWR), fd, lowest;
	struct watch small = { .nblocks = SMALL }, large = { .nblocks = LARGE };
	struct capture_sweep first, second;

	kl_answer(IDLE, accounts_idle());
	kl_fail_nth(0); /* opens its descriptor */
	lowest = lowest_fd();
	trace_start();
	capture_init(&cap, c, 1, SMALL, GAINS);
	first = capture_sweep(unit, &cap, watch, &small);
	cap.setup.nblocks = LARGE;
	second = capture_sweep(unit, &cap, watch, &large);
	trace_stop();
	kl_say("small: %u refused, %u recovered; large: %u refused, %u recovered", first.refused,
	       first.recovered, second.refused, second.recovered);

	kl_answer(SMALL_WRONG, first.wrong + !first.finished);
	kl_answer(SMALL_LEFT, small.left);
	kl_answer(LARGE_WRONG, second.wrong + !second.finished);
	kl_answer(LARGE_LEFT, large.left);
	kl_answer(REFUSED, first.refused);
	kl_answer(NOFAIL, small.nofail + large.nofail);
	kl_answer(AGAIN, small.again + large.again);
	kl_answer(FDS, (uint64_t)(lowest_fd() - lowest));
	kl_answer(SHORT, small.short_rings + large.short_rings);

	cap.setup.rate_hz -= CAPUNIT_MIN_RATE;
	fd = capture_open(unit, &cap);
	kl_answer(RATE, fd >= 3);
	if (fd >= 3)
		kl_answer(SAMPLES, capture_hash(fd, 2 * LARGE, KL_HASH_INIT));
	close(fd);
	close(unit);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	static struct capture cap;

	capture_init(&cap, c, 1, LARGE, GAINS);
	cap.setup.rate_hz -= CAPUNIT_MIN_RATE;
	kl_expect(IDLE, 1, "an idle unit holds no memory");
	kl_expect(SMALL_WRONG, 0, "small ring: failures other than ENOMEM");
	kl_expect(SMALL_LEFT, 0, "small ring: refusals that left something behind");
	kl_expect(LARGE_WRONG, 0, "larger ring: failures other than ENOMEM");
	kl_expect(LARGE_LEFT, 0, "larger ring: refusals that left something behind");
	kl_expect_range(REFUSED, REFUSED_AT_LEAST, 60,
			"small ring: allocations whose failure is reported");
	kl_expect(NOFAIL, 0, "allocations that wait for memory until there is some");
	kl_expect(AGAIN, 0, "sessions made by asking again for memory that was refused");
	kl_expect(FDS, 0, "descriptors lost");
	kl_expect(SHORT, 0, "sessions with another number of blocks than asked for");
	kl_expect(RATE, 1, "the channel can change its rate afterwards");
	kl_expect(SAMPLES, capture_expect(&cap, 0, 2 * LARGE, KL_HASH_INIT), "samples read");
}
#endif
