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

/* mail is copied to the start of the mailbox. ram is a path. */
int kl_qemu_start(const struct kl_machine *m, enum kl_vm_role role, const char *ram,
		  const void *mail, size_t mail_len, kl_deadline deadline, struct kl_qemu *ret,
		  struct kl_error *err);
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

/* A place among the guests of this machine, never more than cores; waits until the deadline. vm/slots.c */
int kl_vm_take_slot(kl_deadline deadline, int *ret_fd, struct kl_error *err);

#endif
