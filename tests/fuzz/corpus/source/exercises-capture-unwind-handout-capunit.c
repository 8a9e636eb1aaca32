// SPDX-License-Identifier: GPL-2.0
/*
 * capunit - block capture from up to four analogue channels
 *
 * A session is a ring of blocks that a work item fills from its channel's
 * source. The source is shared by all sessions of the channel: the first one
 * makes it, the last one to go takes it away. Board drivers bind their front
 * ends to channels; a channel without one is served by the built-in generator,
 * which self tests use.
 */

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "capunit.h"

#define CAPUNIT_BLOCK_BYTES	(CAPUNIT_BLOCK_SAMPLES * sizeof(s32))

/**
 * struct cap_source - a channel in use
 * @ref: one for each session; the last put holds cap_lock
 * @node: in cap_sources
 * @fe: the front end, whose module is pinned
 * @channel: its number
 * @rate_hz: fixed while the source lives
 * @wave: one period of the signal
 */
struct cap_source {
	struct kref ref;
	struct list_head node;
	const struct capunit_frontend *fe;
	u32 channel;
	u32 rate_hz;
	s16 *wave;
};

struct cap_block {
	s32 sample[CAPUNIT_BLOCK_SAMPLES];
};

/**
 * struct cap_session - one capture
 * @id: slot in cap_sessions
 * @source: where the samples come from
 * @gains: scale factors, from user space
 * @ngains: their number
 * @blocks: the ring
 * @nblocks: its size
 * @lock: protects @tail, @ready, @next and the blocks' content
 * @tail: oldest full block
 * @ready: full blocks
 * @next: number of the next sample
 * @wait: readers, for @ready
 * @fill: fills the free blocks
 */
struct cap_session {
	u32 id;
	struct cap_source *source;
	s32 *gains;
	u32 ngains;
	struct cap_block **blocks;
	u32 nblocks;
	struct mutex lock;
	u32 tail;
	u32 ready;
	u64 next;
	wait_queue_head_t wait;
	struct work_struct fill;
};

/*
 * Protects cap_sources and cap_frontends, and keeps a session that was found in
 * cap_sessions from going away.
 */
static DEFINE_MUTEX(cap_lock);
static LIST_HEAD(cap_sources);
static DEFINE_XARRAY_ALLOC(cap_sessions);

static struct kmem_cache *cap_session_cache;
static struct kmem_cache *cap_block_cache;
static struct kmem_cache *cap_source_cache;

/* Front ends */

static void cap_generator_synth(u32 channel, s16 *wave)
{
	u32 i;

	for (i = 0; i < CAPUNIT_WAVE; i++) {
		u32 t = (i * (channel + 1)) % CAPUNIT_WAVE;

		if (t < CAPUNIT_WAVE / 2)
			wave[i] = (s16)(t * 255 - 16320);
		else
			wave[i] = (s16)((CAPUNIT_WAVE - t) * 255 - 16320);
	}
}

static const struct capunit_frontend cap_generator = {
	.name = "generator",
	.owner = THIS_MODULE,
	.synth = cap_generator_synth,
};

static const struct capunit_frontend *cap_frontends[CAPUNIT_CHANNELS] = {
	&cap_generator, &cap_generator, &cap_generator, &cap_generator,
};

/**
 * capunit_bind() - gives a channel its front end
 * @channel: the channel
 * @fe: stays valid until capunit_unbind()
 *
 * Return: 0, -EINVAL for a channel that does not exist, -EBUSY when it has a
 * front end already.
 */
int capunit_bind(u32 channel, const struct capunit_frontend *fe)
{
	int ret = 0;

	if (channel >= CAPUNIT_CHANNELS)
		return -EINVAL;

	mutex_lock(&cap_lock);
	if (cap_frontends[channel] == &cap_generator)
		cap_frontends[channel] = fe;
	else
		ret = -EBUSY;
	mutex_unlock(&cap_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(capunit_bind);

/**
 * capunit_unbind() - takes a channel's front end away
 * @channel: the channel
 * @fe: what was bound; no session uses it, for a session pins its module
 */
void capunit_unbind(u32 channel, const struct capunit_frontend *fe)
{
	mutex_lock(&cap_lock);
	if (channel < CAPUNIT_CHANNELS && cap_frontends[channel] == fe)
		cap_frontends[channel] = &cap_generator;
	mutex_unlock(&cap_lock);
}
EXPORT_SYMBOL_GPL(capunit_unbind);

/* Sources */

static struct cap_source *cap_source_find(u32 channel)
{
	struct cap_source *src;

	list_for_each_entry(src, &cap_sources, node)
		if (src->channel == channel)
			return src;
	return NULL;
}

static struct cap_source *cap_source_create(u32 channel, u32 rate_hz)
{
	const struct capunit_frontend *fe = cap_frontends[channel];
	struct cap_source *src;
	int ret;

	if (!try_module_get(fe->owner))
		return ERR_PTR(-ENODEV);

	src = kmem_cache_zalloc(cap_source_cache, GFP_KERNEL);
	if (!src) {
		ret = -ENOMEM;
		goto err_module;
	}

	src->wave = kmalloc_array(CAPUNIT_WAVE, sizeof(*src->wave), GFP_KERNEL);
	if (!src->wave) {
		ret = -ENOMEM;
		goto err_source;
	}

	kref_init(&src->ref);
	src->fe = fe;
	src->channel = channel;
	src->rate_hz = rate_hz;
	fe->synth(channel, src->wave);
	list_add_tail(&src->node, &cap_sources);
	return src;

err_source:
	kmem_cache_free(cap_source_cache, src);
err_module:
	module_put(fe->owner);
	return ERR_PTR(ret);
}

static struct cap_source *cap_source_get(u32 channel, u32 rate_hz)
{
	struct cap_source *src;

	mutex_lock(&cap_lock);
	src = cap_source_find(channel);
	if (!src)
		src = cap_source_create(channel, rate_hz);
	else if (src->rate_hz == rate_hz)
		kref_get(&src->ref);
	else
		src = ERR_PTR(-EBUSY);
	mutex_unlock(&cap_lock);
	return src;
}

/* Called with cap_lock held, and drops it. */
static void cap_source_release(struct kref *ref)
{
	struct cap_source *src = container_of(ref, struct cap_source, ref);

	list_del(&src->node);
	mutex_unlock(&cap_lock);
	module_put(src->fe->owner);
	kfree(src->wave);
	kmem_cache_free(cap_source_cache, src);
}

static void cap_source_put(struct cap_source *src)
{
	kref_put_mutex(&src->ref, cap_source_release, &cap_lock);
}

/* The ring */

static int cap_ring_alloc(struct cap_session *s, u32 nblocks)
{
	int i;

	s->blocks = kcalloc(nblocks, sizeof(*s->blocks), GFP_KERNEL);
	if (!s->blocks)
		return -ENOMEM;

	for (i = 0; i < nblocks; i++) {
		s->blocks[i] = kmem_cache_zalloc(cap_block_cache, GFP_KERNEL);
		if (!s->blocks[i])
			goto err_blocks;
	}
	s->nblocks = nblocks;
	return 0;

err_blocks:
	while (--i > 0)
		kmem_cache_free(cap_block_cache, s->blocks[i]);
	kfree(s->blocks);
	return -ENOMEM;
}

static void cap_ring_free(struct cap_session *s)
{
	u32 i;

	for (i = 0; i < s->nblocks; i++)
		kmem_cache_free(cap_block_cache, s->blocks[i]);
	kfree(s->blocks);
}

static void cap_fill_block(struct cap_session *s, struct cap_block *block)
{
	u32 stride = s->source->rate_hz / CAPUNIT_MIN_RATE;
	u32 i;

	for (i = 0; i < CAPUNIT_BLOCK_SAMPLES; i++) {
		u32 n = (u32)s->next++;
		s16 value = s->source->wave[(n * stride) % CAPUNIT_WAVE];

		block->sample[i] = (s32)(((s64)value * s->gains[n % s->ngains]) >> 16);
	}
}

static void cap_fill(struct work_struct *work)
{
	struct cap_session *s = container_of(work, struct cap_session, fill);

	mutex_lock(&s->lock);
	while (s->ready < s->nblocks) {
		cap_fill_block(s, s->blocks[(s->tail + s->ready) % s->nblocks]);
		s->ready++;
	}
	mutex_unlock(&s->lock);
	wake_up_interruptible(&s->wait);
}

/* A session's file */

static ssize_t cap_session_read(struct file *file, char __user *buf,
				size_t count, loff_t *ppos)
{
	struct cap_session *s = file->private_data;
	size_t done = 0;
	int ret = 0;

	if (count < CAPUNIT_BLOCK_BYTES)
		return -EINVAL;

	mutex_lock(&s->lock);
	while (!s->ready) {
		mutex_unlock(&s->lock);
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(s->wait, READ_ONCE(s->ready)))
			return -ERESTARTSYS;
		mutex_lock(&s->lock);
	}

	while (s->ready && count - done >= CAPUNIT_BLOCK_BYTES) {
		if (copy_to_user(buf + done, s->blocks[s->tail]->sample,
				 CAPUNIT_BLOCK_BYTES)) {
			ret = -EFAULT;
			break;
		}
		done += CAPUNIT_BLOCK_BYTES;
		s->tail = (s->tail + 1) % s->nblocks;
		s->ready--;
	}
	mutex_unlock(&s->lock);

	if (done)
		schedule_work(&s->fill);
	return done ? done : ret;
}

static __poll_t cap_session_poll(struct file *file, poll_table *wait)
{
	struct cap_ses