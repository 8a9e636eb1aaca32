#include <klinic/check.h>

#ifdef KL_GUEST
#include <fcntl.h>
#include <unistd.h>

#define ROUNDS 50

static void one(unsigned int index, void *arg)
{
	int fd = *(int *)arg;
	uint64_t v = index;

	for (int i = 0; i < ROUNDS; i++)
		if ((index % 2 ? read(fd, &v, sizeof(v)) : write(fd, &v, sizeof(v))) != sizeof(v))
			kl_die("a call failed");
}

void kl_check_run(const struct kl_challenge *c)
{
	int fd = kl_open_device("/dev/swap", O_RDWR);
	uint64_t v = c->seed;

	if (write(fd, &v, sizeof(v)) != sizeof(v))
		kl_die("the first write failed");
	kl_threads(4, one, &fd);
	kl_answer(0, 1);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	(void)c;
	kl_expect(0, 1, "zq: the crowd came through");
}
#endif
