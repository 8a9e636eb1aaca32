// SPDX-License-Identifier: GPL-2.0-only
/*
 * lincal - linearisation of raw converter codes
 *
 * The acquisition daemon writes raw codes, pollers read them back in physical
 * units. The units come from a calibration table, a curve of break points for
 * each channel, which the service tool may replace at any time without
 * stopping anybody. See lincal.h for what user space sees.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "lincal.h"

/* Codes that one pass of a conversion brings in and out through the stack. */
#define LINCAL_BLOCK	64

struct lincal_curve {
	u32 points;
	struct lincal_point point[];
};

/* Complete before it is published, and never edited afterwards. */
struct lincal_table {
	u32 generation;
	u32 channels;
	struct lincal_curve *curve[LINCAL_CHANNELS];
};

struct lincal_channel {
	u32 sequence;
	s32 code;
};

struct lincal {
	struct mutex lock;	/* table, loads */
	struct lincal_table *table;
	u32 loads;

	spinlock_t sample_lock;	/* channel[]; channel and seen of every open file */
	struct lincal_channel channel[LINCAL_CHANNELS];
	wait_queue_head_t wait;	/* for samples */

	atomic_t open_files;
	atomic64_t samples;
	atomic64_t conversions;
};

struct lincal_file {
	struct lincal *cal;
	u32 channel;
	u32 seen;		/* sequence of the last sample delivered */
};

static struct lincal lincal_dev;

static void lincal_table_free(struct lincal_table *table)
{
	u32 i;

	if (!table)
		return;
	for (i = 0; i < table->channels; i++)
		kfree(table->curve[i]);
	kfree(table);
}

static struct lincal_table *lincal_table_alloc(u32 channels, u32 points)
{
	struct lincal_table *table;
	u32 i;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return NULL;
	table->channels = channels;
	for (i = 0; i < channels; i++) {
		table->curve[i] = kzalloc(struct_size(table->curve[i], point, points),
					  GFP_KERNEL);
		if (!table->curve[i]) {
			lincal_table_free(table);
			return NULL;
		}
		table->curve[i]->points = points;
	}
	return table;
}

/* What the device starts with: every code stands for itself. */
static struct lincal_table *lincal_table_identity(void)
{
	struct lincal_table *table;
	u32 i;

	table = lincal_table_alloc(LINCAL_CHANNELS, 2);
	if (!table)
		return NULL;
	for (i = 0; i < LINCAL_CHANNELS; i++) {
		struct lincal_point *p = table->curve[i]->point;

		p[0].code = LINCAL_CODE_MIN;
		p[0].value = LINCAL_CODE_MIN;
		p[1].code = LINCAL_CODE_MAX;
		p[1].value = LINCAL_CODE_MAX;
	}
	table->generation = 1;
	return table;
}

static bool lincal_curve_valid(const struct lincal_curve *curve)
{
	const struct lincal_point *p = curve->point;
	u32 i;

	for (i = 0; i < curve->points; i++) {
		if (p[i].code < LINCAL_CODE_MIN || p[i].code > LINCAL_CODE_MAX)
			return false;
		if (i && p[i].code <= p[i - 1].code)
			return false;
	}
	return true;
}

static s32 lincal_apply(const struct lincal_curve *curve, s32 code)
{
	const struct lincal_point *p = curve->point;
	u32 low = 0, high = curve->points - 1;

	if (code <= p[low].code)
		return p[low].value;
	if (code >= p[high].code)
		return p[high].value;
	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (p[middle].code <= code)
			low = middle;
		else
			high = middle;
	}
	return p[low].value +
	       div_s64(((s64)p[high].value - p[low].value) * (code - p[low].code),
		       p[high].code - p[low].code);
}

/*
 * The live table, if it has a curve for the channel. A load puts a whole new
 * table in place under the lock, so the caller sees either the one or the
 * other and needs no lock to work with it.
 */
static struct lincal_table *lincal_live(struct lincal *cal, u32 channel)
{
	struct lincal_table *table;

	mutex_lock(&cal->lock);
	table = cal->table;
	if (channel >= table->channels)
		table = ERR_PTR(-ENODATA);
	mutex_unlock(&cal->lock);
	return table;
}

static int lincal_open(struct inode *inode, struct file *file)
{
	struct lincal_file *lf;

	lf = kzalloc(sizeof(*lf), GFP_KERNEL);
	if (!lf)
		return -ENOMEM;
	lf->cal = &lincal_dev;
	spin_lock(&lf->cal->sample_lock);
	lf->seen = lf->cal->channel[0].sequence;
	spin_unlock(&lf->cal->sample_lock);
	file->private_data = lf;
	atomic_inc(&lf->cal->open_files);
	return stream_open(inode, file);
}

static int lincal_release(struct inode *inode, struct file *file)
{
	struct lincal_file *lf = file->private_data;

	atomic_dec(&lf->cal->open_files);
	kfree(lf);
	return 0;
}

static u32 lincal_selected(struct lincal_file *lf)
{
	u32 channel;

	spin_lock(&lf->cal->sample_lock);
	channel = lf->channel;
	spin_unlock(&lf->cal->sample_lock);
	return channel;
}

static bool lincal_fresh(struct lincal_file *lf)
{
	struct lincal *cal = lf->cal;
	bool fresh;

	spin_lock(&cal->sample_lock);
	fresh = cal->channel[lf->channel].sequence != lf->seen;
	spin_unlock(&cal->sample_lock);
	return fresh;
}

/* Takes the sample that the file has not delivered yet, unless the file has moved elsewhere. */
static bool lincal_take(struct lincal_file *lf, u32 channel, struct lincal_reading *reading)
{
	struct lincal *cal = lf->cal;
	bool taken = false;

	spin_lock(&cal->sample_lock);
	if (lf->channel == channel && cal->channel[channel].sequence != lf->seen) {
		lf->seen = cal->channel[channel].sequence;
		reading->sequence = lf->seen;
		reading->code = cal->channel[channel].code;
		taken = true;
	}
	spin_unlock(&cal->sample_lock);
	return taken;
}

static ssize_t lincal_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	struct lincal_file *lf = file->private_data;
	struct lincal *cal = lf->cal;
	struct lincal_reading reading = { 0 };
	struct lincal_table *table;
	u32 channel;
	int err;

	if (len < sizeof(reading))
		return -EINVAL;

again:
	/* No use in waiting for a sample that has no curve. */
	channel = lincal_selected(lf);
	table = lincal_live(cal, channel);
	if (IS_ERR(table))
		return PTR_ERR(table);

	if (!lincal_fresh(lf)) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(cal->wait, lincal_fresh(lf));
		if (err)
			return err;
	}
	if (!lincal_take(lf, channel, &reading))
		goto again;

	reading.value = lincal_apply(table->curve[channel], reading.code);
	reading.generation = table->generation;
	atomic64_inc(&cal->conversions);
	if (copy_to_user(buf, &reading, sizeof(reading)))
		return -EFAULT;
	return sizeof(reading);
}

static ssize_t lincal_write(struct file *file, const char __user *buf, size_t len, loff_t *ppos)
{
	struct lincal_file *lf = file->private_data;
	struct lincal *cal = lf->cal;
	struct lincal_sample sample;
	size_t done;

	if (!len || len % sizeof(sample))
		return -EINVAL;

	for (done = 0; done < len; done += sizeof(sample)) {
		if (copy_from_user(&sample, buf + done, sizeof(sample)))
			return done ? done : -EFAULT;
		if (sample.channel >= LINCAL_CHANNELS ||
		    sample.code < LINCAL_CODE_MIN || sample.code > LINCAL_CODE_MAX)
			return done ? done : -EINVAL;

		spin_lock(&cal->sample_lock);
		cal->channel[sample.channel].code = sample.code;
		cal->channel[sample.channel].sequence++;
		spin_unlock(&cal->sample_lock);
		atomic64_inc(&cal->samples);
		wake_up_interruptible(&cal->wait);
	}
	return done;
}

static __poll_t lincal_poll(struct file *file, poll_table *wait)
{
	struct lincal_file *lf = file->private_data;
	__poll_t mask = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &lf->cal->wait, wait);
	if (lincal_fresh(lf))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

static long lincal_ioctl_select(struct lincal_file *lf, const u32 __user *arg)
{
	struct lincal *cal = lf->cal;
	u32 channel;

	if (get_user(channel, arg))
		return -EFAULT;
	if (channel >= LINCAL_CHANNELS)
		return -EINVAL;
	spin_lock(&cal->sample_lock);
	lf->channel = channel;
	lf->seen = cal->channel[channel].sequ