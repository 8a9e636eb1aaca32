/*
 * Never more guests than cores: two emulated guests on one core starve each
 * other's timers. One lock file a core in the cache folder, shared by every
 * klinic of the user.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>

#include "vm/qemu.h"

int kl_vm_take_slot(kl_deadline deadline, int *ret_fd, struct kl_error *err)
{
	/* flock(2) cannot wait on several files at once. */
	const struct timespec pause = { .tv_nsec = 5000000 };
	KL_AUTO_FREE char *dir = NULL;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (kl_cache_dir("guests", &dir, err))
		return -1;
	if (cores < 1)
		cores = 1;
	for (;;) {
		for (long i = 0; i < cores; i++) {
			KL_AUTO_FREE char *path = kl_asprintf("%s/%ld.lock", dir, i);
			int got = path ? kl_try_lock(path, ret_fd, err)
				       : kl_fail(err, KL_INFRA, "out of memory");

			if (got)
				return got < 0 ? -1 : 0;
		}
		if (kl_interrupted())
			return kl_fail(err, KL_INTERRUPTED, "interrupted");
		if (kl_deadline_passed(deadline))
			return kl_fail(err, KL_INFRA,
				       "no guest may start: %ld of %ld are running; wait for them",
				       cores, cores);
		nanosleep(&pause, NULL);
	}
}
