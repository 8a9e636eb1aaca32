/*
 * Where the schedule driver may preempt: at the kernel functions that the module
 * under test calls. What the compiler calls for the sanitizers, for tracing and
 * for retpolines is not among them: it stands at every load and store, runs
 * inside the probes themselves, and a probe there takes the machine down. Nor is
 * what lockdep's inline functions call: the whole kernel calls it at every lock,
 * and a probe there makes a run with RCU many times as long.
 */
#include <klinic/cleanup.h>
#include <klinic/str.h>

#include "vm/template.h"

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
