/* Call trace frames, and which functions only report or only serve others. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "splat/frame.h"

static bool is_symbol_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '$';
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static const char *skip_hex_number(const char *p)
{
	const char *q;

	if (p[0] != '0' || p[1] != 'x')
		return NULL;
	for (q = p + 2; is_hex(*q); q++)
		;
	return q > p + 2 && q - p <= 18 ? q : NULL;
}

/* " [module]", also with the build ID that newer kernels add: " [module 0123abcd]". */
static const char *module_tag(const char *p, const char **ret_name, size_t *ret_len)
{
	const char *q;

	*ret_len = 0;
	if (p[0] != ' ' || p[1] != '[')
		return p;
	for (q = p + 2; is_symbol_byte(*q) || *q == '-'; q++)
		;
	*ret_name = p + 2;
	*ret_len = (size_t)(q - (p + 2));
	if (*q == ' ')
		for (q++; is_hex(*q); q++)
			;
	if (*q != ']' || !*ret_len || *ret_len >= 64) {
		*ret_len = 0;
		return p;
	}
	return q + 1;
}

bool kl_frame_prefix(const char *text, struct kl_frame *ret, const char **ret_rest)
{
	const char *p = text, *module = NULL;
	size_t len, module_len;

	while (is_symbol_byte(*p))
		p++;
	if (p == text || *p != '+')
		return false;
	p = skip_hex_number(p + 1);
	if (!p || *p != '/')
		return false;
	p = skip_hex_number(p + 1);
	if (!p)
		return false;
	len = (size_t)(p - text);
	p = module_tag(p, &module, &module_len);
	if (len + module_len + 4 > sizeof(ret->text))
		return false;
	memcpy(ret->text, text, len);
	if (module_len) {
		memcpy(ret->text + len, " [", 2);
		memcpy(ret->text + len + 2, module, module_len);
		ret->text[len + 2 + module_len] = ']';
		len += module_len + 3;
	}
	ret->text[len] = '\0';
	ret->guess = false;
	*ret_rest = p;
	return true;
}

bool kl_frame_parse(const char *line, struct kl_frame *ret)
{
	bool guess = false;
	const char *p = line;

	while (*p == ' ' || *p == '\t')
		p++;
	if (p[0] == '[' && p[1] == '<') {
		p = strstr(p, ">] ");
		if (!p)
			return false;
		p += 3;
	}
	if (p[0] == '?' && p[1] == ' ') {
		guess = true;
		p += 2;
	}
	if (!kl_frame_prefix(p, ret, &p))
		return false;
	ret->guess = guess;
	while (*p == ' ')
		p++;
	/* arm64 tags frames: (P) for a probe, (F), (U) … */
	if (p[0] == '(' && p[1] && strchr(p, ')'))
		p = strchr(p, ')') + 1;
	return !*p;
}

void kl_frame_function(const char *frame, char *ret, size_t size)
{
	size_t n = 0;

	while (is_symbol_byte(frame[n]) && (frame[n] != '.' || n == 0) && n + 1 < size)
		n++;
	memcpy(ret, frame, n);
	ret[n] = '\0';
}

bool kl_frame_in_module(const char *frame)
{
	return strstr(frame, " [") != NULL;
}

bool kl_frame_split(const char *frame, struct kl_frame_parts *ret)
{
	const char *plus = strchr(frame, '+'), *slash, *tag;
	char *end;
	size_t n;

	if (!plus || (size_t)(plus - frame) >= sizeof(ret->symbol))
		return false;
	*ret = (struct kl_frame_parts){ 0 };
	memcpy(ret->symbol, frame, (size_t)(plus - frame));
	ret->offset = strtoull(plus + 1, &end, 16);
	slash = end;
	if (*slash != '/')
		return false;
	ret->size = strtoull(slash + 1, &end, 16);
	tag = strchr(end, '[');
	if (!tag)
		return true;
	n = strcspn(tag + 1, "]");
	if (n >= sizeof(ret->module))
		return false;
	memcpy(ret->module, tag + 1, n);
	return true;
}

/* A trailing * matches any rest. */
static bool in_list(const char *function, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(list[i]);

		if (list[i][len - 1] == '*' ? !strncmp(function, list[i], len - 1)
					    : !strcmp(function, list[i]))
			return true;
	}
	return false;
}

static const char *const machinery[] = {
	/* printing */
	"dump_stack*",
	"show_stack*",
	"__dump_stack",
	"show_regs*",
	"__warn*",
	"warn_slowpath*",
	"report_bug*",
	"handle_bug",
	"exc_invalid_op",
	"asm_exc_invalid_op",
	"die",
	"__die*",
	"oops_end",
	"page_fault_oops",
	"panic",
	"vpanic",
	"check_panic_on_warn",
	"nmi_panic",
	/* mm/kasan, mm/kfence, mm/kmsan, kernel/kcsan, lib/ubsan.c */
	"print_report",
	"print_address_description*",
	"kasan_report*",
	"__kasan_report*",
	"__asan_report*",
	"end_report",
	"kfence_report*",
	"kmsan_report",
	"__msan_warning",
	"kcsan_report*",
	"ubsan_epilogue",
	"__ubsan_handle*",
	"ubsan_type_mismatch*",
	"handle_null_ptr_deref",
	"handle_object_size_mismatch",
	"handle_misaligned_access",
	/* kernel/locking/lockdep.c */
	"print_circular_bug*",
	"check_noncircular",
	"check_prev_add",
	"check_prevs_add",
	"check_deadlock",
	"check_irq_usage",
	"print_bad_irq*",
	"print_irq_inversion*",
	"print_usage_bug*",
	"print_deadlock_bug*",
	"print_unlock_imbalance*",
	"valid_state",
	"mark_lock*",
	"mark_usage",
	"mark_held_locks",
	"validate_chain",
	"__lock_acquire",
	"lock_acquire*",
	"__lock_release",
	"lock_release*",
	"check_usage*",
	"check_wait_context",
	"register_lock_class",
	"print_lock_invalid*",
	"print_freed_lock_bug",
	"debug_check_no_locks_freed",
	"debug_check_no_locks_held",
	"lockdep_rcu_suspicious",
	"check_flags",
	"reacquire_held_locks",
	"lock_unpin_lock",
	"print_held_locks_bug",
	/* sleeping in the wrong place */
	"__might_resched",
	"__might_sleep",
	"___might_sleep",
	"__schedule_bug",
	/* mm/slub.c */
	"print_trailer",
	"slab_err",
	"slab_bug",
	"object_err",
	"check_bytes_and_report",
	"slab_pad_check",
	"check_object",
	"free_debug_processing",
	"alloc_debug_processing",
	"free_to_partial_list",
	"slab_fix",
	/* stalls */
	"watchdog_timer_fn",
	"watchdog",
	"nmi_cpu_backtrace*",
	"nmi_trigger_cpumask*",
	"rcu_dump_cpu_stacks*",
	"print_cpu_stall*",
	"check_cpu_stall*",
	"rcu_sched_clock_irq*",
};

static const char *const helpers[] = {
	/* sleeping and waiting */
	"__schedule*",
	"schedule*",
	"preempt_schedule*",
	"io_schedule*",
	"__wait_for_common",
	"wait_for_co*",
	"do_wait_for_common",
	"__cond_resched",
	"_cond_resched",
	"msleep*",
	"usleep_range*",
	"ssleep",
	"__might_fault",
	"might_fault",
	"__flush_work",
	"flush_work*",
	"__flush_workqueue",
	"synchronize_*",
	"__synchronize_*",
	"__wait_rcu_gp",
	"kthread_stop",
	"do_nanosleep",
	"wait_woken",
	"prepare_to_wait*",
	"bit_wait*",
	"__wait_on_bit*",
	"out_of_line_wait_on_bit*",
	"del_timer_sync",
	"timer_delete_sync",
	"__del_timer_sync",
	"cancel_*work_sync",
	"__cancel_work*",
	"cancel_work_sync",
	"cancel_delayed_work_sync",
	/* locks */
	"__mutex_*",
	"mutex_*",
	"ww_mutex_*",
	"rt_mutex_*",
	"_raw_spin_*",
	"_raw_read_*",
	"_raw_write_*",
	"do_raw_*",
	"queued_spin_*",
	"native_queued_spin_*",
	"queued_read_*",
	"queued_write_*",
	"__pv_queued_*",
	"down",
	"down_*",
	"__down*",
	"up",
	"up_*",
	"__up*",
	"rwsem_*",
	"spin_*",
	"percpu_down_*",
	"percpu_rwsem_*",
	"__percpu_down_*",
	"rcu_read_unlock*",
	"rcu_lock_*",
	"__rcu_read_*",
	"local_bh_*",
	"__local_bh_*",
	/* allocators */
	"kmalloc*",
	"__kmalloc*",
	"kmem_cache_*",
	"__kmem_cache_*",
	"kfree*",
	"__kfree*",
	"kvfree*",
	"kvmalloc*",
	"__kvmalloc*",
	"kzalloc*",
	"kcalloc*",
	"kstrdup*",
	"kmemdup*",
	"krealloc*",
	"__krealloc*",
	"__do_krealloc",
	"slab_*",
	"__slab_*",
	"___slab_*",
	"do_slab_free*",
	"memdup_user*",
	"vmemdup_user*",
	"kvasprintf*",
	"kasprintf*",
	"kstrndup*",
	"kmemleak_*",
	"vmalloc*",
	"__vmalloc*",
	"vzalloc*",
	"vfree*",
	"__vfree*",
	"vunmap*",
	"alloc_pages*",
	"__alloc_pages*",
	"__get_free_page*",
	"get_zeroed_page*",
	"__free_page*",
	"free_page*",
	"__free_pages*",
	"free_unref_page*",
	"get_page_from_freelist",
	"percpu_ref_*",
	"pcpu_alloc*",
	"__alloc_percpu*",
	"alloc_percpu*",
	"free_percpu",
	"allocate_slab",
	"new_slab",
	"discard_slab",
	"devm_kmalloc*",
	"devm_kfree*",
	"devm_krealloc*",
	"dma_pool_*",
	"mempool_*",
	"__alloc_skb*",
	"should_failslab",
	"fs_reclaim_acquire*",
	"might_alloc",
	/* checks that KASAN and friends interpose */
	"kasan_*",
	"__kasan_*",
	"____kasan_*",
	"__asan_*",
	"check_memory_region*",
	"debug_check_no_obj_freed*",
	"__debug_check_no_obj_freed",
	"debug_print_object",
	"debug_object_*",
	"__debug_object_*",
	"init_timer_key",
	/* copying, lists, counters */
	"memcpy*",
	"memset*",
	"memmove*",
	"memcmp",
	"memchr*",
	"__memcpy*",
	"__memset*",
	"__memmove*",
	"strcpy",
	"strncpy*",
	"strlcpy",
	"strscpy*",
	"strcmp",
	"strncmp",
	"strlen",
	"strnlen",
	"strcat",
	"strlcat",
	"strncat",
	"strchr",
	"strsep",
	"strstr",
	"str_has_prefix",
	"sized_str*",
	"_copy_to_*",
	"_copy_from_*",
	"__copy_*",
	"copy_*user*",
	"__list_*",
	"list_*",
	"hlist_*",
	"refcount_*",
	"__refcount_*",
	"kref_*",
	"kobject_put",
	"kobject_get",
	/* burning time */
	"delay_*",
	"__delay",
	"__const_udelay",
	"__udelay",
	"__ndelay",
	"cpu_relax",
	"rep_nop",
	"native_safe_halt",
	"pv_native_safe_halt",
	"csd_lock_wait*",
	"smp_call_function*",
	/* entry from interrupts */
	"asm_sysvec_*",
	"sysvec_*",
	"asm_common_interrupt",
	"common_interrupt",
	"asm_exc_*",
	"exc_*",
	"irq_exit*",
	"__irq_exit*",
	"irq_enter*",
	"invoke_softirq",
};

/* Inline functions of the kernel's headers that the compiler may leave in a module as functions. */
static const char *const inlines[] = {
	"list_add",	  "list_add_tail",  "list_del",		"list_del_init",  "list_del_rcu",
	"list_move",	  "list_move_tail", "list_replace*",	"__list_add",	  "__list_del*",
	"hlist_add_head", "hlist_del*",	    "__hlist_del",	"refcount_*",	  "__refcount_*",
	"kref_get*",	  "kref_put*",	    "copy_to_user",	"copy_from_user", "__copy_*",
	"kmalloc",	  "kzalloc",	    "kcalloc",		"kmalloc_array",  "spin_lock*",
	"spin_unlock*",	  "mutex_lock",	    "schedule_timeout", "INIT_LIST_HEAD", "kvfree",
	"kvmalloc",	  "memdup_user",
};

bool kl_frame_is_machinery(const char *frame)
{
	char function[KL_FRAME_MAX];

	kl_frame_function(frame, function, sizeof(function));
	return !kl_frame_in_module(frame) && in_list(function, machinery, KL_ARRAY_SIZE(machinery));
}

bool kl_frame_is_helper(const char *frame)
{
	char function[KL_FRAME_MAX];

	kl_frame_function(frame, function, sizeof(function));
	if (kl_frame_in_module(frame))
		return in_list(function, inlines, KL_ARRAY_SIZE(inlines));
	return in_list(function, machinery, KL_ARRAY_SIZE(machinery)) ||
	       in_list(function, helpers, KL_ARRAY_SIZE(helpers));
}
