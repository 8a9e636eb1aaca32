/*
 * The kernel's anatomy: where variables lie in guest memory and how structures
 * are built, from vmlinux alone (symbol table and DWARF). Nothing here was said
 * by a guest. Read once a session: 33 to 92 ms for the whole baseline (vm/baseline.h) on two
 * cores under a load of 12.
 */
#ifndef KLINIC_VM_ANATOMY_H
#define KLINIC_VM_ANATOMY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <klinic/error.h>

/* arch/x86/include/asm/page_64_types.h, pgtable_64_types.h: without KASLR these are constants. */
#define KL_KERNEL_MAP	   0xffffffff80000000ULL
#define KL_KERNEL_MAP_SIZE (512ULL << 20)
#define KL_DIRECT_MAP	   0xffff888000000000ULL

/* Members whose offsets are needed; what a configuration may leave out comes last. */
enum kl_member {
	KL_RB_DESC_RING,
	KL_RB_TEXT_RING,
	KL_RB_FAIL,
	KL_DESC_RING_COUNT_BITS,
	KL_DESC_RING_DESCS,
	KL_DESC_RING_INFOS,
	KL_DESC_RING_HEAD,
	KL_DESC_RING_TAIL,
	KL_TEXT_RING_SIZE_BITS,
	KL_TEXT_RING_DATA,
	KL_DESC_STATE,
	KL_DESC_TEXT,
	KL_INFO_SEQ,
	KL_INFO_TIME,
	KL_INFO_TEXT_LEN,
	KL_INFO_FACILITY, /* flags (5 bits) and level (3) are the byte behind it */
	KL_INFO_CALLER,
	KL_MODULE_LIST,
	KL_MODULE_NAME,
	KL_TASK_TASKS,
	KL_TASK_COMM,
	KL_TASK_PID,
	KL_TASK_ON_RQ,
	KL_MEMBER_NEEDED, /* as many */
	KL_TASK_KASAN_DEPTH = KL_MEMBER_NEEDED,
	KL_TASK_LOCKDEP_RECURSION,
	KL_MEMBER_COUNT,
};

#define KL_NO_MEMBER UINT32_MAX

enum kl_structure {
	KL_PRINTK_RINGBUFFER,
	KL_PRB_DESC,
	KL_PRINTK_INFO,
	KL_STRUCTURE_COUNT,
};

struct kl_symbol {
	uint64_t phys; /* guest-physical; 0: there is none, or more than one of that name */
	uint64_t size;
	unsigned int seen; /* times that the name stands in the table */
};

/* Sizes are the symbol table's. vm/symbols.c */
int kl_vm_symbols_sized(const char *vmlinux, const char *const *names, size_t n,
			struct kl_symbol *ret, struct kl_error *err);

struct kl_anatomy {
	uint32_t offset[KL_MEMBER_COUNT]; /* KL_NO_MEMBER: not in this configuration */
	uint32_t size[KL_STRUCTURE_COUNT];
	struct kl_symbol prb, modules, init_task, page_tables;
	struct kl_symbol oops_count, warn_count, console_printk;
	struct kl_symbol kmemleak_error; /* may be none */
};

/* KL_INFRA when vmlinux is not what this was written for. */
int kl_anatomy_read(const char *vmlinux, struct kl_anatomy *ret, struct kl_error *err);

#endif
