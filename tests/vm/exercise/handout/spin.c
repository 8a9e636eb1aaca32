/*
 * Threads that wait for each other in loops: one yields, one asks the module again
 * and again, one does nothing at all. Whoever is first by its priority waits for
 * one that is not.
 */
#include "unruly.h"

#ifdef KL_GUEST
#include <sched.h>
#include <stdatomic.h>

#define TURNS 6

static atomic_uint turn;

static void wait_a_little(unsigned int how)
{
	switch (how) {
	case 0:
		sched_yield();
		break;
	case 1:
		ask("bump");
		break;
	}
}

static void take_turns(unsigned int index, void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < TURNS; i++) {
		while (atomic_load(&turn) % 3 != index)
			wait_a_little(index);
		ask("bump");
		atomic_fetch_add(&turn, 1);
	}
}

void kl_check_run(const struct kl_challenge *c)
{
	(void)c;
	kl_threads(3, take_turns, NULL);
	kl_answer(0, atomic_load(&turn));
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	(void)c;
	kl_expect(0, 18, "turns");
}
#endif
