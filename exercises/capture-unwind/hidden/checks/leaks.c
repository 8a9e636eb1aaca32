/*
 * What the module's own caches do not show: memory from kmalloc. The parameters
 * put gains, signal and table of blocks into three size classes, and a failing
 * block is reached often enough to tell a loss from what the rest of the system
 * takes. (kmemleak would see each single loss, and takes a hundred times as long.)
 */
#include "../../handout/checks/capture.h"

#define BLOCKS	CAPUNIT_MAX_BLOCKS
#define GAINS	CAPUNIT_MAX_GAINS
#define SWEEPS	2
#define CLASSES 3
/* What the rest of the system may take in between. */
#define NOISE 4

enum { WRONG, REFUSED, SAMPLES, LOST };

#ifdef KL_GUEST
static long objects(unsigned int class)
{
	static const char *const cache[CLASSES] = { "kmalloc-4k", "kmalloc-512", "kmalloc-256" };

	return kl_slab_objects(cache[class]);
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct capture cap;
	int unit = kl_open_device("/dev/capunit", O_RDWR), fd;
	unsigned int wrong = 0, refused = 0;
	long before[CLASSES];

	capture_init(&cap, c, 30, BLOCKS, GAINS);
	/* Whatever is allocated once only is there afterwards. */
	wrong += !capture_sweep(unit, &cap, NULL, NULL).finished;
	for (unsigned int class = 0; class < CLASSES; class ++)
		before[class] = objects(class);
	for (int i = 0; i < SWEEPS; i++) {
		struct capture_sweep sweep = capture_sweep(unit, &cap, NULL, NULL);

		wrong += sweep.wrong + !sweep.finished;
		refused += sweep.refused;
	}
	for (unsigned int class = 0; class < CLASSES; class ++) {
		long after = objects(class);

		kl_say("size class %u: %ld objects before, %ld after", class, before[class], after);
		kl_answer(LOST + class, before[class] < 0	? UINT64_MAX
					: after > before[class] ? (uint64_t)(after - before[class])
								: 0);
	}
	kl_answer(WRONG, wrong);
	kl_answer(REFUSED, refused);

	fd = capture_open(unit, &cap);
	kl_answer(SAMPLES, fd >= 3 ? capture_hash(fd, 2 * BLOCKS, KL_HASH_INIT) : 0);
	close(fd);
	close(unit);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	static const char *const what[CLASSES] = { "gains left", "signals left",
						   "tables of blocks left" };
	static struct capture cap;

	capture_init(&cap, c, 30, BLOCKS, GAINS);
	kl_expect(WRONG, 0, "failures other than ENOMEM");
	kl_expect_range(REFUSED, SWEEPS * 5, SWEEPS * 60, "set-ups refused with ENOMEM");
	kl_expect(SAMPLES, capture_expect(&cap, 0, 2 * BLOCKS, KL_HASH_INIT), "samples read");
	for (unsigned int class = 0; class < CLASSES; class ++)
		kl_expect_range(LOST + class, 0, NOISE, what[class]);
}
#endif
