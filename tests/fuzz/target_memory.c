/*
 * Fuzz: structures of the kernel's in a stopped guest's memory. The input is a
 * console and a small RAM with a log, a list of modules and one of tasks; what the
 * host takes from the template stays the template's. Whatever stands there, the
 * host comes back with an answer, or says that it is content.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "fuzz.h"
#include "vm/lists.h"
#include "vm/ring.h"

#define CONSOLE_BYTES 512

/* Guest-physical places; tests/fuzz/corpus/memory has a sound one of each. */
enum {
	PRB = 0x00,
	MODULES = 0x10,
	TASKS = 0x20,
	RB = 0x80,
	DESCS = 0x100,
	INFOS = 0x200,
	DATA = 0x300,
	TABLES = 0x1000,
};

struct ram {
	const uint8_t *data;
	size_t size;
};

static void put(uint8_t *piece, uint64_t at, uint64_t value, size_t size)
{
	memcpy(piece + at, &value, size);
}

static int read_ram(void *arg, uint64_t phys, void *buf, size_t len, struct kl_error *err)
{
	const struct ram *r = arg;
	size_t n = phys < r->size ? r->size - phys : 0;

	(void)err;
	memset(buf, 0, len);
	if (n)
		memcpy(buf, r->data + phys, n < len ? n : len);
	if (phys)
		return 0;
	/* Not moved: what would be refused at once. */
	put(buf, PRB, KL_KERNEL_MAP + RB, 8);
	put(buf, RB, 3, 4);
	put(buf, RB + 8, KL_DIRECT_MAP + DESCS, 8);
	put(buf, RB + 16, KL_KERNEL_MAP + INFOS, 8);
	put(buf, RB + 48, 9, 4);
	put(buf, RB + 56, KL_KERNEL_MAP + DATA, 8);
	return 0;
}

static struct kl_anatomy anatomy(void)
{
	struct kl_anatomy a = { .prb = { .phys = PRB }, .modules = { .phys = MODULES } };

	a.offset[KL_DESC_RING_DESCS] = 8;
	a.offset[KL_DESC_RING_INFOS] = 16;
	a.offset[KL_DESC_RING_HEAD] = 24;
	a.offset[KL_DESC_RING_TAIL] = 32;
	a.offset[KL_RB_TEXT_RING] = 48;
	a.offset[KL_TEXT_RING_DATA] = 8;
	a.offset[KL_RB_FAIL] = 80;
	a.offset[KL_DESC_TEXT] = 8;
	a.offset[KL_INFO_TIME] = 8;
	a.offset[KL_INFO_TEXT_LEN] = 16;
	a.offset[KL_INFO_FACILITY] = 18;
	a.offset[KL_INFO_CALLER] = 20;
	a.offset[KL_MODULE_LIST] = 8;
	a.offset[KL_MODULE_NAME] = 24;
	a.offset[KL_TASK_TASKS] = 0;
	a.offset[KL_TASK_ON_RQ] = 8;
	a.offset[KL_TASK_PID] = 12;
	a.offset[KL_TASK_KASAN_DEPTH] = 16;
	a.offset[KL_TASK_LOCKDEP_RECURSION] = KL_NO_MEMBER;
	a.offset[KL_TASK_COMM] = 20;
	a.init_task.phys = TASKS;
	a.size[KL_PRINTK_RINGBUFFER] = 88;
	a.size[KL_PRB_DESC] = 24;
	a.size[KL_PRINTK_INFO] = 32;
	return a;
}

static bool is_visible(const char *s)
{
	for (; s && *s; s++)
		if ((unsigned char)*s < ' ' && *s != '\n' && *s != '\t')
			return false;
	return true;
}

static void compare(struct kl_view *v, const struct kl_anatomy *a, const char *console, bool lossy)
{
	const struct kl_ring ring = { .at = KL_KERNEL_MAP + RB,
				      .descs = KL_DIRECT_MAP + DESCS,
				      .infos = KL_KERNEL_MAP + INFOS,
				      .data = KL_KERNEL_MAP + DATA,
				      .count_bits = 3,
				      .size_bits = 9,
				      .next_seq = 1,
				      .loglevel = 7 };
	struct kl_error err = KL_ERROR_INIT;
	struct kl_log_difference d = { 0 };

	if (kl_ring_compare(&ring, a, v, console, lossy, &d, &err)) {
		FUZZ_MUST(err.class == KL_CONTENT && *err.message && !d.where);
		return;
	}
	FUZZ_MUST(d.lines <= KL_LOG_DIFFERENCES_MAX && (d.lines > 0) == (d.where != NULL));
	FUZZ_MUST(is_visible(d.where));
	free(d.where);
}

static void list(struct kl_view *v, const struct kl_anatomy *a)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv modules = { 0 }, tasks = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	if (kl_list_modules(a, v, &modules, &err))
		FUZZ_MUST(err.class == KL_CONTENT);
	if (kl_list_unwatched(a, v, &tasks, &err))
		FUZZ_MUST(err.class == KL_CONTENT);
	FUZZ_MUST(modules.n <= KL_MODULES_MAX);
	for (size_t i = 0; i < modules.n; i++)
		FUZZ_MUST(is_visible(modules.v[i]));
	for (size_t i = 0; i < tasks.n; i++)
		FUZZ_MUST(is_visible(tasks.v[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t head = size < CONSOLE_BYTES ? size : CONSOLE_BYTES;
	struct ram r = { data + head, size - head };
	const struct kl_anatomy a = anatomy();
	KL_AUTO_FREE char *console = fuzz_text(data, head);
	KL_AUTO(kl_view_deinit)
	struct kl_view v = {
		.read = read_ram, .arg = &r, .ram = 2 * KL_VIEW_PIECE, .page_tables = TABLES
	};

	FUZZ_MUST(console);
	compare(&v, &a, console, false);
	compare(&v, &a, console, true);
	list(&v, &a);
	return 0;
}
