/*
 * Failed set-ups with gains that fill a whole kmalloc-4k object, which no cache
 * of the module counts. (kmemleak would see more, and takes a hundred times as
 * long.)
 */
#include "../../handout/checks/capture.h"

#define BLOCKS 8
#define GAINS  CAPUNIT_MAX_GAINS
#define CACHE  "kmalloc-4k"
#define SWEEPS 2
/* What the rest of the system may take in between; one lost gains table a failed block is 18. */
#define NOISE 4

enum { WRONG, REFUSED, LOST, SAMPLES };

#ifdef KL_GUEST
void kl_check_run(const struct kl_challenge *c)
{
	static struct capture cap;
	int unit = kl_open_device("/dev/capunit", O_RDWR), fd;
	unsigned int wrong = 0, refused = 0;
	long before, after;

	capture_init(&cap, c, 30, BLOCKS, GAINS);
	kl_fail_nth(0);
	before = kl_slab_objects(CACHE);
	for (int i = 0; i < SWEEPS; i++) {
		struct capture_sweep sweep = capture_sweep(unit, &cap, NULL, NULL);

		wrong += sweep.wrong + !sweep.finished;
		refused += sweep.refused;
	}
	after = kl_slab_objects(CACHE);
	kl_say(CACHE ": %ld objects before, %ld after", before, after);
	kl_answer(WRONG, wrong);
	kl_answer(REFUSED, refused);
	kl_answer(LOST, before < 0 ? UINT64_MAX : after > before ? (uint64_t)(after - before) : 0);

	fd = capture_open(unit, &cap);
	kl_answer(SAMPLES, fd >= 3 ? capture_hash(fd, 2 * BLOCKS, KL_HASH_INIT) : 0);
	close(fd);
	close(unit);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	static struct capture cap;

	capture_init(&cap, c, 30, BLOCKS, GAINS);
	kl_expect(WRONG, 0, "failures other than ENOMEM");
	kl_expect_range(REFUSED, 12, 100, "set-ups refused with ENOMEM");
	kl_expect_range(LOST, 0, NOISE, "objects of the size of a gains table that are left");
	kl_expect(SAMPLES, capture_expect(&cap, 0, 2 * BLOCKS, KL_HASH_INIT), "samples read");
}
#endif
