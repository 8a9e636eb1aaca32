/*
 * Set-ups that fail for other reasons than memory, early and late: gains that
 * cannot be read, no free descriptor, a result that cannot be stored, no free
 * slot, a channel that runs at another rate. More of each than there are slots.
 */
#include "../../handout/checks/capture.h"
#include "accounts.h"

#define BLOCKS 3
#define GAINS  32
#define TRIES  (CAPUNIT_MAX_SESSIONS + 4)

enum kind { BAD_GAINS, NO_DESCRIPTOR, BAD_RESULT, NO_SLOT, OTHER_RATE, KINDS };
/* Slots: two for each kind, then the rest. */
enum { RIGHT, CLEAN, STALE_FDS = 2 * KINDS, SLOTS, SAMPLES };

#ifdef KL_GUEST
#include <sys/mman.h>
#include <sys/resource.h>

/* A page that can be read and not written, with the set-up in it. */
static struct capunit_setup *sealed(const struct capunit_setup *setup)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		kl_die("mmap: %s", strerror(errno));
	memcpy(page, setup, sizeof(*setup));
	if (mprotect(page, 4096, PROT_READ))
		kl_die("mprotect: %s", strerror(errno));
	return page;
}

/* Attempts that ended with -error. */
static uint64_t attempts(int unit, struct capunit_setup *setup, int error)
{
	uint64_t right = 0;

	for (int i = 0; i < TRIES; i++) {
		int fd = ioctl(unit, CAPUNIT_SETUP, setup);

		right += fd == -1 && errno == error;
		if (fd >= 3)
			close(fd);
	}
	return right;
}

static void answer(enum kind kind, uint64_t right, bool clean)
{
	kl_answer(2 * kind + RIGHT, right);
	kl_answer(2 * kind + CLEAN, clean);
	if (!clean)
		accounts_say("not clean");
}

static uint64_t without_descriptors(int unit, struct capunit_setup *setup)
{
	struct rlimit old, none;
	uint64_t right;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = (rlim_t)lowest_fd();
	setrlimit(RLIMIT_NOFILE, &none);
	right = attempts(unit, setup, EMFILE);
	setrlimit(RLIMIT_NOFILE, &old);
	return right;
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct capture cap;
	static int fds[CAPUNIT_MAX_SESSIONS];
	int unit = kl_open_device("/dev/capunit", O_RDWR), lowest = lowest_fd();
	struct capunit_setup setup;
	uint64_t right, slots = 0;
	bool clean;

	capture_init(&cap, c, 2, BLOCKS, GAINS);

	setup = cap.setup;
	setup.gains = 8;
	right = attempts(unit, &setup, EFAULT);
	answer(BAD_GAINS, right, accounts_idle());

	right = without_descriptors(unit, &cap.setup);
	answer(NO_DESCRIPTOR, right, accounts_idle());

	right = attempts(unit, sealed(&cap.setup), EFAULT);
	answer(BAD_RESULT, right, accounts_idle());
	kl_answer(STALE_FDS, (uint64_t)(lowest_fd() - lowest));

	while (slots < CAPUNIT_MAX_SESSIONS) {
		fds[slots] = capture_open(unit, &cap);
		if (fds[slots] < 0)
			break;
		slots++;
	}
	kl_answer(SLOTS, slots);
	right = attempts(unit, &cap.setup, ENOSPC);
	clean = accounts_settle(CAPUNIT_MAX_SESSIONS, CAPUNIT_MAX_SESSIONS * BLOCKS, 1,
				CAPUNIT_MAX_SESSIONS + 2);
	while (slots > 1)
		close(fds[--slots]);
	answer(NO_SLOT, right, clean);

	setup = cap.setup;
	setup.rate_hz -= CAPUNIT_MIN_RATE;
	right = attempts(unit, &setup, EBUSY);
	answer(OTHER_RATE, right, accounts_settle(1, BLOCKS, 1, 3));
	if (slots)
		kl_answer(SAMPLES, capture_hash(fds[0], 3 * BLOCKS, KL_HASH_INIT));
	while (slots)
		close(fds[--slots]);
	close(unit);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	static const char *const right[KINDS] = {
		[BAD_GAINS] = "EFAULT for gains that cannot be read",
		[NO_DESCRIPTOR] = "EMFILE without a free descriptor",
		[BAD_RESULT] = "EFAULT for a result that cannot be stored",
		[NO_SLOT] = "ENOSPC without a free slot",
		[OTHER_RATE] = "EBUSY for another rate",
	};
	static const char *const clean[KINDS] = {
		[BAD_GAINS] = "nothing left after unreadable gains",
		[NO_DESCRIPTOR] = "nothing left after a missing descriptor",
		[BAD_RESULT] = "nothing left after a result that could not be stored",
		[NO_SLOT] = "nothing left after a missing slot",
		[OTHER_RATE] = "nothing left after a refused rate",
	};
	static struct capture cap;

	capture_init(&cap, c, 2, BLOCKS, GAINS);
	for (unsigned int kind = 0; kind < KINDS; kind++) {
		kl_expect(2 * kind + RIGHT, TRIES, right[kind]);
		kl_expect(2 * kind + CLEAN, 1, clean[kind]);
	}
	kl_expect(STALE_FDS, 0, "descriptors left open");
	kl_expect(SLOTS, CAPUNIT_MAX_SESSIONS, "sessions that can be made afterwards");
	kl_expect(SAMPLES, capture_expect(&cap, 0, 3 * BLOCKS, KL_HASH_INIT), "samples read");
}
#endif
