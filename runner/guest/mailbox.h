/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mailbox: one page of orders and answers between host and guest, a file on
 * the host and a DIMM in the guest. Both sides include this; fixed-width types
 * and offsets only. The host copies the whole file once, then parses the copy:
 * whatever the guest wrote is hostile.
 */
#ifndef KLINIC_GUEST_MAILBOX_H
#define KLINIC_GUEST_MAILBOX_H

#ifdef __KERNEL__
#include <linux/types.h>
typedef u8 uint8_t;
#else
#include <stdint.h>
#endif

#define KL_MAIL_PHYS   0x140000000ULL
#define KL_MAIL_SIZE   (8UL << 20)
#define KL_MAIL_MAGIC  0x314c49414d4c4bULL /* "KLMAIL1" */
#define KL_MAIL_READY  0x59444145522d4c4bULL /* guest: the template may be taken */
#define KL_MAIL_DONE   0x454e4f442d2d4c4bULL /* guest: answers are final */
#define KL_MAIL_SUNG   0x474e55532d2d4c4bULL /* guest: the canary is through, and the leak scan */
#define KL_MAIL_SLOTS  64
#define KL_MAIL_SAID   1024
#define KL_MAIL_PARAMS 256
#define KL_MAIL_POINTS 8192
#define KL_MAIL_DATA   (64UL << 10) /* payload starts here */

/* A limit of guest time of its own: two scans took 115 counted seconds where this was measured. */
#define KL_MAIL_LEAK_SECONDS 400
/* Each fault of the canary is some hundred lines of console; they took 2 counted seconds where this was measured. */
#define KL_MAIL_CANARY_SECONDS 60
/* The agent's last words, through the kernel's log: without them the log is not whole. */
#define KL_MAIL_LAST_WORDS "klinic: the log is whole"

/* Payload: bytes in the data area. size 0: absent. */
struct kl_mail_file {
	uint64_t offset; /* from the start of the mailbox */
	uint64_t size;
};

/* Written by the host before the first instruction. */
struct kl_mail_orders {
	uint64_t magic;
	uint64_t go; /* 0 in the template, 1 in a fork */
	uint64_t seed;
	uint8_t challenge[32];
	uint64_t guest_ns_limit; /* for the whole run */
	uint32_t unload;
	uint32_t leaks;
	uint32_t preempt_percent;
	uint32_t depth; /* PCT's d; 0: preempt at random */
	struct kl_mail_file module, sched, program;
	struct kl_mail_file canary; /* written when the guest has stopped at DONE */
	char module_name[64];
	char program_name[16]; /* of the check's tasks: another one for each run */
	char module_params[KL_MAIL_PARAMS];
	char points[KL_MAIL_POINTS]; /* symbols, comma-separated, NUL-terminated */
};

/* Written by the guest. */
struct kl_mail_answers {
	uint64_t state; /* KL_MAIL_READY, KL_MAIL_DONE, KL_MAIL_SUNG */
	uint64_t guest_ns; /* READY: since boot; DONE: since the fork went on */
	int32_t load_status, unload_status; /* 0 or -errno; 1: not asked for */
	uint32_t program_end; /* enum kl_program_end */
	int32_t program_status;
	uint64_t points_hit, preempted;
	uint64_t given; /* bit per slot */
	uint64_t value[KL_MAIL_SLOTS];
	char said[KL_MAIL_SAID];
};

struct kl_mail {
	struct kl_mail_orders orders;
	uint8_t pad[(32UL << 10) - sizeof(struct kl_mail_orders)];
	struct kl_mail_answers answers; /* at 32 KiB */
};

#endif
