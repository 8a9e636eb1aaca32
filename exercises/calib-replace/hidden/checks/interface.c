// SPDX-License-Identifier: GPL-2.0-only
/* What lincal.h promises, each call and each refusal, with nobody racing. */
#include "../../handout/checks/tables.h"

#ifdef KL_GUEST
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#endif

#define POINTS	 50
#define CHANNELS 5
#define CODE	 (-123456)

#ifdef KL_GUEST
static unsigned int right;

/* Counts what came out as it must; the first that did not is told. */
static void must(bool ok, const char *what)
{
	if (ok)
		right++;
	else
		kl_say("not so: %s (errno %d)", what, errno);
}

static bool fails(int result, int want)
{
	return result < 0 && errno == want;
}

static void refusals(int fd, int reader, struct tables *t)
{
	struct lincal_load l = { .channels = CHANNELS, .points = POINTS, .data = (uintptr_t)t->p };
	struct lincal_load bad = l;
	int32_t code = 0, value;
	struct lincal_convert v = {
		.channel = 0, .count = 1, .codes = (uintptr_t)&code, .values = (uintptr_t)&value
	};
	struct lincal_convert bad_v = v;
	struct lincal_sample s = { .channel = LINCAL_CHANNELS };
	uint32_t channel = LINCAL_CHANNELS;

	must(fails(ioctl(reader, LINCAL_IOC_LOAD, &l), EBADF), "load by a reader is refused");
	bad.channels = 0;
	must(fails(ioctl(fd, LINCAL_IOC_LOAD, &bad), EINVAL), "a table of no curve is refused");
	bad.channels = LINCAL_CHANNELS + 1;
	must(fails(ioctl(fd, LINCAL_IOC_LOAD, &bad), EINVAL), "too many curves are refused");
	bad = l;
	bad.points = LINCAL_POINTS_MIN - 1;
	must(fails(ioctl(fd, LINCAL_IOC_LOAD, &bad), EINVAL), "too few points are refused");
	bad.points = LINCAL_POINTS_MAX + 1;
	must(fails(ioctl(fd, LINCAL_IOC_LOAD, &bad), EINVAL), "too many points are refused");
	bad = l;
	bad.pad = 1;
	must(fails(ioctl(fd, LINCAL_IOC_LOAD, &bad), EINVAL), "a load with pad is refused");
	bad_v.count = 0;
	must(fails(ioctl(fd, LINCAL_IOC_CONVERT, &bad_v), EINVAL), "an empty block is refused");
	bad_v.count = LINCAL_BATCH_MAX + 1;
	must(fails(ioctl(fd, LINCAL_IOC_CONVERT, &bad_v), EINVAL), "a long block is refused");
	bad_v = v;
	bad_v.channel = CHANNELS;
	must(fails(ioctl(fd, LINCAL_IOC_CONVERT, &bad_v), ENODATA), "no curve, no conversion");
	bad_v.channel = UINT32_MAX;
	must(fails(ioctl(fd, LINCAL_IOC_CONVERT, &bad_v), ENODATA), "no channel, no conversion");
	must(fails(ioctl(fd, LINCAL_IOC_SELECT, &channel), EINVAL), "no such channel to select");
	must(fails((int)write(fd, &s, sizeof(s)), EINVAL), "no such channel to feed");
	must(fails((int)write(fd, &s, sizeof(s) - 1), EINVAL), "half a sample is refused");
	must(fails(ioctl(fd, _IO('L', 0x7f), 0), ENOTTY), "an unknown request is refused");
}

static void samples(int fd, int reader)
{
	struct pollfd p = { .fd = reader, .events = POLLIN };
	struct lincal_sample two[2] = { { 2, 1 }, { 2, CODE } };
	struct lincal_reading r;
	uint32_t channel;

	channel = CHANNELS;
	must(!ioctl(reader, LINCAL_IOC_SELECT, &channel), "a channel without a curve is selected");
	must(fails((int)read(reader, &r, sizeof(r)), ENODATA), "and read at once as having none");
	channel = 2;
	must(!ioctl(reader, LINCAL_IOC_SELECT, &channel), "a channel is selected");
	must(fails((int)read(reader, &r, sizeof(r) - 1), EINVAL), "a short buffer is refused");
	must(fails((int)read(reader, &r, sizeof(r)), EAGAIN), "no sample, no waiting");
	must(poll(&p, 1, 0) == 0, "nothing to poll");
	must(write(fd, two, sizeof(two)) == sizeof(two), "two samples at once");
	must(poll(&p, 1, 0) == 1 && p.revents & POLLIN, "something to poll");
	must(read(reader, &r, sizeof(r)) == sizeof(r), "a reading");
	must(r.code == CODE && r.sequence == 2 && r.generation == 2, "the latest one");
	kl_answer(1, (uint32_t)(r.value - MARK_STEP));
	must(poll(&p, 1, 0) == 0, "nothing to poll after it");
	must(fails((int)read(reader, &r, sizeof(r)), EAGAIN), "and nothing to read");
}

/* A reader that waits, and somebody who selects another channel for its file. */
struct moved {
	int fd, reader;
	atomic_uint reading;
};

static void moved_reader(unsigned int index, void *arg)
{
	static const uint32_t channels[] = { 3, CHANNELS };
	struct moved *m = arg;
	struct lincal_reading r = { 0 };
	ssize_t n;

	for (unsigned int i = 0; index && i < 2; i++) {
		while (atomic_load(&m->reading) <= i)
			sleep_ms(1);
		sleep_ms(20); /* it is asleep in there now */
		must(!ioctl(m->reader, LINCAL_IOC_SELECT, &channels[i]),
		     "another channel is selected while a reader waits");
		feed(m->fd, channels[i], CODE);
	}
	if (index)
		return;
	atomic_store(&m->reading, 1);
	n = read(m->reader, &r, sizeof(r));
	must(n == sizeof(r) && r.code == CODE && r.sequence == 1 && r.generation == 2,
	     "the reader gets the sample of the new one");
	kl_answer(3, (uint32_t)(r.value - MARK_STEP));
	atomic_store(&m->reading, 2);
	must(fails((int)read(m->reader, &r, sizeof(r)), ENODATA),
	     "or hears that the new one has no curve");
}

void kl_check_run(const struct kl_challenge *c)
{
	int fd = kl_open_device(DEVICE, O_RDWR);
	int reader = kl_open_device(DEVICE, O_RDONLY | O_NONBLOCK);
	static int32_t codes[LINCAL_BATCH_MAX], values[LINCAL_BATCH_MAX];
	struct lincal_info info;
	struct moved m = { 0 };
	uint32_t number, generation = 0;
	struct tables t;
	char text[32];

	codes[0] = LINCAL_CODE_MIN;
	codes[1] = LINCAL_CODE_MAX;
	must(!convert(fd, LINCAL_CHANNELS - 1, codes, values, 2, &number, &generation) &&
		     values[1] == LINCAL_CODE_MAX - LINCAL_CODE_MIN && generation == 1,
	     "at first a code stands for itself");
	tables_make(c, POINTS, &t);
	must(!table_load(fd, &t, CHANNELS, 1, &generation) && generation == 2, "a load");
	codes_of(c, 9, codes, LINCAL_BATCH_MAX);
	must(!convert(fd, 4, codes, values, LINCAL_BATCH_MAX, &number, &generation) &&
		     number == 1 && generation == 2,
	     "a conversion");
	kl_answer(0, kl_hash(KL_HASH_INIT, values, sizeof(values)));
	refusals(fd, reader, &t);
	samples(fd, reader);

	must(!ioctl(fd, LINCAL_IOC_INFO, &info), "information");
	must(info.generation == 2 && info.channels == CHANNELS && info.loads == 1 &&
		     info.open_files == 2 && info.samples == 2 &&
		     info.conversions == 2 + LINCAL_BATCH_MAX + 1,
	     "information is right");
	must(kl_read_file("/sys/class/misc/lincal/generation", text, sizeof(text)) > 0 &&
		     !strcmp(text, "2\n"),
	     "generation in sysfs");
	must(kl_read_file("/sys/class/misc/lincal/conversions", text, sizeof(text)) > 0 &&
		     strtoull(text, NULL, 10) == info.conversions,
	     "conversions in sysfs");

	m.reader = open_channel(1, O_RDONLY);
	m.fd = fd;
	kl_threads(2, moved_reader, &m);
	close(m.reader);
	kl_answer(2, right);
	close(reader);
	close(fd);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	kl_expect(0, values_hash(c, 4, POINTS, 9, LINCAL_BATCH_MAX), "values");
	kl_expect(1, (uint32_t)value_at(c, 2, POINTS, CODE), "value of a sample");
	kl_expect(3, (uint32_t)value_at(c, 3, POINTS, CODE), "value of a sample after a move");
	kl_expect(2, 37, "points of the interface that hold");
}
#endif
