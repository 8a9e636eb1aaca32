/* Rubrics and variants: what an exercise leans on beside exercise.yaml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/exercise.h>
#include <klinic/file.h>
#include <klinic/rubric.h>

#include "lab.h"

static struct lab lab;
static struct kl_exercise e;
static struct kl_rubric r;
static struct kl_variants vs;
static struct kl_error err;

static int setup(void **state)
{
	(void)state;
	lab_create(&lab);
	lab_load(&lab, &e);
	r = (struct kl_rubric){ 0 };
	vs = (struct kl_variants){ 0 };
	err = KL_ERROR_INIT;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kl_exercise_deinit(&e);
	kl_rubric_deinit(&r);
	kl_variants_deinit(&vs);
	lab_destroy(&lab);
	return 0;
}

static void test_a_rubric_is_found_and_read_whole(void **state)
{
	const struct kl_dimension *d;

	(void)state;
	assert_int_equal(kl_rubric_find("panel", &r, &err), 0);
	assert_string_equal(r.id, "panel");
	assert_string_equal(r.title, "A panel");
	assert_int_equal(r.n, 2);
	d = kl_rubric_dimension(&r, "concurrency");
	assert_non_null(d);
	assert_int_equal(d->weight, 40);
	assert_string_equal(d->bar, "recognises races");
	assert_string_equal(d->levels[0], "none");
	assert_string_equal(d->levels[3], "deep");
	assert_null(kl_rubric_dimension(&r, "none-such"));
}

static void test_an_unknown_rubric_is_a_usage_error(void **state)
{
	(void)state;
	assert_int_equal(kl_rubric_find("jury", &r, &err), -1);
	assert_int_equal(err.class, KL_USAGE);
	assert_int_equal(kl_rubric_find("../panel", &r, &err), -1);
	assert_int_equal(err.class, KL_USAGE);
}

static void rubric_refused(const char *from, const char *to, unsigned int line, const char *part)
{
	KL_AUTO_FREE char *text = lab_replace(lab_rubric_yaml, from, to);

	lab_put(&lab, text, "rubrics/panel.yaml");
	if (!kl_rubric_find("panel", &r, &err))
		fail_msg("“%s” was accepted", to);
	assert_int_equal(err.class, KL_CONTENT);
	if (err.line != line || !strstr(err.message, part))
		fail_msg("“%s”: got %u: %s; expected %u: %s", to, err.line, err.message, line,
			 part);
	err = KL_ERROR_INIT;
}

static void test_bad_rubrics_are_refused_with_their_line(void **state)
{
	(void)state;
	rubric_refused("weight: 40", "weight: 41", 4, "add up to 101");
	rubric_refused("weight: 40", "weight: 0", 12, "weight");
	rubric_refused("sound, deep]", "sound]", 13, "3 levels");
	rubric_refused("sound, deep]", "sound, deep, mad]", 13, "5 levels");
	rubric_refused("id: concurrency", "id: debugging-rca", 9, "already");
	rubric_refused("id: panel", "id: jury", 1, "file's name");
	rubric_refused("    bar: recognises races\n", "", 9, "bar");
	rubric_refused("title: A panel", "title: A panel\nbar: high", 3, "bar");
}

static void put_hidden(const char *path, const char *text)
{
	lab_put(&lab, text, "exercises/stash-replace/hidden/%s", path);
}

static void load_variants(void)
{
	if (kl_variants_load(&e, &vs, &err))
		fail_msg("%s:%u: %s", err.path, err.line, err.message);
}

static void variants_refused(unsigned int line, const char *part)
{
	if (!kl_variants_load(&e, &vs, &err))
		fail_msg("accepted; expected: %s", part);
	assert_int_equal(err.class, KL_CONTENT);
	if (err.line != line || !strstr(err.message, part))
		fail_msg("got %u: %s; expected %u: %s", err.line, err.message, line, part);
	err = KL_ERROR_INIT;
}

static void test_variants_come_in_the_order_of_their_roles_names_sorted(void **state)
{
	static const char *const names[] = { "broken",	 "reference", "a",   "a-b",
					     "big-lock", "retry",     "noop" };

	(void)state;
	put_hidden("alternatives/a-b.patch", "x");
	put_hidden("alternatives/a.patch", "x");
	put_hidden("decoys/retry/stashbox.c", "x");
	put_hidden("decoys/big-lock.patch", "x");
	put_hidden("variants.yaml", "retry: {why: it only retries, caught_by: [reproducer]}\n"
				    "big-lock: {why: sleeps under a lock}\n"
				    "a: {why: takes a mutex}\n");
	load_variants();
	assert_int_equal(vs.n, 7);
	for (size_t i = 0; i < vs.n; i++)
		assert_string_equal(vs.v[i].name, names[i]);
	assert_int_equal(vs.v[0].role, KL_ROLE_BROKEN);
	assert_null(vs.v[0].path);
	assert_int_equal(vs.v[1].role, KL_ROLE_REFERENCE);
	assert_true(kl_str_ends(vs.v[1].path, "hidden/reference.patch"));
	assert_int_equal(vs.v[2].role, KL_ROLE_ALTERNATIVE);
	assert_string_equal(vs.v[2].why, "takes a mutex");
	assert_int_equal(vs.v[5].role, KL_ROLE_DECOY);
	assert_true(kl_str_ends(vs.v[5].path, "hidden/decoys/retry"));
	assert_string_equal(vs.v[5].caught_by.v[0], "reproducer");
	assert_int_equal(vs.v[4].caught_by.n, 0);
	assert_int_equal(vs.v[6].role, KL_ROLE_NOOP);
	assert_null(vs.v[6].path);
}

static void test_a_reference_may_be_a_folder_but_not_both(void **state)
{
	(void)state;
	put_hidden("reference/stashbox.c", "x");
	variants_refused(0, "keep one");
	lab_remove(&lab, "exercises/stash-replace/hidden/reference.patch");
	load_variants();
	assert_true(kl_str_ends(vs.v[1].path, "hidden/reference"));
}

static void test_an_exercise_needs_a_reference(void **state)
{
	(void)state;
	lab_remove(&lab, "exercises/stash-replace/hidden/reference.patch");
	variants_refused(0, "needs a reference");
}

static void test_every_decoy_must_be_explained(void **state)
{
	(void)state;
	put_hidden("decoys/big-lock.patch", "x");
	variants_refused(0, "decoy “big-lock” has no entry");
	put_hidden("variants.yaml", "big-lock: {caught_by: [reproducer]}\n");
	variants_refused(1, "why");
}

static void test_variants_yaml_names_only_what_is_there(void **state)
{
	(void)state;
	put_hidden("decoys/big-lock.patch", "x");
	put_hidden("variants.yaml", "big-lock: {why: x}\nbig-luck: {why: x}\n");
	variants_refused(2, "no variant “big-luck”");
	put_hidden("variants.yaml", "big-lock: {why: x}\nnoop: {why: x}\n");
	variants_refused(2, "no variant “noop”");
	put_hidden("variants.yaml", "big-lock:\n  why: x\n  caught_by: [reproducer, other]\n");
	variants_refused(3, "no check “other”");
	put_hidden("variants.yaml", "big-lock:\n  why: x\n  because: y\n");
	variants_refused(3, "because");
	put_hidden("variants.yaml", "big-lock: {why: x}\nreference:\n  why: x\n"
				    "  caught_by: [reproducer]\n");
	variants_refused(4, "no decoy");
	put_hidden("variants.yaml", "- big-lock\n");
	variants_refused(1, "map");
}

static void test_broken_may_say_which_checks_it_fails(void **state)
{
	(void)state;
	put_hidden("variants.yaml", "broken:\n  why: it races\n  caught_by: [reproducer]\n");
	load_variants();
	assert_int_equal(vs.v[0].role, KL_ROLE_BROKEN);
	assert_string_equal(vs.v[0].why, "it races");
	assert_int_equal(vs.v[0].caught_by.n, 1);
	kl_variants_deinit(&vs);
	put_hidden("variants.yaml", "broken:\n  why: it races\n  caught_by: [other]\n");
	variants_refused(3, "no check “other”");
}

static void test_files_that_are_no_variants_are_refused(void **state)
{
	KL_AUTO_FREE char *link_path = kl_path_join(lab.dir, "hidden/alternatives/link.patch");

	(void)state;
	put_hidden("alternatives/notes.txt", "x");
	variants_refused(0, "neither NAME.patch");
	lab_remove(&lab, "exercises/stash-replace/hidden/alternatives/notes.txt");
	assert_int_equal(symlink("../reference.patch", link_path), 0);
	variants_refused(0, "neither NAME.patch");
}

static void test_variants_have_names_of_their_own(void **state)
{
	(void)state;
	put_hidden("alternatives/big-lock.patch", "x");
	put_hidden("decoys/big-lock.patch", "x");
	variants_refused(0, "another variant called");
	lab_remove(&lab, "exercises/stash-replace/hidden/decoys");
	put_hidden("alternatives/noop.patch", "x");
	variants_refused(0, "taken");
	lab_remove(&lab, "exercises/stash-replace/hidden/alternatives/noop.patch");
	put_hidden("alternatives/Big Lock.patch", "x");
	variants_refused(0, "lowercase");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_rubric_is_found_and_read_whole),
		TEST(test_an_unknown_rubric_is_a_usage_error),
		TEST(test_bad_rubrics_are_refused_with_their_line),
		TEST(test_variants_come_in_the_order_of_their_roles_names_sorted),
		TEST(test_a_reference_may_be_a_folder_but_not_both),
		TEST(test_an_exercise_needs_a_reference),
		TEST(test_every_decoy_must_be_explained),
		TEST(test_variants_yaml_names_only_what_is_there),
		TEST(test_broken_may_say_which_checks_it_fails),
		TEST(test_files_that_are_no_variants_are_refused),
		TEST(test_variants_have_names_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
