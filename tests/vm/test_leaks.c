/*
 * Promise 6 at the compiler: whatever a submission's source asks of it, nothing
 * of hidden/ gets into log, diagnostics or module. These tests go around intake
 * and policy, which refuse most of this before: the sandbox has to hold alone.
 * Needs the kernel: klinic kernel build kasan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/intake.h>

#include "kbuild/internal.h"

/* In hidden/answer.h and nowhere else. */
#define CANARY "KLINIC_CANARY_7f3a91"

static struct kl_kernel kernel;

static const char frame[] = "#include <linux/module.h>\n"
			    "%s\n"
			    "static int __init ring_init(void) { return 0; }\n"
			    "module_init(ring_init);\n"
			    "MODULE_LICENSE(\"GPL\");\n";

struct fixture {
	char *dir; /* the exercise */
	char *secret; /* DIR/hidden/answer.h */
	struct kl_exercise e;
	struct kl_submission s;
	struct kl_submission_file files[3];
	struct kl_build_evidence b;
	struct kl_module m;
};

static void put(const struct fixture *f, const char *name, const char *text)
{
	KL_AUTO_FREE char *path = kl_path_join(f->dir, name);

	assert_int_equal(kl_file_write(path, text, strlen(text), 0644, NULL), 0);
}

static int setup(void **state)
{
	static char module[] = "ring";
	struct fixture *f = calloc(1, sizeof(*f));
	KL_AUTO_FREE char *handout = NULL, *hidden = NULL, *source = kl_asprintf(frame, "");

	if (!f || kl_tempdir_create(&f->dir, NULL))
		return -1;
	handout = kl_path_join(f->dir, "handout");
	hidden = kl_path_join(f->dir, "hidden");
	f->secret = kl_path_join(hidden, "answer.h");
	if (kl_mkdirs(handout, 0755, NULL) || kl_mkdirs(hidden, 0755, NULL))
		return -1;
	f->e.dir = f->dir;
	f->e.module = module;
	f->s.files = f->files;
	kl_strv_add(&f->e.sources, "ring.c");
	put(f, "handout/ring.c", source);
	put(f, "hidden/answer.h", "static int " CANARY " = \"" CANARY "\" @ " CANARY ";\n");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->s.n; i++)
		free(f->files[i].data);
	kl_build_evidence_deinit(&f->b);
	kl_module_deinit(&f->m);
	kl_strv_deinit(&f->e.sources);
	kl_tempdir_destroy(f->dir);
	free(f->secret);
	free(f);
	return 0;
}

/* data is taken. */
static void submit(struct fixture *f, const char *path, char *data)
{
	struct kl_submission_file *to = NULL;

	assert_non_null(data);
	for (size_t i = 0; i < f->s.n; i++)
		if (!strcmp(f->files[i].path, path))
			to = &f->files[i];
	if (!to)
		to = &f->files[f->s.n++];
	free(to->data);
	*to = (struct kl_submission_file){ .path = (char *)path,
					   .data = data,
					   .len = strlen(data) };
}

static void assert_free_of(const struct fixture *f, const char *what, const char *data, size_t len)
{
	const char *const secrets[] = { CANARY, f->dir };

	for (size_t i = 0; i < KL_ARRAY_SIZE(secrets); i++) {
		const char *hit = data ? memmem(data, len, secrets[i], strlen(secrets[i])) : NULL;
		size_t before = hit && hit - data > 100 ? 100 : hit ? (size_t)(hit - data) : 0;

		if (hit)
			fail_msg("%s holds what is hidden: %.*s", what, 200, hit - before);
	}
}

static void assert_file_free(const struct fixture *f, const char *path)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (path && !kl_file_read(path, 64UL << 20, &b, NULL))
		assert_free_of(f, path, b.data, b.len);
}

static void build(struct fixture *f)
{
	struct kl_error err = KL_ERROR_INIT;

	kl_build_evidence_deinit(&f->b);
	kl_module_deinit(&f->m);
	if (kl_module_build(&f->e, &kernel, &f->s, &f->b, &f->m, &err))
		fail_msg("%s", err.message);
}

/* Everything that a build gives away, for sources that do not name the folder themselves. */
static void assert_no_leak(const struct fixture *f)
{
	assert_free_of(f, "the log", f->b.log, f->b.log ? strlen(f->b.log) : 0);
	for (size_t i = 0; i < f->b.n; i++)
		assert_free_of(f, "a diagnostic", f->b.diagnostics[i].text,
			       strlen(f->b.diagnostics[i].text));
	assert_file_free(f, f->m.ko);
	assert_file_free(f, f->m.debug_ko);
}

/*
 * Lines with %s for the path, built as they are for each place where the file
 * could be; only its content counts, the path is the candidate's own.
 */
static void attempt(struct fixture *f, const char *lines)
{
	static const char up[] = "../hidden/answer.h";
	KL_AUTO_FREE char *proc = kl_asprintf("/proc/self/root%s", f->secret);
	const char *const places[] = { f->secret, up, proc };

	for (size_t i = 0; i < KL_ARRAY_SIZE(places); i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

		for (const char *s = lines; *s; s++) {
			if (s[0] == '%' && s[1] == 's') {
				kl_buf_puts(&b, places[i]);
				s++;
			} else {
				kl_buf_append(&b, s, 1);
			}
		}
		submit(f, "ring.c", kl_asprintf(frame, kl_buf_str(&b)));
		build(f);
		if (f->b.log && strstr(f->b.log, CANARY))
			fail_msg("%s: %s", places[i], f->b.log);
		for (size_t k = 0; k < f->b.n; k++)
			assert_null(strstr(f->b.diagnostics[k].text, CANARY));
		assert_null(strstr(f->b.log ? f->b.log : "", "IT_EXISTS"));
		if (f->m.ko) {
			KL_AUTO(kl_buf_deinit) struct kl_buf ko = KL_BUF_INIT;

			assert_int_equal(kl_file_read(f->m.debug_ko, 64UL << 20, &ko, NULL), 0);
			assert_null(memmem(ko.data, ko.len, CANARY, strlen(CANARY)));
		}
	}
}

/* What these tests look for is found where it is allowed to be: in a header of the handout. */
static void test_a_leak_would_be_seen(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(kl_buf_deinit) struct kl_buf ko = KL_BUF_INIT;

	put(f, "handout/shown.h", "static const char shown[] __used = \"" CANARY "\";\n");
	submit(f, "ring.c", kl_asprintf(frame, "#include \"shown.h\""));
	build(f);
	assert_true(f->b.ok);
	assert_int_equal(kl_file_read(f->m.ko, 64UL << 20, &ko, NULL), 0);
	assert_non_null(memmem(ko.data, ko.len, CANARY, strlen(CANARY)));
	put(f, "handout/shown.h", "static int " CANARY " = nothing_at_all;\n");
	build(f);
	assert_false(f->b.ok);
	assert_non_null(strstr(f->b.log, CANARY));
}

static void test_an_include_of_hidden_files_finds_nothing(void **state)
{
	attempt(*state, "#include \"%s\"");
	assert_false(((struct fixture *)*state)->b.ok);
}

static void test_digraphs_and_trigraphs_find_nothing_either(void **state)
{
	attempt(*state, "%:include \"%s\"\n?\?=include \"%s\"\n#inc\\\nlude \"%s\"");
}

static void test_has_include_does_not_tell_whether_a_hidden_file_exists(void **state)
{
	attempt(*state, "#if __has_include(\"%s\")\n#error IT_EXISTS\n#endif\n"
			"#if __has_include(<%s>)\n#error IT_EXISTS\n#endif");
	assert_true(((struct fixture *)*state)->b.ok);
}

static void test_incbin_brings_in_nothing(void **state)
{
	attempt(*state, "asm(\".section .rodata; .incbin \\\"%s\\\"; .previous\");");
	assert_false(((struct fixture *)*state)->b.ok);
}

static void test_the_assemblers_include_quotes_nothing(void **state)
{
	attempt(*state, "asm(\".include \\\"%s\\\"\");");
	assert_false(((struct fixture *)*state)->b.ok);
}

static void test_pragma_dependency_reads_nothing(void **state)
{
	attempt(*state, "_Pragma(\"GCC dependency \\\"%s\\\" IT_IS_NEWER\")\n"
			"#pragma GCC dependency \"%s\" IT_IS_NEWER");
	assert_null(strstr(((struct fixture *)*state)->b.log, "current file is older"));
}

/* gcc shows the line that it complains of, from the file that #line names. */
static void test_an_error_in_a_line_of_a_hidden_file_does_not_quote_it(void **state)
{
	attempt(*state, "#line 1 \"%s\"\nint x = nothing_at_all;");
	assert_false(((struct fixture *)*state)->b.ok);
}

static void test_the_hosts_files_and_this_tree_are_out_of_reach(void **state)
{
	static const char *const places[] = { "/etc/passwd", "/etc/hostname", "/root/.bashrc",
					      NULL };
	struct fixture *f = *state;
	char here[PATH_MAX];
	KL_AUTO_FREE char *own = NULL;

	assert_non_null(realpath("exercises", here));
	own = kl_asprintf("%s/calib-replace/hidden/notes.md", here);
	assert_true(kl_file_exists(own));
	for (size_t i = 0; i < KL_ARRAY_SIZE(places); i++) {
		const char *at = places[i] ? places[i] : own;
		KL_AUTO_FREE char *read = kl_asprintf("#include \"%s\"", at);
		KL_AUTO_FREE char *ask =
			kl_asprintf("#if __has_include(\"%s\")\n#error IT_EXISTS\n#endif", at);

		submit(f, "ring.c", kl_asprintf(frame, read));
		build(f);
		assert_false(f->b.ok);
		assert_non_null(strstr(f->b.log, "No such file"));
		/* In a source of its own: after a vain question gcc 12 passes over the #include. */
		submit(f, "ring.c", kl_asprintf(frame, ask));
		build(f);
		if (!f->b.ok)
			fail_msg("%s: %s", at, f->b.log);
	}
}

static void test_proc_tells_nothing_of_the_exercise(void **state)
{
	static const char *const places[] = { "/proc/self/mountinfo", "/proc/self/environ",
					      "/proc/1/cmdline",      "/proc/1/environ",
					      "/proc/self/maps",      "/proc/self/cmdline",
					      "/proc/1/mountinfo",    "/proc/mounts" };
	struct fixture *f = *state;

	KL_AUTO(kl_buf_deinit) struct kl_buf quotes = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf bytes = KL_BUF_INIT;

	for (size_t i = 0; i < KL_ARRAY_SIZE(places); i++) {
		kl_buf_printf(&quotes, "#include \"%s\"\n", places[i]);
		kl_buf_printf(&bytes, "asm(\".section .rodata; .incbin \\\"%s\\\"; .previous\");\n",
			      places[i]);
	}
	submit(f, "ring.c", kl_asprintf(frame, kl_buf_str(&quotes)));
	build(f);
	assert_no_leak(f);
	submit(f, "ring.c", kl_asprintf(frame, kl_buf_str(&bytes)));
	build(f);
	assert_no_leak(f);
}

static void test_a_file_that_we_hold_open_is_not_inherited(void **state)
{
	struct fixture *f = *state;
	KL_AUTO_CLOSE int fd = open(f->secret, O_RDONLY); /* on purpose without O_CLOEXEC */
	KL_AUTO_CLOSE int dir = open(f->dir, O_RDONLY | O_DIRECTORY);
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	assert_true(fd >= 0 && dir >= 0);
	for (int i = 3; i <= dir; i++)
		kl_buf_printf(&b,
			      "#if __has_include(\"/proc/self/fd/%d/hidden/answer.h\")\n#error "
			      "IT_EXISTS\n"
			      "#endif\nasm(\".incbin \\\"/proc/self/fd/%d\\\"\");\n"
			      "asm(\".incbin \\\"/proc/1/fd/%d\\\"\");\n",
			      i, i, i);
	submit(f, "ring.c", kl_asprintf(frame, kl_buf_str(&b)));
	build(f);
	assert_false(f->b.ok);
	assert_null(strstr(f->b.log, "IT_EXISTS"));
	assert_no_leak(f);
}

static void test_a_kbuild_and_a_makefile_of_the_candidate_are_not_obeyed(void **state)
{
	static const char evil[] = "ccflags-y += -fplugin=/tmp/evil.so -include %s\n"
				   "$(info IT_RAN $(shell cat %s))\n$(error IT_RAN)\n";
	struct fixture *f = *state;

	submit(f, "ring.c", kl_asprintf(frame, ""));
	submit(f, "Kbuild", kl_asprintf(evil, f->secret, f->secret));
	submit(f, "Makefile", kl_asprintf(evil, f->secret, f->secret));
	build(f);
	if (!f->b.ok)
		fail_msg("%s", f->b.log);
	assert_null(strstr(f->b.log, "IT_RAN"));
	assert_no_leak(f);
}

static void test_a_link_in_a_submission_is_refused_unread(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(kl_submission_deinit) struct kl_submission s = { 0 };
	KL_AUTO(kl_tempdir_destroy_p) char *folder = NULL;
	KL_AUTO_FREE char *link = NULL;
	KL_AUTO_FREE char *id = strdup("ring");

	assert_int_equal(kl_tempdir_create(&folder, NULL), 0);
	link = kl_path_join(folder, "ring.c");
	assert_int_equal(symlink(f->secret, link), 0);
	f->e.id = id;
	assert_int_equal(kl_strv_add(&f->e.editable, "ring.c"), 0);
	assert_int_equal(kl_intake(&f->e, folder, &s, NULL), 0);
	kl_strv_deinit(&f->e.editable);
	f->e.id = NULL;
	assert_true(s.refused.n > 0);
	for (size_t i = 0; i < s.refused.n; i++)
		assert_null(strstr(s.refused.v[i], CANARY));
	for (size_t i = 0; i < s.n; i++)
		assert_null(s.files[i].data ? strstr(s.files[i].data, CANARY) : NULL);
	assert_null(s.diff ? strstr(s.diff, CANARY) : NULL);
}

static void test_a_link_in_place_of_the_module_is_not_followed(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(kl_strv_deinit) struct kl_strv undefined = { 0 };
	KL_AUTO_FREE char *ko = NULL, *debug = NULL;
	struct kl_error err = KL_ERROR_INIT;

	build(f);
	assert_true(f->b.ok);
	ko = kl_path_join(f->dir, "ring.ko");
	debug = kl_path_join(f->dir, "debug.ko");
	assert_int_equal(symlink(f->m.ko, ko), 0);
	assert_int_equal(symlink(f->m.debug_ko, debug), 0);
	assert_int_equal(kb_module_read(f->m.ko, f->m.debug_ko, &undefined, &err), 0);
	assert_int_equal(kb_module_read(ko, f->m.debug_ko, &undefined, &err), -1);
	assert_int_equal(kb_module_read(f->m.ko, debug, &undefined, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
}

static void test_a_huge_log_is_cut_and_holds_only_the_candidates_words(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	for (int i = 0; i < 8000; i++)
		kl_buf_printf(&b, "#warning %0200d\n", i);
	submit(f, "ring.c", kl_asprintf(frame, kl_buf_str(&b)));
	build(f);
	assert_true(strlen(f->b.log) < 300UL << 10);
	assert_non_null(strstr(f->b.log, "cut off"));
	assert_true(f->b.n <= 200);
	assert_no_leak(f);
}

static void test_a_compiler_that_crashes_leaves_no_core(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO(kl_strv_deinit) struct kl_strv before = { 0 };
	KL_AUTO(kl_strv_deinit) struct kl_strv after = { 0 };

	assert_int_equal(kl_dir_list(".", &before, NULL), 0);
	kl_buf_puts(&b, "int x = ");
	for (int i = 0; i < 400000; i++)
		kl_buf_puts(&b, "(");
	submit(f, "ring.c", kl_asprintf(frame, kl_buf_str(&b)));
	build(f);
	assert_false(f->b.ok);
	assert_no_leak(f);
	assert_int_equal(kl_dir_list(".", &after, NULL), 0);
	assert_int_equal(before.n, after.n);
}

static void test_the_module_knows_neither_the_exercises_folder_nor_this_tree(void **state)
{
	struct fixture *f = *state;
	KL_AUTO(kl_buf_deinit) struct kl_buf ko = KL_BUF_INIT;
	char here[PATH_MAX];

	submit(f, "ring.c",
	       kl_asprintf(frame,
			   "static const char *const at[] __used = { __FILE__, __BASE_FILE__ };"));
	build(f);
	assert_true(f->b.ok);
	assert_no_leak(f);
	assert_non_null(realpath(".", here));
	assert_int_equal(kl_file_read(f->m.debug_ko, 64UL << 20, &ko, NULL), 0);
	assert_null(memmem(ko.data, ko.len, here, strlen(here)));
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
		TEST(test_a_leak_would_be_seen),
		TEST(test_an_include_of_hidden_files_finds_nothing),
		TEST(test_digraphs_and_trigraphs_find_nothing_either),
		TEST(test_has_include_does_not_tell_whether_a_hidden_file_exists),
		TEST(test_incbin_brings_in_nothing),
		TEST(test_the_assemblers_include_quotes_nothing),
		TEST(test_pragma_dependency_reads_nothing),
		TEST(test_an_error_in_a_line_of_a_hidden_file_does_not_quote_it),
		TEST(test_the_hosts_files_and_this_tree_are_out_of_reach),
		TEST(test_proc_tells_nothing_of_the_exercise),
		TEST(test_a_file_that_we_hold_open_is_not_inherited),
		TEST(test_a_kbuild_and_a_makefile_of_the_candidate_are_not_obeyed),
		TEST(test_a_link_in_a_submission_is_refused_unread),
		TEST(test_a_link_in_place_of_the_module_is_not_followed),
		TEST(test_a_huge_log_is_cut_and_holds_only_the_candidates_words),
		TEST(test_a_compiler_that_crashes_leaves_no_core),
		TEST(test_the_module_knows_neither_the_exercises_folder_nor_this_tree),
	};

	return cmocka_run_group_tests(tests, open_kernel, close_kernel);
}
