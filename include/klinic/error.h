/*
 * Errors: every fallible function returns 0 or -1 and, on -1, fills the error
 * that its caller owns. Layers above may prepend what they were doing.
 *
 * The class decides the exit status of the command (docs/architecture.md), so
 * it is set where the fact is known: a YAML key that nobody knows is
 * KL_CONTENT, a QEMU that is not installed is KL_INFRA.
 */
#ifndef KLINIC_ERROR_H
#define KLINIC_ERROR_H

enum kl_class {
	KL_CLASS_NONE,
	KL_USAGE, /* the command line is wrong: exit 2 */
	KL_CONTENT, /* exercise, rubric, submission or log is bad: exit 3 */
	KL_INFRA, /* the machine failed us: exit 4 */
	KL_INTERRUPTED, /* the user pressed Ctrl-C: exit 130 */
};

struct kl_error {
	enum kl_class class;
	int sys_errno; /* 0 where no system call was involved */
	unsigned int line; /* 1-based; 0 where there is no place */
	unsigned int column; /* 1-based; 0 where unknown */
	char path[512]; /* the file complained of, or "" */
	char message[1536]; /* one sentence, no trailing newline */
};

#define KL_ERROR_INIT	     ((struct kl_error){ 0 })
#define KL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* All of these return -1, so that callers can write: return kl_fail(err, …). err may be NULL. */
int kl_fail(struct kl_error *err, enum kl_class class, const char *fmt, ...) KL_PRINTF(3, 4);
/* KL_INFRA with ": strerror(sys_errno)" appended. */
int kl_fail_errno(struct kl_error *err, int sys_errno, const char *fmt, ...) KL_PRINTF(3, 4);
/* KL_CONTENT with a place in a file. */
int kl_fail_at(struct kl_error *err, const char *path, unsigned int line, unsigned int column,
	       const char *fmt, ...) KL_PRINTF(5, 6);
/* Puts "context: " before the message. Keeps the class. */
int kl_error_prepend(struct kl_error *err, const char *fmt, ...) KL_PRINTF(2, 3);
/* The whole error for a person: "path:line:column: message". Returns buf, always terminated. */
const char *kl_error_text(const struct kl_error *err, char *buf, unsigned long size);

#endif
