// SPDX-License-Identifier: GPL-2.0
/* /dev/swap: a value of eight bytes that a write replaces. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

struct value {
	u64 number;
};

static struct value *current_value;
static DEFINE_MUTEX(writers);

static ssize_t swap_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct value *fresh, *old;

	if (len != sizeof(fresh->number))
		return -EINVAL;
	fresh = kmalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;
	if (copy_from_user(&fresh->number, buf, len)) {
		kfree(fresh);
		return -EFAULT;
	}
	mutex_lock(&writers);
	old = current_value;
	current_value = fresh;
	mutex_unlock(&writers);
	kfree(old);
	return len;
}

static ssize_t swap_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct value *seen = current_value;
	u64 *copy, number;

	if (len != sizeof(number) || !seen)
		return -EINVAL;
	copy = kmalloc(sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	*copy = seen->number;
	number = *copy;
	kfree(copy);
	return copy_to_user(buf, &number, len) ? -EFAULT : len;
}

static const struct file_operations swap_fops = {
	.owner = THIS_MODULE,
	.read = swap_read,
	.write = swap_write,
};

static struct miscdevice swap_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "swap",
	.fops = &swap_fops,
};

static int __init swap_init(void)
{
	return misc_register(&swap_device);
}

static void __exit swap_exit(void)
{
	misc_deregister(&swap_device);
	kfree(current_value);
}

module_init(swap_init);
module_exit(swap_exit);
MODULE_LICENSE("GPL");
