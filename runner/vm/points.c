/*
 * Where the schedule driver may preempt: at the kernel functions that the module
 * under test calls. What the compiler calls for the sanitizers, for tracing and
 * for retpolines is not among them: it stands at every load and store, runs
 * inside the probes themselves, and a probe there takes the machine down. Nor is
 * what lockdep's inline functions call: the whole kernel calls it at every lock,
 * and a probe there makes a run with RCU many times as long.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/str.h>

#include "guest/mailbox.h"
#include "vm/template.h"

/* Half of the mailbox: the check's program and klinic's own modules need some of the rest. */
#define MODULE_MAX (KL_MAIL_SIZE / 2)

static const char *const not_calls[] = {
	"__asan_",	   "__kasan_",	     "kasan_",
	"__ubsan_",	   "__tsan_",	     "__kcsan_",
	"__msan_",	   "__kmsan_",	     "__sanitizer_",
	"__fentry__",	   "__x86_",	     "__stack_chk_",
	"__SCT__",	   "__SCK__",	     "__tracepoint_",
	"__traceiter_",	   "__this_module",  "lock_acquire",
	"lock_release",	   "lock_contended", "lock_is_held",
	"lock_downgrade",  "lockdep_",	     "debug_lockdep_",
	"rcu_is_watching", "rcu_read_lock_", "srcu_read_lock_held",
};

bool kl_vm_is_point(const char *symbol)
{
	for (size_t i = 0; i < KL_ARRAY_SIZE(not_calls); i++)
		if (kl_str_starts(symbol, not_calls[i]))
			return false;
	return true;
}

int kl_vm_module_fits(const char *ko, const struct kl_strv *calls, char **ret_why,
		      struct kl_error *err)
{
	size_t names = 0;
	struct stat st;
	char *why = NULL;

	if (stat(ko, &st))
		return kl_fail_errno(err, errno, "cannot look at %s", ko);
	/* As run.c joins them: a comma or the end after each. */
	for (size_t i = 0; i < calls->n; i++)
		if (kl_vm_is_point(calls->v[i]))
			names += strlen(calls->v[i]) + 1;
	if ((unsigned long)st.st_size > MODULE_MAX)
		why = kl_asprintf("the built module has %lu KiB, and a run has room for %lu KiB: a "
				  "fix needs no such tables",
				  (unsigned long)st.st_size >> 10, MODULE_MAX >> 10);
	else if (names > KL_MAIL_POINTS - 2)
		why = kl_asprintf("the module calls so many functions of the kernel that their "
				  "names alone have %zu bytes, of at most %d",
				  names, KL_MAIL_POINTS - 2);
	else
		return 0;
	if (!why)
		return kl_fail(err, KL_INFRA, "out of memory");
	*ret_why = why;
	return 0;
}
