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

void kl_check_run(const struct kl_challenge *c)
{
	int fd;

	kl_answer(0, turns(c));
	kl_answer(1, kl_slab_objects("beatmon_client"));

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
	kl_expect(2, 1, "the module can go right after the last close");
}
#endif
