/*
 * One QEMU process: started, spoken to over QMP, killed when its scope ends.
 * Console and mailbox are memfds that both sides hold: nothing of a run is on
 * disk, so nothing of a run can be left behind.
 */
#ifndef KLINIC_VM_QEMU_H
#define KLINIC_VM_QEMU_H

#include <klinic/command.h>
#include <klinic/vm.h>

#include "vm/qmp.h"

#define KL_VM_RAM_SIZE (256UL << 20)

struct kl_qemu {
	struct kl_process process;
	struct kl_qmp qmp;
	int mailbox; /* memfd of KL_MAIL_SIZE */
	int console; /* memfd, sealed at KL_CONSOLE_CAP */
	int console_out; /* the description QEMU writes through: its offset is the console's length */
	int memory; /* memfd that pmemsave fills */
	int errors; /* QEMU's own stderr */
};

#define KL_QEMU_INIT                                   \
	((struct kl_qemu){ .process = KL_PROCESS_INIT, \
			   .qmp = KL_QMP_INIT,         \
			   .mailbox = -1,              \
			   .console = -1,              \
			   .console_out = -1,          \
			   .memory = -1,               \
			   .errors = -1 })

/*
 * mail is copied to the start of the mailbox. ram_fd is guest RAM, KL_VM_RAM_SIZE bytes:
 * QEMU opens it again, for writing unless the machine is a fork.
 */
int kl_qemu_start(const struct kl_machine *m, enum kl_vm_role role, int ram_fd, const void *mail,
		  size_t mail_len, kl_deadline deadline, struct kl_qemu *ret, struct kl_error *err);
void kl_qemu_deinit(struct kl_qemu *q);

/* Bytes of console so far; *ret_truncated when the cap was met. */
size_t kl_qemu_console_length(const struct kl_qemu *q, bool *ret_truncated);
int kl_qemu_console_read(const struct kl_qemu *q, size_t from, struct kl_buf *ret,
			 struct kl_error *err);
/* Guest-physical memory of a stopped machine. */
int kl_qemu_read_memory(struct kl_qemu *q, uint64_t phys, void *buf, size_t len,
			kl_deadline deadline, struct kl_error *err);
/* Device state out to, or in from, an open file; RAM stays in its file. */
int kl_qemu_save(struct kl_qemu *q, int state_fd, kl_deadline deadline, struct kl_error *err);
int kl_qemu_restore(struct kl_qemu *q, int state_fd, kl_deadline deadline, struct kl_error *err);
/* What QEMU complained of, for a message; never NULL. */
void kl_qemu_complaint(const struct kl_qemu *q, char *buf, size_t size);

/* A QEMU that is no longer there: one sentence, for a message. Waits a moment for its end. */
char *kl_qemu_epitaph(struct kl_qemu *q);

/* A memfd of that size. */
int kl_vm_memfd(const char *name, size_t size, struct kl_error *err);
/* Opens a file again: another offset, other rights. */
int kl_vm_reopen(int fd, int flags, struct kl_error *err);

/* A guest's place on this machine's cores, one for each of its CPUs. vm/place.c */
#define KL_VM_CPUS_MAX 2
struct kl_vm_place {
	int fd[KL_VM_CPUS_MAX];
};
#define KL_VM_PLACE_INIT ((struct kl_vm_place){ .fd = { -1, -1 } })
/* Waits until the deadline or the interrupt. */
int kl_vm_enter(const struct kl_machine *m, kl_deadline deadline, struct kl_vm_place *ret,
		struct kl_error *err);
void kl_vm_leave_p(struct kl_vm_place *p);

#endif
