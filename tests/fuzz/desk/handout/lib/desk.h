/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DESK_H
#define DESK_H

struct desk {
	spinlock_t lock;
	unsigned int drawers;
};

int desk_open(struct desk *d, unsigned int drawer);

#endif
