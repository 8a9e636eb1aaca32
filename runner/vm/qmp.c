/* A QMP client: lines of JSON over a socket, with events kept between answers. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>

#include "vm/qmp.h"

#define EVENTS_MAX 4096

/* 1 when a chunk came, 0 at the deadline, -1 on error; end of file sets q->eof and is no error. */
static int fill(struct kl_qmp *q, kl_deadline deadline, struct kl_error *err)
{
	struct pollfd p[] = {
		{ .fd = q->fd, .events = POLLIN },
		{ .fd = kl_interrupt_fd(), .events = POLLIN },
	};
	char chunk[16384];
	ssize_t n;
	int ready;

	ready = poll(p, KL_ARRAY_SIZE(p), kl_deadline_poll_ms(deadline));
	if (ready < 0 && errno == EINTR)
		return kl_deadline_passed(deadline) ? 0 : 1;
	if (ready < 0)
		return kl_fail_errno(err, errno, "waiting for QEMU");
	if (p[1].revents)
		return kl_fail(err, KL_INTERRUPTED, "interrupted");
	if (!ready)
		return 0;
	n = recv(q->fd, chunk, sizeof(chunk), 0);
	if (n < 0 && errno != ECONNRESET)
		return kl_fail_errno(err, errno, "reading from QEMU");
	if (n <= 0) {
		q->eof = true;
		return 1;
	}
	if (kl_buf_append(&q->in, chunk, (size_t)n))
		return kl_fail(err, KL_INFRA, "QEMU sent a line of more than %lu bytes",
			       KL_QMP_LINE_MAX);
	return 1;
}

/* Takes one line from the buffer: 1 and *ret, 0 when there is none yet. */
static int take_line(struct kl_qmp *q, json_t **ret, struct kl_error *err)
{
	char *end = q->in.len ? memchr(q->in.data, '\n', q->in.len) : NULL;
	json_error_t why;
	size_t len;
	json_t *j;

	if (!end)
		return 0;
	len = (size_t)(end - q->in.data) + 1;
	j = json_loadb(q->in.data, len, JSON_DISABLE_EOF_CHECK, &why);
	memmove(q->in.data, q->in.data + len, q->in.len - len);
	q->in.len -= len;
	if (!json_is_object(j)) {
		json_decref(j);
		return kl_fail(err, KL_INFRA, "QEMU sent what is no JSON object: %s", why.text);
	}
	*ret = j;
	return 1;
}

/* The next message: 0 with *ret, 1 at the deadline, -1. */
static int next_message(struct kl_qmp *q, kl_deadline deadline, json_t **ret, struct kl_error *err)
{
	for (;;) {
		int got = take_line(q, ret, err);

		if (got)
			return got < 0 ? -1 : 0;
		if (q->eof)
			return kl_fail(err, KL_INFRA, "QEMU ended%s",
				       q->in.len ? " in the middle of a sentence" : "");
		got = fill(q, deadline, err);
		if (got <= 0)
			return got < 0 ? -1 : 1;
	}
}

static int keep_event(struct kl_qmp *q, json_t *event, struct kl_error *err)
{
	if (json_array_size(q->events) >= EVENTS_MAX)
		json_array_remove(q->events, 0);
	if (json_array_append_new(q->events, event))
		return kl_fail(err, KL_INFRA, "out of memory");
	return 0;
}

static int send_line(struct kl_qmp *q, const char *text, size_t len, int pass_fd,
		     struct kl_error *err)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { .iov_base = (void *)text, .iov_len = len };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

	if (pass_fd >= 0) {
		struct cmsghdr *c;

		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass_fd, sizeof(int));
	}
	while (io.iov_len) {
		ssize_t n = sendmsg(q->fd, &m, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kl_fail_errno(err, errno, "QEMU does not listen");
		io.iov_base = (char *)io.iov_base + n;
		io.iov_len -= (size_t)n;
		m.msg_control = NULL;
		m.msg_controllen = 0;
	}
	return 0;
}

int kl_qmp_command(struct kl_qmp *q, const char *name, json_t *arguments, int pass_fd,
		   kl_deadline deadline, json_t **ret, struct kl_error *err)
{
	KL_AUTO_JSON json_t *call = json_pack("{s:s}", "execute", name);
	KL_AUTO(kl_buf_deinit) struct kl_buf line = KL_BUF_INIT;
	KL_AUTO_FREE char *text = NULL;

	if (arguments && (!call || json_object_set_new(call, "arguments", arguments)))
		return kl_fail(err, KL_INFRA, "out of memory");
	text = call ? json_dumps(call, JSON_COMPACT) : NULL;
	if (!text || kl_buf_printf(&line, "%s\r\n", text))
		return kl_fail(err, KL_INFRA, "out of memory");
	if (send_line(q, line.data, line.len, pass_fd, err))
		return kl_error_prepend(err, "%s", name);
	for (;;) {
		KL_AUTO_JSON json_t *m = NULL;
		const json_t *e;
		int got = next_message(q, deadline, &m, err);

		if (got < 0)
			return kl_error_prepend(err, "%s", name);
		if (got)
			return kl_fail(err, KL_INFRA, "%s: QEMU did not answer in time", name);
		if (json_object_get(m, "event")) {
			if (keep_event(q, kl_take(m), err))
				return -1;
			/* A guest can make QEMU report one event after the other for ever. */
			if (!kl_deadline_passed(deadline))
				continue;
			return kl_fail(err, KL_INFRA, "%s: QEMU did not answer in time", name);
		}
		e = json_object_get(m, "error");
		if (e) {
			const char *desc = json_string_value(json_object_get(e, "desc"));

			return kl_fail(err, KL_INFRA, "%s: QEMU says: %s", name,
				       desc ? desc : "an error without words");
		}
		if (!json_object_get(m, "return"))
			return kl_fail(err, KL_INFRA, "%s: QEMU answered neither yes nor no", name);
		if (ret)
			*ret = json_incref(json_object_get(m, "return"));
		return 0;
	}
}

int kl_qmp_init(struct kl_qmp *q, int fd, kl_deadline deadline, struct kl_error *err)
{
	KL_AUTO_JSON json_t *greeting = NULL;
	int got;

	*q = KL_QMP_INIT;
	q->fd = fd;
	q->in = KL_BUF_CAPPED(KL_QMP_LINE_MAX);
	q->events = json_array();
	if (!q->events)
		return kl_fail(err, KL_INFRA, "out of memory");
	got = next_message(q, deadline, &greeting, err);
	if (got > 0)
		return kl_fail(err, KL_INFRA, "QEMU did not greet in time");
	if (got < 0)
		return -1;
	if (!json_object_get(greeting, "QMP"))
		return kl_fail(err, KL_INFRA, "QEMU did not greet as QMP does");
	return kl_qmp_command(q, "qmp_capabilities", NULL, -1, deadline, NULL, err);
}

void kl_qmp_deinit(struct kl_qmp *q)
{
	if (q->fd >= 0)
		close(q->fd);
	kl_buf_deinit(&q->in);
	json_decref(q->events);
	*q = KL_QMP_INIT;
}

const char *kl_qmp_event_name(const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "event"));

	return name ? name : "";
}

static bool is_named(const json_t *event, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(kl_qmp_event_name(event), *names))
			return true;
	return false;
}

int kl_qmp_event(struct kl_qmp *q, const char *const *names, kl_deadline deadline, json_t **ret,
		 struct kl_error *err)
{
	for (;;) {
		json_t *m = NULL;
		int got;

		while (json_array_size(q->events)) {
			KL_AUTO_JSON json_t *e = json_incref(json_array_get(q->events, 0));

			json_array_remove(q->events, 0);
			if (is_named(e, names)) {
				*ret = kl_take(e);
				return 0;
			}
			if (kl_deadline_passed(deadline))
				return 1;
		}
		got = next_message(q, deadline, &m, err);
		if (got)
			return got;
		if (!json_object_get(m, "event"))
			json_decref(m); /* an answer nobody waits for any more */
		else if (keep_event(q, m, err))
			return -1;
	}
}

void kl_qmp_drop_events(struct kl_qmp *q)
{
	json_array_clear(q->events);
}
