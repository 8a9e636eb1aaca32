/*
 * The kernel's own books on capunit: slab objects and the module's reference
 * count. What the module itself says would prove nothing.
 */
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

#ifdef KL_GUEST
#include <stdlib.h>
#include <time.h>

#include "../../handout/checks/capture.h"

static inline long accounts_refcnt(void)
{
	char buf[32];

	if (kl_read_file("/sys/module/capunit/refcnt", buf, sizeof(buf)) <= 0)
		return -1;
	return strtol(buf, NULL, 10);
}

/* Whether exactly this many objects live and the module has that many users. */
static inline bool accounts_hold(long sessions, long blocks, long sources, long users)
{
	return kl_slab_objects("capunit_session") == sessions &&
	       kl_slab_objects("capunit_block") == blocks &&
	       kl_slab_objects("capunit_source") == sources && accounts_refcnt() == users &&
	       capture_listed() == sessions;
}

/*
 * The same, a moment granted to a fix that frees from a work item or an RCU
 * callback. users counts the control device's descriptors, each session's file
 * and each source.
 */
static inline bool accounts_settle(long sessions, long blocks, long sources, long users)
{
	for (int i = 0; i < 3; i++) {
		if (accounts_hold(sessions, blocks, sources, users))
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000 * 1000 }, NULL);
	}
	return false;
}

static inline bool accounts_idle(void)
{
	return accounts_settle(0, 0, 0, 1);
}

/* The number that the next descriptor gets. */
static inline int lowest_fd(void)
{
	int fd = dup(0);

	if (fd >= 0)
		close(fd);
	return fd;
}

/* For kl_say() when the accounts do not hold. */
static inline void accounts_say(const char *when)
{
	kl_say("%s: %ld sessions, %ld blocks, %ld sources, %ld users, %d listed", when,
	       kl_slab_objects("capunit_session"), kl_slab_objects("capunit_block"),
	       kl_slab_objects("capunit_source"), accounts_refcnt(), capture_listed());
}
#endif

#endif
