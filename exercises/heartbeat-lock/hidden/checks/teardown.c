/*
 * Closing at every bad moment: while the timer is pending, from the wake-up that a
 * tick has just sent (a real-time thread then closes before whoever sent it goes
 * on), with clients and unread events left over; then nothing may be left of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <klinic/check.h>

#include "../../handout/beatmon.h"

#define TURNS	12
#define CLIENTS 8

#ifdef KL_GUEST
static void must(int ret, const char *what)
{
	if (ret)
		kl_die("%s: %s", what, strerror(errno));
}

static void nap_us(unsigned int us)
{
	struct timespec t = { .tv_nsec = us * 1000L };

	nanosleep(&t, NULL);
}

static int open_monitor(unsigned int timeout)
{
	int fd = kl_open_device("/dev/beatmon", O_RDWR | O_NONBLOCK);

	must(ioctl(fd, BEATMON_TICK, 4), "BEATMON_TICK");
	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct beatmon_add add = { .id = 1 + i, .timeout = timeout, .limit = 3 };

		must(ioctl(fd, BEATMON_ADD, &add), "BEATMON_ADD");
	}
	return fd;
}

static uint64_t turns(const struct kl_challenge *c)
{
	struct sched_param fifo = { .sched_priority = 50 };
	uint64_t woken = 0;

	must(sched_setscheduler(0, SCHED_FIFO, &fifo), "sched_setscheduler");
	for (unsigned int i = 0; i < TURNS; i++) {
		struct beatmon_event event;
		struct pollfd p = { .events = POLLIN };
		int fd = open_monitor(20 + i % 2);

		p.fd = fd;
		switch (i % 4) {
		case 0: /* from the wake-up */
		case 1:
			woken += poll(&p, 1, 1000) == 1;
			break;
		case 2: /* the last client goes, with the timer that was its */
			for (unsigned int id = 1; id <= CLIENTS; id++)
				must(ioctl(fd, BEATMON_REMOVE, id), "BEATMON_REMOVE");
			nap_us(9000);
			woken += read(fd, &event, sizeof(event)) < 0 && errno == EAGAIN;
			break;
		default: /* at some moment */
			nap_us(c->bytes[i] * 50);
			must(ioctl(fd, BEATMON_TICK, 8), "BEATMON_TICK");
			woken++;
		}
		close(fd);
		if (i % 3 == 0)
			nap_us(10000);
	}
	return woken;
}

/*
 * A fix may keep its clients where it likes: in the handout's cache, in one of
 * another name, which says at unloading what is left in it, in the monitor itself, or
 * among the kernel's own of the sizes that a client can have.
 */
static uint64_t clients_in(const char *const caches[])
{
	uint64_t objects = 0;

	for (; *caches; caches++) {
		long n = kl_slab_objects(*caches);

		objects += n > 0 ? (uint64_t)n : 0;
	}
	return objects;
}

void kl_check_run(const struct kl_challenge *c)
{
	static const char *const own[] = { "beatmon_client", NULL };
	static const char *const kernels[] = {
		"kmalloc-192", "kmalloc-256", "kmalloc-512", "kmalloc-1k", NULL,
	};
	uint64_t before = clients_in(kernels), after;
	int fd;

	kl_answer(0, turns(c));
	kl_answer(1, clients_in(own));
	after = clients_in(kernels);
	kl_answer(3, after > before ? after - before : 0);

	/* The module goes right behind the last close. */
	for (unsigned int i = 0; i < 2; i++) {
		fd = open_monitor(3);
		nap_us(3000 + 400 * i);
		close(fd);
		if (kl_module_unload())
			kl_die("the module does not unload");
		nap_us(10000);
		if (kl_module_load(""))
			kl_die("the module does not load again");
	}
	kl_answer(2, 1);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	(void)c;
	kl_expect(0, TURNS, "monitors work until they are closed");
	kl_expect(1, 0, "a closed monitor leaves no client behind");
	/* The kernel takes some for itself; three turns of four are closed with clients. */
	kl_expect_range(3, 0, TURNS * CLIENTS / 4,
			"closed monitors leave nothing behind in the kernel's caches");
	kl_expect(2, 1, "the module can go right after the last close");
}
#endif
