#include "unruly.h"

#ifdef KL_GUEST
void kl_check_run(const struct kl_challenge *c)
{
	int fd = kl_open_device("/dev/unruly", O_RDWR);
	unsigned int n, failed = 0;
	uint64_t done = 0;

	(void)c;
	for (n = 1; n < 100; n++) {
		kl_fail_nth(n);
		if (write(fd, "three", 5) != 5)
			kl_die("write");
		if (kl_fail_nth(0))
			break;
		failed++;
	}
	if (read(fd, &done, sizeof(done)) != sizeof(done))
		kl_die("read");
	kl_answer(0, failed);
	kl_answer(1, done);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	(void)c;
	kl_expect(0, 3, "allocations that failed in turn");
	kl_expect(1, 1, "calls without a failure");
}
#endif
