#include "unruly.h"

#ifdef KL_GUEST
static void bump(unsigned int index, void *arg)
{
	(void)index;
	(void)arg;
	for (int i = 0; i < 100; i++)
		ask("bump");
}

void kl_check_run(const struct kl_challenge *c)
{
	int fd = kl_open_device("/dev/unruly", O_RDWR);
	uint64_t sum = 0;

	(void)c;
	kl_threads(2, bump, NULL);
	if (read(fd, &sum, sizeof(sum)) != sizeof(sum))
		kl_die("read");
	kl_say("counted %llu", (unsigned long long)sum);
	kl_answer(0, sum);
	kl_answer(1, kl_guest_ns());
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	(void)c;
	kl_expect(0, 200, "bumps");
}
#endif
