/* Modules and tasks, from the heads of their lists. */
#include <string.h>

#include <klinic/cleanup.h>

#include "vm/lists.h"

#define NAME_MAX_BYTES 56 /* MODULE_NAME_LEN; TASK_COMM_LEN is 16 */
#define COMM_MAX_BYTES 16
#define REPORTED_MAX   16 /* tasks: more of them say no more */

typedef int (*look_fn)(const struct kl_anatomy *a, struct kl_view *v, uint64_t at,
		       struct kl_strv *ret, struct kl_error *err);

/* struct list_head's next is its first member. at: of the structure that holds it. */
static int for_each(const struct kl_anatomy *a, struct kl_view *v, uint64_t head, uint32_t offset,
		    size_t max, look_fn look, struct kl_strv *ret, struct kl_error *err)
{
	uint64_t next;

	if (kl_view_pointer(v, head, &next, err))
		return -1;
	for (size_t i = 0; next != head; i++) {
		if (i == max)
			return kl_fail(err, KL_CONTENT, "a list of more than %zu, or none", max);
		if (look(a, v, next - offset, ret, err) || kl_view_pointer(v, next, &next, err))
			return -1;
	}
	return 0;
}

static int add_safe(struct kl_strv *ret, const char *what, const char *name, size_t size,
		    struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	kl_buf_puts(&b, what);
	kl_buf_safe(&b, name, strnlen(name, size), size);
	return b.failed || kl_strv_add(ret, kl_buf_str(&b))
		       ? kl_fail(err, KL_INFRA, "out of memory")
		       : 0;
}

static int look_at_module(const struct kl_anatomy *a, struct kl_view *v, uint64_t at,
			  struct kl_strv *ret, struct kl_error *err)
{
	char name[NAME_MAX_BYTES];

	if (kl_view_virt(v, at + a->offset[KL_MODULE_NAME], name, sizeof(name), err))
		return -1;
	return add_safe(ret, "", name, sizeof(name), err);
}

int kl_list_modules(const struct kl_anatomy *a, struct kl_view *v, struct kl_strv *ret,
		    struct kl_error *err)
{
	if (for_each(a, v, KL_KERNEL_MAP + a->modules.phys, a->offset[KL_MODULE_LIST],
		     KL_MODULES_MAX, look_at_module, ret, err))
		return kl_error_prepend(err, "the list of modules");
	return 0;
}

static int read_int(const struct kl_anatomy *a, struct kl_view *v, uint64_t task,
		    enum kl_member member, uint32_t *ret, struct kl_error *err)
{
	*ret = 0;
	return a->offset[member] == KL_NO_MEMBER
		       ? 0
		       : kl_view_virt(v, task + a->offset[member], ret, sizeof(*ret), err);
}

static int look_at_task(const struct kl_anatomy *a, struct kl_view *v, uint64_t at,
			struct kl_strv *ret, struct kl_error *err)
{
	uint32_t on_rq, pid, kasan, lockdep;
	char comm[COMM_MAX_BYTES];

	if (read_int(a, v, at, KL_TASK_ON_RQ, &on_rq, err) ||
	    read_int(a, v, at, KL_TASK_PID, &pid, err) ||
	    read_int(a, v, at, KL_TASK_KASAN_DEPTH, &kasan, err) ||
	    read_int(a, v, at, KL_TASK_LOCKDEP_RECURSION, &lockdep, err) ||
	    kl_view_virt(v, at + a->offset[KL_TASK_COMM], comm, sizeof(comm), err))
		return -1;
	/*
	 * Who is ready to run may have been preempted where the kernel itself looks away for
	 * a moment. The agent has stopped the machine from user space; what module
	 * initialisation does to it, every task of the check inherits.
	 */
	if ((on_rq && pid != 1) || ret->n >= REPORTED_MAX)
		return 0;
	if (kasan && add_safe(ret, "kasan_depth of ", comm, sizeof(comm), err))
		return -1;
	return lockdep ? add_safe(ret, "lockdep_recursion of ", comm, sizeof(comm), err) : 0;
}

int kl_list_unwatched(const struct kl_anatomy *a, struct kl_view *v, struct kl_strv *ret,
		      struct kl_error *err)
{
	uint32_t offset = a->offset[KL_TASK_TASKS];

	if (for_each(a, v, KL_KERNEL_MAP + a->init_task.phys + offset, offset, KL_TASKS_MAX,
		     look_at_task, ret, err))
		return kl_error_prepend(err, "the list of tasks");
	return 0;
}
