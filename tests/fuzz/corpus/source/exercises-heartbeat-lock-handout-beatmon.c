// SPDX-License-Identifier: GPL-2.0
/*
 * beatmon: heartbeat monitor for user-space supervisors
 *
 * Every open file of /dev/beatmon is a monitor. The supervisor registers its
 * clients and forwards their heartbeats; a timer ages the clients and queues an
 * event for each that misses its timeout.
 *
 * Locking:
 *   mon->config   serialises what adds and removes clients and what starts and
 *                 stops the timer; may be held while sleeping
 *   mon->lock     protects the list of clients and all that is in them
 *   queue.lock    protects the event queue; nests inside mon->lock
 */
#include <linux/bitops.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "beatmon.h"

#define BEATMON_EVENTS	(BEATMON_MAX_CLIENTS * BEATMON_UNREAD)
#define BEATMON_CHUNK	16

struct beatmon_client {
	struct list_head node;
	u64 serial;
	u64 beats;
	u64 signature;
	u32 id;
	u32 timeout;
	u32 limit;
	u32 age;
	u32 misses;
	u32 unread;
	u32 lost;
	enum beatmon_state state;
	u32 gaps[BEATMON_HISTORY];
};

struct beatmon_queue {
	spinlock_t lock;
	wait_queue_head_t wait;
	u64 posted;
	unsigned int head;
	unsigned int count;
	struct beatmon_event ring[BEATMON_EVENTS];
};

struct beatmon {
	struct mutex config;
	spinlock_t lock;
	struct list_head clients;	/* in order of id */
	u64 next_serial;
	u64 ticks;
	unsigned int n_clients;
	unsigned int tick_ms;
	struct timer_list timer;
	struct beatmon_queue queue;
};

static struct kmem_cache *beatmon_cache;

/* The event queue */

static bool beatmon_queue_push(struct beatmon_queue *q, const struct beatmon_event *event)
{
	bool room;

	/* Heartbeats post as well as the timer. */
	spin_lock_bh(&q->lock);
	room = q->count < BEATMON_EVENTS;
	if (room) {
		q->ring[(q->head + q->count) % BEATMON_EVENTS] = *event;
		q->count++;
		q->posted++;
	}
	spin_unlock_bh(&q->lock);

	if (room)
		wake_up_interruptible(&q->wait);
	return room;
}

static bool beatmon_queue_pop(struct beatmon_queue *q, struct beatmon_event *ret_event)
{
	bool found;

	spin_lock_bh(&q->lock);
	found = q->count > 0;
	if (found) {
		*ret_event = q->ring[q->head];
		q->head = (q->head + 1) % BEATMON_EVENTS;
		q->count--;
	}
	spin_unlock_bh(&q->lock);
	return found;
}

static bool beatmon_queue_empty(struct beatmon_queue *q)
{
	bool empty;

	spin_lock(&q->lock);
	empty = !q->count;
	spin_unlock(&q->lock);
	return empty;
}

/* Forgets the events of a registration that is no longer in the list. */
static void beatmon_queue_purge(struct beatmon_queue *q, u64 serial)
{
	unsigned int i, kept = 0;

	spin_lock_bh(&q->lock);
	for (i = 0; i < q->count; i++) {
		struct beatmon_event *event = &q->ring[(q->head + i) % BEATMON_EVENTS];

		if (event->serial != serial)
			q->ring[(q->head + kept++) % BEATMON_EVENTS] = *event;
	}
	q->count = kept;
	spin_unlock_bh(&q->lock);
}

/* Clients. Called with mon->lock held. */

static struct beatmon_client *beatmon_find(struct beatmon *mon, u32 id)
{
	struct beatmon_client *client;

	lockdep_assert_held(&mon->lock);
	list_for_each_entry(client, &mon->clients, node) {
		if (client->id == id)
			return client;
		if (client->id > id)
			break;
	}
	return NULL;
}

static void beatmon_post(struct beatmon *mon, struct beatmon_client *client,
			 enum beatmon_kind kind)
{
	struct beatmon_event event = {
		.id = client->id,
		.kind = kind,
		.misses = client->misses,
		.serial = client->serial,
		.signature = client->signature,
	};

	lockdep_assert_held(&mon->lock);
	if (client->unread < BEATMON_UNREAD && beatmon_queue_push(&mon->queue, &event))
		client->unread++;
	else
		client->lost++;
}

static void beatmon_age(struct beatmon *mon, struct beatmon_client *client)
{
	if (client->state == BEATMON_DEAD || ++client->age < client->timeout)
		return;

	client->age = 0;
	client->misses++;
	if (client->misses < client->limit) {
		client->state = BEATMON_LATE;
		beatmon_post(mon, client, BEATMON_MISS);
	} else {
		client->state = BEATMON_DEAD;
		beatmon_post(mon, client, BEATMON_DIED);
	}
}

/* The timer */

static void beatmon_timer(struct timer_list *t)
{
	struct beatmon *mon = from_timer(mon, t, timer);
	struct beatmon_client *client;

	spin_lock(&mon->lock);
	mon->ticks++;
	list_for_each_entry(client, &mon->clients, node)
		beatmon_age(mon, client);
	/* From the last deadline, not from now: lateness must not add up. */
	mod_timer(&mon->timer, mon->timer.expires + msecs_to_jiffies(mon->tick_ms));
	spin_unlock(&mon->lock);
}

static void beatmon_start(struct beatmon *mon)
{
	lockdep_assert_held(&mon->config);
	mod_timer(&mon->timer, jiffies + msecs_to_jiffies(mon->tick_ms));
}

static void beatmon_stop(struct beatmon *mon)
{
	del_timer_sync(&mon->timer);
}

/* ioctls */

static long beatmon_add(struct beatmon *mon, const void __user *argp)
{
	struct beatmon_client *client, *next;
	struct beatmon_add add;
	long ret = 0;

	if (copy_from_user(&add, argp, sizeof(add)))
		return -EFAULT;
	if (!add.id || add.id > INT_MAX || !add.timeout || !add.limit || add.reserved)
		return -EINVAL;

	client = kmem_cache_zalloc(beatmon_cache, GFP_KERNEL);
	if (!client)
		return -ENOMEM;
	client->id = add.id;
	client->timeout = add.timeout;
	client->limit = add.limit;
	client->signature = add.signature;

	mutex_lock(&mon->config);
	spin_lock(&mon->lock);
	list_for_each_entry(next, &mon->clients, node)
		if (next->id >= add.id)
			break;
	if (!list_entry_is_head(next, &mon->clients, node) && next->id == add.id) {
		ret = -EEXIST;
	} else if (mon->n_clients == BEATMON_MAX_CLIENTS) {
		ret = -ENOSPC;
	} else {
		client->serial = ++mon->next_serial;
		list_add_tail(&client->node, &next->node);
		mon->n_clients++;
	}
	spin_unlock(&mon->lock);
	if (!ret && mon->n_clients == 1)
		beatmon_start(mon);
	mutex_unlock(&mon->config);

	if (ret)
		kmem_cache_free(beatmon_cache, client);
	return ret;
}

static long beatmon_remove(struct beatmon *mon, unsigned long id)
{
	struct beatmon_client *client;

	if (!id || id > INT_MAX)
		return -EINVAL;

	mutex_lock(&mon->config);
	spin_lock(&mon->lock);
	client = beatmon_find(mon, id);
	if (client) {
		list_del(&client->node);
		mon->n_clients--;
	}
	spin_unlock(&mon->lock);
	if (client && !mon->n_clients)
		beatmon_stop(mon);
	mutex_unlock(&mon->config);
	if (!client)
		return -ENOENT;

	beatmon_queue_purge(&mon->queue, client->serial);
	kmem_cache_free(beatmon_cache, client);
	return 0;
}

static long beatmon_beat(struct beatmon *mon, const void __user *argp)
{
	struct beatmon_client *client;
	struct beatmon_beat beat;
	long ret = 0;

	if (copy_from_user(&beat, argp, sizeof(beat)))
		return -EFAULT;
	if (beat.reserved)
		return -EINVAL;

	spin_lock(&mon->lock);
	client = beatmon_find(mon, beat.id);
	if (!client) {
		ret = -ENOENT;
	} else if (client->state == BEATMON_DEAD) {
		ret = -ETIMEDOUT;
	} else {
		client->gaps[client->beats++ % BEATMON_HISTORY] =
			client->misses * client->timeout + client->age;
		client->signature = (rol64(client->signature, 9) ^ beat.token) *
				    0x9e3779b97f4a7c15ULL;
		client->age = 0;
		client->misses = 0;
		if (client->state == BEATMON_LATE) {
			client->state = BEATMON_ALIVE;
			beatmon_post(mon, client, BEATMON_RECOVERED);
		}
	}
	spin_unlock(&mon->lock);
	return ret;
}

static unsigned int beatmon_copy(struct beatmon *mon, u32 from, struct beatmon_client *copies,
				 unsigned int max)
{
	struct beatmon_client *client;
	unsigned int n = 0;

	spin_lock(&mon->lock);
	list_for_each_entry(client, &mon->clients, node) {
		if (client->id < from)
			continue;
		if (n == max)
			break;
		copies[n++] = *client;
	}
	spin_unlock(&mon->lock);
	return n;
}

static int beatmon_compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void beatmon_fill_status(s