/*
 * The module policy on real modules: those of every reference and alternative in
 * the tree are not refused, and a built module that hides a forbidden call is.
 * Needs the kernel: klinic kernel build kasan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/intake.h>
#include <klinic/kbuild.h>
#include <klinic/policy.h>

static struct kl_kernel kernel;

/* Builds and judges; nothing of the submission's source is looked at. */
static void judge(const struct kl_exercise *e, const struct kl_submission *s, struct kl_policy *ret)
{
	KL_AUTO(kl_build_evidence_deinit) struct kl_build_evidence b = { 0 };
	KL_AUTO(kl_module_deinit) struct kl_module m = { 0 };
	KL_AUTO_FREE char *handout = NULL;
	struct kl_error err = KL_ERROR_INIT;

	if (kl_module_handout(e, &kernel, &handout, &err) ||
	    kl_module_build(e, &kernel, s, &b, &m, &err))
		fail_msg("%s", err.message);
	if (!b.ok)
		fail_msg("%s: %s", s->source, b.log);
	if (kl_policy_module(e, m.ko, handout, ret, &err))
		fail_msg("%s", err.message);
}

static void judge_variant(const struct kl_exercise *e, const struct kl_variant *v)
{
	KL_AUTO(kl_submission_deinit) struct kl_submission s = { 0 };
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	if (v->role == KL_ROLE_DECOY || v->role == KL_ROLE_NOOP)
		return;
	if (v->path ? kl_intake(e, v->path, &s, &err) : kl_intake_unchanged(e, &s, &err))
		fail_msg("%s: %s", v->name, err.message);
	judge(e, &s, &p);
	if (kl_policy_refusal(&p))
		fail_msg("%s: %s: %s", e->id, v->name, kl_policy_refusal(&p)->text);
	if (v->role == KL_ROLE_BROKEN && p.n)
		fail_msg("%s: the handout itself: %s", e->id, p.v[0].text);
}

static void test_no_module_of_a_right_solution_is_refused(void **state)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv ids = { 0 };

	(void)state;
	assert_int_equal(kl_exercise_list(&ids, NULL), 0);
	assert_true(ids.n > 0);
	for (size_t i = 0; i < ids.n; i++) {
		KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
		KL_AUTO(kl_variants_deinit) struct kl_variants vs = { 0 };

		assert_int_equal(kl_exercise_find(ids.v[i], &e, NULL), 0);
		assert_int_equal(kl_variants_load(&e, &vs, NULL), 0);
		for (size_t k = 0; k < vs.n; k++)
			judge_variant(&e, &vs.v[k]);
	}
}

/* The name is in no line of the source, and the module is the one that the loader would take. */
static void test_a_call_that_macros_hide_is_found_in_the_module(void **state)
{
	static const char hidden[] = "#define GLUE(a, b, c) a##b##c\n"
				     "#define QUIET(x) GLUE(ka, x, able_current)\n"
				     "static void __used hush(void) { QUIET(san_dis)(); }\n";
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO(kl_submission_deinit) struct kl_submission s = { 0 };
	KL_AUTO(kl_policy_deinit) struct kl_policy p = { 0 };
	struct kl_submission_file *f;
	char *more;

	(void)state;
	assert_int_equal(kl_exercise_find("calib-replace", &e, NULL), 0);
	assert_int_equal(kl_intake_unchanged(&e, &s, NULL), 0);
	f = &s.files[0];
	more = kl_asprintf("%s%s", f->data, hidden);
	assert_non_null(more);
	free(f->data);
	f->data = more;
	f->len = strlen(more);
	judge(&e, &s, &p);
	assert_non_null(kl_policy_refusal(&p));
	assert_string_equal(kl_policy_refusal(&p)->name, "kasan_disable_current");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_module_of_a_right_solution_is_refused),
		cmocka_unit_test(test_a_call_that_macros_hide_is_found_in_the_module),
	};

	return cmocka_run_group_tests(tests, open_kernel, close_kernel);
}
