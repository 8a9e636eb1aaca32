// SPDX-License-Identifier: GPL-2.0
/* No exercise: what the fuzz targets hold their inputs against. Never built for a kernel. */
#include <linux/module.h>
#include <linux/spinlock.h>

#include "lib/desk.h"

static struct desk desk;

int desk_open(struct desk *d, unsigned int drawer)
{
	int rc = -EINVAL;

	spin_lock(&d->lock);
	if (drawer <= d->drawers)
		rc = 0;
	spin_unlock(&d->lock);
	return rc;
}

static int __init desk_init(void)
{
	spin_lock_init(&desk.lock);
	desk.drawers = 4;
	return desk_open(&desk, 1);
}
module_init(desk_init);

MODULE_LICENSE("GPL");
