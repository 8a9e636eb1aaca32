#include "unruly.h"

#ifdef KL_GUEST
void kl_check_run(const struct kl_challenge *c)
{
	(void)c;
	/* Left behind with the device open, and slow to die: it has much to give back. */
	if (!fork()) {
		char *much = malloc(16 << 20);

		kl_open_device("/dev/unruly", O_RDWR);
		memset(much, 1, 16 << 20);
		kl_answer(1, 1);
		pause();
	}
	sleep(1);
	kl_answer(0, 1);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	(void)c;
	kl_expect(0, 1, "came back");
}
#endif
