/* A guest that stands still at its end: its memory as a file. */
#include <errno.h>
#include <unistd.h>

#include <klinic/cleanup.h>

#include "vm/stopped.h"

int kl_stopped_dump(struct kl_stopped *s, int fd, kl_deadline deadline, struct kl_error *err)
{
	KL_AUTO_JSON json_t *args =
		json_pack("{s:b,s:s,s:I,s:I}", "paging", 0, "protocol", "fd:dump", "begin",
			  (json_int_t)0, "length", (json_int_t)KL_VM_RAM_SIZE);

	if (ftruncate(fd, 0))
		return kl_fail_errno(err, errno, "no file for a guest's memory");
	if (!args)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_qmp_command(&s->qemu->qmp, "getfd", json_pack("{s:s}", "fdname", "dump"), fd,
			   deadline, NULL, err) ||
	    kl_qmp_command(&s->qemu->qmp, "dump-guest-memory", kl_take(args), -1, deadline, NULL,
			   err))
		return kl_error_prepend(err, "the guest's memory");
	return 0;
}
