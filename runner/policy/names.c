/*
 * The lists. They name what Linux 6.1 has, and what neighbouring versions call
 * it. A name is refused when no fix of a driver needs it and when it could
 * blind a detector, forge evidence, or reach past the driver; it is pointed out
 * when an honest fix may use it, but a careless or a sly one would, too.
 */
#include <string.h>

#include <klinic/cleanup.h>

#include "policy/names.h"

static const struct pl_rule rules[] = {
	{ "detector-switch", "turns off, or hides from, a detector that judges the fix",
	  "leave the detectors as they are and mend what they report",
	  /* KASAN, KCSAN, KMSAN, KFENCE, kmemleak, UBSAN; what the compiler calls for them is fine */
	  "kasan_* __kasan_* .kasan_depth __no_kasan* !kasan_check_byte !__kasan_kmalloc "
	  "!__kasan_check_* __asan_* !__asan_report_* !__asan_load* !__asan_store* "
	  "!__asan_handle_no_return !__asan_alloca* !__asan_set_shadow_* !__asan_register_globals "
	  "!__asan_unregister_globals kcsan_* __kcsan_* .kcsan_ctx __no_kcsan* kmsan_* __no_kmsan* "
	  ".kmsan_ctx kfence_* __kfence_* !~kfence_* kmemleak_* SLAB_NOLEAKTRACE ubsan_* "
	  "__no_sanitize* __disable_sanitizer_instrumentation no_sanitize* no_instrument_function "
	  "noinstr __noinstr* instrumentation_begin instrumentation_end "
	  /* lockdep; RCU's macros read debug_locks and initialise maps in a module's own code */
	  "lockdep_off lockdep_on .lockdep_recursion .lockdep_depth lockdep_set_novalidate_class "
	  "__lockdep_no_validate__ lockdep_init_map* !~lockdep_init_map_type "
	  "lockdep_free_key_range lockdep_hardirqs_* lockdep_softirqs_* debug_locks_off "
	  "__debug_locks_off ~debug_locks ~debug_locks_silent .dep_map .held_locks .curr_chain_key "
	  "__GFP_NOLOCKDEP debug_object_* debug_objects_* "
	  /* hangs and stalls */
	  "touch_nmi_watchdog touch_softlockup_watchdog* touch_all_softlockup_watchdogs "
	  "reset_hung_task_detector rcu_cpu_stall_* watchdog_thresh sysctl_hung_task_* "
	  "lockup_detector_*",
	  true },
	/* What the kernel's headers offer to its own low-level code: no checker sees such an access. */
	{ "unchecked-access", "reads or writes memory behind the checkers' back",
	  "use plain C, READ_ONCE(), the atomic_ functions, copy_from_user() and copy_to_user()",
	  "READ_ONCE_NOCHECK READ_ONCE_TASK_STACK __read_once_word_nocheck read_word_at_a_time "
	  "load_unaligned_zeropad __memcpy* __memset* __memmove* memcpy_orig memcpy_erms "
	  "memset_orig memset_erms memmove_erms memcpy_flushcache copy_page clear_page "
	  "clear_page_* copy_mc_* __copy_user_* copy_user_generic* copy_user_enhanced* raw_copy_* "
	  "memcpy_fromio memcpy_toio memset_io __ioread*_copy __iowrite*_copy readb readw readl "
	  "readq writeb writew writel writeq readb_relaxed readw_relaxed "
	  "readl_relaxed readq_relaxed writeb_relaxed writew_relaxed writel_relaxed "
	  "writeq_relaxed __readb __readw __readl __readq __writeb __writew __writel __writeq "
	  "__raw_readb __raw_readw __raw_readl __raw_readq __raw_writeb __raw_writew "
	  "__raw_writel __raw_writeq ioread8* ioread16* ioread32* ioread64* iowrite8* iowrite16* "
	  "iowrite32* iowrite64* arch_atomic* arch_xchg* arch_cmpxchg* arch_try_cmpxchg* "
	  "arch_set_bit arch_clear_bit arch_change_bit arch_test_* arch___* xchg_local "
	  ".default_timer_slack_ns",
	  true },
	{ "kernel-log", "changes what the kernel's log shows",
	  "let the log be; pr_debug() and dev_dbg() are for what need not be seen",
	  "console_silent console_loglevel default_message_loglevel minimum_console_loglevel "
	  "default_console_loglevel console_printk console_drivers for_each_console "
	  "register_console unregister_console console_lock console_trylock console_unlock "
	  "console_stop console_start suspend_console resume_console console_suspend_enabled "
	  "console_conditional_schedule oops_in_progress bust_spinlocks "
	  "suppress_printk printk_delay_msec printk_deferred_* __printk_safe_* __printk_cpu_* "
	  "log_buf_* devkmsg_* kmsg_dump_* oops_enter oops_exit oops_begin oops_end "
	  "vprintk_emit vprintk_default early_printk",
	  true },
	{ "kernel-state", "forges, or hides, what the kernel notes about faults",
	  "leave the kernel's own state to the kernel",
	  "add_taint test_taint get_taint tainted_mask .taints panic_on_* ^panic nmi_panic "
	  "panic_notifier_list panic_timeout panic_cpu crash_kexec* __crash_kexec "
	  "register_die_notifier unregister_die_notifier register_reboot_notifier "
	  "register_module_notifier register_restart_handler register_oom_notifier "
	  "do_settimeofday64 timekeeping_* do_adjtimex",
	  true },
	{ "symbol-lookup", "finds or hooks the kernel's code",
	  "call what the kernel exports to drivers, directly",
	  "kallsyms_* __symbol_get symbol_get symbol_put __symbol_put* symbol_request find_module "
	  "module_kallsyms_* lookup_symbol_name lookup_module_symbol_* __module_address "
	  "__module_text_address sprint_symbol* sprint_backtrace "
	  "kprobe* register_kprobe* unregister_kprobe* enable_kprobe disable_kprobe "
	  "kretprobe* register_kretprobe* unregister_kretprobe* jprobe* register_jprobe* "
	  "ftrace_* register_ftrace_* unregister_ftrace_* register_fprobe* unregister_fprobe* "
	  "tracepoint_probe_* for_each_kernel_tracepoint register_trace_* unregister_trace_* "
	  "trace_event_* klp_* uprobe_* perf_event_create_kernel_counter "
	  "register_wide_hw_breakpoint register_user_hw_breakpoint sys_call_table __x64_sys_* "
	  "__ia32_sys_* ksys_* __do_sys_* __se_sys_* bpf_prog_* _text _stext _etext _sinittext "
	  "__start_rodata __end_rodata __start___* __stop___*",
	  true },
	{ "text-patching", "rewrites code, page tables or control registers",
	  "change the driver's source, never the kernel's memory",
	  "text_poke* text_mutex text_gen_insn set_memory_* set_pages_* set_direct_map_* "
	  "jump_label_* arch_jump_label_* __jump_table static_call_update __static_call_* "
	  "arch_static_call_* write_cr* __write_cr* native_write_* native_load_* native_set_* "
	  "native_wrmsr* cr4_* wrmsr* load_idt load_gdt lookup_address* apply_to_page_range "
	  "apply_to_existing_page_range set_pte* pte_mkwrite module_alloc __vmalloc_node_range "
	  "execmem_* PAGE_KERNEL_*EXEC* apply_alternatives alternatives_* ALTERNATIVE* "
	  "alternative_* stop_machine* __flush_tlb_* flush_tlb_*",
	  true },
	{ "usermode-helper", "runs or loads something outside the driver",
	  "do the work in the driver itself",
	  "call_usermodehelper* argv_split argv_free kernel_execve kernel_thread "
	  "user_mode_thread request_module* __request_module request_firmware* "
	  "firmware_request_* orderly_poweroff orderly_reboot",
	  true },
	{ "file-io", "opens, reads or writes files or sockets from within the kernel",
	  "take data from user space through the driver's own device",
	  "filp_open filp_close file_open_* dentry_open* kernel_write* __kernel_write* "
	  "kernel_read kernel_read_file* __kernel_read* vfs_* !vfs_fsync !vfs_setpos kern_path* "
	  "user_path_* do_sys_open* sock_create* kernel_sendmsg kernel_recvmsg kernel_connect "
	  "kernel_bind kernel_accept kernel_listen sock_sendmsg sock_recvmsg "
	  "netlink_kernel_create*",
	  true },
	{ "foreign-process", "reaches into processes that do not use the driver",
	  "deal with the caller alone: current, its arguments, its files",
	  "send_sig send_sig_* kill_pid* kill_pgrp force_sig* do_send_sig_info "
	  "group_send_sig_info send_sigio do_exit do_group_exit make_task_dead "
	  "for_each_process for_each_process_thread for_each_thread next_task "
	  "find_task_by_* find_get_task_by_* find_get_pid find_vpid find_pid_ns pid_task "
	  "get_pid_task access_process_vm access_remote_vm get_user_pages_remote "
	  "pin_user_pages_remote kthread_use_mm use_mm ptrace_* commit_creds prepare_kernel_cred "
	  "override_creds switch_task_namespaces init_task init_cred init_nsproxy "
	  "copy_from_kernel_nofault* copy_to_kernel_nofault* probe_kernel_* "
	  "strncpy_from_kernel_nofault",
	  true },
	{ "module-trick", "plays with the life or the layout of modules",
	  "a device's .owner and the core's own counting are what a driver needs",
	  "__this_module module_mutex .source_list .target_list MODULE_INFO __MODULE_INFO "
	  "MODULE_SOFTDEP __initcall* core_initcall* postcore_initcall* arch_initcall* "
	  "subsys_initcall* fs_initcall* rootfs_initcall device_initcall* late_initcall* "
	  "early_initcall pure_initcall console_initcall __exitcall __section __section__ "
	  "___ksymtab* __EXPORT_SYMBOL* _ASM_EXTABLE* __ex_table vermagic VERMAGIC_STRING "
	  "init_module cleanup_module incbin",
	  true },
	{ "hardware", "goes around the driver model to memory, ports or power",
	  "use what the handout's driver is given; no fix here needs the bare machine",
	  "ioremap* iounmap memremap* memunmap devm_ioremap* devm_memremap* phys_to_virt __va "
	  "__phys_addr* phys_base page_offset_base vmalloc_base vmemmap_base PAGE_OFFSET "
	  "__PAGE_OFFSET __START_KERNEL* KERNEL_IMAGE_* init_mm swapper_pg_dir init_top_pgt "
	  "outb outw outl outb_p outw_p outl_p outsb outsw outsl inb inw inl inb_p inw_p inl_p "
	  "insb insw insl ioport_map ioport_unmap iomem_resource ioport_resource request_region "
	  "__request_region request_mem_region walk_system_ram_* walk_iomem_* e820__* memblock_* "
	  "efi_* acpi_* emergency_restart machine_restart machine_halt machine_power_off "
	  "machine_emergency_restart kernel_power_off kernel_halt kernel_restart pm_power_off "
	  "do_kernel_power_off do_kernel_restart kexec_* ^halt native_halt safe_halt "
	  "native_safe_halt raw_safe_halt kvm_hypercall* stop_this_cpu remove_cpu add_cpu "
	  "fw_cfg_* vmcoreinfo*",
	  true },
	/* From here on: pointed out. */
	{ "lockdep-annotation", "tells lockdep to believe the author",
	  "see whether what it says of the locks is true",
	  "lockdep_set_class* lockdep_set_subclass lockdep_*pin_lock ~lock_acquire* ~lock_release "
	  "~lock_map_* mutex_lock_nested mutex_lock_interruptible_nested "
	  "mutex_lock_killable_nested mutex_lock_nest_lock spin_lock_nested spin_lock_nest_lock "
	  "arch_spin_* arch_read_* arch_write_* do_raw_spin_* do_raw_read_* do_raw_write_* "
	  "queued_spin_* queued_read_* queued_write_* bit_spin_* hlist_bl_lock hlist_bl_unlock "
	  "spin_lock_irqsave_nested raw_spin_lock_nested down_read_nested down_write_nested "
	  "down_write_nest_lock down_write_killable_nested down_read_non_owner "
	  "up_read_non_owner SINGLE_DEPTH_NESTING",
	  false },
	{ "race-annotation", "tells a race detector or sparse to look away",
	  "see whether the access is as harmless as it says",
	  "data_race __data_racy rcu_dereference_raw*", false },
	{ "scheduling", "steers the scheduler",
	  "see whether a race was closed, or only moved out of the way",
	  "sched_setscheduler* sched_set_fifo* sched_set_normal set_user_nice "
	  "set_cpus_allowed_ptr preempt_count_set preempt_count_add preempt_count_sub "
	  "preempt_enable_no_resched set_tsk_need_resched clear_tsk_need_resched "
	  "set_preempt_need_resched notrace nokprobe_inline NOKPROBE_SYMBOL __kprobes "
	  "rcu_expedite_gp smp_call_function* on_each_cpu*",
	  false },
	{ "physical-address", "deals in physical addresses", "see what it maps, and for whom",
	  "__pa virt_to_phys virt_to_pfn pfn_to_page pfn_to_virt pfn_to_kaddr page_to_pfn "
	  "page_to_phys vmap vm_map_ram remap_pfn_range",
	  false },
	{ "provoked-oops", "stops the kernel on purpose",
	  "see whether an error code would have done", "BUG BUG_ON", false },
};

/*
 * What any driver may call whatever its handout called: memory, locks, waiting,
 * time, work, user space, strings, devices' own registration, and what the
 * compiler and the checkers put in by themselves.
 */
static const char usual[] =
	/* memory */
	"kmalloc* __kmalloc* kzalloc* kfree kfree_sensitive kvfree* kvmalloc* krealloc* kcalloc "
	"kmem_cache_* kmem_dump_obj vmalloc* vzalloc* vfree ksize kstrdup* kstrndup kmemdup* "
	"memdup_user* vmemdup_user kasprintf kvasprintf* devm_k* devm_add_action* "
	"devm_release_action devres_* mempool_* fs_reclaim_* __get_free_pages get_zeroed_page "
	"free_pages "
	"__free_pages __alloc_pages alloc_pages* dma_pool_* percpu_* __percpu_* __alloc_percpu* "
	"free_percpu __per_cpu_offset "
	"this_cpu_off gen_pool_* "
	/* locks and counting */
	"mutex_* __mutex_* ww_mutex_* rt_mutex_* _raw_spin_* _raw_read_* _raw_write_* __raw_spin_* "
	"__rwlock_init queued_* do_raw_* down down_* up up_* __init_rwsem downgrade_write "
	"rwsem_* refcount_* kref_* __rcu_* rcu_* call_rcu* kvfree_call_rcu "
	"synchronize_* srcu_* call_srcu cleanup_srcu_struct __init_srcu_struct* __srcu_* "
	"init_srcu_struct* "
	"get_state_synchronize_* poll_state_synchronize_* cond_synchronize_* start_poll_* "
	"seqcount_* "
	"lockref_* bit_spin_* atomic_* __atomic_* "
	"__cmpxchg* cmpxchg* _atomic_dec_and_* "
	"lock_acquire lock_release lock_is_held_type lock_acquired lock_contended lock_downgrade "
	"lock_sync lockdep_rcu_suspicious lockdep_init_map_type lockdep_register_key "
	"lockdep_unregister_key debug_lockdep_rcu_enabled debug_locks "
	/* waiting, time, work, threads */
	"__init_waitqueue_head init_wait_entry init_wait_var_entry prepare_to_wait* finish_wait "
	"__wake_up* wake_up_* add_wait_queue* remove_wait_queue autoremove_wake_function "
	"default_wake_function woken_wake_function wait_woken do_wait_intr* __var_waitqueue "
	"bit_wait* out_of_line_wait_* wait_for_completion* complete complete_* completion_done "
	"try_wait_for_completion __init_swait_* swake_up_* schedule* io_schedule* __cond_resched "
	"cond_resched* __might_* preempt_schedule* yield msleep* usleep_range* ssleep __udelay "
	"__ndelay __const_udelay jiffies* nsecs_to_jiffies* __msecs_to_jiffies "
	"__usecs_to_jiffies round_jiffies* ktime_get* ktime_* ns_to_* hrtimer_* init_timer_* "
	"add_timer* mod_timer* del_timer* timer_* try_to_del_timer_sync delayed_work_timer_fn "
	"__init_work __init_timer queue_* mod_delayed_work_on flush_* __flush_work* cancel_* "
	"alloc_workqueue destroy_workqueue drain_workqueue system_*wq destroy_work_on_stack "
	"destroy_delayed_work_on_stack work_busy kthread_* tasklet_* __tasklet_* "
	"__local_bh_* local_bh_* irq_work_* current_task pcpu_hot const_pcpu_hot "
	"__preempt_count set_current_state __set_current_state "
	/* lists, trees, ids, bits, sorting */
	"__list_* list_sort llist_* rb_* __rb_* radix_tree_* __radix_* xa_* __xa_* xas_* ida_* "
	"idr_* "
	"rhashtable_* bitmap_* __bitmap_* _find_* find_next_* hweight* __sw_hweight* sort sort_r "
	"bsearch interval_tree_* __kfifo_* kobject_* kset_* "
	/* user space and strings */
	"_copy_* __copy_* copy_* clear_user __clear_user rep_movs_alternative rep_stos_alternative "
	"__get_user_* __put_user_* "
	"__check_object_size usercopy_abort strncpy_from_user strnlen_user "
	"strlen strnlen strcmp strncmp strcasecmp strncasecmp strcpy strncpy strscpy* strlcpy "
	"strcat strncat strlcat strchr strchrnul strrchr strnchr strstr strnstr strsep strim "
	"strspn strcspn strpbrk strreplace stpcpy string_* skip_spaces "
	"memc* memmove memset* memscan fortify_* snprintf scnprintf "
	"vsnprintf "
	"vscnprintf sprintf vsprintf sscanf kstrto* simple_* simple_read_from_buffer "
	"simple_write_to_buffer hex_* bin2hex hex2bin sysfs_* seq_* single_* "
	/* talking */
	"_printk _dev_* __dynamic_* __warn_printk __printk_ratelimit ___ratelimit dump_stack "
	"print_hex_dump* "
	/* a driver's own devices, files, events */
	"misc_register misc_deregister cdev_* device_* __class_create class_* alloc_chrdev_region "
	"register_chrdev_region unregister_chrdev_region __register_chrdev __unregister_chrdev "
	"debugfs_* proc_* noop_llseek no_llseek default_llseek fixed_size_llseek generic_file_* "
	"nonseekable_open stream_open compat_ptr_ioctl anon_inode_* fget fput close_fd fd_install "
	"get_unused_fd_flags put_unused_fd eventfd_* fasync_helper kill_fasync param_* "
	"try_module_get module_put module_refcount vm_insert_page "
	"vm_map_pages* get_random_* prandom_* get_device put_device dev_* "
	"platform_* __platform_* "
	/* the compiler's and the checkers' own */
	"__asan_* __kasan_kmalloc __kasan_check_* __ubsan_handle_* __tsan_* __sanitizer_cov_* "
	"__stack_chk_fail __fentry__ __x86_return_thunk __x86_indirect_thunk_* __SCT__* "
	"__SCK__* __stack_chk_guard __divti3 __modti3 "
	"__sw_* cpu_number cpu_bit_bitmap cpu_info boot_cpu_data nr_cpu_ids __cpu_* "
	"__tracepoint_* __traceiter_* "
	"__SCK__tp_* _ctype div64_* iter_div_u64_rem int_sqrt* gcd mul_u64_*";

static const char attributes_refused[] =
	"no_sanitize* no_address_safety_analysis optimize section constructor destructor naked "
	"ifunc alias weakref symver no_instrument_function no_profile_instrument_function "
	"patchable_function_entry target target_clones simd interrupt no_stack_protector "
	"disable_sanitizer_instrumentation no_caller_saved_registers noplt nocf_check "
	"indirect_branch indirect_return function_return fentry_name fentry_section "
	"no_split_stack zero_call_used_regs ms_hook_prologue";
static const char attributes_flagged[] =
	"weak used retain externally_visible flatten mode vector_size error warning "
	"transparent_union may_alias visibility tls_model returns_twice";

/* Does the word (len bytes, perhaps with a "*" in it) fit the name? */
static bool fits(const char *word, size_t len, const char *name)
{
	const char *star = memchr(word, '*', len);
	size_t head = star ? (size_t)(star - word) : len, tail = star ? len - head - 1 : 0;
	size_t n = strlen(name);

	if (!star)
		return n == len && !memcmp(word, name, len);
	return n >= head + tail && !memcmp(word, name, head) &&
	       !memcmp(star + 1, name + n - tail, tail);
}

bool pl_listed(const char *list, const char *name)
{
	while (*list) {
		size_t len = strcspn(list, " ");

		if (fits(list, len, name))
			return true;
		list += len + strspn(list + len, " ");
	}
	return false;
}

static bool falls_under(const char *list, const char *name, enum pl_use use)
{
	bool found = false;

	while (*list) {
		size_t len = strcspn(list, " ");
		const char *word = list, *end = list + len;
		bool except = false, tilde = false, anywhere = false, call = false;

		for (; word < end && strchr("!.~^", *word); word++) {
			except |= *word == '!';
			anywhere |= *word == '.';
			tilde |= *word == '~';
			call |= *word == '^';
		}
		if (word == end || !fits(word, (size_t)(end - word), name)) {
			list = end + strspn(end, " ");
			continue;
		}
		if (except && (!tilde || use == PL_IMPORT))
			return false;
		if (!except && (anywhere || use != PL_MEMBER) && (!tilde || use != PL_IMPORT) &&
		    (!call || use == PL_CALL || use == PL_IMPORT))
			found = true;
		list = end + strspn(end, " ");
	}
	return found;
}

const struct pl_rule *pl_rule_of(const char *name, enum pl_use use)
{
	for (size_t i = 0; i < KL_ARRAY_SIZE(rules); i++)
		if (falls_under(rules[i].names, name, use))
			return &rules[i];
	return NULL;
}

bool pl_import_is_usual(const char *symbol)
{
	return pl_listed(usual, symbol);
}

/* __section__ as section. */
static const char *bare(const char *name, char *buf, size_t size)
{
	size_t len;

	name += strspn(name, "_");
	len = strlen(name);
	while (len && name[len - 1] == '_')
		len--;
	if (len >= size)
		len = size - 1;
	memcpy(buf, name, len);
	buf[len] = '\0';
	return buf;
}

bool pl_attribute_refused(const char *name)
{
	char buf[64];

	return pl_listed(attributes_refused, bare(name, buf, sizeof(buf)));
}

bool pl_attribute_flagged(const char *name)
{
	char buf[64];

	return pl_listed(attributes_flagged, bare(name, buf, sizeof(buf)));
}
