/*
 * The interrupt: one flag, and one eventfd (eventfd(2)) that becomes readable
 * with it and is never read, so that every poll in every thread returns.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <klinic/interrupt.h>

static atomic_bool interrupted;
static atomic_int event = -1;
static pthread_once_t event_once = PTHREAD_ONCE_INIT;

static void make_event(void)
{
	/* It starts readable if the interrupt came before the first wait. */
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	atomic_store(&event, fd);
	if (atomic_load(&interrupted))
		kl_interrupt();
}

int kl_interrupt_fd(void)
{
	pthread_once(&event_once, make_event);
	return atomic_load(&event);
}

/* Runs in signal handlers: lock-free atomics and write(2) only. */
void kl_interrupt(void)
{
	int saved = errno;
	uint64_t one = 1;

	atomic_store(&interrupted, true);
	int fd = atomic_load(&event);

	if (fd >= 0) {
		/* Fails only when the counter is full, and then it is readable. */
		ssize_t ignored = write(fd, &one, sizeof(one));

		(void)ignored;
	}
	errno = saved;
}

bool kl_interrupted(void)
{
	return atomic_load(&interrupted);
}
