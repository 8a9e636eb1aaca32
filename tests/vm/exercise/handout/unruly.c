// SPDX-License-Identifier: GPL-2.0
/* Does on demand what a broken or hostile module does. */
#include <linux/debug_locks.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <asm/special_insns.h>

static DEFINE_MUTEX(one);
static DEFINE_MUTEX(two);
static u64 counter;

static int reset_machine(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed none = { 0, 0 };

	/* No interrupt table: the next exception is a triple fault. */
	asm volatile("cli; lidt %0; int3" : : "m"(none));
	return 0;
}

/* What a fix that silences its judge would do, at a place that harms nobody. */
static int patch_kernel(void)
{
	u8 *text = (u8 *)orderly_poweroff + 8;	/* nobody calls it here */
	unsigned long cr0 = read_cr0();
	unsigned long flags;

	local_irq_save(flags);
	asm volatile("mov %0, %%cr0" : : "r"(cr0 & ~X86_CR0_WP) : "memory");
	*text ^= 0xff;
	asm volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
	local_irq_restore(flags);
	return 0;
}

/* The guest-time limit is an i6300esb (runner/guest/agent.c): found by its number, and pinged. */
static int keep_watchdog_quiet(void)
{
	void __iomem *esb = NULL;
	u32 slot, i;

	for (slot = 0; slot < 32 && !esb; slot++) {
		outl(0x80000000U | slot << 11, 0xcf8);
		if (inl(0xcfc) != 0x25ab8086)
			continue;
		outl(0x80000000U | slot << 11 | 0x10, 0xcf8);
		esb = ioremap(inl(0xcfc) & ~0xf, 4096);
	}
	if (!esb)
		return -ENODEV;
	local_irq_disable();
	for (;;) {
		writew(0x80, esb + 0xc);
		writew(0x86, esb + 0xc);
		writew(0x100, esb + 0xc);
		for (i = 0; i < 1000000; i++)
			barrier();
	}
}

static int use_after_free(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	kfree(p);
	return READ_ONCE(*p);
}

static int deadlock(void)
{
	mutex_lock(&one);
	mutex_lock(&two);
	mutex_unlock(&two);
	mutex_unlock(&one);
	mutex_lock(&two);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&two);
	return 0;
}

static int allocate_three(void)
{
	void *p[3];
	int i;

	for (i = 0; i < 3; i++) {
		p[i] = kmalloc(100, GFP_KERNEL);
		if (!p[i])
			break;
	}
	if (i == 3)
		counter++;
	while (i--)
		kfree(p[i]);
	return 0;
}

struct late {
	struct timer_list timer;
	struct delayed_work work;
};

static void late_timer(struct timer_list *timer)
{
	counter++;
}

static void late_work(struct work_struct *work)
{
	counter++;
}

/* What is armed here nobody disarms. */
static int arm(void)
{
	struct late *late = kzalloc(sizeof(*late), GFP_KERNEL);

	if (!late)
		return -ENOMEM;
	timer_setup(&late->timer, late_timer, 0);
	mod_timer(&late->timer, jiffies + 1000 * HZ);
	INIT_DELAYED_WORK(&late->work, late_work);
	schedule_delayed_work(&late->work, 1000 * HZ);
	return 0;
}

static DEFINE_SPINLOCK(shared);

static void greedy(struct timer_list *timer)
{
	spin_lock(&shared);
	spin_unlock(&shared);
}

static DEFINE_TIMER(greedy_timer, greedy);

/* A lock that a timer wants, held with interrupts on. */
static void hold_shared(void)
{
	spin_lock(&shared);
	mod_timer(&greedy_timer, jiffies);
	for (;;)
		cpu_relax();
}

static int obey(const char *what)
{
	int i;

	if (!strcmp(what, "bump")) {
		/* A lost update: read, let others in, write. */
		u64 seen = READ_ONCE(counter);

		kfree(kmalloc(16, GFP_KERNEL));
		WRITE_ONCE(counter, seen + 1);
	} else if (!strcmp(what, "hang")) {
		local_irq_disable();
		for (;;)
			cpu_relax();
	} else if (!strcmp(what, "unwatched")) {
		return keep_watchdog_quiet();
	} else if (!strcmp(what, "stuck")) {
		mutex_lock(&one);
		mutex_lock_nested(&one, 1);
	} else if (!strcmp(what, "panic")) {
		panic("on demand");
	} else if (!strcmp(what, "reset")) {
		return reset_machine();
	} else if (!strcmp(what, "flood")) {
		for (i = 0; i < 60000; i++)
			pr_info("%d %s\n", i, "................................................");
	} else if (!strcmp(what, "uaf")) {
		use_after_free();
	} else if (!strcmp(what, "deadlock")) {
		return deadlock();
	} else if (!strcmp(what, "three")) {
		return allocate_three();
	} else if (!strcmp(what, "patch")) {
		return patch_kernel();
	} else if (!strcmp(what, "hold")) {
		hold_shared();
	} else if (!strcmp(what, "arm")) {
		return arm();
	} else if (!strcmp(what, "mute")) {
		console_printk[0] = 0;
	} else if (!strcmp(what, "deaf")) {
		debug_locks = 0;
	} else if (!strcmp(what, "leak")) {
		kmalloc(777, GFP_KERNEL);
	} else {
		return -EINVAL;
	}
	return 0;
}

static ssize_t unruly_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	char what[16];
	int err;

	if (len >= sizeof(what))
		return -EINVAL;
	if (copy_from_user(what, buf, len))
		return -EFAULT;
	what[len] = '\0';
	err = obey(what);
	return err ? err : len;
}

static ssize_t unruly_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	u64 now = READ_ONCE(counter);

	if (len != sizeof(now))
		return -EINVAL;
	return copy_to_user(buf, &now, sizeof(now)) ? -EFAULT : sizeof(now);
}

static const struct file_operations unruly_fops = {
	.owner = THIS_MODULE,
	.read = unruly_read,
	.write = unruly_write,
};

static struct miscdevice unruly_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "unruly",
	.fops = &unruly_fops,
};

static void *kept;

/* Allocates from code that is dropped once it has run. */
static int __init unruly_init(void)
{
	int err;

	kept = kmalloc(333, GFP_KERNEL);
	if (!kept)
		return -ENOMEM;
	err = misc_register(&unruly_dev);
	if (err)
		kfree(kept);
	return err;
}
module_init(unruly_init);

static void __exit unruly_exit(void)
{
	misc_deregister(&unruly_dev);
	kfree(kept);
}
module_exit(unruly_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("does on demand what broken modules do");
