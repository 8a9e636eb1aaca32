/*
 * A QMP client (QEMU docs/interop/qmp-spec.txt) on one connected socket. Events
 * that arrive between a command and its answer are kept in order. QEMU is not
 * trusted to be well: every wait has a deadline, lines have a cap, and the end
 * of the stream in mid-sentence is an error of class KL_INFRA.
 */
#ifndef KLINIC_VM_QMP_H
#define KLINIC_VM_QMP_H

#include <stdbool.h>

#include <klinic/deadline.h>
#include <klinic/json.h>

#define KL_QMP_LINE_MAX (1UL << 20)

struct kl_qmp {
	int fd; /* owned */
	bool eof;
	struct kl_buf in;
	json_t *events; /* array, oldest first */
};

#define KL_QMP_INIT ((struct kl_qmp){ .fd = -1 })

/* Takes fd over, reads the greeting, negotiates. */
int kl_qmp_init(struct kl_qmp *q, int fd, kl_deadline deadline, struct kl_error *err);
void kl_qmp_deinit(struct kl_qmp *q);

/*
 * Sends a command (arguments may be NULL; stolen) with a descriptor (pass_fd -1:
 * none) and waits for its answer. ret may be NULL. An error answer is KL_INFRA
 * with QEMU's words.
 */
int kl_qmp_command(struct kl_qmp *q, const char *name, json_t *arguments, int pass_fd,
		   kl_deadline deadline, json_t **ret, struct kl_error *err);

/* The oldest event named in names (NULL-ended), removed, with those before it. 0 with *ret; 1 at the deadline. */
int kl_qmp_event(struct kl_qmp *q, const char *const *names, kl_deadline deadline, json_t **ret,
		 struct kl_error *err);
const char *kl_qmp_event_name(const json_t *event);
/* Forgets events that have come so far. */
void kl_qmp_drop_events(struct kl_qmp *q);

#endif
