// SPDX-License-Identifier: GPL-2.0
/*
 * The canary, built as klinic_canary.ko: one deliberate fault for each detector.
 *
 * It comes into the guest when a run is over and its facts are taken. The host
 * has written a secret of that run over the letters in the functions' names
 * (runner/vm/canary.c), so that a report which names them was made now, by a
 * detector that is still armed and still reaches the console.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "canary.h"

/* The name of one fault's function: what a report's call trace must show. */
#define CANARY__(token, kind) klc_##token##_##kind
#define CANARY_(token, kind)  CANARY__(token, kind)
#define CANARY(kind)	      CANARY_(KL_CANARY_TOKEN, kind)

/* barrier() at a function's end: a tail call would leave it out of the call trace. */

#define CANARY_LEAKS 8 /* one whose address is still in some register or stack is not reported */

#ifdef CONFIG_PROVE_LOCKING
static noinline void CANARY(lockdep)(void)
{
	static struct {
		spinlock_t lock;
	} two[2];
	int i;

	for (i = 0; i < 2; i++)
		spin_lock_init(&two[i].lock); /* one class */
	spin_lock(&two[0].lock);
	spin_lock(&two[1].lock);
	spin_unlock(&two[1].lock);
	spin_unlock(&two[0].lock);
}
#endif

#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
static noinline void CANARY(sleep_in_atomic)(void)
{
	preempt_disable();
	might_sleep();
	preempt_enable();
}
#endif

#ifdef CONFIG_KASAN
static noinline void CANARY(kasan)(void)
{
	char *p = kmalloc(24, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	READ_ONCE(*p);
	barrier();
}
#endif

#ifdef CONFIG_UBSAN_SHIFT
static noinline void CANARY(ubsan)(void)
{
	int by = 40, one = 1;

	OPTIMIZER_HIDE_VAR(by);
	one <<= by;
	OPTIMIZER_HIDE_VAR(one);
	barrier();
}
#endif

#ifdef CONFIG_DEBUG_LIST
static noinline void CANARY(list)(void)
{
	struct list_head a, b;

	INIT_LIST_HEAD(&a);
	INIT_LIST_HEAD(&b);
	a.next = &b; /* b does not point back */
	list_del(&a);
	barrier();
}
#endif

static noinline void CANARY(refcount)(void)
{
	refcount_t r = REFCOUNT_INIT(0);

	refcount_inc(&r);
	barrier();
}

#ifdef CONFIG_DEBUG_OBJECTS_FREE
static void canary_timer(struct timer_list *t)
{
}

static noinline void CANARY(odebug)(void)
{
	struct timer_list *t = kmalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return;
	timer_setup(t, canary_timer, 0);
	mod_timer(t, jiffies + 1000 * HZ);
	kfree(t); /* debugobjects takes the timer off before it goes */
	barrier();
}
#endif

static noinline void CANARY(warn)(void)
{
	WARN(1, "klinic: canary\n");
}

#ifdef CONFIG_DEBUG_KMEMLEAK
/* For the scan that follows. */
static noinline void CANARY(kmemleak)(void)
{
	int i;

	for (i = 0; i < CANARY_LEAKS; i++) {
		void *p = kmalloc(40, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(p);
	}
}
#endif

static int __init klinic_canary_init(void)
{
	/* lockdep first: a report of any other taints the kernel, and lockdep stands down. */
#ifdef CONFIG_PROVE_LOCKING
	CANARY(lockdep)();
#endif
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	CANARY(sleep_in_atomic)();
#endif
#ifdef CONFIG_UBSAN_SHIFT
	CANARY(ubsan)();
#endif
#ifdef CONFIG_KASAN
	CANARY(kasan)();
#endif
#ifdef CONFIG_DEBUG_LIST
	CANARY(list)();
#endif
	CANARY(refcount)();
#ifdef CONFIG_DEBUG_OBJECTS_FREE
	CANARY(odebug)();
#endif
	CANARY(warn)();
#ifdef CONFIG_DEBUG_KMEMLEAK
	CANARY(kmemleak)();
#endif
	return 0;
}

/* No exit: the machine ends with it. */
module_init(klinic_canary_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("klinic: a fault for each detector");
