/* What a template's memory says. */
#include <errno.h>
#include <unistd.h>

#include <klinic/cleanup.h>

#include "vm/baseline.h"
#include "vm/qemu.h"

static int read_file(void *arg, uint64_t phys, void *buf, size_t len, struct kl_error *err)
{
	const int *fd = arg;

	if (pread(*fd, buf, len, (off_t)phys) != (ssize_t)len)
		return kl_fail_errno(err, errno, "cannot read the template's RAM");
	return 0;
}

static int fill(struct kl_baseline *b, const char *vmlinux, int ram_fd, struct kl_error *err)
{
	KL_AUTO(kl_view_deinit)
	struct kl_view v = { .read = read_file, .arg = &ram_fd, .ram = KL_VM_RAM_SIZE };

	if (kl_anatomy_read(vmlinux, &b->anatomy, err))
		return -1;
	v.page_tables = b->anatomy.page_tables.phys;
	if (kl_ring_init(&b->ring, &b->anatomy, &v, err) ||
	    kl_view_phys(&v, b->anatomy.oops_count.phys, &b->oopses, 4, err) ||
	    kl_view_phys(&v, b->anatomy.warn_count.phys, &b->warnings, 4, err))
		return -1;
	return kl_switches_init(&b->switches, vmlinux, &v, err);
}

int kl_baseline_init(struct kl_baseline *b, const char *vmlinux, int ram_fd, struct kl_error *err)
{
	*b = (struct kl_baseline){ 0 };
	if (!fill(b, vmlinux, ram_fd, err)) {
		b->known = true;
		return 0;
	}
	/* No candidate's code has run in there: whatever is wrong, it is not content. */
	if (err && err->class == KL_CONTENT)
		err->class = KL_INFRA;
	kl_baseline_deinit(b);
	return -1;
}

void kl_baseline_deinit(struct kl_baseline *b)
{
	kl_switches_deinit(&b->switches);
	*b = (struct kl_baseline){ 0 };
}
