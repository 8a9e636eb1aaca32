#include <fcntl.h>
#include <unistd.h>

#include <klinic/check.h>

#ifdef KL_GUEST
void kl_check_run(const struct kl_challenge *c)
{
	int fd = kl_open_device("/dev/swap", O_RDWR);
	uint64_t v = 0;

	if (write(fd, c->bytes, sizeof(v)) != sizeof(v) || read(fd, &v, sizeof(v)) != sizeof(v))
		kl_die("the device does not take or give eight bytes");
	kl_answer(0, v);
}
#endif

#ifdef KL_ORACLE
#include <string.h>

void kl_check_expect(const struct kl_challenge *c)
{
	uint64_t v;

	memcpy(&v, c->bytes, sizeof(v));
	kl_expect(0, v, "the value read back");
}
#endif
