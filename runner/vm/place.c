/*
 * Never more emulated CPUs than cores: guests that share a core starve each
 * other's timers. One lock file a core in the cache folder, shared by every
 * klinic of the user, and a gate before them: who waits for two cores holds it,
 * so that those who need only one do not pass him for ever.
 */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/interrupt.h>

#include "vm/qemu.h"

/* flock(2) cannot wait on several files at once. */
#define LOOK_AGAIN_MS 5

void kl_vm_leave_p(struct kl_vm_place *p)
{
	for (int i = 0; i < KL_VM_CPUS_MAX; i++)
		if (p->fd[i] >= 0)
			close(p->fd[i]);
	*p = KL_VM_PLACE_INIT;
}

/* 1 and one more core, 0 when none is free, -1. */
static int take_core(const char *dir, long cores, int *ret_fd, struct kl_error *err)
{
	for (long i = 0; i < cores; i++) {
		KL_AUTO_FREE char *path = kl_asprintf("%s/%ld.lock", dir, i);
		int got = path ? kl_try_lock(path, ret_fd, err)
			       : kl_fail(err, KL_INFRA, "out of memory");

		if (got)
			return got;
	}
	return 0;
}

int kl_vm_enter(const struct kl_machine *m, kl_deadline deadline, struct kl_vm_place *ret,
		struct kl_error *err)
{
	struct pollfd interrupt = { .fd = kl_interrupt_fd(), .events = POLLIN };
	KL_AUTO(kl_vm_leave_p) struct kl_vm_place p = KL_VM_PLACE_INIT;
	KL_AUTO_FREE char *dir = NULL, *gate_path = NULL;
	KL_AUTO_CLOSE int gate = -1;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	long need = m->mode == KL_MODE_PARALLEL ? 2 : 1;
	long have = 0;

	if (cores < 1)
		cores = 1;
	if (need > cores)
		need = cores;
	if (kl_cache_dir("guests", &dir, err))
		return -1;
	gate_path = kl_path_join(dir, "gate.lock");
	if (!gate_path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_lock(gate_path, deadline, &gate, err))
		return -1;
	while (have < need) {
		int got = take_core(dir, cores, &p.fd[have], err);

		if (got < 0)
			return -1;
		have += got;
		if (got)
			continue;
		if (kl_interrupted())
			return kl_fail(err, KL_INTERRUPTED, "interrupted");
		if (kl_deadline_passed(deadline))
			return kl_fail(err, KL_INFRA,
				       "no guest may start: all %ld cores have one; wait for them",
				       cores);
		poll(&interrupt, 1, LOOK_AGAIN_MS);
	}
	for (int i = 0; i < KL_VM_CPUS_MAX; i++)
		ret->fd[i] = kl_take_fd(p.fd[i]);
	return 0;
}
