/* function+offset to file:line, against a small "kernel" and "module" that the test builds with gcc -g. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>
#include <klinic/sandbox.h>
#include <klinic/splat.h>

#include "splat_logs.h"

/* One function a line, so that any offset in it has that line. */
static const struct {
	const char *path, *text;
} sources[] = {
	{ "tree/include/linux/copy.h",
	  "static inline __attribute__((always_inline)) int copy_one(volatile int *p)\n"
	  "{ return *p * 3 + 1; }\n" },
	{ "tree/init/main.c",
	  "static __attribute__((noinline)) int fill(int a) { return a * 77; }\n"
	  "int start_kernel(int a) { return fill(a) + 1; }\n" },
	{ "tree/fs/pipe.c",
	  "#include \"../include/linux/copy.h\"\n"
	  "\n"
	  "int pipe_read(volatile int *p) { return *p + 1; }\n"
	  "static __attribute__((noinline)) int fill(volatile int *a) "
	  "{ for (int i = 0; i < 9; i++) a[i] = a[i] * a[i + 1] + a[a[i]] / a[3]; return *a; }\n"
	  "int pipe_fill(int *a) { return fill(a) + 1; }\n"
	  "int pipe_copy(volatile int *p)\n"
	  "{\n"
	  "	return copy_one(p) + 9;\n"
	  "}\n" },
	{ "mod/stashbox.c",
	  "__attribute__((section(\".init.text\"))) int init_module(void) { return 0; }\n"
	  "int stash_read(volatile int *p) { return *p + 1; }\n"
	  "__attribute__((section(\".text.unlikely\"))) int stash_slow(volatile int *p) "
	  "{ return *p + 2; }\n" },
	{ "mod/ring/ring.c", "\n\n\n\nint ring_push(volatile int *p) { return *p + 3; }\n" },
};

static char *dir, *vmlinux, *ko;

static char *in_dir(const char *name)
{
	char *path = kl_path_join(dir, name);

	assert_non_null(path);
	return path;
}

static void run(const char *program, ...)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kl_command_create(program);
	struct kl_error err = KL_ERROR_INIT;
	const char *arg;
	va_list ap;

	va_start(ap, program);
	while ((arg = va_arg(ap, const char *)))
		kl_command_arg(c, arg);
	va_end(ap);
	if (kl_command_check(c, kl_deadline_ms(60000), NULL, KL_INFRA, &err) < 0)
		fail_msg("%s", err.message);
}

static int build(void **state)
{
	KL_AUTO_FREE char *main_c = NULL, *pipe_c = NULL, *stash_c = NULL, *ring_c = NULL;
	KL_AUTO_FREE char *stash_o = NULL, *ring_o = NULL;
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(kl_tempdir_create(&dir, &err), 0);
	for (size_t i = 0; i < KL_ARRAY_SIZE(sources); i++) {
		KL_AUTO_FREE char *path = in_dir(sources[i].path);
		KL_AUTO_FREE char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));

		assert_int_equal(kl_mkdirs(folder, 0700, &err), 0);
		assert_int_equal(
			kl_file_write(path, sources[i].text, strlen(sources[i].text), 0600, &err),
			0);
	}
	vmlinux = in_dir("vmlinux");
	ko = in_dir("stashbox.ko");
	main_c = in_dir("tree/init/main.c");
	pipe_c = in_dir("tree/fs/pipe.c");
	stash_c = in_dir("mod/stashbox.c");
	ring_c = in_dir("mod/ring/ring.c");
	stash_o = in_dir("stashbox.o");
	ring_o = in_dir("ring.o");
	run("gcc", "-g", "-O1", "-ffreestanding", "-nostdlib", "-static", "-Wl,-e,start_kernel",
	    "-o", vmlinux, main_c, pipe_c, NULL);
	run("gcc", "-g", "-O1", "-ffreestanding", "-c", "-o", stash_o, stash_c, NULL);
	run("gcc", "-g", "-O1", "-ffreestanding", "-c", "-o", ring_o, ring_c, NULL);
	run("ld", "-r", "-o", ko, stash_o, ring_o, NULL);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	kl_tempdir_destroy(dir);
	free(vmlinux);
	free(ko);
	return 0;
}

static struct kl_findings resolve(const char *log, const char *kernel, const char *module_file)
{
	struct kl_findings fs = splat_parse(log, strlen(log));
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kl_splat_resolve(&fs, kernel, "stash-box", module_file, &err), 0);
	return fs;
}

#define KASAN(frame) "BUG: KASAN: use-after-free in " frame "\n"

static void expect(const struct kl_finding *f, const char *file, unsigned int line)
{
	assert_true(kl_str_eq(f->file, file));
	assert_int_equal(f->line, line);
}

static void test_places_of_kernel_and_module_are_relative_to_their_trees(void **state)
{
	static const char log[] = KASAN("pipe_read+0x2/0x10")
		KASAN("stash_read+0x2/0x10 [stash_box]") KASAN("stash_slow+0x2/0x10 [stash_box]")
			KASAN("ring_push+0x2/0x10 [stash_box]");
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = resolve(log, vmlinux, ko);

	(void)state;
	assert_int_equal(fs.n, 4);
	expect(&fs.v[0], "fs/pipe.c", 3);
	expect(&fs.v[1], "stashbox.c", 2);
	expect(&fs.v[2], "stashbox.c", 3);
	expect(&fs.v[3], "ring/ring.c", 5);
}

static void test_inlined_header_function_gives_the_source_line_that_used_it(void **state)
{
	KL_AUTO(kl_findings_deinit)
	struct kl_findings fs = resolve(KASAN("pipe_copy+0x2/0x10"), vmlinux, NULL);

	(void)state;
	expect(&fs.v[0], "fs/pipe.c", 8);
}

static void test_static_functions_of_one_name_are_told_apart_by_size(void **state)
{
	KL_AUTO(kl_findings_deinit)
	struct kl_findings small = resolve(KASAN("fill+0x2/0x4"), vmlinux, NULL);
	KL_AUTO(kl_findings_deinit)
	struct kl_findings large = resolve(KASAN("fill+0x2/0x80"), vmlinux, NULL);

	(void)state;
	expect(&small.v[0], "init/main.c", 1);
	expect(&large.v[0], "fs/pipe.c", 4);
}

static void test_return_address_after_a_last_call_belongs_to_the_call(void **state)
{
	/* mov, add, ret: 6 bytes, so that the address after the last one is another function's. */
	static const char log[] = "BUG: sleeping function called from invalid context at x.h:9\n"
				  "Call Trace:\n stash_read+0x6/0x6 [stash_box]\n";
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = resolve(log, NULL, ko);

	(void)state;
	expect(&fs.v[0], "stashbox.c", 2);
}

static void test_place_of_the_report_itself_stays(void **state)
{
	static const char log[] = "WARNING: CPU: 0 PID: 1 at fs/other.c:7 pipe_read+0x2/0x10\nRIP: "
				  "0010:pipe_read+0x2/0x10\n";
	KL_AUTO(kl_findings_deinit) struct kl_findings fs = resolve(log, vmlinux, ko);

	(void)state;
	expect(&fs.v[0], "fs/other.c", 7);
}

static void test_what_cannot_be_resolved_stays_as_it_was(void **state)
{
	static const char log[] = KASAN("nobody+0x2/0x10") KASAN("stash_read+0x2/0x10 [stash_box]")
		KASAN("pipe_read+0x2/0x10 [another]")
			KASAN("pipe_read+0x99999/0x10") "kmemleak: 2 new suspected memory leaks "
							"(see /sys/kernel/debug/kmemleak)\n";
	KL_AUTO_FREE char *none = in_dir("none"), *text = in_dir("mod/stashbox.c");
	const char *const objects[] = { NULL, none, text, dir };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(objects); i++) {
		KL_AUTO(kl_findings_deinit)
		struct kl_findings fs = resolve(log, objects[i] ? objects[i] : vmlinux, objects[i]);

		assert_int_equal(fs.n, 5);
		for (size_t k = 0; k < fs.n; k++)
			expect(&fs.v[k], NULL, 0);
	}
}

static void test_damaged_module_files_are_survived(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf whole = KL_BUF_INIT;
	KL_AUTO_FREE char *bad = in_dir("bad.ko");
	struct kl_error err = KL_ERROR_INIT;
	unsigned int random = 5;

	(void)state;
	assert_int_equal(kl_file_read(ko, 1 << 20, &whole, &err), 0);
	for (int round = 0; round < 60; round++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
		KL_AUTO(kl_findings_deinit) struct kl_findings fs = { 0 };
		size_t len = round % 3 ? whole.len : splat_random(&random) % whole.len;

		kl_buf_append(&b, whole.data, len);
		/* Headers, section headers (at the end), and anywhere. */
		for (int k = 0; k < 6 && len > 64; k++)
			b.data[k < 2   ? splat_random(&random) % 64
			       : k < 4 ? len - 1 - splat_random(&random) % (len / 3)
				       : splat_random(&random) % len] = (char)splat_random(&random);
		assert_int_equal(kl_file_write(bad, b.data ? b.data : "", b.len, 0600, &err), 0);
		fs = resolve(KASAN("stash_read+0x2/0x10 [stash_box]"), NULL, bad);
		assert_int_equal(fs.n, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_of_kernel_and_module_are_relative_to_their_trees),
		cmocka_unit_test(test_inlined_header_function_gives_the_source_line_that_used_it),
		cmocka_unit_test(test_static_functions_of_one_name_are_told_apart_by_size),
		cmocka_unit_test(test_return_address_after_a_last_call_belongs_to_the_call),
		cmocka_unit_test(test_place_of_the_report_itself_stays),
		cmocka_unit_test(test_what_cannot_be_resolved_stays_as_it_was),
		cmocka_unit_test(test_damaged_module_files_are_survived),
	};

	return cmocka_run_group_tests(tests, build, clean);
}
