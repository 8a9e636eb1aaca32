/* Where things lie in the kernel's memory: symbols by libelf, structures by libdw. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "vm/anatomy.h"

/* A unit that includes everything of which a layout is wanted. */
#define UNIT "kernel/printk/printk.c"

static const struct {
	const char *type, *member;
} members[KL_MEMBER_COUNT] = {
	[KL_RB_DESC_RING] = { "printk_ringbuffer", "desc_ring" },
	[KL_RB_TEXT_RING] = { "printk_ringbuffer", "text_data_ring" },
	[KL_RB_FAIL] = { "printk_ringbuffer", "fail" },
	[KL_DESC_RING_COUNT_BITS] = { "prb_desc_ring", "count_bits" },
	[KL_DESC_RING_DESCS] = { "prb_desc_ring", "descs" },
	[KL_DESC_RING_INFOS] = { "prb_desc_ring", "infos" },
	[KL_DESC_RING_HEAD] = { "prb_desc_ring", "head_id" },
	[KL_DESC_RING_TAIL] = { "prb_desc_ring", "tail_id" },
	[KL_TEXT_RING_SIZE_BITS] = { "prb_data_ring", "size_bits" },
	[KL_TEXT_RING_DATA] = { "prb_data_ring", "data" },
	[KL_DESC_STATE] = { "prb_desc", "state_var" },
	[KL_DESC_TEXT] = { "prb_desc", "text_blk_lpos" },
	[KL_INFO_SEQ] = { "printk_info", "seq" },
	[KL_INFO_TIME] = { "printk_info", "ts_nsec" },
	[KL_INFO_TEXT_LEN] = { "printk_info", "text_len" },
	[KL_INFO_FACILITY] = { "printk_info", "facility" },
	[KL_INFO_CALLER] = { "printk_info", "caller_id" },
	[KL_MODULE_LIST] = { "module", "list" },
	[KL_MODULE_NAME] = { "module", "name" },
	[KL_TASK_TASKS] = { "task_struct", "tasks" },
	[KL_TASK_COMM] = { "task_struct", "comm" },
	[KL_TASK_PID] = { "task_struct", "pid" },
	[KL_TASK_ON_RQ] = { "task_struct", "on_rq" },
	[KL_TASK_KASAN_DEPTH] = { "task_struct", "kasan_depth" },
	[KL_TASK_LOCKDEP_RECURSION] = { "task_struct", "lockdep_recursion" },
};

static const char *const structures[KL_STRUCTURE_COUNT] = {
	[KL_PRINTK_RINGBUFFER] = "printk_ringbuffer",
	[KL_PRB_DESC] = "prb_desc",
	[KL_PRINTK_INFO] = "printk_info",
};

static void dwarf_end_p(Dwarf **d)
{
	dwarf_end(*d);
}

static int find_unit(Dwarf *dwarf, Dwarf_Die *ret)
{
	Dwarf_CU *cu = NULL;

	while (!dwarf_get_units(dwarf, cu, &cu, NULL, NULL, ret, NULL)) {
		const char *name = dwarf_diename(ret);
		size_t len = name ? strlen(name) : 0;

		if (len >= strlen(UNIT) && !strcmp(name + len - strlen(UNIT), UNIT))
			return 0;
	}
	return -1;
}

static bool constant(Dwarf_Die *die, unsigned int attribute, uint32_t *ret)
{
	Dwarf_Attribute a;
	Dwarf_Word value;

	if (!dwarf_attr(die, attribute, &a) || dwarf_formudata(&a, &value) || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static void look_at_structure(Dwarf_Die *die, const char *name, struct kl_anatomy *a,
			      bool *have_member, bool *have_size)
{
	Dwarf_Die m;

	for (int i = 0; i < KL_STRUCTURE_COUNT; i++)
		if (!strcmp(structures[i], name))
			have_size[i] |= constant(die, DW_AT_byte_size, &a->size[i]);
	if (dwarf_child(die, &m))
		return;
	do {
		const char *member = dwarf_diename(&m);

		for (int i = 0; member && i < KL_MEMBER_COUNT; i++)
			if (!strcmp(members[i].type, name) && !strcmp(members[i].member, member))
				have_member[i] |=
					constant(&m, DW_AT_data_member_location, &a->offset[i]);
	} while (!dwarf_siblingof(&m, &m));
}

static bool is_wanted(const char *name)
{
	for (int i = 0; i < KL_MEMBER_COUNT; i++)
		if (!strcmp(members[i].type, name))
			return true;
	return false;
}

static int read_structures(const char *vmlinux, struct kl_anatomy *a, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(vmlinux, O_RDONLY | O_CLOEXEC);
	KL_AUTO(dwarf_end_p) Dwarf *dwarf = NULL;
	bool have_member[KL_MEMBER_COUNT] = { 0 }, have_size[KL_STRUCTURE_COUNT] = { 0 };
	Dwarf_Die unit, die;

	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot open %s", vmlinux);
	dwarf = dwarf_begin(fd, DWARF_C_READ);
	if (!dwarf || find_unit(dwarf, &unit) || dwarf_child(&unit, &die))
		return kl_fail(err, KL_INFRA, "%s has no debug information of %s", vmlinux, UNIT);
	do {
		const char *name =
			dwarf_tag(&die) == DW_TAG_structure_type ? dwarf_diename(&die) : NULL;

		if (name && is_wanted(name))
			look_at_structure(&die, name, a, have_member, have_size);
	} while (!dwarf_siblingof(&die, &die));
	for (int i = 0; i < KL_MEMBER_COUNT; i++) {
		if (have_member[i])
			continue;
		if (i < KL_MEMBER_NEEDED)
			return kl_fail(err, KL_INFRA, "%s tells nothing of %s.%s", vmlinux,
				       members[i].type, members[i].member);
		a->offset[i] = KL_NO_MEMBER;
	}
	for (int i = 0; i < KL_STRUCTURE_COUNT; i++)
		if (!have_size[i])
			return kl_fail(err, KL_INFRA, "%s does not tell the size of %s", vmlinux,
				       structures[i]);
	return 0;
}

static int read_symbols(const char *vmlinux, struct kl_anatomy *a, struct kl_error *err)
{
	static const char *const names[] = {
		"prb",	      "modules",    "init_task",      "init_top_pgt",
		"oops_count", "warn_count", "console_printk", "kmemleak_error",
	};
	struct kl_symbol *const to[] = {
		&a->prb,	&a->modules,	&a->init_task,	    &a->page_tables,
		&a->oops_count, &a->warn_count, &a->console_printk, &a->kmemleak_error,
	};
	struct kl_symbol got[KL_ARRAY_SIZE(names)];

	if (kl_vm_symbols_sized(vmlinux, names, KL_ARRAY_SIZE(names), got, err))
		return -1;
	for (size_t i = 0; i < KL_ARRAY_SIZE(names); i++) {
		if (!got[i].phys && to[i] != &a->kmemleak_error)
			return kl_fail(err, KL_INFRA, "%s has no one symbol %s", vmlinux, names[i]);
		*to[i] = got[i];
	}
	return 0;
}

int kl_anatomy_read(const char *vmlinux, struct kl_anatomy *ret, struct kl_error *err)
{
	struct kl_anatomy a = { 0 };

	if (read_symbols(vmlinux, &a, err) || read_structures(vmlinux, &a, err))
		return -1;
	*ret = a;
	return 0;
}
