/*
 * Which variables are switches, and what they were. The names are Linux 6.1's; one
 * that a kernel lacks is passed over, because flavours differ. Which reports
 * account for a change is the graders' business.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "vm/anatomy.h"
#include "vm/switches.h"

/* More than any of them: the table of BUGs has 50 KiB. */
#define SWITCH_MAX (1UL << 20)

static const char *const names[] = {
	/* lib/debug_locks.c, kernel/locking/lockdep.c; debug_locks is a fact of its own */
	"debug_locks_silent",
	"prove_locking",
	"lock_stat",
	/* mm/kasan/report.c, mm/kfence/core.c */
	"kasan_flags",
	"kfence_enabled",
	/* mm/kmemleak.c: what it does to itself when memory runs out is left to the facts */
	"kmemleak_initialized",
	"kmemleak_stack_scan",
	"kmemleak_verbose",
	"jiffies_min_age",
	/* lib/debugobjects.c, mm/slub.c */
	"debug_objects_enabled",
	"debug_objects_warnings",
	"slub_debug",
	"slub_debug_enabled",
	/* kernel/printk/printk.c, lib/ratelimit.c; the agent itself sets devkmsg_log */
	"console_printk",
	"ignore_loglevel",
	"suppress_printk",
	"suppress_panic_printk",
	"console_suspended",
	"console_drivers",
	"console_msg_format",
	"printk_time",
	"printk_delay_msec",
	"printk_console_no_auto_verbose",
	"prb",
	"log_buf",
	"log_buf_len",
	"ratelimit_disable",
	"exclusive_console",
	/* kernel/panic.c, kernel/exit.c, arch/x86/kernel/dumpstack.c */
	"oops_in_progress",
	"panic_cpu",
	"panic_on_oops",
	"panic_on_warn",
	"panic_on_taint",
	"panic_on_taint_nousertaint",
	"panic_timeout",
	"panic_print",
	"pause_on_oops",
	"panic_blink",
	"oops_limit",
	"warn_limit",
	"die_counter",
	"crash_kexec_post_notifiers",
	/* kernel/watchdog.c, kernel/hung_task.c */
	"watchdog_enabled",
	"watchdog_user_enabled",
	"soft_watchdog_user_enabled",
	"nmi_watchdog_user_enabled",
	"watchdog_thresh",
	"watchdog_allowed_mask",
	"softlockup_panic",
	"softlockup_initialized",
	"sysctl_hung_task_timeout_secs",
	"sysctl_hung_task_warnings",
	"sysctl_hung_task_check_count",
	"sysctl_hung_task_check_interval_secs",
	"sysctl_hung_task_panic",
	"hung_task_show_lock",
	"hung_task_call_panic",
	"did_panic",
	/* kernel/rcu/update.c, kernel/rcu/tree_stall.h */
	"rcu_cpu_stall_suppress",
	"rcu_cpu_stall_suppress_at_boot",
	"rcu_cpu_stall_timeout",
	"rcu_exp_cpu_stall_timeout",
	"rcu_cpu_stall_ftrace_dump",
	"sysctl_panic_on_rcu_stall",
	"rcu_scheduler_active",
	/* kernel/trace/ftrace.c, kernel/kprobes.c: what the schedule driver hangs on */
	"ftrace_enabled",
	"kprobes_all_disarmed",
	/* arch/x86/kernel/idt.c */
	"idt_table",
};

/*
 * Notifier chains (include/linux/notifier.h): a lock, then the head. A link is its
 * function, then the next one; who stands in a chain may swallow an oops.
 */
static const char *const chains[] = { "die_chain", "panic_notifier_list" };
#define LINKS_MAX 32

/* lib/bug.c: BUGFLAG_DONE in the table keeps a WARN_ON_ONCE silent. */
static const char *const bounds[] = { "__start___bug_table", "__stop___bug_table" };

static int follow(uint64_t head, struct kl_view *v, uint64_t links[LINKS_MAX][2],
		  struct kl_error *err)
{
	for (size_t i = 0; head && i < LINKS_MAX; i++) {
		uint64_t link[2];

		links[i][0] = head;
		if (kl_view_virt(v, head, link, sizeof(link), err))
			return -1;
		links[i][1] = link[0];
		head = link[1];
	}
	return 0;
}

/* What a switch says now, into w->size bytes. */
static int look(const struct kl_switch *w, struct kl_view *v, uint8_t *ret, struct kl_error *err)
{
	uint64_t links[LINKS_MAX][2] = { 0 }, head;
	struct kl_error why = KL_ERROR_INIT;

	if (!w->chain)
		return kl_view_phys(v, w->phys, ret, w->size, err);
	if (kl_view_phys(v, w->phys, &head, sizeof(head), err))
		return -1;
	/* A link that leads nowhere stays in, and is one more than there was. */
	if (follow(head, v, links, &why) && why.class != KL_CONTENT)
		return kl_fail(err, why.class, "%s", why.message);
	memcpy(ret, links, sizeof(links));
	return 0;
}

static int add(struct kl_switches *s, struct kl_switch w, struct kl_view *v, struct kl_error *err)
{
	if (!w.phys || !w.size)
		return 0;
	if (w.chain)
		w.size = sizeof(uint64_t[LINKS_MAX][2]);
	if (s->n == KL_SWITCHES_MAX || w.size > SWITCH_MAX)
		return kl_fail(err, KL_INFRA, "%s is larger than known", w.name);
	w.was = malloc(w.size);
	if (!w.was)
		return kl_fail(err, KL_INFRA, "out of memory");
	s->v[s->n++] = w;
	return look(&w, v, w.was, err);
}

static int add_all(struct kl_switches *s, const char *vmlinux, struct kl_view *v,
		   struct kl_error *err)
{
	struct kl_symbol at[KL_ARRAY_SIZE(names)], chain[KL_ARRAY_SIZE(chains)];
	struct kl_symbol bound[KL_ARRAY_SIZE(bounds)];

	if (kl_vm_symbols_sized(vmlinux, names, KL_ARRAY_SIZE(names), at, err) ||
	    kl_vm_symbols_sized(vmlinux, chains, KL_ARRAY_SIZE(chains), chain, err) ||
	    kl_vm_symbols_sized(vmlinux, bounds, KL_ARRAY_SIZE(bounds), bound, err))
		return -1;
	for (size_t i = 0; i < KL_ARRAY_SIZE(names); i++)
		if (add(s,
			(struct kl_switch){
				.name = names[i], .phys = at[i].phys, .size = at[i].size },
			v, err))
			return -1;
	for (size_t i = 0; i < KL_ARRAY_SIZE(chains); i++)
		if (chain[i].size >= 8 &&
		    add(s,
			(struct kl_switch){ .name = chains[i],
					    .phys = chain[i].phys + chain[i].size - 8,
					    .size = 8,
					    .chain = true },
			v, err))
			return -1;
	return add(s,
		   (struct kl_switch){ .name = "__bug_table",
				       .phys = bound[0].phys,
				       .size = bound[1].phys - bound[0].phys },
		   v, err);
}

int kl_switches_init(struct kl_switches *s, const char *vmlinux, struct kl_view *v,
		     struct kl_error *err)
{
	*s = (struct kl_switches){ 0 };
	if (!add_all(s, vmlinux, v, err))
		return 0;
	kl_switches_deinit(s);
	return -1;
}

void kl_switches_deinit(struct kl_switches *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].was);
	*s = (struct kl_switches){ 0 };
}

int kl_switches_compare(const struct kl_switches *s, struct kl_view *v, struct kl_strv *ret,
			struct kl_error *err)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct kl_switch *w = &s->v[i];
		KL_AUTO_FREE uint8_t *is = malloc(w->size);

		if (!is)
			return kl_fail(err, KL_INFRA, "out of memory");
		if (look(w, v, is, err))
			return -1;
		if (memcmp(w->was, is, w->size) != 0 && kl_strv_add(ret, w->name))
			return kl_fail(err, KL_INFRA, "out of memory");
	}
	return 0;
}
