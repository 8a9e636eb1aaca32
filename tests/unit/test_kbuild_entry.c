/* Entries of the cache: finished or nothing, and built once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

struct fake {
	int built; /* how often */
	bool fail;
	bool slow;
};

static int put(const char *dir, const char *name, const char *text)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, name);

	return kl_file_write(path, text, strlen(text), 0600, NULL);
}

static bool has(const char *dir, const char *name)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, name);

	return kl_file_exists(path);
}

static int build(const char *dir, int lock_fd, void *arg, json_t **ret_stamp, struct kl_error *err)
{
	struct fake *f = arg;
	const struct timespec a_while = { .tv_nsec = 300000000 };

	assert_true(lock_fd >= 0);
	/* Whatever an earlier build left must be gone. */
	assert_false(has(dir, "leftover"));
	__atomic_add_fetch(&f->built, 1, __ATOMIC_SEQ_CST);
	put(dir, "product", "x");
	if (f->slow)
		nanosleep(&a_while, NULL);
	if (f->fail)
		return kl_fail(err, KL_INFRA, "the compiler broke");
	*ret_stamp = json_pack("{s:i}", "n", f->built);
	return 0;
}

static int setup(void **state)
{
	char *dir = NULL;

	if (kl_tempdir_create(&dir, NULL))
		return -1;
	*state = dir;
	return 0;
}

static int teardown(void **state)
{
	kl_tempdir_destroy(*state);
	return 0;
}

static void test_an_entry_is_built_once_and_then_found(void **state)
{
	KL_AUTO_FREE char *dir = kl_path_join(*state, "entry");
	struct fake f = { 0 };

	for (int i = 0; i < 3; i++) {
		KL_AUTO_JSON json_t *stamp = NULL;

		assert_int_equal(kb_entry_make(dir, build, &f, &stamp, NULL), 0);
		assert_int_equal(json_integer_value(json_object_get(stamp, "n")), 1);
	}
	assert_int_equal(f.built, 1);
	assert_true(has(dir, "product"));
}

static void test_what_an_interrupted_build_left_is_removed_and_built_anew(void **state)
{
	KL_AUTO_FREE char *dir = kl_path_join(*state, "entry");
	struct fake f = { 0 };

	assert_int_equal(kl_mkdirs(dir, 0700, NULL), 0);
	put(dir, "leftover", "half an object file");
	assert_false(kb_entry_ready(dir, NULL));
	assert_int_equal(kb_entry_make(dir, build, &f, NULL, NULL), 0);
	assert_int_equal(f.built, 1);
	assert_false(has(dir, "leftover"));
	assert_true(kb_entry_ready(dir, NULL));
}

static void test_a_corrupt_stamp_counts_as_none(void **state)
{
	KL_AUTO_FREE char *dir = kl_path_join(*state, "entry");
	struct fake f = { 0 };

	assert_int_equal(kl_mkdirs(dir, 0700, NULL), 0);
	put(dir, "ready", "{\"n\": ");
	assert_false(kb_entry_ready(dir, NULL));
	put(dir, "ready", "[]");
	assert_false(kb_entry_ready(dir, NULL));
	assert_int_equal(kb_entry_make(dir, build, &f, NULL, NULL), 0);
	assert_int_equal(f.built, 1);
}

static void test_a_failed_build_leaves_nothing(void **state)
{
	KL_AUTO_FREE char *dir = kl_path_join(*state, "entry");
	struct fake f = { .fail = true };
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kb_entry_make(dir, build, &f, NULL, &err), -1);
	assert_string_equal(err.message, "the compiler broke");
	assert_false(kl_file_exists(dir));
	f.fail = false;
	assert_int_equal(kb_entry_make(dir, build, &f, NULL, NULL), 0);
	assert_int_equal(f.built, 2);
}

struct builder {
	pthread_t thread;
	const char *dir;
	struct fake *fake;
	int result;
};

static void *run_builder(void *arg)
{
	struct builder *b = arg;

	b->result = kb_entry_make(b->dir, build, b->fake, NULL, NULL);
	return NULL;
}

static void test_two_builders_at_once_build_once(void **state)
{
	KL_AUTO_FREE char *dir = kl_path_join(*state, "entry");
	struct fake f = { .slow = true };
	struct builder b[4];

	for (size_t i = 0; i < KL_ARRAY_SIZE(b); i++) {
		b[i] = (struct builder){ .dir = dir, .fake = &f, .result = -1 };
		assert_int_equal(pthread_create(&b[i].thread, NULL, run_builder, &b[i]), 0);
	}
	for (size_t i = 0; i < KL_ARRAY_SIZE(b); i++) {
		pthread_join(b[i].thread, NULL);
		assert_int_equal(b[i].result, 0);
	}
	assert_int_equal(f.built, 1);
}

static int build_with_orphan(const char *dir, int lock_fd, void *arg, json_t **ret_stamp,
			     struct kl_error *err)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kb_tool("sleep", lock_fd);
	struct kl_process *p = arg;

	(void)dir;
	(void)ret_stamp;
	kl_command_arg(c, "30");
	assert_int_equal(kl_command_start(c, p, err), 0);
	return kl_fail(err, KL_INFRA, "klinic was killed here");
}

static void test_an_entry_stays_locked_while_a_child_of_its_builder_lives(void **state)
{
	KL_AUTO_FREE char *dir = kl_path_join(*state, "entry");
	KL_AUTO_FREE char *lock = kl_asprintf("%s.lock", dir);
	struct kl_process p = KL_PROCESS_INIT;
	int fd = -1;

	assert_int_equal(kb_entry_make(dir, build_with_orphan, &p, NULL, NULL), -1);
	assert_int_equal(kl_try_lock(lock, &fd, NULL), 0);
	kl_process_deinit(&p);
	assert_int_equal(kl_try_lock(lock, &fd, NULL), 1);
	close(fd);
}

static void test_too_little_room_is_told_with_the_place_and_the_remedy(void **state)
{
	KL_AUTO_FREE char *dir = kl_path_join(*state, "not/there/yet");
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kb_need_space(dir, 1, "a kernel", &err), 0);
	assert_int_equal(kb_need_space(dir, UINT64_MAX, "a kernel", &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	assert_non_null(strstr(err.message, dir));
	assert_non_null(strstr(err.message, "XDG_CACHE_HOME"));
}

static void test_only_64_hex_digits_are_a_digest(void **state)
{
	(void)state;
	assert_true(
		kb_is_digest("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	assert_false(kb_is_digest("0123"));
	assert_false(
		kb_is_digest("0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"));
	assert_false(kb_is_digest(
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.lock"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_entry_is_built_once_and_then_found),
		TEST(test_what_an_interrupted_build_left_is_removed_and_built_anew),
		TEST(test_a_corrupt_stamp_counts_as_none),
		TEST(test_a_failed_build_leaves_nothing),
		TEST(test_two_builders_at_once_build_once),
		TEST(test_an_entry_stays_locked_while_a_child_of_its_builder_lives),
		TEST(test_too_little_room_is_told_with_the_place_and_the_remedy),
		cmocka_unit_test(test_only_64_hex_digits_are_a_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
