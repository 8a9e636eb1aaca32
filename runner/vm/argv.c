/*
 * The emulator's argument list, from a machine and a few paths: a pure function,
 * held against golden files. What each option is for is measured in
 * docs/architecture.md, "Exact forks".
 */
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/vm.h>

#include "guest/mailbox.h"
#include "vm/qemu.h"

/*
 * slub_debug: marks every slab cache for failslab (A) but those of kmemleak and
 * debugobjects, which allocate beside the allocations they follow and do without
 * when that fails: an injected failure must reach the code under test. Nothing
 * fails until a check asks (Documentation/mm/slub.rst).
 *
 * init_on_free: freed memory is zeros. Who uses it all the same gets wrong values,
 * which a check's answers show, even where a module has stopped KASAN's ears.
 */
static const char common_cmdline[] =
	"console=ttyS0 nokaslr panic=-1 printk.time=1 init_on_free=1 "
	"slub_debug=-,kmemleak_object,kmemleak_scan_area,debug_objects_cache;A";

static int add(struct kl_strv *v, const char *option, const char *value)
{
	return kl_strv_add(v, option) || (value && kl_strv_add(v, value)) ? -1 : 0;
}

static int add_processor(const struct kl_machine *m, struct kl_strv *v)
{
	if (m->kvm)
		return add(v, "-accel", "kvm") || add(v, "-cpu", "host") || add(v, "-smp", "2");
	if (m->mode == KL_MODE_PARALLEL)
		return add(v, "-accel", "tcg,thread=multi") || add(v, "-cpu", "qemu64") ||
		       add(v, "-smp", "2");
	/*
	 * One CPU whose clock counts instructions, 16 ns each; idle time is skipped.
	 * The real-time clock follows the same count.
	 */
	return add(v, "-accel", "tcg,thread=single") || add(v, "-icount", "shift=4,sleep=off") ||
	       add(v, "-rtc", "base=2026-01-01,clock=vm") || add(v, "-cpu", "qemu64") ||
	       add(v, "-smp", "1");
}

static int add_memory(enum kl_vm_role role, const struct kl_vm_paths *p, struct kl_strv *v)
{
	return add(v, "-machine", "q35,memory-backend=ram,usb=off,smbus=off,sata=off") ||
	       add(v, "-m", "256M,slots=1,maxmem=512M") || kl_strv_add(v, "-object") ||
	       kl_strv_addf(v, "memory-backend-file,id=ram,size=%lu,mem-path=%s,share=%s",
			    KL_VM_RAM_SIZE, p->ram, role == KL_VM_FORK ? "off" : "on") ||
	       kl_strv_add(v, "-object") ||
	       kl_strv_addf(v, "memory-backend-file,id=mail,size=%lu,mem-path=%s,share=on",
			    KL_MAIL_SIZE, p->mailbox) ||
	       kl_strv_add(v, "-device") ||
	       kl_strv_addf(v, "pc-dimm,memdev=mail,addr=0x%llx,id=mailbox", KL_MAIL_PHYS);
}

static int add_ends(struct kl_strv *v)
{
	/* Whatever ends a run leaves the machine standing, so that its memory can be read. */
	return add(v, "-device", "pvpanic") || add(v, "-device", "i6300esb") ||
	       add(v, "-device", "vmcoreinfo") ||
	       add(v, "-action", "panic=pause,shutdown=pause,reboot=shutdown,watchdog=pause");
}

static int add_kernel(const struct kl_machine *m, struct kl_strv *v)
{
	if (add(v, "-kernel", m->bzimage) || add(v, "-initrd", m->initramfs) ||
	    kl_strv_add(v, "-append"))
		return -1;
	/*
	 * On a counted CPU four seconds without a schedule are four seconds of work,
	 * on any machine; two CPUs on a busy host may stand still for reasons of its own.
	 */
	return kl_strv_addf(v, "%s watchdog_thresh=%s", common_cmdline,
			    m->mode == KL_MODE_EXACT ? "2"
						     : "60 rcupdate.rcu_cpu_stall_timeout=60");
}

int kl_vm_argv(const struct kl_machine *m, enum kl_vm_role role, const struct kl_vm_paths *p,
	       struct kl_strv *ret, struct kl_error *err)
{
	if (kl_strv_add(ret, m->qemu) ||
	    add(ret, "-name", role == KL_VM_FORK ? "klinic-run" : "klinic-template") ||
	    add(ret, "-nodefaults", NULL) || add(ret, "-no-user-config", NULL) ||
	    add(ret, "-display", "none") ||
	    add(ret, "-sandbox",
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny") ||
	    add_memory(role, p, ret) || add_ends(ret) || add_processor(m, ret) ||
	    add_kernel(m, ret) || kl_strv_add(ret, "-chardev") ||
	    kl_strv_addf(ret, "file,id=console,path=%s", p->console) ||
	    add(ret, "-serial", "chardev:console") || kl_strv_add(ret, "-chardev") ||
	    kl_strv_addf(ret, "socket,id=qmp,fd=%s", p->qmp_fd) ||
	    add(ret, "-mon", "chardev=qmp,mode=control") ||
	    (role == KL_VM_FORK && add(ret, "-incoming", "defer")))
		return kl_fail(err, KL_INFRA, "out of memory");
	return 0;
}
