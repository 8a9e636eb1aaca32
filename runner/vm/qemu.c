/* One QEMU process: console and mailbox as memfds, QMP over a socket pair. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <klinic/cleanup.h>

#include "guest/mailbox.h"
#include "vm/qemu.h"

#define ERRORS_CAP (64UL << 10) /* what QEMU says; the first of it counts */

/* Descriptor numbers in the child. */
enum { FD_QMP = 3, FD_MAILBOX, FD_CONSOLE, FD_MEMORY, FD_RAM };

int kl_vm_memfd(const char *name, size_t size, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)size))
		return kl_fail_errno(err, errno, "no memory for a guest's %s", name);
	return kl_take_fd(fd);
}

int kl_vm_reopen(int fd, int flags, struct kl_error *err)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_CLOEXEC);
	return again < 0 ? kl_fail_errno(err, errno, "cannot open a guest's file again") : again;
}

static int make_channels(struct kl_qemu *q, const void *mail, size_t mail_len, struct kl_error *err)
{
	q->mailbox = kl_vm_memfd("mailbox", KL_MAIL_SIZE, err);
	if (q->mailbox < 0)
		return -1;
	if (pwrite(q->mailbox, mail, mail_len, 0) != (ssize_t)mail_len)
		return kl_fail_errno(err, errno, "cannot fill a guest's mailbox");
	q->console = kl_vm_memfd("console", 0, err);
	if (q->console < 0)
		return -1;
	/* Its offset moves with what QEMU writes, not with what we read. */
	q->console_out = kl_vm_reopen(q->console, O_WRONLY, err);
	if (q->console_out < 0)
		return -1;
	q->memory = kl_vm_memfd("memory", 0, err);
	q->errors = kl_vm_memfd("errors", ERRORS_CAP, err);
	if (q->memory < 0 || q->errors < 0)
		return -1;
	/* QEMU may complain as often as a guest makes it: the rest ends in write errors. */
	if (fcntl(q->errors, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK))
		return kl_fail_errno(err, errno, "cannot seal what QEMU says");
	return 0;
}

static struct kl_command *make_command(const struct kl_machine *m, enum kl_vm_role role, int ram_fd,
				       const struct kl_qemu *q, int qmp_fd, struct kl_error *err)
{
	/* QEMU opens the console through its descriptor set: no truncation, our offset. */
	const struct kl_vm_paths paths = {
		.ram = "/proc/self/fd/7",
		.mailbox = "/proc/self/fd/4",
		.console = "/dev/fdset/1",
		.qmp_fd = "3",
	};
	KL_AUTO(kl_strv_deinit) struct kl_strv argv = { 0 };
	struct kl_command *c;

	_Static_assert(FD_QMP == 3 && FD_MAILBOX == 4 && FD_CONSOLE == 5 && FD_RAM == 7,
		       "named above");
	if (kl_vm_argv(m, role, &paths, &argv, err))
		return NULL;
	c = kl_command_create(argv.v[0]);
	kl_command_args(c, "-add-fd", "fd=5,set=1", NULL);
	for (size_t i = 1; i < argv.n; i++)
		kl_command_arg(c, argv.v[i]);
	kl_command_pass_fd(c, qmp_fd, FD_QMP);
	kl_command_pass_fd(c, q->mailbox, FD_MAILBOX);
	kl_command_pass_fd(c, q->console_out, FD_CONSOLE);
	kl_command_pass_fd(c, q->memory, FD_MEMORY);
	kl_command_pass_fd(c, ram_fd, FD_RAM);
	kl_command_rlimit(c, RLIMIT_CORE, 0);
	kl_command_pass_fd(c, q->errors, STDOUT_FILENO);
	kl_command_pass_fd(c, q->errors, STDERR_FILENO);
	return c;
}

/*
 * The console's memfd gets its full size and is sealed there: a flood ends in
 * write errors that QEMU drops, at the same byte each time. Not before QEMU has
 * opened it: opening truncates, and a sealed file cannot be truncated.
 */
static int seal_console(const struct kl_qemu *q, struct kl_error *err)
{
	if (ftruncate(q->console, KL_CONSOLE_CAP) ||
	    fcntl(q->console, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK))
		return kl_fail_errno(err, errno, "cannot seal a guest's console");
	return 0;
}

int kl_qemu_start(const struct kl_machine *m, enum kl_vm_role role, int ram_fd, const void *mail,
		  size_t mail_len, kl_deadline deadline, struct kl_qemu *ret, struct kl_error *err)
{
	KL_AUTO(kl_qemu_deinit) struct kl_qemu q = KL_QEMU_INIT;
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = NULL;
	KL_AUTO_CLOSE int theirs = -1;
	char why[256];
	int pair[2];

	if (make_channels(&q, mail, mail_len, err))
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return kl_fail_errno(err, errno, "no socket for QEMU");
	theirs = pair[1];
	q.qmp.fd = pair[0];
	c = make_command(m, role, ram_fd, &q, theirs, err);
	if (!c || kl_command_start(c, &q.process, err))
		return -1;
	close(kl_take_fd(theirs));
	if (kl_qmp_init(&q.qmp, pair[0], deadline, err)) {
		kl_qemu_complaint(&q, why, sizeof(why));
		if (err->class != KL_INTERRUPTED && why[0])
			kl_fail(err, KL_INFRA, "QEMU does not start: %s", why);
		return -1;
	}
	if (seal_console(&q, err))
		return -1;
	*ret = q;
	q = KL_QEMU_INIT;
	return 0;
}

void kl_qemu_deinit(struct kl_qemu *q)
{
	const int fds[] = { q->mailbox, q->console, q->console_out, q->memory, q->errors };

	kl_process_deinit(&q->process);
	kl_qmp_deinit(&q->qmp);
	for (size_t i = 0; i < KL_ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*q = KL_QEMU_INIT;
}

size_t kl_qemu_console_length(const struct kl_qemu *q, bool *ret_truncated)
{
	off_t at = lseek(q->console_out, 0, SEEK_CUR);
	size_t len = at < 0 ? 0 : (size_t)at;

	if (ret_truncated)
		*ret_truncated = len >= KL_CONSOLE_CAP;
	return len;
}

int kl_qemu_console_read(const struct kl_qemu *q, size_t from, struct kl_buf *ret,
			 struct kl_error *err)
{
	size_t end = kl_qemu_console_length(q, NULL);
	char chunk[16384];

	while (from < end) {
		size_t want = end - from < sizeof(chunk) ? end - from : sizeof(chunk);
		ssize_t n = pread(q->console, chunk, want, (off_t)from);

		if (n <= 0)
			return kl_fail_errno(err, errno, "reading a guest's console");
		/* The console becomes a C string: a NUL is shown as a space. */
		for (ssize_t i = 0; i < n; i++)
			if (!chunk[i])
				chunk[i] = ' ';
		if (kl_buf_append(ret, chunk, (size_t)n))
			return kl_buf_check(ret, "a guest's console", err);
		from += (size_t)n;
	}
	return 0;
}

int kl_qemu_read_memory(struct kl_qemu *q, uint64_t phys, void *buf, size_t len,
			kl_deadline deadline, struct kl_error *err)
{
	json_t *args = json_pack("{s:I,s:I,s:s}", "val", (json_int_t)phys, "size", (json_int_t)len,
				 "filename", "/proc/self/fd/6");

	_Static_assert(FD_MEMORY == 6, "named above");
	if (kl_qmp_command(&q->qmp, "pmemsave", args, -1, deadline, NULL, err))
		return -1;
	if (pread(q->memory, buf, len, 0) != (ssize_t)len)
		return kl_fail(err, KL_INFRA, "QEMU gave less guest memory than was asked for");
	return 0;
}

static int ignore_shared(struct kl_qemu *q, kl_deadline deadline, struct kl_error *err)
{
	json_t *args = json_pack("{s:[{s:s,s:b},{s:s,s:b}]}", "capabilities", "capability",
				 "x-ignore-shared", "state", 1, "capability", "events", "state", 1);

	return kl_qmp_command(&q->qmp, "migrate-set-capabilities", args, -1, deadline, NULL, err);
}

/* Waits for the MIGRATION event that ends it. */
static int migrated(struct kl_qemu *q, kl_deadline deadline, struct kl_error *err)
{
	static const char *const names[] = { "MIGRATION", NULL };

	for (;;) {
		KL_AUTO_JSON json_t *e = NULL;
		const char *status;
		int got = kl_qmp_event(&q->qmp, names, deadline, &e, err);

		if (got < 0)
			return -1;
		if (got)
			return kl_fail(err, KL_INFRA, "QEMU did not move the device state in time");
		status = json_string_value(json_object_get(json_object_get(e, "data"), "status"));
		if (kl_str_eq(status, "completed"))
			return 0;
		if (kl_str_eq(status, "failed"))
			return kl_fail(err, KL_INFRA, "QEMU could not move the device state");
	}
}

static int give_state(struct kl_qemu *q, int state_fd, kl_deadline deadline, struct kl_error *err)
{
	return ignore_shared(q, deadline, err) ||
	       kl_qmp_command(&q->qmp, "getfd", json_pack("{s:s}", "fdname", "state"), state_fd,
			      deadline, NULL, err);
}

int kl_qemu_save(struct kl_qemu *q, int state_fd, kl_deadline deadline, struct kl_error *err)
{
	if (give_state(q, state_fd, deadline, err) ||
	    kl_qmp_command(&q->qmp, "migrate", json_pack("{s:s}", "uri", "fd:state"), -1, deadline,
			   NULL, err))
		return -1;
	return migrated(q, deadline, err);
}

int kl_qemu_restore(struct kl_qemu *q, int state_fd, kl_deadline deadline, struct kl_error *err)
{
	if (give_state(q, state_fd, deadline, err) ||
	    kl_qmp_command(&q->qmp, "migrate-incoming", json_pack("{s:s}", "uri", "fd:state"), -1,
			   deadline, NULL, err))
		return -1;
	return migrated(q, deadline, err);
}

void kl_qemu_complaint(const struct kl_qemu *q, char *buf, size_t size)
{
	ssize_t n = q->errors >= 0 ? pread(q->errors, buf, size - 1, 0) : 0;

	buf[n > 0 ? n : 0] = '\0';
	/* Unwritten, it is zeros. */
	n = (ssize_t)strlen(buf);
	for (char *p = buf; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	while (n > 0 && buf[n - 1] == ' ')
		buf[--n] = '\0';
}

char *kl_qemu_epitaph(struct kl_qemu *q)
{
	struct kl_exit end = { 0 };
	char why[256];

	kl_qemu_complaint(q, why, sizeof(why));
	if (kl_process_wait(&q->process, kl_deadline_ms(1000), &end, NULL))
		return kl_asprintf("QEMU no longer answers%s%s", *why ? ": " : "", why);
	if (!end.exited)
		return kl_asprintf("QEMU was killed by signal %d (%s): by the kernel for want of "
				   "memory, or by somebody",
				   end.signal, strsignal(end.signal));
	return kl_asprintf("QEMU ended by itself or was told to, with status %d%s%s", end.status,
			   *why ? ": " : "", why);
}
