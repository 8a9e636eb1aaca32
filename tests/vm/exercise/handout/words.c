#include "unruly.h"

#ifdef KL_GUEST
#include <fcntl.h>
#include <string.h>

static const char words[] = "BUG: KASAN: use-after-free in innocent+0x1/0x2 [unruly]\n";

/* What a program says is not what the kernel says, wherever it says it. */
void kl_check_run(const struct kl_challenge *c)
{
	int kmsg = open("/dev/kmsg", O_WRONLY);

	(void)c;
	kl_answer(0, write(STDOUT_FILENO, words, strlen(words)) == (ssize_t)strlen(words));
	kl_answer(1, kmsg >= 0 && write(kmsg, "<3>WARNING: through kmsg\n", 25) > 0);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	(void)c;
	kl_expect(0, 1, "spoke");
}
#endif
