/* klinic splat: a kernel log in, typed findings out. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klinic/command.h>
#include <klinic/splat.h>

#include "cli/cli.h"

#define LOG_MAX (64UL << 20)

static int open_log(const char *path, int *ret_fd, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
						      : dup(STDIN_FILENO);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return kl_fail(err, KL_USAGE, "cannot read %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return kl_fail(err, KL_USAGE, "%s is a folder: give the file of a kernel log",
			       path);
	*ret_fd = kl_take_fd(fd);
	return 0;
}

/* Standard input may keep us waiting: Ctrl-C ends that. */
static int wait_for_input(int fd, struct kl_error *err)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = kl_interrupt_fd(), .events = POLLIN } };

	while (!kl_interrupted())
		if (poll(fds, 2, -1) >= 0 && fds[0].revents)
			return 0;
	return kl_fail(err, KL_INTERRUPTED, "interrupted");
}

static int feed(struct kl_splat *s, const char *path, int fd, struct kl_error *err)
{
	char chunk[65536];
	size_t total = 0;
	ssize_t n;

	for (;;) {
		if (wait_for_input(fd, err))
			return -1;
		n = read(fd, chunk, sizeof(chunk));
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kl_fail_errno(err, errno, "cannot read %s", path);
		total += (size_t)n;
		if (total > LOG_MAX)
			return kl_fail(err, KL_CONTENT,
				       "%s is larger than %lu MiB: give it in parts (split -C 60m)",
				       path, LOG_MAX >> 20);
		if (kl_splat_feed(s, chunk, (size_t)n))
			return kl_fail(err, KL_INFRA, "out of memory");
	}
}

static int print(const struct kl_findings *fs, int format, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *j = NULL;

	if (format == CLI_JSON) {
		j = kl_findings_json(fs);
		return cli_print_json(j, err);
	}
	cli_findings_text(fs, true, &b);
	if (!fs->n)
		kl_buf_puts(&b, "Nothing found: no report of a kind that klinic knows.\n");
	return cli_print_text(&b, err);
}

int cli_verb_splat(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(kl_splat_destroy_p) struct kl_splat *s = NULL;
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };
	KL_AUTO_CLOSE int fd = -1;
	int format = cli_choice(a, "format", cli_text_or_json, err);
	unsigned long dropped = 0;

	if (format < 0 || open_log(a->positional[0], &fd, err))
		return -1;
	s = kl_splat_create();
	if (!s)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (feed(s, a->positional[0], fd, err))
		return -1;
	if (kl_splat_finish(s, &fs, &dropped))
		return kl_fail(err, KL_INFRA, "out of memory");
	if (print(&fs, format, err))
		return -1;
	if (dropped)
		cli_warn("%lu more reports follow in the log and are not shown", dropped);
	return CLI_DONE;
}
