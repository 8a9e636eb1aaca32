/* The source policy: what is refused, what is pointed out, and what gets by neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/intake.h>
#include <klinic/policy.h>

#include "lab.h"

static const char base[] = "#include <linux/module.h>\n"
			   "#include \"include/stashbox.h\"\n"
			   "#define STASH_SIZE 64\n"
			   "static int stash_init(void)\n"
			   "{\n"
			   "	module_put(owner);\n"
			   "	ioremap(bar, 4096);\n"
			   "	asm volatile(\"pause\");\n"
			   "	return 0;\n"
			   "}\n";

static struct lab lab;
static struct kl_exercise exercise;

static int setup(void **state)
{
	(void)state;
	lab_create(&lab);
	lab_put(&lab, base, "exercises/stash-replace/handout/stashbox.c");
	lab_load(&lab, &exercise);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kl_exercise_deinit(&exercise);
	lab_destroy(&lab);
	return 0;
}

static void judge_bytes(const char *path, const char *data, size_t len, struct kl_policy *ret)
{
	struct kl_submission_file f = {
		.path = (char *)path, .data = (char *)data, .len = len, .changed = true
	};
	struct kl_submission s = { .files = &f, .n = 1 };
	struct kl_error err = KL_ERROR_INIT;

	if (kl_policy_source(&exercise, &s, ret, &err))
		fail_msg("%s", err.message);
}

/* The handout with these lines behind it. */
static void judge(const char *lines, struct kl_policy *ret)
{
	KL_AUTO_FREE char *text = kl_asprintf("%s%s\n", base, lines);

	judge_bytes("stashbox.c", text, strlen(text), ret);
}

static void show(const char *lines, const struct kl_policy *p)
{
	for (size_t i = 0; i < p->n; i++)
		print_error("  %s:%u:%u: %s %s: %s\n", p->v[i].file, p->v[i].line, p->v[i].column,
			    p->v[i].refused ? "refused" : "flagged", p->v[i].rule, p->v[i].text);
	print_error("in: %s\n", lines);
}

/* Exactly one rule speaks, once or more, and refuses or not. */
static void expect(const char *lines, const char *rule, bool refused)
{
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
	bool right = false;

	judge(lines, &p);
	for (size_t i = 0; i < p.n; i++)
		right |= !strcmp(p.v[i].rule, rule) && p.v[i].refused == refused;
	if (!right || (!refused && kl_policy_refusal(&p))) {
		show(lines, &p);
		fail_msg("expected %s: %s", refused ? "refused" : "flagged", rule);
	}
}

static void expect_silence(const char *lines)
{
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };

	judge(lines, &p);
	if (p.n) {
		show(lines, &p);
		fail_msg("expected nothing");
	}
}

static void test_each_category_is_refused_by_name(void **state)
{
	static const struct {
		const char *rule, *line;
	} all[] = {
		{ "detector-switch", "void f(void) { kasan_disable_current(); }" },
		{ "detector-switch", "void f(void) { kmemleak_not_leak(p); }" },
		{ "detector-switch", "void f(void) { kmemleak_ignore(p); }" },
		{ "detector-switch", "void f(void) { lockdep_off(); }" },
		{ "detector-switch", "lockdep_set_novalidate_class(&s->lock);" },
		{ "detector-switch", "static __no_sanitize_address int f(void);" },
		{ "detector-switch", "static __no_kasan_or_inline int f(void);" },
		{ "detector-switch", "static noinstr int f(void);" },
		{ "detector-switch", "void f(void) { current->kasan_depth++; }" },
		{ "detector-switch", "void f(void) { current->lockdep_recursion = 1; }" },
		{ "detector-switch", "void f(void) { debug_locks = 0; }" },
		{ "detector-switch", "c = kmem_cache_create(n, s, 0, SLAB_NOLEAKTRACE, NULL);" },
		{ "detector-switch",
		  "int f(void) __attribute__((no_sanitize(\"kernel-address\")));" },
		{ "detector-switch", "void f(void) { __debug_locks_off(); }" },
		{ "detector-switch", "void f(void) { l->dep_map.key = NULL; }" },
		{ "detector-switch", "int *p = (int *)current->held_locks - 1;" },
		{ "unchecked-access", "u64 x = READ_ONCE_NOCHECK(*p);" },
		{ "unchecked-access", "void f(void) { __memcpy(a, b, 8); }" },
		{ "unchecked-access", "void f(void) { memcpy_fromio(a, b, 8); }" },
		{ "unchecked-access", "u32 x = __raw_readl(p);" },
		{ "unchecked-access", "int x = arch_atomic_read(p);" },
		{ "unchecked-access", "n = raw_copy_to_user(u, p, 8);" },
		{ "unchecked-access", "int *p = (int *)(&current->default_timer_slack_ns + 1);" },
		{ "kernel-log", "void f(void) { console_lock(); }" },
		{ "kernel-log", "void f(void) { (&minimum_console_loglevel)[-2] = 0; }" },
		{ "kernel-state", "void f(void) { add_taint(TAINT_USER, LOCKDEP_STILL_OK); }" },
		{ "kernel-state", "void f(void) { panic(\"x\"); }" },
		{ "kernel-state", "int x = panic_on_warn;" },
		{ "kernel-log", "void f(void) { console_loglevel = 0; }" },
		{ "symbol-lookup", "void f(void) { kallsyms_lookup_name(\"x\"); }" },
		{ "symbol-lookup", "void *p = __symbol_get(\"x\");" },
		{ "symbol-lookup", "static struct kprobe kp;" },
		{ "symbol-lookup", "void f(void) { register_ftrace_function(&ops); }" },
		{ "text-patching", "void f(void) { text_poke(a, b, 1); }" },
		{ "text-patching", "void f(void) { set_memory_rw(a, 1); }" },
		{ "text-patching", "void f(void) { native_write_cr4(0); }" },
		{ "usermode-helper", "void f(void) { call_usermodehelper(p, a, e, 0); }" },
		{ "file-io", "void f(void) { filp_open(\"/x\", 0, 0); }" },
		{ "file-io", "void f(void) { kernel_write(f, b, 1, &p); }" },
		{ "foreign-process", "void f(void) { send_sig(9, t, 1); }" },
		{ "module-trick", "void f(void) { __module_get(THIS_MODULE); }" },
		{ "module-trick", "void f(void) { module_put(THIS_MODULE); }" },
		{ "module-trick", "void f(void) { THIS_MODULE->exit = NULL; }" },
		{ "module-trick", "MODULE_INFO(vermagic, \"x\");" },
		{ "module-trick", "static int x __section(\".text.x\") = 1;" },
		{ "module-trick", "late_initcall(f);" },
		{ "hardware", "void f(void) { memremap(a, 1, 0); }" },
		{ "hardware", "void f(void) { outb(1, 0x505); }" },
		{ "hardware", "void f(void) { emergency_restart(); }" },
		{ "hardware", "void *p = __va(0x140000000);" },
		{ "attribute", "__attribute__((optimize(\"O0\"))) void f(void);" },
		{ "attribute", "__attribute__((__section__(\".text.x\"))) void f(void);" },
		{ "attribute", "[[gnu::optimize(\"O0\")]] void f(void);" },
		{ "attribute", "#define A __attribute__" },
		{ "pragma", "#pragma GCC optimize(\"O0\")" },
		{ "pragma", "#pragma GCC diagnostic ignored \"-Wall\"" },
		{ "pragma", "_Pragma(\"GCC dependency \\\"/etc/passwd\\\"\")" },
		{ "pragma", "#define P(x) _Pragma(x)" },
		{ "include", "#include </etc/passwd>" },
		{ "include", "#include \"/etc/passwd\"" },
		{ "include", "#include \"../hidden/checks/race.c\"" },
		{ "include", "#include <linux/../../../etc/passwd>" },
		{ "include", "#include WHATEVER" },
		{ "include", "#include_next MACRO" },
		{ "include", "#import \"/etc/passwd\"" },
		{ "include", "#embed \"/etc/passwd\"" },
		{ "include", "#if __has_include(\"/etc/passwd\")\n#endif" },
		{ "include", "#if __has_include(X)\n#endif" },
		{ "include", "asm(\".incbin \\\"/etc/passwd\\\"\");" },
		{ "include", "asm(\".inc\" \"lude \\\"/etc/passwd\\\"\");" },
		{ "include", "asm(\"nop\\n\\t.INCBIN \\\"x\\\"\");" },
		{ "include", "asm(\"\\x2e\\151ncbin \\\"x\\\"\");" },
		{ "include", "#define BYTES \".incbin \\\"x\\\"\"" },
		{ "include", "asm(__stringify(.incbin \"x\"));" },
		{ "section", "asm(\".section .init.text\");" },
		{ "section", "asm(\".pushsection .altinstructions, \\\"a\\\"\");" },
		{ "section", "asm(\".globl other\");" },
		{ "inline-assembly", "asm volatile(\".byte 0xee\" :: \"a\"(1), \"d\"(p));" },
		{ "inline-assembly", "asm volatile(\"nop; .quad 0x90\");" },
		{ "hardware", "asm volatile(\"mov %0, %%cr0\" :: \"r\"(x));" },
		{ "hardware", "asm volatile(\"CLI\\n\\tlidt %0\" :: \"m\"(x));" },
		{ "detector-switch", "asm(\"call kasan_disable_current\");" },
		{ "line-marker", "#line 1 \"/etc/passwd\"" },
		{ "line-marker", "# 1 \"/etc/passwd\"" },
		{ "redefinition", "#undef CONFIG_KASAN" },
		{ "redefinition", "#define return while (1)" },
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(all); i++)
		expect(all[i].line, all[i].rule, true);
}

static void test_what_a_person_should_see_is_pointed_out_and_not_refused(void **state)
{
	static const struct {
		const char *rule, *line;
	} all[] = {
		{ "inline-assembly", "void f(void) { asm volatile(\"mfence\" ::: \"memory\"); }" },
		{ "function-pointer-cast", "x = ((void (*)(int))address)(1);" },
		{ "function-pointer-cast",
		  "typedef int (*go_t)(void);\nint y = ((go_t)0x1234)();" },
		{ "function-pointer-cast", "INIT_WORK(&w, (work_func_t)f);" },
		{ "kernel-address", "unsigned long a = 0xffffffff81000000UL;" },
		{ "computed-goto", "void f(void) { goto *p; }" },
		{ "token-pasting", "#define J(a, b) a ## b" },
		{ "builtin", "void *p = __builtin_return_address(1);" },
		{ "new-header", "#include <crypto/hash.h>" },
		{ "new-header", "#include \"other.h\"" },
		{ "lockdep-annotation", "mutex_lock_nested(&l, SINGLE_DEPTH_NESTING);" },
		{ "race-annotation", "x = data_race(y);" },
		{ "lockdep-annotation", "arch_spin_lock(&l->rlock.raw_lock);" },
		{ "task-internals", "void *p = &current->thread;" },
		{ "task-internals", "void *p = (char *)current + 1234;" },
		{ "pragma", "#pragma pack(1)" },
		{ "redefinition", "#define module_put(x) do { } while (0)" },
		{ "attribute", "void f(void) __attribute__((weak));" },
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(all); i++)
		expect(all[i].line, all[i].rule, false);
}

static void test_honest_code_is_left_alone(void **state)
{
	static const char *const all[] = {
		"",
		"#include <linux/slab.h>",
		"/* kasan_disable_current(); */ // panic()",
		"pr_err(\"panic: kasan_disable_current, see .section 3\\n\");",
		"pid_t p = current->pid; t = current; f(current, p); if (t == current) g();",
		"u32 x = READ_ONCE(*p); atomic_inc(&a); test_and_set_bit(0, &b); memcpy(a, b, 8);",
		"s->panic = 1; s.outb = 2; bool panic; x = t.panic(1);",
		"static const struct file_operations f = { .panic = go };",
		"#error don't panic: \"kasan_disable_current",
		"int __attribute__((unused)) x; int y __aligned(8);",
		"int g(int (*cmp)(const void *, const void *), int n);",
		"sort(a, n, 4, (cmp), NULL); x = (size_t)(n) * (size_t)4;",
		"u64 h = 0xff51afd7ed558ccdULL ^ 0xffffffffffffffffULL;",
		"if (WARN_ON(!p)) return; lockdep_assert_held(&l);",
		"x = merge(in, b); y = f(out, b);",
		"kfree_rcu(t, rcu); synchronize_srcu(&s); rcu_dereference_protected(p, 1);",
		/* The handout's own, once more. */
		"ioremap(bar, 8192);",
		"asm volatile(\"pause\");",
		"module_put(other);",
		"#define LOCAL(x) ((x) + 1)",
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(all); i++)
		expect_silence(all[i]);
}

static void test_spellings_that_hide_a_name_do_not(void **state)
{
	static const struct {
		const char *rule, *line;
	} all[] = {
		{ "detector-switch", "kasan_\\\ndisable_current();" },
		{ "detector-switch", "kasan_\\ \t\r\ndisable_current();" },
		{ "detector-switch", "/\\\n/ \"\nkasan_disable_current(); // \"" },
		{ "detector-switch", "// \\\nnothing\nkasan_disable_current();" },
		{ "detector-switch", "char c = '\"'; kasan_disable_current(); char d = '\"';" },
		{ "detector-switch", "char *s = \"\\\\\"; kasan_disable_current(); \"\";" },
		{ "detector-switch", "char *s = R\"(\")\"; kasan_disable_current(); \")\";" },
		{ "detector-switch", "char *s = u8R\"x(\" )\" )x\"; kasan_disable_current();" },
		{ "detector-switch", "#if 0\nit's /*\n#endif\nkasan_disable_current(); /* */" },
		{ "detector-switch", "#include <linux/a/*b.h>\nkasan_disable_current(); /* */" },
		{ "detector-switch", "k\\u0061san_disable_current();" },
		{ "detector-switch", "#define J(a, b) a##b\nJ(kasan_disable_, current)();" },
		{ "detector-switch", "%:define J(a, b) a%:%:b\nJ(kasan_disable_, current)();" },
		{ "detector-switch", "__PASTE(kasan_disable_, current)();" },
		{ "detector-switch", "void (*f)(void) = kasan_disable_current;" },
		{ "detector-switch", "#define QUIET kasan_disable_current()" },
		/* Whichever way the compiler takes trigraphs. */
		{ "detector-switch", "// is it?\?/\nkasan_disable_current();" },
		{ "detector-switch", "kasan_?\?/\ndisable_current();" },
		{ "include", "?\?=include \"/etc/passwd\"" },
		{ "include", "%:include \"/etc/passwd\"" },
		{ "include", "/* c */ # /* c */ include /* c */ \"/etc/passwd\"" },
		{ "include", "#inc\\\nlude \"/etc/passwd\"" },
		{ "pragma", "_Pragma(L\"GCC dependency \\\"x\\\"\")" },
		{ "pragma", "%:pragma GCC optimize 0" },
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(all); i++)
		expect(all[i].line, all[i].rule, true);
}

static void test_a_note_names_its_place_and_what_to_do(void **state)
{
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };

	(void)state;
	judge("\n\tif (x)\\\n  kasan_disable_current();", &p);
	assert_int_equal(p.n, 1);
	assert_string_equal(p.v[0].file, "stashbox.c");
	assert_int_equal(p.v[0].line, 13);
	assert_int_equal(p.v[0].column, 3);
	assert_string_equal(p.v[0].name, "kasan_disable_current");
	assert_string_equal(
		p.v[0].text,
		"kasan_disable_current turns off, or hides from, a detector that judges "
		"the fix: leave the detectors as they are and mend what they report");
}

static void test_refusals_come_first_and_repetitions_are_few(void **state)
{
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	kl_buf_puts(&b, "asm(\"nop\");\n");
	for (int i = 0; i < 50; i++)
		kl_buf_puts(&b, "lockdep_off();\n");
	judge(kl_buf_str(&b), &p);
	assert_int_equal(p.n, 6);
	assert_true(p.v[0].refused);
	assert_false(p.v[5].refused);
}

static void test_a_crowd_of_flags_hides_no_refusal(void **state)
{
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	for (int i = 0; i < 5000; i++)
		kl_buf_printf(&b, "asm(\"nop # %d\");\n", i);
	kl_buf_puts(&b, "lockdep_off();\n");
	judge(kl_buf_str(&b), &p);
	assert_non_null(kl_policy_refusal(&p));
	assert_string_equal(kl_policy_refusal(&p)->rule, "too-much");
	assert_true(p.n < 300);
}

static void test_unchanged_files_and_files_that_are_no_c_are_not_read(void **state)
{
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
	struct kl_submission_file f = { .path = (char *)"stashbox.c",
					.data = (char *)"lockdep_off();",
					.len = 14 };
	struct kl_submission s = { .files = &f, .n = 1 };

	(void)state;
	assert_int_equal(kl_policy_source(&exercise, &s, &p, NULL), 0);
	assert_int_equal(p.n, 0);
	judge_bytes("Kbuild", "ccflags-y += -fplugin=/tmp/x.so\n", 32, &p);
	assert_int_equal(p.n, 1);
	assert_false(p.v[0].refused);
}

/* Whatever it is given, in time that grows with its size. */
static void test_odd_bytes_are_survived(void **state)
{
	static const char *const repeated[] = {
		"[[", "(",   "R\"(", "asm(",	      "?\?/",	  "\\\n", "__attribute__((",
		"'",  "\"",  "#",    "#define a##\n", "/*",	  "a,",	  "(a (*b)(",
		"0x", "\\u", "\xff", "%:%:",	      "_Pragma(", "\0\\"
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(repeated); i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
		KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
		size_t len = repeated[i][0] ? strlen(repeated[i]) : 2;

		while (b.len < 128 << 10)
			assert_int_equal(kl_buf_append(&b, repeated[i], len), 0);
		judge_bytes("stashbox.c", b.data, b.len, &p);
	}
	for (size_t len = 0; len < sizeof(base); len++) {
		KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
		char *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, base, len);
		judge_bytes("stashbox.c", copy, len, &p);
		free(copy);
	}
}

/* Decoys whose whole trick is to silence a detector. */
static const char *const silencing[] = { "report-silenced", "lockdep-off" };

static bool silences(const char *name)
{
	for (size_t i = 0; i < KL_ARRAY_SIZE(silencing); i++)
		if (!strcmp(name, silencing[i]))
			return true;
	return false;
}

static void judge_variant(const struct kl_exercise *e, const struct kl_variant *v)
{
	KL_AUTO(kl_submission_deinit) struct kl_submission s = { 0 };
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
	struct kl_error err = KL_ERROR_INIT;
	const struct kl_policy_note *refusal;

	if (!v->path)
		return;
	if (kl_intake(e, v->path, &s, &err) || kl_policy_source(e, &s, &p, &err))
		fail_msg("%s: %s: %s", e->id, v->name, err.message);
	refusal = kl_policy_refusal(&p);
	if (silences(v->name)) {
		assert_non_null(refusal);
		assert_string_equal(refusal->rule, "detector-switch");
	} else if (refusal && v->role != KL_ROLE_DECOY) {
		show(v->path, &p);
		fail_msg("%s: %s is refused", e->id, v->name);
	}
}

static void test_no_solution_in_the_tree_is_refused(void **state)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv ids = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	if (kl_exercise_list(&ids, &err))
		fail_msg("%s", err.message);
	assert_true(ids.n > 0);
	for (size_t i = 0; i < ids.n; i++) {
		KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
		KL_AUTO(kl_variants_deinit) struct kl_variants vs = { 0 };

		if (kl_exercise_find(ids.v[i], &e, &err) || kl_variants_load(&e, &vs, &err))
			fail_msg("%s: %s", ids.v[i], err.message);
		for (size_t k = 0; k < vs.n; k++)
			judge_variant(&e, &vs.v[k]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_category_is_refused_by_name),
		TEST(test_what_a_person_should_see_is_pointed_out_and_not_refused),
		TEST(test_honest_code_is_left_alone),
		TEST(test_spellings_that_hide_a_name_do_not),
		TEST(test_a_note_names_its_place_and_what_to_do),
		TEST(test_refusals_come_first_and_repetitions_are_few),
		TEST(test_a_crowd_of_flags_hides_no_refusal),
		TEST(test_unchanged_files_and_files_that_are_no_c_are_not_read),
		TEST(test_odd_bytes_are_survived),
		cmocka_unit_test(test_no_solution_in_the_tree_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
