// SPDX-License-Identifier: GPL-2.0
/* Puts its hands on what watches it, one way for each number that is written. */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static void *look_up(const char *name)
{
	struct kprobe p = { .symbol_name = "kallsyms_lookup_name" };
	unsigned long (*find)(const char *name);

	if (register_kprobe(&p))
		return NULL;
	find = (void *)p.addr;
	unregister_kprobe(&p);
	return (void *)find(name);
}

/* Honest, and everything that a record may have: no hand at all. */
static int chatter(void)
{
	static char much[2000];
	int i;

	pr_info("one line\n");
	pr_info("two\nlines\n");
	pr_info("\nan empty one, and one that ends\n\n");
	pr_info("a return\r and a nul%c\n", 0);
	pr_debug("nobody hears this\n");
	printk(KERN_DEBUG "nor this, on the console\n");
	pr_info("begun");
	pr_cont(", and continued\n");
	memset(much, 'x', sizeof(much) - 1);
	pr_info("%s\n", much);
	for (i = 0; i < 300; i++)
		much[i * 3] = '\n';
	pr_info("%s\n", much);
	pr_info("the next one has no end");
	return 0;
}

/* More than the ring holds, less than the console. */
static int flood(void)
{
	int i;

	for (i = 0; i < 6000; i++)
		pr_info("%d %.*s\n", i, i % 97, "..................................................."
						"..............................................");
	return 0;
}

static int hush(void)
{
	int was = console_loglevel;

	console_loglevel = 0;
	pr_err("BUG: nobody is to see this\n");
	console_loglevel = was;
	return 0;
}

/* Straight to the serial port. */
static int forge(void)
{
	const char *p = "[    6.000000][   T67] hands: all is well\r\n";

	for (; *p; p++) {
		while (!(inb(0x3f8 + 5) & 0x20))
			cpu_relax();
		outb(*p, 0x3f8);
	}
	return 0;
}

static int change_log(const char *from, char to)
{
	char **log_buf = look_up("log_buf");
	u32 *len = look_up("log_buf_len"), i;

	for (i = 0; log_buf && len && i + strlen(from) < *len; i++)
		if (!memcmp(*log_buf + i, from, strlen(from)))
			memset(*log_buf + i, to, strlen(from));
	return 0;
}

/* Shown nowhere, and then taken out of the ring. */
static int wipe(void)
{
	hush();
	return change_log("BUG: nobody is to see this", ' ');
}

/* On the console, but not in the ring. */
static int reword(void)
{
	pr_info("a word that is regretted\n");
	return change_log("a word that is regretted", '.');
}

static int unlink(void)
{
	__list_del_entry(&THIS_MODULE->list);
	return 0;
}

static struct module ghost_module;

static int ghost(void)
{
	strscpy(ghost_module.name, "ghost", sizeof(ghost_module.name));
	ghost_module.state = MODULE_STATE_LIVE;
	list_add_tail(&ghost_module.list, &THIS_MODULE->list);
	return 0;
}

static int set_int(const char *name, int value)
{
	int *p = look_up(name);

	if (!p)
		return -ENOENT;
	*p = value;
	return 0;
}

static int loglevel(void)
{
	console_loglevel = 9;
	return 0;
}

static int kasan_once(void)
{
	return set_int("kasan_flags", 1);
}

static int hung_off(void)
{
	return set_int("sysctl_hung_task_timeout_secs", 0);
}

static int swallow(struct notifier_block *nb, unsigned long what, void *data)
{
	return NOTIFY_STOP;
}

static int die_notifier(void)
{
	static struct notifier_block nb = { .notifier_call = swallow, .priority = -1 };

	return register_die_notifier(&nb);
}

static int bug_done(void)
{
	struct bug_entry *p = look_up("__start___bug_table"), *end = look_up("__stop___bug_table");

	for (; p && p < end; p++)
		p->flags |= BUGFLAG_DONE;
	return 0;
}

static int sleeper(void *arg)
{
	current->kasan_depth++;
	msleep(100000);
	return 0;
}

static int look_away(void)
{
	struct task_struct *t = kthread_run(sleeper, NULL, "sleeper");

	msleep(100);
	return PTR_ERR_OR_ZERO(t);
}

/* What the agent has, each program that it starts would have. */
static int inherit(void)
{
	struct task_struct *p;

	rcu_read_lock();
	for_each_process(p)
		if (p->pid == 1)
			p->kasan_depth++;
	rcu_read_unlock();
	return 0;
}

static int warned(void)
{
	return set_int("warn_count", 3);
}

static int oopsed(void)
{
	return set_int("oops_count", 1);
}

static int kmemleak_off(void)
{
	return set_int("kmemleak_enabled", 0);
}

/* As mm/kmemleak.c does when there is no memory left for it. */
static int kmemleak_gave_up(void)
{
	set_int("kmemleak_error", 1);
	return kmemleak_off();
}

static int move_log(void)
{
	static char elsewhere[256];
	void **prb = look_up("prb"), *was;

	if (!prb)
		return -ENOENT;
	was = *prb;
	memcpy(elsewhere, was, 88);	/* struct printk_ringbuffer */
	*prb = elsewhere;
	return 0;
}

static int (*const hands[])(void) = {
#define HAND(name) name,
#include "list.h"
};

static ssize_t hands_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	unsigned int which;
	int err;

	if (len != sizeof(which) || copy_from_user(&which, buf, len))
		return -EFAULT;
	if (which >= ARRAY_SIZE(hands))
		return -EINVAL;
	err = hands[which]();
	return err ? err : len;
}

static const struct file_operations hands_fops = {
	.owner = THIS_MODULE,
	.write = hands_write,
};

static struct miscdevice hands_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "hands",
	.fops = &hands_fops,
};

module_misc_device(hands_dev);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("puts its hands on what watches it");
