/* Absolute deadlines on CLOCK_MONOTONIC. */
#include <limits.h>
#include <time.h>

#include <klinic/deadline.h>

int64_t kl_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

kl_deadline kl_deadline_ms(int64_t ms)
{
	int64_t now = kl_now_ns();

	return ms >= (KL_FOREVER - now) / 1000000 ? KL_FOREVER : now + ms * 1000000;
}

bool kl_deadline_passed(kl_deadline d)
{
	return d != KL_FOREVER && kl_now_ns() >= d;
}

int kl_deadline_poll_ms(kl_deadline d)
{
	int64_t left;

	if (d == KL_FOREVER)
		return -1;
	left = d - kl_now_ns();
	if (left <= 0)
		return 0;
	left = (left + 999999) / 1000000;
	return left > INT_MAX ? INT_MAX : (int)left;
}
