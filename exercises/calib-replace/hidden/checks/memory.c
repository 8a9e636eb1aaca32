// SPDX-License-Identifier: GPL-2.0-only
/*
 * Old tables do not stay: after many loads, refused loads, and reads and
 * conversions that ended early, the kernel holds as much memory as before.
 */
#include "../../handout/checks/tables.h"

#ifdef KL_GUEST
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#endif

#define POINTS 256
#define LOADS  60
#define BROKEN 24 /* reads that a signal ends */
#define MOVED  24 /* reads whose file is moved to another channel meanwhile */
#define GONE   16 /* reads whose channel is gone when the sample comes */
#define IDLE   6 /* files that are used now and then, and stay open */
#define SPARE  12 /* objects; one table is 9 */

#ifdef KL_GUEST
static const char *const caches[] = { "kmalloc-64", "kmalloc-96", "kmalloc-128", "kmalloc-192",
				      "kmalloc-1k", "kmalloc-2k", "kmalloc-4k",	 "kmalloc-8k" };
#define CACHES (sizeof(caches) / sizeof(caches[0]))

struct state {
	long objects[CACHES];
	long free_kib;
};

struct job {
	struct tables tables;
	int fd;
	int idle[IDLE];
	int moved_fd;
	pthread_t reader;
	atomic_uint reading, again, interrupted;
};

static void look(struct state *ret)
{
	static char text[8192];
	char *p;

	sleep_ms(7500); /* kfree_rcu() waits for five seconds to gather a batch */
	for (unsigned int i = 0; i < CACHES; i++)
		ret->objects[i] = kl_slab_objects(caches[i]);
	kl_read_file("/proc/meminfo", text, sizeof(text));
	p = strstr(text, "MemFree:");
	ret->free_kib = p ? strtol(p + 8, NULL, 10) : 0;
}

static void load_channels(struct job *j, unsigned int channels, int want)
{
	int err = table_load(j->fd, &j->tables, channels, 1, NULL);

	if (err != want)
		kl_die("load: errno %d", -err);
}

static void load(struct job *j, int want)
{
	load_channels(j, LINCAL_CHANNELS, want);
}

/* A table that is refused for its last curve. */
static void refused_loads(struct job *j)
{
	struct lincal_point *p = j->tables.p + (size_t)(LINCAL_CHANNELS - 1) * POINTS;
	struct lincal_load req = { .channels = LINCAL_CHANNELS, .points = POINTS, .data = 8 };
	int32_t code = p[7].code;

	p[7].code = p[6].code;
	load(j, -EINVAL);
	p[7].code = code;
	if (!ioctl(j->fd, LINCAL_IOC_LOAD, &req) || errno != EFAULT)
		kl_die("load from nowhere: errno %d", errno);
}

/*
 * Calls whose answer has no place to go to, but for its last word: the request
 * lies where it can be read only. The table of such a load is live or is not;
 * it must be whole either way, and no longer after the next load.
 */
static void answers_refused(struct job *j)
{
	static int32_t codes[4] = { LINCAL_CODE_MIN, 1, 2, 3 }, values[4];
	union {
		struct lincal_convert convert;
		struct lincal_load load;
	} *req = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t number, generation;

	if (req == MAP_FAILED)
		kl_die("no memory for a request");
	req->convert = (struct lincal_convert){
		.channel = 1, .count = 4, .codes = (uintptr_t)codes, .values = (uintptr_t)values
	};
	load(j, 0);
	mprotect(req, 4096, PROT_READ);
	if (!ioctl(j->fd, LINCAL_IOC_CONVERT, req) || errno != EFAULT)
		kl_die("conversion without a place for the generation: errno %d", errno);
	mprotect(req, 4096, PROT_READ | PROT_WRITE);
	req->load = (struct lincal_load){ .channels = LINCAL_CHANNELS,
					  .points = POINTS,
					  .data = (uintptr_t)j->tables.p };
	mprotect(req, 4096, PROT_READ);
	if (!ioctl(j->fd, LINCAL_IOC_LOAD, req) || errno != EFAULT)
		kl_die("load without a place for the generation: errno %d", errno);
	munmap(req, 4096);
	if (convert(j->fd, 1, codes, values, 4, &number, &generation) || number != 1)
		kl_die("conversion after that load: errno %d, table %u", errno, number);
}

/* Files that have used a table each, and do nothing from then on. */
static void idle_files(struct job *j)
{
	int32_t code = LINCAL_CODE_MIN, value;
	uint32_t number, generation;

	for (unsigned int i = 0; i < IDLE; i++) {
		load(j, 0);
		if (convert(j->idle[i], 1, &code, &value, 1, &number, &generation))
			kl_die("conversion by an idle file: errno %d", errno);
	}
	load(j, 0);
}

/* Calls that end early, each with another table live. */
static void early_ends(struct job *j, int idle_fd)
{
	struct lincal_convert req = { .channel = 1, .count = 300 };
	static int32_t block[300];
	void *volatile nowhere = (void *)8;
	struct lincal_reading r;

	load(j, 0);
	req.codes = 8;
	req.values = (uintptr_t)block;
	if (!ioctl(j->fd, LINCAL_IOC_CONVERT, &req) || errno != EFAULT)
		kl_die("conversion from nowhere: errno %d", errno);
	load(j, 0);
	req.codes = (uintptr_t)block;
	req.values = 8;
	if (!ioctl(j->fd, LINCAL_IOC_CONVERT, &req) || errno != EFAULT)
		kl_die("conversion to nowhere: errno %d", errno);
	load(j, 0);
	if (read(idle_fd, &r, sizeof(r)) >= 0 || errno != EAGAIN)
		kl_die("read of nothing: errno %d", errno);
	load(j, 0);
	feed(j->fd, 5, 1);
	if (read(idle_fd, nowhere, sizeof(r)) >= 0 || errno != EFAULT)
		kl_die("read to nowhere: errno %d", errno);
	load(j, 0);
	req.values = (uintptr_t)block;
	req.channel = LINCAL_CHANNELS;
	if (!ioctl(j->fd, LINCAL_IOC_CONVERT, &req) || errno != ENODATA)
		kl_die("conversion for no channel: errno %d", errno);
	load_channels(j, 2, 0);
	if (read(idle_fd, &r, sizeof(r)) >= 0 || (errno != ENODATA && errno != EAGAIN))
		kl_die("read without a curve: errno %d", errno);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void interrupted_reads(unsigned int index, void *arg)
{
	struct job *j = arg;

	if (index) {
		int fd = open_channel(6, O_RDONLY);
		struct lincal_reading r;

		j->reader = pthread_self();
		for (unsigned int i = 1; i <= BROKEN; i++) {
			atomic_store(&j->reading, i);
			if (read(fd, &r, sizeof(r)) >= 0 || errno != EINTR)
				kl_die("interrupted read: errno %d", errno);
			atomic_fetch_add(&j->interrupted, 1);
		}
		close(fd);
		return;
	}
	for (unsigned int i = 1; i <= BROKEN; i++) {
		while (atomic_load(&j->reading) < i)
			sleep_ms(1);
		sleep_ms(3); /* it is asleep in there now */
		load(j, 0);
		pthread_kill(j->reader, SIGUSR1);
	}
}

/* A reader waits for one channel; its file is moved to another, and that has the sample. */
static void moved_reads(unsigned int index, void *arg)
{
	struct job *j = arg;

	if (index) {
		for (unsigned int i = 1; i <= MOVED; i++) {
			struct lincal_reading r;

			atomic_store(&j->reading, i);
			if (read(j->moved_fd, &r, sizeof(r)) != sizeof(r) || r.code != (int32_t)i)
				kl_die("read by a moved file: errno %d", errno);
		}
		return;
	}
	for (unsigned int i = 1; i <= MOVED; i++) {
		uint32_t channel = 2 + i % 2;

		while (atomic_load(&j->reading) < i)
			sleep_ms(1);
		sleep_ms(3); /* it is asleep in there now */
		if (ioctl(j->moved_fd, LINCAL_IOC_SELECT, &channel))
			kl_die("LINCAL_IOC_SELECT while a reader waits: errno %d", errno);
		load(j, 0);
		feed(j->fd, channel, (int32_t)i);
	}
}

/* The channel that a reader waits for is taken away, and its sample comes. */
static void gone_reads(unsigned int index, void *arg)
{
	struct job *j = arg;

	if (index) {
		int fd = open_channel(4, O_RDONLY);
		struct lincal_reading r;

		for (unsigned int i = 1; i <= GONE; i++) {
			atomic_store(&j->reading, i);
			/* A reading is right too, from the table of the beginning. */
			if (read(fd, &r, sizeof(r)) != sizeof(r) && errno != ENODATA)
				kl_die("read of a channel that is gone: errno %d", errno);
			while (atomic_load(&j->again) < i)
				sleep_ms(1);
		}
		close(fd);
		return;
	}
	for (unsigned int i = 1; i <= GONE; i++) {
		while (atomic_load(&j->reading) < i)
			sleep_ms(1);
		sleep_ms(3); /* it is asleep in there now */
		load_channels(j, 2, 0);
		feed(j->fd, 4, (int32_t)i);
		sleep_ms(3);
		load(j, 0);
		/* One that did not take the sample with it still has it to read. */
		atomic_store(&j->again, i);
	}
}

static long most(long a, long b)
{
	return a > b ? a : b;
}

static void work(struct job *j, int idle_fd)
{
	atomic_store(&j->reading, 0);
	kl_threads(2, interrupted_reads, j);
	atomic_store(&j->reading, 0);
	kl_threads(2, moved_reads, j);
	atomic_store(&j->reading, 0);
	atomic_store(&j->again, 0);
	kl_threads(2, gone_reads, j);
	for (unsigned int i = 0; i < LOADS; i++) {
		load(j, 0);
		if (i % 4)
			continue;
		refused_loads(j);
		early_ends(j, idle_fd);
		answers_refused(j);
	}
	idle_files(j);
}

void kl_check_run(const struct kl_challenge *c)
{
	struct sigaction sa = { .sa_handler = on_signal };
	static struct state before, after;
	long worst = 0, gone = 0;
	static struct job j;
	int idle_fd;

	j.fd = kl_open_device(DEVICE, O_RDWR);
	idle_fd = open_channel(5, O_RDONLY | O_NONBLOCK);
	j.moved_fd = open_channel(2, O_RDONLY);
	for (unsigned int i = 0; i < IDLE; i++)
		j.idle[i] = kl_open_device(DEVICE, O_RDWR);
	sigaction(SIGUSR1, &sa, NULL);
	tables_make(c, POINTS, &j.tables);
	load(&j, 0);
	look(&before);
	if (before.objects[CACHES - 2] < 0)
		kl_die("this kernel does not count slab objects");
	for (unsigned int i = 0; i < 2; i++) {
		work(&j, idle_fd);
		look(&after);
		for (unsigned int k = 0; k < CACHES; k++)
			worst = most(worst, after.objects[k] - before.objects[k]);
		/* The first time, other caches and KASAN's quarantine fill up. */
		if (i)
			gone = most(gone, before.free_kib - after.free_kib);
		before.free_kib = after.free_kib;
	}
	kl_say("%ld objects, %ld KiB", worst, gone);
	kl_answer(0, (uint64_t)worst);
	kl_answer(1, (uint64_t)gone);
	kl_answer(2, atomic_load(&j.interrupted));
	for (unsigned int i = 0; i < IDLE; i++)
		close(j.idle[i]);
	close(j.moved_fd);
	close(idle_fd);
	close(j.fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	(void)c;
	kl_expect_range(0, 0, SPARE, "slab objects that have stayed");
	kl_expect_range(1, 0, 3500, "memory that has gone, KiB");
	kl_expect(2, 2 * BROKEN, "reads that a signal ended");
}
#endif
