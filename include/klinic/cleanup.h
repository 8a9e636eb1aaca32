/*
 * Scope-bound ownership. A variable marked KL_AUTO(fn) is always initialised
 * and is handed to fn_p() when its scope ends; kl_take() moves it out.
 */
#ifndef KLINIC_CLEANUP_H
#define KLINIC_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* KL_AUTO(kl_buf_deinit) struct kl_buf b = …: calls kl_buf_deinit(&b). */
#define KL_AUTO(fn) __attribute__((cleanup(fn)))

/* For handles: defines NAME_p(T **) that calls NAME(*p); NAME must accept NULL. */
#define KL_DEFINE_AUTO(type, name)            \
	static inline void name##_p(type **p) \
	{                                     \
		name(*p);                     \
	}                                     \
	struct kl_swallow_semicolon

static inline void kl_free_p(void *p)
{
	free(*(void **)p);
}

static inline void kl_close_p(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void kl_fclose_p(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define KL_AUTO_FREE   KL_AUTO(kl_free_p)
#define KL_AUTO_CLOSE  KL_AUTO(kl_close_p)
#define KL_AUTO_FCLOSE KL_AUTO(kl_fclose_p)

/* Moves a pointer out of its variable, leaving NULL. */
#define kl_take(p)                       \
	__extension__({                  \
		__typeof__(p) p__ = (p); \
		(p) = NULL;              \
		p__;                     \
	})
/* The same for a file descriptor, leaving -1. */
#define kl_take_fd(fd)           \
	__extension__({          \
		int fd__ = (fd); \
		(fd) = -1;       \
		fd__;            \
	})

#define KL_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
