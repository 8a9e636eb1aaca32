/* The error that every fallible function fills. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <klinic/error.h>

static void start(struct kl_error *err, enum kl_class class, const char *fmt, va_list ap)
{
	*err = KL_ERROR_INIT;
	err->class = class;
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
}

int kl_fail(struct kl_error *err, enum kl_class class, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	start(err, class, fmt, ap);
	va_end(ap);
	return -1;
}

int kl_fail_errno(struct kl_error *err, int sys_errno, const char *fmt, ...)
{
	char why[128];
	size_t used;
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	start(err, KL_INFRA, fmt, ap);
	va_end(ap);
	err->sys_errno = sys_errno;
	used = strlen(err->message);
	snprintf(err->message + used, sizeof(err->message) - used, ": %s",
		 strerror_r(sys_errno, why, sizeof(why)));
	return -1;
}

int kl_fail_at(struct kl_error *err, const char *path, unsigned int line, unsigned int column,
	       const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	start(err, KL_CONTENT, fmt, ap);
	va_end(ap);
	snprintf(err->path, sizeof(err->path), "%s", path ? path : "");
	err->line = line;
	err->column = column;
	return -1;
}

int kl_error_prepend(struct kl_error *err, const char *fmt, ...)
{
	char old[sizeof(err->message)];
	size_t cause, room;
	va_list ap;

	if (!err)
		return -1;
	cause = strlen(err->message);
	memcpy(old, err->message, cause + 1);
	/* The cause matters more than the context: it stays whole when both are too long. */
	room = sizeof(err->message) > cause + 2 ? sizeof(err->message) - cause - 2 : 1;
	va_start(ap, fmt);
	vsnprintf(err->message, room, fmt, ap);
	va_end(ap);
	room = strlen(err->message);
	snprintf(err->message + room, sizeof(err->message) - room, ": %s", old);
	return -1;
}

const char *kl_error_text(const struct kl_error *err, char *buf, unsigned long size)
{
	if (!err->path[0])
		snprintf(buf, size, "%s", err->message);
	else if (!err->line)
		snprintf(buf, size, "%s: %s", err->path, err->message);
	else if (!err->column)
		snprintf(buf, size, "%s:%u: %s", err->path, err->line, err->message);
	else
		snprintf(buf, size, "%s:%u:%u: %s", err->path, err->line, err->column,
			 err->message);
	return buf;
}
