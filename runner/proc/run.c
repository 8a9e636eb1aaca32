/*
 * Running a child to its end or its deadline, its output in capped buffers;
 * and the waits for children that run beside us.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <klinic/cleanup.h>

#include "proc/child.h"

/* How long pipes that outlive the child are read: a killed sandbox empties within this. */
#define GRACE_MS  1000
#define LINE_MAX_ (64UL << 10)
#define TAIL_MAX  2048

/* One stream of the child on its way to us. */
struct stream {
	int fd; /* our end, non-blocking; -1 once at its end */
	struct kl_buf *keep; /* or NULL */
	struct kl_buf line; /* the line that is not complete yet */
	bool lines;
	char tail[2 * TAIL_MAX]; /* the last bytes, for complaints */
	size_t tail_len;
};

struct run {
	const struct kl_command *c;
	struct stream out, err;
	int file; /* the output file, or -1 */
	int file_errno;
	bool truncated;
};

static void run_deinit(struct run *r)
{
	struct stream *both[] = { &r->out, &r->err };

	for (size_t i = 0; i < KL_ARRAY_SIZE(both); i++) {
		if (both[i]->fd >= 0)
			close(both[i]->fd);
		kl_buf_deinit(&both[i]->line);
	}
	if (r->file >= 0)
		close(r->file);
}

static void keep_tail(struct stream *s, const char *data, size_t len)
{
	if (len > TAIL_MAX) {
		data += len - TAIL_MAX;
		len = TAIL_MAX;
	}
	if (s->tail_len + len > sizeof(s->tail)) {
		memmove(s->tail, s->tail + s->tail_len - TAIL_MAX, TAIL_MAX);
		s->tail_len = TAIL_MAX;
	}
	memcpy(s->tail + s->tail_len, data, len);
	s->tail_len += len;
}

static void keep_head(struct run *r, struct kl_buf *b, const char *data, size_t len)
{
	size_t cap = b->cap ? b->cap : KL_BUF_CAP_DEFAULT;
	size_t room = cap > b->len ? cap - b->len : 0;
	size_t n = len < room ? len : room;

	if (n < len)
		r->truncated = true;
	if (n && kl_buf_append(b, data, n) < 0)
		r->truncated = true;
}

static void end_line(struct run *r, struct stream *s)
{
	/* A NUL would hide the rest of the line from a reader of C strings. */
	for (size_t i = 0; i < s->line.len; i++)
		if (!s->line.data[i])
			s->line.data[i] = '?';
	r->c->on_line(kl_buf_str(&s->line), r->c->on_line_arg);
	kl_buf_clear(&s->line);
}

static void split_lines(struct run *r, struct stream *s, const char *data, size_t len)
{
	while (len) {
		const char *newline = memchr(data, '\n', len);
		size_t part = newline ? (size_t)(newline - data) : len;
		size_t room = LINE_MAX_ - s->line.len;

		kl_buf_append(&s->line, data, part < room ? part : room);
		if (!newline)
			return;
		end_line(r, s);
		data += part + 1;
		len -= part + 1;
	}
}

static void copy_to_file(struct run *r, const char *data, size_t len)
{
	while (len && !r->file_errno) {
		ssize_t n = write(r->file, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r->file_errno = errno;
			return;
		}
		data += n;
		len -= (size_t)n;
	}
}

/* Reads what is there, a bounded amount; closes the stream at its end. */
static void pump(struct run *r, struct stream *s)
{
	char data[16384];
	ssize_t n;

	if (s->fd < 0)
		return;
	n = read(s->fd, data, sizeof(data));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close(s->fd);
		s->fd = -1;
		if (s->lines && s->line.len)
			end_line(r, s);
		return;
	}
	if (s->keep)
		keep_head(r, s->keep, data, (size_t)n);
	if (s->lines)
		split_lines(r, s, data, (size_t)n);
	if (r->file >= 0)
		copy_to_file(r, data, (size_t)n);
	keep_tail(s, data, (size_t)n);
}

/* Until the child has ended or is to be killed. */
static int watch(struct run *r, const struct kl_process *p, kl_deadline deadline,
		 struct kl_exit *ret, struct kl_error *err)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = p->pidfd, .events = POLLIN },
			{ .fd = kl_interrupt_fd(), .events = POLLIN },
			{ .fd = r->out.fd, .events = POLLIN },
			{ .fd = r->err.fd, .events = POLLIN },
		};
		int n = poll(fds, KL_ARRAY_SIZE(fds), kl_deadline_poll_ms(deadline));

		if (n < 0 && errno != EINTR)
			return kl_fail_errno(err, errno, "cannot wait for %s", r->c->argv.v[0]);
		if (n > 0 && fds[2].revents)
			pump(r, &r->out);
		if (n > 0 && fds[3].revents)
			pump(r, &r->err);
		if (n > 0 && fds[0].revents)
			return 0;
		if (kl_interrupted()) {
			ret->interrupted = true;
			return 0;
		}
		if (kl_deadline_passed(deadline)) {
			ret->timed_out = true;
			return 0;
		}
	}
}

/* The child is gone: read what it left, and no longer than the grace for what others still hold. */
static void drain(struct run *r)
{
	kl_deadline grace = kl_deadline_ms(GRACE_MS);

	while ((r->out.fd >= 0 || r->err.fd >= 0) && !kl_deadline_passed(grace)) {
		struct pollfd fds[] = {
			{ .fd = r->out.fd, .events = POLLIN },
			{ .fd = r->err.fd, .events = POLLIN },
		};

		if (poll(fds, KL_ARRAY_SIZE(fds), kl_deadline_poll_ms(grace)) <= 0)
			continue;
		if (fds[0].revents)
			pump(r, &r->out);
		if (fds[1].revents)
			pump(r, &r->err);
	}
	if (r->out.lines && r->out.line.len)
		end_line(r, &r->out);
}

/* Our end into *s, non-blocking; the child's end into *ret_fd. */
static int make_pipe(struct stream *s, int *ret_fd, struct kl_error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return kl_fail_errno(err, errno, "cannot make a pipe");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	s->fd = ends[0];
	*ret_fd = ends[1];
	return 0;
}

/* Decides where the child's three descriptors lead. *ret_own are ours to close after the start. */
static int connect_output(struct run *r, bool want_err, int stdio[3], int ret_own[2],
			  struct kl_error *err)
{
	const struct kl_command *c = r->c;
	bool want_out = r->out.keep || r->out.lines || (want_err && c->merge);

	for (int i = 1; i < 3; i++) {
		if (c->inherit_output)
			stdio[i] = i;
		if (r->file >= 0)
			stdio[i] = r->file;
	}
	if (want_out) {
		if (make_pipe(&r->out, &ret_own[0], err) < 0)
			return -1;
		stdio[1] = ret_own[0];
	}
	if (c->merge) {
		stdio[2] = stdio[1];
		return 0;
	}
	if (want_err) {
		if (make_pipe(&r->err, &ret_own[1], err) < 0)
			return -1;
		stdio[2] = ret_own[1];
	}
	return 0;
}

static int start_connected(struct run *r, bool want_err, struct kl_process *ret,
			   struct kl_error *err)
{
	int stdio[3] = { -1, -1, -1 }, own[2] = { -1, -1 }, rc;
	KL_AUTO_CLOSE int input = -1;

	if (kl_child_input(r->c, &stdio[0], &input, err) < 0 ||
	    kl_child_output(r->c, &r->file, err) < 0)
		return -1;
	rc = connect_output(r, want_err, stdio, own, err);
	if (!rc)
		rc = kl_child_start(r->c, stdio, ret, err);
	for (size_t i = 0; i < KL_ARRAY_SIZE(own); i++)
		if (own[i] >= 0)
			close(own[i]);
	return rc;
}

static int deferred(const struct kl_command *c, struct kl_error *err)
{
	if (!c)
		return kl_fail(err, KL_INFRA, "out of memory while preparing a command");
	if (c->deferred.class != KL_CLASS_NONE) {
		if (err)
			*err = c->deferred;
		return -1;
	}
	return 0;
}

static int run(struct run *r, bool want_err, kl_deadline deadline, struct kl_exit *ret,
	       struct kl_error *err)
{
	KL_AUTO(kl_process_deinit) struct kl_process p = KL_PROCESS_INIT;
	struct kl_exit ended = { 0 };

	if (start_connected(r, want_err, &p, err) < 0)
		return -1;
	if (watch(r, &p, deadline, &ended, err) < 0 || kl_child_reap(&p, &ended, err) < 0)
		return -1;
	drain(r);
	ended.out_truncated = r->truncated;
	/* It may have ended by itself just before our SIGKILL; what we meant counts. */
	if (ended.timed_out || ended.interrupted)
		ended.exited = false;
	*ret = ended;
	if (ended.interrupted)
		return kl_fail(err, KL_INTERRUPTED, "interrupted while running %s",
			       r->c->argv.v[0]);
	if (r->file_errno)
		return kl_fail_errno(err, r->file_errno, "cannot write %s", r->c->output_path);
	return 0;
}

int kl_command_run(struct kl_command *c, kl_deadline deadline, struct kl_buf *out,
		   struct kl_buf *errout, struct kl_exit *ret, struct kl_error *err)
{
	KL_AUTO(run_deinit)
	struct run r = { .c = c,
			 .out = { .fd = -1, .keep = out },
			 .err = { .fd = -1, .keep = errout },
			 .file = -1 };
	struct kl_exit unasked;

	if (deferred(c, err) < 0)
		return -1;
	r.out.lines = c->on_line != NULL;
	return run(&r, errout != NULL, deadline, ret ? ret : &unasked, err);
}

/* The last lines that the child wrote to stderr, on one line. */
static void last_words(const struct stream *s, struct kl_buf *b)
{
	const char *end = s->tail + s->tail_len;
	const char *from;
	int lines = 0;

	while (end > s->tail && end[-1] == '\n')
		end--;
	for (from = end; from > s->tail && end - from < 900; from--)
		if (from[-1] == '\n' && ++lines == 6)
			break;
	for (const char *sep = ": "; from < end; sep = " / ") {
		const char *newline = memchr(from, '\n', (size_t)(end - from));
		size_t len = (size_t)((newline ? newline : end) - from);

		if (len) {
			kl_buf_puts(b, sep);
			kl_buf_safe(b, from, len, 400);
		}
		from += len + 1;
	}
}

int kl_command_check(struct kl_command *c, kl_deadline deadline, struct kl_buf *out,
		     enum kl_class class, struct kl_error *err)
{
	KL_AUTO(run_deinit)
	struct run r = {
		.c = c, .out = { .fd = -1, .keep = out }, .err = { .fd = -1 }, .file = -1
	};
	KL_AUTO(kl_buf_deinit) struct kl_buf words = KL_BUF_INIT;
	struct kl_exit e;

	if (deferred(c, err) < 0)
		return -1;
	r.out.lines = c->on_line != NULL;
	/* Where the output goes to a person or a file, stderr goes there too. */
	if (run(&r, !c->inherit_output, deadline, &e, err) < 0)
		return -1;
	last_words(c->merge ? &r.out : &r.err, &words);
	if (e.timed_out)
		return kl_fail(err, class, "%s was killed at its deadline, after %.1f s%s",
			       c->argv.v[0], (double)e.wall_ns / 1e9, kl_buf_str(&words));
	if (!e.exited)
		return kl_fail(err, class, "%s was ended by signal %d (%s)%s", c->argv.v[0],
			       e.signal, strsignal(e.signal), kl_buf_str(&words));
	if (e.status)
		return kl_fail(err, class, "%s failed (status %d)%s", c->argv.v[0], e.status,
			       kl_buf_str(&words));
	if (e.out_truncated)
		return kl_fail(err, class, "%s wrote more than the %zu bytes that are kept",
			       c->argv.v[0], out->len);
	return 0;
}

int kl_command_start(struct kl_command *c, struct kl_process *ret, struct kl_error *err)
{
	KL_AUTO(run_deinit)
	struct run r = { .c = c, .out = { .fd = -1 }, .err = { .fd = -1 }, .file = -1 };

	if (deferred(c, err) < 0)
		return -1;
	return start_connected(&r, false, ret, err);
}

int kl_process_wait(struct kl_process *p, kl_deadline deadline, struct kl_exit *ret,
		    struct kl_error *err)
{
	struct kl_exit ended = { 0 };

	if (p->pid < 0)
		return kl_fail(err, KL_INFRA, "there is no child to wait for");
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = p->pidfd, .events = POLLIN },
			{ .fd = kl_interrupt_fd(), .events = POLLIN },
		};
		int n = poll(fds, KL_ARRAY_SIZE(fds), kl_deadline_poll_ms(deadline));

		if (n < 0 && errno != EINTR)
			return kl_fail_errno(err, errno, "cannot wait for process %d", (int)p->pid);
		if (n > 0 && fds[0].revents)
			break;
		if (kl_interrupted())
			return kl_fail(err, KL_INTERRUPTED, "interrupted");
		if (kl_deadline_passed(deadline))
			return 1;
	}
	if (kl_child_reap(p, &ended, err) < 0)
		return -1;
	if (ret)
		*ret = ended;
	return 0;
}

void kl_process_kill(struct kl_process *p)
{
	if (p->pid >= 0)
		kl_child_reap(p, NULL, NULL);
}

void kl_process_deinit(struct kl_process *p)
{
	kl_process_kill(p);
	if (p->pidfd >= 0)
		close(p->pidfd);
	*p = KL_PROCESS_INIT;
}
