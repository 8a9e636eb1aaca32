/*
 * Set-ups fail on a channel that two sessions share. These must not notice: the
 * source belongs to them until the last one goes, and then it does go.
 */
#include "../../handout/checks/capture.h"
#include "accounts.h"

#define BLOCKS 2
#define GAINS  CAPUNIT_MAX_GAINS
#define AFTER  8 /* blocks read from the survivor */

enum { OPENED, WRONG, REFUSED, FIRST, BLOCKS_READ, SOURCE_KEPT, HELD, SECOND, GONE, RATE };

#ifdef KL_GUEST
#include <sys/mman.h>

struct sibling {
	int fd;
	uint64_t hash;
	uint64_t blocks;
};

static void read_sibling(int fd, void *arg)
{
	struct sibling *s = arg;

	(void)fd;
	if (s->blocks < 64) {
		s->hash = capture_hash(s->fd, 1, s->hash);
		s->blocks++;
	}
}

static void fail_late(int unit, const struct capunit_setup *setup)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		kl_die("mmap: %s", strerror(errno));
	memcpy(page, setup, sizeof(*setup));
	mprotect(page, 4096, PROT_READ);
	for (int i = 0; i < 4; i++)
		ioctl(unit, CAPUNIT_SETUP, page);
	munmap(page, 4096);
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct capture first, second;
	struct sibling one = { .hash = KL_HASH_INIT };
	int unit = kl_open_device("/dev/capunit", O_RDWR), two, fd;
	struct capture_sweep sweep;

	capture_init(&first, c, 3, BLOCKS, GAINS);
	capture_init(&second, c, 4, BLOCKS, GAINS);
	second.setup.channel = first.setup.channel;
	second.setup.rate_hz = first.setup.rate_hz;
	one.fd = capture_open(unit, &first);
	two = capture_open(unit, &second);
	kl_answer(OPENED, one.fd >= 3 && two >= 3);

	sweep = capture_sweep(unit, &first, read_sibling, &one);
	kl_answer(WRONG, sweep.wrong + !sweep.finished);
	kl_answer(REFUSED, sweep.refused);
	fail_late(unit, &first.setup);
	while (one.blocks < 64)
		read_sibling(-1, &one);
	kl_answer(FIRST, one.hash);
	kl_answer(BLOCKS_READ, one.blocks);
	kl_answer(SOURCE_KEPT, accounts_settle(2, 2 * BLOCKS, 1, 4));
	close(one.fd);

	first.setup.rate_hz -= CAPUNIT_MIN_RATE;
	kl_answer(HELD, capture_open(unit, &first) == -EBUSY);
	kl_answer(SECOND, capture_hash(two, AFTER, KL_HASH_INIT));
	close(two);
	kl_answer(GONE, accounts_idle());
	fd = capture_open(unit, &first);
	kl_answer(RATE, fd >= 3 ? capture_hash(fd, AFTER, KL_HASH_INIT) : 0);
	close(fd);
	close(unit);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	static struct capture first, second;

	capture_init(&first, c, 3, BLOCKS, GAINS);
	capture_init(&second, c, 4, BLOCKS, GAINS);
	second.setup.channel = first.setup.channel;
	second.setup.rate_hz = first.setup.rate_hz;
	kl_expect(OPENED, 1, "two sessions of one channel");
	kl_expect(WRONG, 0, "failures other than ENOMEM");
	kl_expect_range(REFUSED, 4, 40, "set-ups refused with ENOMEM");
	kl_expect(FIRST, capture_expect(&first, 0, 64, KL_HASH_INIT),
		  "samples of the first session");
	kl_expect(BLOCKS_READ, 64, "blocks read from the first session");
	kl_expect(SOURCE_KEPT, 1, "two sessions and their source are all that lives");
	kl_expect(HELD, 1, "the rate is held while one session lives");
	kl_expect(SECOND, capture_expect(&second, 0, AFTER, KL_HASH_INIT),
		  "samples of the second session");
	kl_expect(GONE, 1, "nothing lives after the last close");
	first.setup.rate_hz -= CAPUNIT_MIN_RATE;
	kl_expect(RATE, capture_expect(&first, 0, AFTER, KL_HASH_INIT), "samples at another rate");
}
#endif
