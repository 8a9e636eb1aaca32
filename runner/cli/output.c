/* Everything that klinic says: results on stdout or into a file, complaints on stderr. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klinic/file.h>
#include <klinic/json.h>

#include "cli/cli.h"

int cli_exit_status(const struct kl_error *err)
{
	switch (err->class) {
	case KL_USAGE:
		return CLI_USAGE;
	case KL_CONTENT:
		return CLI_CONTENT;
	case KL_INTERRUPTED:
		return CLI_INTERRUPTED;
	case KL_INFRA:
	case KL_CLASS_NONE:
		break;
	}
	return CLI_INFRA;
}

static void say(const char *text)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	cli_progress_end();
	/* Paths and quotes of hostile files: nothing of them may steer the terminal. */
	kl_buf_safe(&b, text, strlen(text), 4096);
	if (b.data && !cli_unicode())
		cli_ascii(b.data);
	fprintf(stderr, KLINIC_NAME ": %s\n", kl_buf_str(&b));
}

void cli_complain(const struct kl_error *err)
{
	char text[sizeof(err->message) + sizeof(err->path) + 32];

	/* Where it happened to be then is of no interest. */
	if (err->class == KL_INTERRUPTED)
		say("interrupted");
	else
		say(kl_error_text(err, text, sizeof(text)));
}

void cli_warn(const char *fmt, ...)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	kl_buf_vprintf(&b, fmt, ap);
	va_end(ap);
	say(kl_buf_str(&b));
}

static int write_fd(int fd, const char *data, size_t len, const char *name, struct kl_error *err)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kl_fail_errno(err, errno, "cannot write to %s", name);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int cli_print(const struct kl_buf *b, struct kl_error *err)
{
	struct kl_error failed = KL_ERROR_INIT;

	cli_progress_end();
	if (kl_buf_check(b, "the output", err))
		return -1;
	if (!write_fd(STDOUT_FILENO, kl_buf_str(b), b->len, "standard output", &failed) ||
	    failed.sys_errno == EPIPE)
		return 0;
	*err = failed;
	return -1;
}

int cli_print_text(struct kl_buf *b, struct kl_error *err)
{
	if (b->data && !cli_unicode()) {
		cli_ascii(b->data);
		b->len = strlen(b->data);
	}
	return cli_print(b, err);
}

int cli_print_json(const json_t *j, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (!j)
		return kl_fail(err, KL_INFRA, "out of memory");
	return kl_json_dump(j, &b, err) ? -1 : cli_print(&b, err);
}

/*
 * Only what is a regular file, or not there yet, may be replaced by rename: a
 * device or a pipe (--output /dev/stderr) is written to.
 */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode);
}

int cli_output_probe(const char *path, struct kl_error *err)
{
	KL_AUTO_FREE char *dir = NULL;
	const char *base;

	if (!path || !strcmp(path, "-"))
		return 0;
	if (!*path || kl_file_is_dir(path))
		return kl_fail(err, KL_USAGE, "“%s” is no name of a file to write", path);
	base = kl_path_base(path);
	dir = base == path ? strdup(".") : strndup(path, (size_t)(base - path));
	if (!dir)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (!kl_file_is_dir(dir))
		return kl_fail(err, KL_USAGE, "cannot write %s: there is no folder %s", path, dir);
	if (access(is_special(path) ? path : dir, W_OK))
		return kl_fail_errno(err, errno, "cannot write %s", path);
	return 0;
}

int cli_write_file(const char *path, const struct kl_buf *b, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = -1;
	char target[PATH_MAX];

	if (cli_output_probe(path, err))
		return -1;
	if (is_special(path)) {
		fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			return kl_fail_errno(err, errno, "cannot open %s", path);
		return write_fd(fd, kl_buf_str(b), b->len, path, err);
	}
	/* Through a link, the file that it names is replaced, not the link. */
	return kl_file_write(realpath(path, target) ? target : path, kl_buf_str(b), b->len, 0644,
			     err);
}

int cli_output(const struct cli_args *a, const struct kl_buf *b, struct kl_error *err)
{
	const char *path = cli_value(a, "output");

	if (!path || !strcmp(path, "-"))
		return cli_print(b, err);
	cli_progress_end();
	return kl_buf_check(b, "the output", err) ? -1 : cli_write_file(path, b, err);
}

void cli_log_text(struct kl_buf *b, const char *log, size_t len)
{
	while (len) {
		const char *end = memchr(log, '\n', len);
		size_t line = end ? (size_t)(end - log) : len;
		size_t shown = line && log[line - 1] == '\r' ? line - 1 : line;

		kl_buf_safe(b, log, shown, SIZE_MAX);
		if (end || len == line)
			kl_buf_puts(b, "\n");
		log += line + (end != NULL);
		len -= line + (end != NULL);
	}
}
