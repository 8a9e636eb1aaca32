/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's half of a check: include/klinic/check.h, linked statically with the check's source. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest/kit.h"
#include "guest/rng.h"

static struct kl_kit_sheet *sheet;
static pthread_mutex_t saying = PTHREAD_MUTEX_INITIALIZER;

void kl_answer(unsigned int slot, uint64_t value)
{
	if (slot >= KL_SLOTS)
		kl_die("slot %u does not exist", slot);
	sheet->value[slot] = value;
	__atomic_fetch_or(&sheet->given, 1ULL << slot, __ATOMIC_SEQ_CST);
}

static void vsay(const char *fmt, va_list ap)
{
	size_t used;

	pthread_mutex_lock(&saying);
	used = strnlen(sheet->said, sizeof(sheet->said) - 1);
	if (used && used < sizeof(sheet->said) - 1)
		sheet->said[used++] = '\n';
	vsnprintf(sheet->said + used, sizeof(sheet->said) - used, fmt, ap);
	pthread_mutex_unlock(&saying);
}

void kl_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

void kl_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	_exit(2);
}

int kl_open_device(const char *path, int flags)
{
	const struct timespec tick = { .tv_nsec = 1000000 };

	for (int i = 0; i < 1000; i++) {
		int fd = open(path, flags | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno != ENOENT && errno != ENXIO && errno != ENODEV)
			break;
		nanosleep(&tick, NULL);
	}
	kl_die("open %s: %s", path, strerror(errno));
}

struct starter {
	pthread_barrier_t *barrier;
	unsigned int index;
	void (*fn)(unsigned int index, void *arg);
	void *arg;
};

static void *start(void *p)
{
	struct starter *s = p;

	pthread_barrier_wait(s->barrier);
	s->fn(s->index, s->arg);
	return NULL;
}

void kl_threads(unsigned int n, void (*fn)(unsigned int index, void *arg), void *arg)
{
	pthread_barrier_t barrier;
	struct starter *s = calloc(n, sizeof(*s));
	pthread_t *t = calloc(n, sizeof(*t));

	if (!n || !s || !t || pthread_barrier_init(&barrier, NULL, n))
		kl_die("no memory for %u threads", n);
	for (unsigned int i = 0; i < n; i++) {
		int e;

		s[i] = (struct starter){ &barrier, i, fn, arg };
		e = pthread_create(&t[i], NULL, start, &s[i]);
		if (e)
			kl_die("pthread_create: %s", strerror(e));
	}
	for (unsigned int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	pthread_barrier_destroy(&barrier);
	free(t);
	free(s);
}

uint64_t kl_guest_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

int kl_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	n = n < 0 ? -errno : 0;
	close(fd);
	return (int)n;
}

int kl_read_file(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (used < len - 1 && (n = read(fd, buf + used, len - 1 - used)) > 0)
		used += (size_t)n;
	n = n < 0 ? -errno : (ssize_t)used;
	close(fd);
	buf[used] = '\0';
	return (int)n;
}

static void prepare_failslab(void)
{
	static const char *const settings[][2] = {
		{ "ignore-gfp-wait", "N" },
		{ "cache-filter", "Y" }, /* those that vm/argv.c marks */
		{ "verbose", "0" },
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		char path[96];

		snprintf(path, sizeof(path), "/sys/kernel/debug/failslab/%s", settings[i][0]);
		if (kl_write_file(path, settings[i][1]))
			kl_die("this kernel injects no allocation failures: no %s", path);
	}
	/*
	 * The slab's opportunistic orders (mm/page_alloc.c, __should_fail_alloc_page)
	 * would be counted too, as often as a cache happens to be empty, and their
	 * failure harms nobody: n would skip slab allocations.
	 */
	kl_write_file("/sys/kernel/debug/fail_page_alloc/min-order", "64");
}

unsigned int kl_fail_nth(unsigned int n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	/* Kept open: opening it would itself allocate, and be counted. */
	static __thread int fd = -1;
	unsigned int left;
	char text[16];
	ssize_t len;

	if (fd < 0) {
		pthread_once(&once, prepare_failslab);
		fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			kl_die("open fail-nth: %s", strerror(errno));
	}
	len = pread(fd, text, sizeof(text) - 1, 0);
	if (len < 0)
		kl_die("read fail-nth: %s", strerror(errno));
	text[len] = '\0';
	left = (unsigned int)strtoul(text, NULL, 10);
	len = snprintf(text, sizeof(text), "%u", n);
	if (pwrite(fd, text, (size_t)len, 0) != len)
		kl_die("write fail-nth: %s", strerror(errno));
	return left;
}

int kl_module_load(const char *params)
{
	return syscall(SYS_finit_module, KL_KIT_MODULE_FD, params ? params : "", 0) ? -errno : 0;
}

int kl_module_unload(void)
{
	return syscall(SYS_delete_module, sheet->module_name, O_NONBLOCK) ? -errno : 0;
}

long kl_slab_objects(const char *cache)
{
	static char text[65536];
	size_t n = strlen(cache);
	char path[160];

	/* Empties KASAN's quarantine and the per-CPU slabs too: mm/slab_common.c, kmem_cache_shrink. */
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	kl_write_file(path, "1");
	if (kl_read_file("/proc/slabinfo", text, sizeof(text)) < 0)
		return -1;
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, cache, n) && line[n] == ' ')
			return strtol(line + n, NULL, 10);
	}
	return -1;
}

int kl_kmemleak(void)
{
	static char text[65536];
	const char *p = text;
	int found = 0;
	int n;

	sleep(6); /* objects younger than five seconds are left alone */
	n = kl_write_file("/sys/kernel/debug/kmemleak", "scan");
	if (n)
		return n;
	kl_write_file("/sys/kernel/debug/kmemleak", "scan");
	n = kl_read_file("/sys/kernel/debug/kmemleak", text, sizeof(text));
	if (n < 0)
		return n;
	while ((p = strstr(p, "unreferenced object"))) {
		found++;
		p++;
	}
	return found;
}

int main(void)
{
	struct kl_challenge c;

	sheet = mmap(NULL, sizeof(*sheet), PROT_READ | PROT_WRITE, MAP_SHARED, KL_KIT_SHEET_FD, 0);
	if (sheet == MAP_FAILED)
		return 2;
	c.seed = sheet->seed;
	memcpy(c.bytes, sheet->challenge, sizeof(c.bytes));
	prctl(PR_SET_NAME, sheet->program_name);
	kl_check_run(&c);
	return 0;
}
