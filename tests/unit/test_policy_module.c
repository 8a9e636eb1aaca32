/* The module policy, on objects that gcc makes of a few lines: no kernel needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>
#include <klinic/policy.h>

#define INFO(tag, text)                                                                        \
	"__attribute__((section(\".modinfo\"), used)) static const char i_" tag "[] = \"" text \
	"\";\n"

static const char handout[] =
	INFO("l", "license=GPL") INFO("n", "name=ring") INFO("v", "vermagic=6.1 SMP") INFO(
		"d",
		"description=A ring") "extern int kfree(void); extern int odd_helper(void);\n"
				      "int init_module(void) { return kfree() + odd_helper(); }\n";

struct bench {
	char *dir, *base;
	struct kl_exercise e;
};

/* The object file of source in the bench's folder; the caller frees its path. */
static char *compile(const struct bench *b, const char *name, const char *source)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kl_command_create("gcc");
	KL_AUTO_FREE char *path = kl_path_join(b->dir, name);
	struct kl_error err = KL_ERROR_INIT;

	kl_command_args(c, "-O1", "-fno-pic", "-mcmodel=kernel", "-fno-asynchronous-unwind-tables",
			"-fcf-protection=none", "-c", "-o", path, "-x", "c", "-", NULL);
	kl_command_stdin_data(c, source, strlen(source));
	if (kl_command_check(c, kl_deadline_ms(60000), NULL, KL_INFRA, &err))
		fail_msg("%s", err.message);
	return kl_take(path);
}

static int setup(void **state)
{
	static char module[] = "ring";
	struct bench *b = calloc(1, sizeof(*b));

	if (!b || kl_tempdir_create(&b->dir, NULL))
		return -1;
	b->e.module = module;
	kl_strv_add(&b->e.sources, "ring.c");
	kl_strv_add(&b->e.imports, "listed_helper");
	kl_strv_add(&b->e.imports, "kasan_listed");
	b->base = compile(b, "handout.ko", handout);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	kl_strv_deinit(&b->e.sources);
	kl_strv_deinit(&b->e.imports);
	kl_tempdir_destroy(b->dir);
	free(b->base);
	free(b);
	return 0;
}

static void judge(const struct bench *b, const char *more, struct kl_policy *ret)
{
	KL_AUTO_FREE char *source = kl_asprintf("%s%s\n", handout, more);
	KL_AUTO_FREE char *ko = compile(b, "ring.ko", source);
	struct kl_error err = KL_ERROR_INIT;

	if (kl_policy_module(&b->e, ko, b->base, ret, &err))
		fail_msg("%s", err.message);
}

static void expect(const struct bench *b, const char *more, const char *rule, const char *name,
		   bool refused)
{
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };

	judge(b, more, &p);
	for (size_t i = 0; i < p.n; i++)
		if (!strcmp(p.v[i].rule, rule) && !strcmp(p.v[i].name, name) &&
		    p.v[i].refused == refused && !strcmp(p.v[i].file, "ring.ko"))
			return;
	for (size_t i = 0; i < p.n; i++)
		print_error("  %d %s: %s\n", p.v[i].refused, p.v[i].rule, p.v[i].text);
	fail_msg("expected %s of %s: %s", rule, name, more);
}

static void expect_silence(const struct bench *b, const char *more)
{
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };

	judge(b, more, &p);
	if (p.n)
		fail_msg("%s: %s: %s", more, p.v[0].rule, p.v[0].text);
}

static void test_what_the_handout_the_list_and_any_driver_call_is_fine(void **state)
{
	const struct bench *b = *state;

	expect_silence(b, "");
	expect_silence(b, "int odd_helper(void); int f(void) { return odd_helper() * 2; }");
	expect_silence(b, "int listed_helper(void); int f(void) { return listed_helper(); }");
	expect_silence(b, "int kasan_listed(void); int f(void) { return kasan_listed(); }");
	expect_silence(
		b, "int synchronize_rcu(void); int mutex_lock_nested(void); int _printk(void);"
		   "int f(void) { return synchronize_rcu() + mutex_lock_nested() + _printk(); }");
	expect_silence(b, "int lockdep_init_map_type(void), debug_locks;"
			  "int f(void) { return lockdep_init_map_type() + debug_locks; }");
	expect_silence(b, INFO("a", "author=Somebody"));
}

static void test_a_forbidden_import_is_refused_however_it_came_in(void **state)
{
	const struct bench *b = *state;

	expect(b,
	       "int kasan_disable_current(void); int f(void) { return kasan_disable_current(); }",
	       "detector-switch", "kasan_disable_current", true);
	expect(b, "asm(\".quad kallsyms_lookup_name\");", "symbol-lookup", "kallsyms_lookup_name",
	       true);
	expect(b, "int panic(void) __attribute__((weak)); int f(void) { return panic(); }",
	       "kernel-state", "panic", true);
}

static void test_an_unknown_import_is_pointed_out(void **state)
{
	expect(*state, "int strange_thing(void); int f(void) { return strange_thing(); }", "import",
	       "strange_thing", false);
}

static void test_sections_that_no_driver_has_are_refused(void **state)
{
	const struct bench *b = *state;

	expect(b, "__attribute__((section(\".mine\"))) int f(void) { return 1; }", "section",
	       ".mine", true);
	expect(b, "__attribute__((section(\".noinstr.text\"))) int f(void) { return 1; }",
	       "section", ".noinstr.text", true);
	expect(b, "asm(\".section .both, \\\"awx\\\"; .byte 1; .text\");", "section", ".both",
	       true);
	expect(b, "__attribute__((section(\".mydata\"))) int x = 1;", "section", ".mydata", true);
	expect(b,
	       "static int r(void) { return 1; }"
	       "int f(void) __attribute__((ifunc(\"pick\"))); void *pick(void) { return r; }",
	       "section", "ifunc", true);
	/* gcc makes one function of all constructors of a source: only what it does not make is seen. */
	expect(b, "__attribute__((constructor(200))) void a(void) { kfree(); }", "section",
	       ".init_array.00200", true);
	expect(b,
	       "__attribute__((constructor)) static void a(void) { kfree(); }"
	       "__attribute__((section(\".init_array\"), used)) static void (*p)(void) = a;",
	       "section", ".init_array", true);
	expect_silence(b, "__attribute__((constructor)) void checkers(void) { kfree(); }");
}

static void test_tables_that_point_out_of_the_module_are_refused(void **state)
{
	const struct bench *b = *state;
	static const char push[] = "asm(\".pushsection %s, \\\"a\\\"; %s; .popsection\");"
				   "int here(void) { return 1; }";
	static const struct {
		const char *section, *entry;
	} out[] = {
		{ ".altinstructions", ".long other - ., here - ." },
		{ "__jump_table", ".long other - ., here - .; .quad key - ." },
		{ ".smp_locks", ".long other - ." },
		{ "__ex_table", ".long 0xffffffff81000000 - ., here - ., 1" },
		{ "__mcount_loc", ".quad 0xffffffff81000000" },
		{ ".smp_locks", ".long here + 4096 - ." },
	};

	for (size_t i = 0; i < KL_ARRAY_SIZE(out); i++) {
		KL_AUTO_FREE char *more = kl_asprintf(push, out[i].section, out[i].entry);
		KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
		bool told = false;

		judge(b, more, &p);
		for (size_t k = 0; k < p.n; k++)
			told |= p.v[k].refused && !strcmp(p.v[k].name, out[i].section) &&
				(strstr(p.v[k].text, "points out of the module") ||
				 strstr(p.v[k].text, "no symbol explains"));
		if (!told)
			fail_msg("%s: %s", out[i].section, out[i].entry);
	}
	KL_AUTO_FREE char *own =
		kl_asprintf(push, "__jump_table", ".long here - ., here - .; .quad odd_helper - .");

	expect_silence(b, own);
}

static void test_licence_name_and_flags_stay(void **state)
{
	const struct bench *b = *state;
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
	KL_AUTO_FREE char *bare = compile(b, "bare.ko", "int init_module(void) { return 0; }");

	expect(b, INFO("l2", "license=Proprietary"), "modinfo", "license=Proprietary", true);
	expect(b, INFO("l3", "license=GPL"), "modinfo", "license=GPL", true);
	expect(b, INFO("t", "intree=Y"), "modinfo", "intree=Y", true);
	expect(b, INFO("s", "softdep=pre: x"), "modinfo", "softdep=pre: x", true);
	expect(b, INFO("p", "parmtype=x:int"), "modinfo", "parmtype=x:int", false);
	assert_int_equal(kl_policy_module(&b->e, bare, b->base, &p, NULL), 0);
	assert_int_equal(p.n, 3);
	assert_true(p.v[0].refused && p.v[1].refused && p.v[2].refused);
}

static void test_new_exports_are_refused(void **state)
{
	expect(*state, "int __ksymtab_ring_put = 1;", "export", "ring_put", true);
}

/* Twice, as for two flavours: the second time it is compared with the first. */
static void test_an_export_without_a_name_is_refused_like_any(void **state)
{
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };

	for (int i = 0; i < 2; i++)
		judge(*state, "asm(\".data; __ksymtab_: .quad 1; .text\");", &p);
	assert_int_equal(p.n, 1);
	assert_string_equal(p.v[0].name, "");
	assert_true(p.v[0].refused);
}

static void test_a_name_of_several_lines_stays_one_line(void **state)
{
	expect(*state, "asm(\".quad \\\"a\\nverdict: pass\\\"\");", "import", "a\\x0averdict: pass",
	       false);
}

static void test_what_is_no_module_is_refused_not_an_error(void **state)
{
	const struct bench *b = *state;
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
	KL_AUTO_FREE char *path = kl_path_join(b->dir, "junk.ko");

	assert_int_equal(kl_file_write(path, "junk", 4, 0600, NULL), 0);
	assert_int_equal(kl_policy_module(&b->e, path, b->base, &p, NULL), 0);
	assert_int_equal(p.n, 1);
	assert_true(p.v[0].refused);
	/* The handout's is ours: a broken one is an error. */
	assert_int_equal(kl_policy_module(&b->e, b->base, path, &p, NULL), -1);
}

static void test_a_second_flavour_repeats_nothing(void **state)
{
	const struct bench *b = *state;
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };

	for (int i = 0; i < 2; i++)
		judge(b, "int strange_thing(void); int f(void) { return strange_thing(); }", &p);
	assert_int_equal(p.n, 1);
}

/* Any byte of the module may be somebody's. */
static void test_no_corrupt_byte_does_harm(void **state)
{
	const struct bench *b = *state;
	KL_AUTO(kl_buf_deinit) struct kl_buf bytes = KL_BUF_INIT;
	KL_AUTO_FREE char *path = kl_path_join(b->dir, "bent.ko");

	assert_int_equal(kl_file_read(b->base, 1 << 20, &bytes, NULL), 0);
	for (size_t i = 0; i < bytes.len; i += 7) {
		KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
		char kept = bytes.data[i];

		bytes.data[i] = (char)(kept ^ (i % 2 ? 0xff : 0x01));
		assert_int_equal(kl_file_write(path, bytes.data, bytes.len, 0600, NULL), 0);
		assert_int_equal(kl_policy_module(&b->e, path, b->base, &p, NULL), 0);
		bytes.data[i] = kept;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_the_handout_the_list_and_any_driver_call_is_fine),
		TEST(test_a_forbidden_import_is_refused_however_it_came_in),
		TEST(test_an_unknown_import_is_pointed_out),
		TEST(test_sections_that_no_driver_has_are_refused),
		TEST(test_tables_that_point_out_of_the_module_are_refused),
		TEST(test_licence_name_and_flags_stay),
		TEST(test_new_exports_are_refused),
		TEST(test_an_export_without_a_name_is_refused_like_any),
		TEST(test_a_name_of_several_lines_stays_one_line),
		TEST(test_what_is_no_module_is_refused_not_an_error),
		TEST(test_a_second_flavour_repeats_nothing),
		TEST(test_no_corrupt_byte_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
