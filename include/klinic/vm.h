/*
 * Virtual machines: templates and forks (docs/architecture.md, "Exact forks").
 *
 * A template is one boot of (kernel, agent, machine shape, command line, QEMU),
 * stopped by the agent at one instruction and kept in the cache by digest. A
 * fork maps its RAM copy-on-write, finds payload, plan, seed and challenge in
 * its mailbox, and runs to a typed end; it then stands still, so that its
 * memory can be read.
 */
#ifndef KLINIC_VM_H
#define KLINIC_VM_H

#include <stdbool.h>
#include <stdint.h>

#include <klinic/deadline.h>
#include <klinic/digest.h>
#include <klinic/error.h>
#include <klinic/evidence.h>
#include <klinic/kbuild.h>
#include <klinic/verdict.h>

#define KL_CONSOLE_CAP (4UL << 20) /* bytes of console kept; a guest that prints more is cut */

struct kl_machine {
	enum kl_mode mode;
	bool kvm; /* parallel mode only, after kl_vm_kvm_probe said yes */
	char *bzimage, *initramfs, *vmlinux;
	char kernel_digest[KL_DIGEST_HEX];
	char *qemu; /* program; default qemu-system-x86_64 */
};

int kl_machine_init(struct kl_machine *m, const struct kl_kernel *k, enum kl_mode mode,
		    struct kl_error *err);
void kl_machine_deinit(struct kl_machine *m);

struct kl_template;

/*
 * Opens the template from the cache, or boots it. With rebuild, boots again even
 * when there is one. Waiting for another process that makes the same one counts
 * towards the deadline.
 */
int kl_template_open(const struct kl_machine *m, bool rebuild, kl_deadline deadline,
		     struct kl_template **ret, struct kl_error *err);
void kl_template_destroy(struct kl_template *t);
void kl_template_destroy_p(struct kl_template **t);
const char *kl_template_ram_digest(const struct kl_template *t);
const char *kl_template_digest(const struct kl_template *t);
const char *kl_template_qemu_version(const struct kl_template *t);
int64_t kl_template_boot_ms(const struct kl_template *t); /* wall time of its boot */
bool kl_template_fresh(const struct kl_template *t); /* booted by this call */

/* A run at its end, before its QEMU is killed. */
struct kl_stopped;
/*
 * Guest RAM as QEMU's dump-guest-memory writes it (ELF, guest-physical, not paged): into fd,
 * a file of the caller's, emptied first. fd's offset is moved.
 */
int kl_stopped_dump(struct kl_stopped *s, int fd, kl_deadline deadline, struct kl_error *err);

#define KL_CANARY_CHARS 32

/* What the guest answered. */
#define KL_ANSWER_SLOTS 64
struct kl_slots {
	uint64_t given; /* bit per slot */
	uint64_t value[KL_ANSWER_SLOTS];
};

/* What a run is to do: goes into the mailbox before the first instruction. */
struct kl_job {
	const char *module_ko; /* path; loaded first */
	const char *module_name; /* for rmmod */
	const char *module_params; /* "" by default */
	const char *sched_ko; /* NULL: no schedule driver */
	const struct kl_strv *points; /* symbols to preempt at */
	unsigned int preempt_percent;
	unsigned int depth; /* PCT's d; 0: preempted at random */
	const char *program; /* path of the static check program */
	uint64_t seed;
	uint8_t challenge[32];
	char program_name[16]; /* of the check's tasks */
	const char *canary_ko; /* NULL: no canary */
	char canary_token[KL_CANARY_CHARS + 1]; /* hex; a secret of this run */
	unsigned int guest_seconds; /* exact limit for the whole run */
	bool unload, leaks;
	bool bare; /* nothing of the guest's memory is read: only to measure what reading costs */
	void (*on_console)(const char *data, size_t len, void *arg); /* live, may be NULL */
	void *arg;
	/*
	 * Called when the run has ended otherwise than lost or at the wall-clock net; may be
	 * NULL. run is filled but for what the caller of kl_vm_run() adds. What it finds is its
	 * own affair: nothing of the run depends on it.
	 */
	void (*on_stopped)(struct kl_stopped *s, const struct kl_run *run, void *arg);
	void *stopped_arg;
	/*
	 * Called when the guest has answered: is the run good so far, so that the canary (and
	 * the leak scan) is worth its time? It may fill in what run lacks. NULL: always.
	 */
	bool (*holds)(struct kl_run *run, const struct kl_slots *slots, void *arg);
	void *holds_arg;
};

/*
 * Is there room in a run for a module with these calls (kl_module.undefined)? *ret_why
 * is NULL, or a sentence: then no run of it can be made, and that is the module's doing.
 */
int kl_vm_module_fits(const char *ko, const struct kl_strv *calls, char **ret_why,
		      struct kl_error *err);

/* Runs one fork to its end. Fills everything of *ret but expected answers; given slots are in ret_slots. */
/*
 * The name of the canary's function for a detector, "klc_TOKEN_kasan": what a report that
 * it provoked shows in its trace. -1 when it does not fit.
 */
int kl_canary_symbol(const char *token, enum kl_kind kind, char *ret, size_t size);

/* 0 whatever the guest did (see ret->end); -1 only when no run took place at all, or when interrupted. */
int kl_vm_run(struct kl_template *t, const struct kl_job *job, struct kl_run *ret,
	      struct kl_slots *ret_slots, struct kl_error *err);

/* Does KVM really boot a guest here? Answer cached by (QEMU, kernel, host CPU, boot id). *ret_why is one sentence. */
int kl_vm_kvm_probe(const struct kl_machine *m, bool fresh, bool *ret_works, char **ret_why,
		    struct kl_error *err);
/* "7.2.22", from qemu --version; NULL: the one that runs would use. KL_INFRA with the package to install when missing. */
int kl_vm_qemu_version(const char *qemu, char **ret, struct kl_error *err);
/*
 * Digest of the emulator's program and of the firmware that it starts guests with:
 * what --version says does not change with Debian's patches, nor with the firmware.
 */
int kl_vm_qemu_digest(const char *qemu, char ret[KL_DIGEST_HEX], struct kl_error *err);

/* The argument list of the emulator, made by a pure function: golden tests. */
enum kl_vm_role { KL_VM_TEMPLATE, KL_VM_FORK, KL_VM_PROBE };
struct kl_vm_paths {
	const char *ram, *mailbox, *console, *qmp_fd;
};
int kl_vm_argv(const struct kl_machine *m, enum kl_vm_role role, const struct kl_vm_paths *p,
	       struct kl_strv *ret, struct kl_error *err);

/* The digest that kl_template_open() would look for. */
int kl_template_name(const struct kl_machine *m, char ret[KL_DIGEST_HEX], struct kl_error *err);
/*
 * Removes the templates of the cache whose digests are not in keep, and what is left
 * of unfinished ones. What somebody is just opening or making stays; runs that go on
 * from a template keep it.
 */
int kl_template_prune(const struct kl_strv *keep, uint64_t *ret_bytes, struct kl_error *err);

#endif
