// SPDX-License-Identifier: GPL-2.0
/*
 * The schedule driver, built as klinic_sched.ko: a schedule for each seed.
 *
 * On the one counted CPU of an exact run tasks take turns only where they sleep
 * or where a tick falls, so most races never happen. This module traces each
 * kernel function that the module under test calls (the names come with the
 * orders in the mailbox). At such a point a task of the check may, as the seed has it,
 * be preempted and pushed back in the run queue, so that others run first, for a
 * short or for a long while; or, with a depth in the orders, the tasks run by the
 * priorities of PCT (pct.h). The same seed draws the same numbers at the same
 * points: the same schedule. What either can and cannot find: docs/schedules.md.
 *
 * All points are one ftrace_ops, entered at once: a kprobe each cost 0.2 counted
 * seconds for every point, twice, for each looks at all functions of the kernel. For
 * the same reason it is never taken off: a run ends with its machine. (Taking it off
 * would also wait until every task has given up the CPU by itself, and a check may
 * keep one off the CPU.)
 */
#include <linux/ftrace.h>
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mailbox.h"
#include "pct.h"

static int pgrp;
module_param(pgrp, int, 0);
MODULE_PARM_DESC(pgrp, "process group of the check's program");

static struct kl_mail *mail;
static unsigned long *points;
static char *names;
static unsigned int npoints;
static struct pid *group;
static struct rnd_state rnd;
static unsigned int percent;
static u64 hit, preempted;
static struct kl_pct pct;
static struct task_struct *who[KL_PCT_TASKS]; /* of pct.task */
static unsigned long yield_ip; /* of sched_yield(2), under PCT */
static bool over;

/*
 * How far a preempted task falls back, in virtual run time: mostly a little, so
 * that the tasks interleave finely; sometimes past several time slices, so that
 * others finish whole operations in between.
 */
static const u32 setback_us[] = { 50, 50, 200, 1000, 4000, 20000 };

/*
 * The same function called by the rest of the kernel is no point: a fix that calls
 * what runs everywhere, such as __rcu_read_lock(), would be preempted everywhere.
 * The guest has one module beside this one; by address, since a check may load it anew.
 */
static bool called_by_module(unsigned long caller)
{
	return caller >= MODULES_VADDR && caller < MODULES_END &&
	       !within_module(caller, THIS_MODULE);
}

static void at_point(unsigned long caller)
{
	u32 draw;

	if (!in_task() || task_pgrp(current) != group || !called_by_module(caller))
		return;
	hit++;
	draw = prandom_u32_state(&rnd);
	if (draw % 100 >= percent)
		return;
	preempted++;
	/*
	 * The running task is not in the run queue's tree (kernel/sched/fair.c,
	 * set_next_entity), so its virtual run time may be moved here; it counts
	 * when the task is put back.
	 */
	if (!rt_prio(current->prio))
		current->se.vruntime += 1000ULL * setback_us[(draw >> 16) % ARRAY_SIZE(setback_us)];
	set_tsk_need_resched(current);
	set_preempt_need_resched(); /* taken when the tracer lets go, if the caller may sleep */
}

/* By so much virtual run time tasks are kept apart: more than they mostly run between two points. */
#define APART_NS (8 * NSEC_PER_MSEC)

/* Virtual run time wraps: kernel/sched/fair.c has these for itself. */
static u64 min_vruntime(u64 a, u64 b)
{
	return (s64)(b - a) < 0 ? b : a;
}

static u64 max_vruntime(u64 a, u64 b)
{
	return (s64)(b - a) > 0 ? b : a;
}

/* Has the fair class t to choose from? */
static bool waits_for_cpu(const struct task_struct *t)
{
	return t && t != current && READ_ONCE(t->on_rq) && !rt_prio(t->prio);
}

/*
 * Priorities by virtual run time, of which only the running task's may be moved (see
 * above): ahead of all lower ones that could run, then behind all higher ones, which
 * then do. What the scheduler makes of it in between, at wake-ups and ticks, is put
 * right at the next point. It is not strict, and that is meant: real-time priorities
 * would let a task that waits in a loop for a lower one wait for ever, and a right fix
 * would be judged to hang. Here each loses its place in time (kl_pct_tire).
 */
static void take_place(const struct kl_pct_task *t)
{
	u64 at = current->se.vruntime;
	bool behind = false;
	u32 i;

	if (rt_prio(current->prio))
		return;
	for (i = 0; i < pct.n; i++) {
		if (!waits_for_cpu(who[i]))
			continue;
		if (&pct.task[i] != t)
			kl_pct_tire(&pct, &pct.task[i], who[i]->se.sum_exec_runtime);
		if (pct.task[i].rung > t->rung)
			at = min_vruntime(at, who[i]->se.vruntime - APART_NS);
	}
	for (i = 0; i < pct.n; i++) {
		if (!waits_for_cpu(who[i]) || pct.task[i].rung > t->rung)
			continue;
		at = max_vruntime(at, who[i]->se.vruntime + APART_NS);
		behind = true;
	}
	current->se.vruntime = at;
	if (!behind)
		return;
	preempted++;
	set_tsk_need_resched(current);
	set_preempt_need_resched();
}

/* Tasks are kept, so that nobody looks at one that is gone. */
static void know(const struct kl_pct_task *t)
{
	struct task_struct **known = &who[t - pct.task];

	if (*known == current)
		return;
	if (*known)
		put_task_struct(*known);
	*known = get_task_struct(current);
}

static void forget_all(void)
{
	u32 i;

	for (i = 0; i < KL_PCT_TASKS; i++) {
		if (who[i])
			put_task_struct(who[i]);
		who[i] = NULL;
	}
}

/* The module's own threads and work items are tasks of the check as well: nobody else is at these points. */
static void at_pct_point(unsigned long caller)
{
	struct kl_pct_task *t;

	if (!in_task() || !called_by_module(caller) ||
	    (task_pgrp(current) != group && !(current->flags & PF_KTHREAD)))
		return;
	hit++;
	t = kl_pct_point(&pct, task_pid_nr(current), current->se.sum_exec_runtime);
	know(t);
	take_place(t);
}

/* Who yields lets all others go first, or it would be chosen again at once. */
static void at_pct_yield(void)
{
	struct kl_pct_task *t;

	if (task_pgrp(current) != group)
		return;
	t = kl_pct_meet(&pct, task_pid_nr(current), current->se.sum_exec_runtime);
	know(t);
	kl_pct_sink(&pct, t, current->se.sum_exec_runtime);
	take_place(t);
}

/* Giving the recursion lock back enables preemption: there the task is preempted. */
static void notrace at_call(unsigned long ip, unsigned long caller, struct ftrace_ops *ops,
			    struct ftrace_regs *regs)
{
	int bit = ftrace_test_recursion_trylock(ip, caller);

	if (bit < 0)
		return;
	if (READ_ONCE(over))
		;
	else if (ip == yield_ip)
		at_pct_yield();
	else if (mail->orders.depth)
		at_pct_point(caller);
	else
		at_point(caller);
	ftrace_test_recursion_unlock(bit);
}

static struct ftrace_ops tracer = { .func = at_call };

/* What modules may not call by name is asked of a probe that is never armed. */
static void *__init address_of(const char *name)
{
	struct kprobe p = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	void *addr;

	if (register_kprobe(&p))
		return NULL;
	addr = p.addr;
	unregister_kprobe(&p);
	return addr;
}

static unsigned long (*__initdata lookup)(const char *name);
static unsigned long (*__initdata location)(unsigned long ip);
static bool (*__initdata forbidden)(unsigned long addr);

/* Data, inlined and untraceable symbols are no points. */
static unsigned long __init point_at(const char *name)
{
	unsigned long addr = *name ? lookup(name) : 0;

	return addr && !forbidden(addr) ? location(addr) : 0;
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
	yield_ip = point_at("__x64_sys_sched_yield");
	if (yield_ip)
		points[npoints++] = yield_ip;
}

static int __init trace_points(void)
{
	char *rest = names, *name;
	int err;

	lookup = address_of("kallsyms_lookup_name");
	location = address_of("ftrace_location");
	forbidden = address_of("within_kprobe_blacklist");
	if (!lookup || !location || !forbidden)
		return -ENOENT;
	if (mail->orders.depth)
		begin_pct();
	while ((name = strsep(&rest, ","))) {
		unsigned long ip = point_at(name);

		if (ip)
			points[npoints++] = ip;
	}
	if (!npoints)
		return 0;
	err = ftrace_set_filter_ips(&tracer, points, npoints, 0, 1);
	return err ? err : register_ftrace_function(&tracer);
}

/* Written by the agent when the check's program has ended. */
static int set_over(const char *value, const struct kernel_param *param)
{
	WRITE_ONCE(over, true);
	forget_all();
	mail->answers.points_hit = hit;
	mail->answers.preempted = preempted;
	return 0;
}

static const struct kernel_param_ops over_ops = { .set = set_over };
module_param_cb(over, &over_ops, NULL, 0200);
MODULE_PARM_DESC(over, "no more preemption; what was counted goes into the mailbox");

static int __init klinic_sched_init(void)
{
	int err = -ENOMEM;

	mail = memremap(KL_MAIL_PHYS, sizeof(*mail), MEMREMAP_WB);
	names = kmemdup_nul(mail ? mail->orders.points : "", KL_MAIL_POINTS - 1, GFP_KERNEL);
	points = kvcalloc(count_names() + 1, sizeof(*points), GFP_KERNEL);
	group = find_get_pid(pgrp);
	if (!mail || !points || !names || !group)
		goto fail;
	prandom_seed_state(&rnd, mail->orders.seed * 0x9e3779b97f4a7c15ULL + 1);
	percent = mail->orders.preempt_percent;
	err = trace_points();
	if (!err)
		return 0;
fail:
	put_pid(group);
	kfree(names);
	kvfree(points);
	if (mail)
		memunmap(mail);
	return err;
}

module_init(klinic_sched_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("klinic: a schedule for each seed");
