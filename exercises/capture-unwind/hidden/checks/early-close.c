/*
 * Descriptors can be guessed: one thread makes sessions, another closes the number
 * that the next one will get, under many schedules. Once the descriptor is
 * installed the session may be gone, so the set-up must not touch it any more.
 */
#include "../../handout/checks/capture.h"
#include "accounts.h"

#define BLOCKS	 1
#define GAINS	 8
#define SESSIONS 60

enum { MADE, SNATCHED, CLEAN, SAMPLES };

#ifdef KL_GUEST
#include <sched.h>

struct scene {
	int unit, next;
	struct capture cap;
	unsigned int made, snatched;
	bool over;
};

static void make(struct scene *s)
{
	for (unsigned int i = 0; i < SESSIONS; i++) {
		int fd = capture_open(s->unit, &s->cap);

		s->made += fd == s->next;
		if (fd >= 3)
			close(fd);
	}
	__atomic_store_n(&s->over, true, __ATOMIC_SEQ_CST);
}

static void snatch(struct scene *s)
{
	while (!__atomic_load_n(&s->over, __ATOMIC_SEQ_CST)) {
		s->snatched += !close(s->next);
		sched_yield();
	}
}

static void play(unsigned int index, void *arg)
{
	if (index)
		snatch(arg);
	else
		make(arg);
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct scene s;
	int fd;

	s.unit = kl_open_device("/dev/capunit", O_RDWR);
	capture_init(&s.cap, c, 50, BLOCKS, GAINS);
	s.next = lowest_fd();
	kl_threads(2, play, &s);
	kl_say("%u sessions made, %u closed by the other thread", s.made, s.snatched);
	kl_answer(MADE, s.made);
	kl_answer(SNATCHED, s.snatched);
	kl_answer(CLEAN, accounts_idle());
	fd = capture_open(s.unit, &s.cap);
	kl_answer(SAMPLES, fd >= 3 ? capture_hash(fd, 4, KL_HASH_INIT) : 0);
	close(fd);
	close(s.unit);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	static struct capture cap;

	capture_init(&cap, c, 50, BLOCKS, GAINS);
	kl_expect(MADE, SESSIONS, "sessions made");
	kl_expect_range(SNATCHED, 0, SESSIONS, "sessions closed by the other thread");
	kl_expect(CLEAN, 1, "nothing lives afterwards");
	kl_expect(SAMPLES, capture_expect(&cap, 0, 4, KL_HASH_INIT), "samples read");
}
#endif
