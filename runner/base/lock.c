/* Advisory locks between processes: flock(2), released by the kernel whatever happens to the holder. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/interrupt.h>

int kl_try_lock(const char *path, int *ret_fd, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot open the lock %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return 0;
		return kl_fail_errno(err, errno, "cannot lock %s", path);
	}
	*ret_fd = kl_take_fd(fd);
	return 1;
}

int kl_lock(const char *path, kl_deadline deadline, int *ret_fd, struct kl_error *err)
{
	/* flock(2) takes no deadline; this is the one wait that looks again. */
	struct pollfd interrupt = { .fd = kl_interrupt_fd(), .events = POLLIN };

	for (;;) {
		int got = kl_try_lock(path, ret_fd, err);

		if (got)
			return got < 0 ? -1 : 0;
		if (kl_interrupted())
			return kl_fail(err, KL_INTERRUPTED, "interrupted");
		if (kl_deadline_passed(deadline))
			return kl_fail(err, KL_INFRA,
				       "%s is held by another klinic; wait for it, or end it",
				       path);
		poll(&interrupt, 1, 20);
	}
}
