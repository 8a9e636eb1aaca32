/* Modules built against the real kernel, in the real sandbox. Needs the kernel: klinic kernel build kasan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

static struct kl_kernel kernel;

static const char good[] = "#include <linux/module.h>\n"
			   "#include <linux/slab.h>\n"
			   "#include \"ring.h\"\n"
			   "static void *p;\n"
			   "static int __init ring_init(void)\n"
			   "{\n"
			   "	p = kmalloc(RING, GFP_KERNEL);\n"
			   "	WARN_ON(!p);\n"
			   "	return p ? 0 : -ENOMEM;\n"
			   "}\n"
			   "static void __exit ring_exit(void) { kfree(p); }\n"
			   "module_init(ring_init);\n"
			   "module_exit(ring_exit);\n"
			   "MODULE_LICENSE(\"GPL\");\n";

struct fixture {
	char *dir;
	struct kl_exercise e;
	struct kl_submission s;
	struct kl_submission_file files[2];
	struct kl_build_evidence b;
	struct kl_module m;
};

static void put(const struct fixture *f, const char *name, const char *text)
{
	KL_AUTO_FREE char *path = kl_path_join(f->dir, name);

	assert_int_equal(kl_file_write(path, text, strlen(text), 0600, NULL), 0);
}

static void submit(struct fixture *f, size_t i, const char *path, const char *text)
{
	f->files[i] = (struct kl_submission_file){ .path = (char *)path,
						   .data = (char *)text,
						   .len = strlen(text) };
	if (f->s.n <= i)
		f->s.n = i + 1;
}

static int setup(void **state)
{
	static char module[] = "ring";
	struct fixture *f = calloc(1, sizeof(*f));
	KL_AUTO_FREE char *sub = NULL;

	if (!f || kl_tempdir_create(&f->dir, NULL))
		return -1;
	sub = kl_path_join(f->dir, "handout/tools");
	if (kl_mkdirs(sub, 0700, NULL))
		return -1;
	f->e.dir = f->dir;
	f->e.module = module;
	f->s.files = f->files;
	kl_strv_add(&f->e.sources, "ring.c");
	put(f, "handout/ring.c", good);
	put(f, "handout/ring.h", "#define RING 64\n");
	/* Neither of these may have a say. */
	put(f, "handout/Makefile", "$(error the handout's Makefile was obeyed)\n");
	put(f, "handout/tools/reproducer.c", "#error a reproducer is no part of the module\n");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kl_build_evidence_deinit(&f->b);
	kl_module_deinit(&f->m);
	kl_strv_deinit(&f->e.sources);
	kl_tempdir_destroy(f->dir);
	free(f);
	return 0;
}

static void build(struct fixture *f)
{
	struct kl_error err = KL_ERROR_INIT;

	if (kl_module_build(&f->e, &kernel, &f->s, &f->b, &f->m, &err))
		fail_msg("%s", err.message);
}

static void test_a_sound_module_builds_small_and_with_its_calls_known(void **state)
{
	struct fixture *f = *state;
	struct stat ko, debug;

	submit(f, 0, "ring.c", good);
	submit(f, 1, "Kbuild", "$(error the candidate's Kbuild was obeyed)\n");
	build(f);
	if (!f->b.ok)
		fail_msg("%s", f->b.log);
	assert_true(kl_strv_has(&f->m.undefined, "kfree"));
	assert_false(kl_strv_has(&f->m.undefined, "ring_init"));
	assert_int_equal(stat(f->m.ko, &ko), 0);
	assert_int_equal(stat(f->m.debug_ko, &debug), 0);
	assert_true(ko.st_size < debug.st_size / 4);
	assert_string_equal(f->b.flavour, "kasan");
	/* Only the two results are left of the sandbox's work. */
	KL_AUTO(kl_strv_deinit) struct kl_strv left = { 0 };

	assert_int_equal(kl_dir_list(f->m.dir, &left, NULL), 0);
	assert_int_equal(left.n, 2);
}

static void read_all(const char *path, struct kl_buf *ret)
{
	assert_int_equal(kl_file_read(path, 64UL << 20, ret, NULL), 0);
}

static void test_equal_sources_give_equal_modules_without_paths_of_this_machine(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(kl_buf_deinit) struct kl_buf first = KL_BUF_INIT, second = KL_BUF_INIT;

	build(f);
	assert_true(f->b.ok);
	read_all(f->m.ko, &first);
	kl_build_evidence_deinit(&f->b);
	kl_module_deinit(&f->m);
	build(f);
	read_all(f->m.ko, &second);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
	assert_null(memmem(first.data, first.len, f->dir, strlen(f->dir)));
}

static void test_a_mistake_is_told_with_file_and_line_and_no_path_of_ours(void **state)
{
	struct fixture *f = *state;

	submit(f, 0, "ring.c", "#include \"ring.h\"\n\nint x = nothing_at_all;\n");
	build(f);
	assert_false(f->b.ok);
	assert_false(f->b.timed_out);
	assert_null(f->m.ko);
	assert_int_equal(f->b.n, 1);
	assert_string_equal(f->b.diagnostics[0].file, "ring.c");
	assert_int_equal(f->b.diagnostics[0].line, 3);
	assert_int_equal(f->b.diagnostics[0].column, 9);
	assert_non_null(strstr(f->b.diagnostics[0].text, "nothing_at_all"));
	assert_null(strstr(f->b.log, f->dir));
	assert_null(strstr(f->b.log, kernel.dir));
	assert_null(strstr(f->b.log, "/tmp/m/"));
}

static void test_a_symbol_that_the_kernel_lacks_fails_the_build(void **state)
{
	struct fixture *f = *state;

	submit(f, 0, "ring.c",
	       "#include <linux/module.h>\nvoid no_such(void);\n"
	       "static int __init i(void) { no_such(); return 0; }\nmodule_init(i);\n"
	       "MODULE_LICENSE(\"GPL\");\n");
	build(f);
	assert_false(f->b.ok);
	assert_int_equal(f->b.n, 1);
	assert_non_null(strstr(f->b.diagnostics[0].text, "no_such"));
}

static void test_the_compiler_cannot_read_the_host(void **state)
{
	struct fixture *f = *state;
	KL_AUTO_FREE char *text = NULL;

	put(f, "secret", "\"hidden answer\"");
	text = kl_asprintf("static const char *s =\n#include \"%s/secret\"\n;\n"
			   "#include \"/etc/passwd\"\n",
			   f->dir);
	submit(f, 0, "ring.c", text);
	build(f);
	assert_false(f->b.ok);
	assert_int_equal(f->b.diagnostics[0].line, 2);
	assert_non_null(strstr(f->b.diagnostics[0].text, "No such file"));
	assert_null(strstr(f->b.log, "hidden answer"));
}

static void test_a_compile_bomb_is_a_failed_build_not_a_failed_machine(void **state)
{
	struct fixture *f = *state;

	/* 64 MiB of object file, and no more. */
	submit(f, 0, "ring.c", "char big[1UL << 31] = { 1 };\n");
	build(f);
	assert_false(f->b.ok);
}

static void test_several_sources_make_one_module(void **state)
{
	struct fixture *f = *state;

	kl_strv_deinit(&f->e.sources);
	kl_strv_add(&f->e.sources, "main.c");
	kl_strv_add(&f->e.sources, "util.c");
	put(f, "handout/main.c", good);
	put(f, "handout/util.c", "int util(void);\nint util(void) { return 1; }\n");
	build(f);
	if (!f->b.ok)
		fail_msg("%s", f->b.log);
}

static void test_the_kernel_holds_no_path_of_this_machine(void **state)
{
	static const char *const files[] = { "headers/kernel", "headers/mm", "headers/init",
					     "headers/scripts/mod/modpost.c" };
	KL_AUTO(kl_buf_deinit) struct kl_buf image = { .cap = 512UL << 20 };
	KL_AUTO_FREE char *cache = NULL;

	(void)state;
	assert_int_equal(kl_cache_dir(NULL, &cache, NULL), 0);
	assert_int_equal(kl_file_read(kernel.vmlinux, 512UL << 20, &image, NULL), 0);
	assert_null(memmem(image.data, image.len, cache, strlen(cache)));
	for (size_t i = 0; i < KL_ARRAY_SIZE(files); i++) {
		KL_AUTO_FREE char *path = kl_path_join(kernel.dir, files[i]);

		assert_false(kl_file_exists(path));
	}
}

static void test_the_guest_parts_are_there_and_found_again(void **state)
{
	struct kl_kernel again = { 0 };
	struct stat st;

	(void)state;
	assert_true(kb_is_digest(kernel.digest));
	assert_int_equal(stat(kernel.initramfs, &st), 0);
	assert_true(st.st_size > 100000);
	assert_int_equal(stat(kernel.sched_ko, &st), 0);
	assert_int_equal(kl_kernel_open("kasan", false, NULL, NULL, &again, NULL), 0);
	assert_string_equal(again.initramfs, kernel.initramfs);
	kl_kernel_deinit(&again);
}

static int open_kernel(void **state)
{
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	if (!kl_kernel_open("kasan", false, NULL, NULL, &kernel, &err))
		return 0;
	print_error("%s\n", err.message);
	return -1;
}

static int close_kernel(void **state)
{
	(void)state;
	kl_kernel_deinit(&kernel);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_sound_module_builds_small_and_with_its_calls_known),
		TEST(test_equal_sources_give_equal_modules_without_paths_of_this_machine),
		TEST(test_a_mistake_is_told_with_file_and_line_and_no_path_of_ours),
		TEST(test_a_symbol_that_the_kernel_lacks_fails_the_build),
		TEST(test_the_compiler_cannot_read_the_host),
		TEST(test_a_compile_bomb_is_a_failed_build_not_a_failed_machine),
		TEST(test_several_sources_make_one_module),
		cmocka_unit_test(test_the_kernel_holds_no_path_of_this_machine),
		cmocka_unit_test(test_the_guest_parts_are_there_and_found_again),
	};

	return cmocka_run_group_tests(tests, open_kernel, close_kernel);
}
