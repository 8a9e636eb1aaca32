// SPDX-License-Identifier: GPL-2.0
/*
 * The schedule driver, built as klinic_sched.ko: a schedule for each seed.
 *
 * On the one counted CPU of an exact run tasks take turns only where they sleep
 * or where a tick falls, so most races never happen. This module puts a probe on
 * each kernel function that the module under test calls (the names come with the
 * orders in the mailbox). At a probe a task of the check may, as the seed has it,
 * be preempted and pushed back in the run queue, so that others run first, for a
 * short or for a long while; or, with a depth in the orders, the tasks run by the
 * priorities of PCT (pct.h). The same seed draws the same numbers at the same
 * points: the same schedule. What either can and cannot find: docs/schedules.md.
 */
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mailbox.h"
#include "pct.h"

static int pgrp;
module_param(pgrp, int, 0);
MODULE_PARM_DESC(pgrp, "process group of the check's program");

static struct kl_mail *mail;
static struct kprobe *points;
static char *names;
static unsigned int npoints;
static struct pid *group;
static struct rnd_state rnd;
static unsigned int percent;
static u64 hit, preempted;
static struct kl_pct pct;
static u64 foot; /* of the ladder, in virtual run time */
static struct kprobe at_yield;

/*
 * How far a preempted task falls back, in virtual run time: mostly a little, so
 * that the tasks interleave finely; sometimes past several time slices, so that
 * others finish whole operations in between.
 */
static const u32 setback_us[] = { 50, 50, 200, 1000, 4000, 20000 };

/*
 * The same function called by the rest of the kernel is no point: a fix that calls
 * what runs everywhere, such as __rcu_read_lock(), would be preempted everywhere.
 * At a function's first instruction the stack's top is the address it returns to.
 * The guest has one module beside this one; by address, since a check may load it anew.
 */
static bool called_by_module(struct pt_regs *regs)
{
	unsigned long caller = regs_get_kernel_stack_nth(regs, 0);

	return caller >= MODULES_VADDR && caller < MODULES_END &&
	       !within_module(caller, THIS_MODULE);
}

static int at_point(struct kprobe *p, struct pt_regs *regs)
{
	u32 draw;

	if (!in_task() || task_pgrp(current) != group || !called_by_module(regs))
		return 0;
	hit++;
	draw = prandom_u32_state(&rnd);
	if (draw % 100 >= percent)
		return 0;
	preempted++;
	/*
	 * The running task is not in the run queue's tree (kernel/sched/fair.c,
	 * set_next_entity), so its virtual run time may be moved here; it counts
	 * when the task is put back.
	 */
	if (!rt_prio(current->prio))
		current->se.vruntime += 1000ULL * setback_us[(draw >> 16) % ARRAY_SIZE(setback_us)];
	set_tsk_need_resched(current);
	set_preempt_need_resched(); /* taken when the handler returns, if the caller may sleep */
	return 0;
}

/*
 * Priorities by virtual run time, which only the running task's may be moved (see
 * above). It is not strict, and that is meant: real-time priorities would let a
 * task that waits in a loop for a lower one wait for ever, and a right fix would be
 * judged to hang. Here a rung is a head start. A task that wakes and whose rung
 * comes before that of the one running is put just before that one
 * (kernel/sched/fair.c, place_entity), preempts it, and gets its rung back at its
 * next point.
 */
static void step_to(const struct kl_pct_task *t)
{
	u64 at = foot + t->rung * KL_PCT_RUNG_NS;

	if (rt_prio(current->prio))
		return;
	if ((s64)(at - current->se.vruntime) > 0) {
		preempted++;
		set_tsk_need_resched(current);
		set_preempt_need_resched();
	}
	current->se.vruntime = at;
}

/* The module's own threads and work items are tasks of the check as well: nobody else is at these points. */
static int at_pct_point(struct kprobe *p, struct pt_regs *regs)
{
	if (!in_task() || !called_by_module(regs) ||
	    (task_pgrp(current) != group && !(current->flags & PF_KTHREAD)))
		return 0;
	hit++;
	step_to(kl_pct_point(&pct, task_pid_nr(current), current->se.sum_exec_runtime));
	return 0;
}

/* Who yields lets all others go first, or it would be chosen again at once. */
static int at_pct_yield(struct kprobe *p, struct pt_regs *regs)
{
	struct kl_pct_task *t;

	if (task_pgrp(current) != group)
		return 0;
	t = kl_pct_meet(&pct, task_pid_nr(current), current->se.sum_exec_runtime);
	kl_pct_sink(&pct, t, current->se.sum_exec_runtime);
	step_to(t);
	return 0;
}

static void put_points(void)
{
	if (at_yield.addr)
		unregister_kprobe(&at_yield);
	while (npoints)
		unregister_kprobe(&points[--npoints]);
}

static size_t __init count_names(void)
{
	size_t n = 1;
	const char *p;

	for (p = names; p && *p; p++)
		n += *p == ',';
	return n;
}

static void __init begin_pct(void)
{
	kl_pct_init(&pct, mail->orders.seed, mail->orders.depth);
	foot = current->se.vruntime;
	at_yield.symbol_name = "__x64_sys_sched_yield";
	at_yield.pre_handler = at_pct_yield;
	if (register_kprobe(&at_yield))
		at_yield.addr = NULL;
}

static int __init klinic_sched_init(void)
{
	char *rest, *name;

	mail = memremap(KL_MAIL_PHYS, sizeof(*mail), MEMREMAP_WB);
	names = kmemdup_nul(mail ? mail->orders.points : "", KL_MAIL_POINTS - 1, GFP_KERNEL);
	points = kvcalloc(count_names(), sizeof(*points), GFP_KERNEL);
	group = find_get_pid(pgrp);
	if (!mail || !points || !names || !group)
		goto fail;
	prandom_seed_state(&rnd, mail->orders.seed * 0x9e3779b97f4a7c15ULL + 1);
	percent = mail->orders.preempt_percent;
	if (mail->orders.depth)
		begin_pct();
	rest = names;
	while ((name = strsep(&rest, ","))) {
		struct kprobe *p = &points[npoints];

		p->symbol_name = name;
		p->pre_handler = mail->orders.depth ? at_pct_point : at_point;
		/* Data, inlined or forbidden symbols cannot be probed: they are no points. */
		if (!*name || register_kprobe(p)) {
			memset(p, 0, sizeof(*p));
			continue;
		}
		npoints++;
	}
	return 0;
fail:
	put_pid(group);
	kfree(names);
	kvfree(points);
	if (mail)
		memunmap(mail);
	return -ENOMEM;
}

static void __exit klinic_sched_exit(void)
{
	put_points();
	mail->answers.points_hit = hit;
	mail->answers.preempted = preempted;
	put_pid(group);
	kfree(names);
	kvfree(points);
	memunmap(mail);
}

module_init(klinic_sched_init);
module_exit(klinic_sched_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("klinic: a schedule for each seed");
