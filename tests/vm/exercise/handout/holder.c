#include "unruly.h"

#ifdef KL_GUEST
void kl_check_run(const struct kl_challenge *c)
{
	(void)c;
	ask("hold");
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
