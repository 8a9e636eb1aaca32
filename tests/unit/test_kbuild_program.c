/* Check programs and oracles, compiled from one source; and the Kbuild that is ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

static const char good[] = "#include <klinic/check.h>\n"
			   "#include \"proto.h\"\n"
			   "#ifdef KL_GUEST\n"
			   "void kl_check_run(const struct kl_challenge *c)\n"
			   "{ kl_answer(PROTO_SLOT, c->seed); }\n"
			   "#endif\n"
			   "#ifdef KL_ORACLE\n"
			   "void kl_check_expect(const struct kl_challenge *c)\n"
			   "{ kl_expect(PROTO_SLOT, c->seed + 1, \"seed and one\"); }\n"
			   "#endif\n";

struct fixture {
	char *dir;
	char *cwd;
	struct kl_exercise exercise;
	struct kl_check check;
};

static void put(const struct fixture *f, const char *name, const char *text)
{
	KL_AUTO_FREE char *path = kl_path_join(f->dir, name);

	assert_int_equal(kl_file_write(path, text, strlen(text), 0600, NULL), 0);
}

static int setup(void **state)
{
	static char program[] = "hidden/checks/hammer.c";
	struct fixture *f = calloc(1, sizeof(*f));
	KL_AUTO_FREE char *handout = NULL, *checks = NULL, *cache = NULL;

	if (!f || kl_tempdir_create(&f->dir, NULL))
		return -1;
	f->exercise.dir = f->dir;
	f->exercise.whole = true;
	f->check.program = program;
	handout = kl_path_join(f->dir, "handout");
	checks = kl_path_join(f->dir, "hidden/checks");
	cache = kl_path_join(f->dir, "cache");
	if (kl_mkdirs(handout, 0700, NULL) || kl_mkdirs(checks, 0700, NULL))
		return -1;
	put(f, "handout/proto.h", "#define PROTO_SLOT 5\n");
	put(f, "hidden/checks/hammer.c", good);
	setenv("XDG_CACHE_HOME", cache, 1);
	setenv("KLINIC_ROOT", ".", 1); /* unit tests run in the checkout */
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kl_tempdir_destroy(f->dir);
	free(f);
	return 0;
}

static void test_a_check_becomes_a_program_and_an_oracle(void **state)
{
	struct fixture *f = *state;
	KL_AUTO_FREE char *program = NULL, *oracle = NULL;
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = NULL;
	KL_AUTO(kl_buf_deinit) struct kl_buf out = KL_BUF_INIT, bytes = KL_BUF_INIT;
	struct kl_error err = KL_ERROR_INIT;

	if (kl_program_build(&f->exercise, &f->check, &program, &oracle, &err))
		fail_msg("%s", err.message);
	c = kl_command_create(oracle);
	kl_command_args(c, "41", "0000000000000000000000000000000000000000000000000000000000000000",
			NULL);
	assert_int_equal(kl_command_check(c, kl_deadline_ms(20000), &out, KL_INFRA, &err), 0);
	assert_string_equal(kl_buf_str(&out), "5 42 42 seed and one\n");
	/* The guest must not hold what the host expects. */
	assert_int_equal(kl_file_read(program, 64UL << 20, &bytes, NULL), 0);
	assert_null(memmem(bytes.data, bytes.len, "seed and one", 12));
}

/* What a candidate's own copy of an exercise asks of the compiler: nothing of the host. */
static void test_without_a_hidden_half_a_check_is_compiled_in_the_sandbox(void **state)
{
	static char name[] = "handout/check.c";
	struct fixture *f = *state;
	char *program = NULL, *oracle = NULL;
	struct kl_error err = KL_ERROR_INIT;

	f->exercise.whole = false;
	f->check.program = name;
	put(f, name, "#include \"hammer.c\"\n");
	assert_int_equal(kl_program_build(&f->exercise, &f->check, &program, &oracle, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_non_null(strstr(err.message, "hammer.c"));
	put(f, name, "#include \"../hidden/checks/hammer.c\"\n");
	assert_int_equal(kl_program_build(&f->exercise, &f->check, &program, &oracle, &err), -1);
	put(f, name, "#include \"/etc/hostname\"\n");
	assert_int_equal(kl_program_build(&f->exercise, &f->check, &program, &oracle, &err), -1);
	assert_non_null(strstr(err.message, "No such file"));
	put(f, name, good);
	if (kl_program_build(&f->exercise, &f->check, &program, &oracle, &err))
		fail_msg("%s", err.message);
	free(program);
	free(oracle);
}

static void test_an_unchanged_check_is_not_compiled_again(void **state)
{
	struct fixture *f = *state;
	KL_AUTO_FREE char *p1 = NULL, *o1 = NULL, *p2 = NULL, *o2 = NULL, *p3 = NULL, *o3 = NULL;
	struct stat a, b;

	assert_int_equal(kl_program_build(&f->exercise, &f->check, &p1, &o1, NULL), 0);
	assert_int_equal(stat(p1, &a), 0);
	assert_int_equal(kl_program_build(&f->exercise, &f->check, &p2, &o2, NULL), 0);
	assert_string_equal(p1, p2);
	assert_int_equal(stat(p2, &b), 0);
	assert_true(a.st_ino == b.st_ino && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec);
	/* What the check includes counts as well. */
	put(f, "handout/proto.h", "#define PROTO_SLOT 6\n");
	assert_int_equal(kl_program_build(&f->exercise, &f->check, &p3, &o3, NULL), 0);
	assert_string_not_equal(p1, p3);
}

static void test_a_mistake_in_a_check_is_told_with_its_place(void **state)
{
	struct fixture *f = *state;
	char *program = NULL, *oracle = NULL;
	struct kl_error err = KL_ERROR_INIT;

	put(f, "hidden/checks/hammer.c", "#include <klinic/check.h>\nint x = nothing;\n");
	assert_int_equal(kl_program_build(&f->exercise, &f->check, &program, &oracle, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_int_equal(err.line, 2);
	assert_non_null(strstr(err.path, "hidden/checks/hammer.c"));
	assert_non_null(strstr(err.message, "nothing"));
	assert_null(program);
}

static void test_a_check_without_its_function_is_told(void **state)
{
	struct fixture *f = *state;
	char *program = NULL, *oracle = NULL;
	struct kl_error err = KL_ERROR_INIT;

	put(f, "hidden/checks/hammer.c", "int x;\n");
	assert_int_equal(kl_program_build(&f->exercise, &f->check, &program, &oracle, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_non_null(strstr(err.message, "kl_check_run"));
}

static int kbuild(const char *name, const char *a, const char *b, struct kl_buf *ret)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv sources = { 0 };

	kl_strv_add(&sources, a);
	if (b)
		kl_strv_add(&sources, b);
	return kb_module_kbuild(name, &sources, ret, NULL);
}

static void test_our_kbuild_names_the_module_and_its_sources(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf one = KL_BUF_INIT, two = KL_BUF_INIT;

	(void)state;
	assert_int_equal(kbuild("ring", "ring.c", NULL, &one), 0);
	assert_non_null(strstr(kl_buf_str(&one), "obj-m := ring.o\n"));
	assert_null(strstr(kl_buf_str(&one), "ring-y"));
	assert_int_equal(kbuild("ring", "main.c", "sub/util.c", &two), 0);
	assert_non_null(strstr(kl_buf_str(&two), "ring-y += main.o\nring-y += sub/util.o\n"));
}

static void test_names_that_kbuild_would_obey_are_refused(void **state)
{
	static const char *const sources[] = { "$(shell id).c", "a b.c", "../a.c", "/a.c",
					       "a.S",		"a#.c",	 "a\n.c",  ".c" };
	static const char *const names[] = { "", "a b", "$(x)", "-m", "../x", "x/y" };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(sources); i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

		assert_int_equal(kbuild("ring", sources[i], NULL, &b), -1);
	}
	for (size_t i = 0; i < KL_ARRAY_SIZE(names); i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

		assert_int_equal(kbuild(names[i], "a.c", NULL, &b), -1);
	}
}

static void test_a_source_named_like_its_module_beside_others_is_refused(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	assert_int_equal(kbuild("ring", "ring.c", "util.c", &b), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_check_becomes_a_program_and_an_oracle),
		TEST(test_an_unchanged_check_is_not_compiled_again),
		TEST(test_a_mistake_in_a_check_is_told_with_its_place),
		TEST(test_a_check_without_its_function_is_told),
		TEST(test_without_a_hidden_half_a_check_is_compiled_in_the_sandbox),
		cmocka_unit_test(test_our_kbuild_names_the_module_and_its_sources),
		cmocka_unit_test(test_names_that_kbuild_would_obey_are_refused),
		cmocka_unit_test(test_a_source_named_like_its_module_beside_others_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
