/* Digests: known values, and that no two different things meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/digest.h>
#include <klinic/file.h>

static char *dir;
static struct kl_error err;

static int setup(void **state)
{
	(void)state;
	err = KL_ERROR_INIT;
	return kl_tempdir_create(&dir, &err);
}

static int teardown(void **state)
{
	(void)state;
	kl_tempdir_destroy(kl_take(dir));
	return 0;
}

static void put(const char *name, const char *text, mode_t mode)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, name);

	assert_int_equal(kl_file_write(path, text, strlen(text), mode, &err), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void tree(char hex[KL_DIGEST_HEX])
{
	struct kl_digest d = { 0 };

	assert_int_equal(kl_digest_init(&d, &err), 0);
	if (kl_digest_tree(&d, "tree", dir, &err))
		fail_msg("%s", err.message);
	kl_digest_final(&d, hex);
	assert_null(d.state);
}

static void test_file_digest_is_sha256sums(void **state)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, "abc");
	char hex[KL_DIGEST_HEX];

	(void)state;
	put("abc", "abc", 0644);
	assert_int_equal(kl_sha256_file(path, hex, &err), 0);
	/* FIPS 180-2, appendix B.1 */
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_files_that_are_none_are_refused(void **state)
{
	KL_AUTO_FREE char *fifo = kl_path_join(dir, "fifo");
	char hex[KL_DIGEST_HEX] = "untouched";

	(void)state;
	assert_int_equal(kl_sha256_file("/nonexistent/x", hex, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	assert_int_equal(kl_sha256_file(dir, hex, &err), -1);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(kl_sha256_file(fifo, hex, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	assert_string_equal(hex, "untouched");
}

static void parts(char hex[KL_DIGEST_HEX], const char *label1, const char *a, const char *label2,
		  const char *b)
{
	struct kl_digest d = { 0 };

	assert_int_equal(kl_digest_init(&d, &err), 0);
	kl_digest_text(&d, label1, a);
	if (label2)
		kl_digest_text(&d, label2, b);
	kl_digest_final(&d, hex);
}

static void test_parts_do_not_run_into_each_other(void **state)
{
	char hex[6][KL_DIGEST_HEX];

	(void)state;
	parts(hex[0], "k", "ab", "k", "c");
	parts(hex[1], "k", "a", "k", "bc");
	parts(hex[2], "k", "abc", NULL, NULL);
	parts(hex[3], "ka", "b", "k", "c");
	parts(hex[4], "k", "ab", "k", NULL);
	parts(hex[5], "k", "ab", NULL, NULL);
	for (int i = 0; i < 6; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(hex[i], hex[k]);
}

/* Every cache entry is named by these: a change of the format must be meant. */
static void test_format_of_parts_is_pinned(void **state)
{
	char hex[KL_DIGEST_HEX];

	(void)state;
	parts(hex, "kernel", "6.1", "flavour", "kasan");
	assert_string_equal(hex,
			    "d8d6f614861c858ef31c47c2ab46fb5736b0014830af9e537c6d8c2b22b93755");
}

static void test_tree_sees_names_contents_x_bit_and_links(void **state)
{
	KL_AUTO_FREE char *sub = kl_path_join(dir, "sub");
	KL_AUTO_FREE char *link = kl_path_join(dir, "link");
	char hex[8][KL_DIGEST_HEX];

	(void)state;
	put("a", "one", 0644);
	tree(hex[0]);
	put("a", "two", 0644);
	tree(hex[1]);
	put("a", "two", 0755);
	tree(hex[2]);
	assert_int_equal(kl_mkdirs(sub, 0755, &err), 0);
	put("sub/b", "one", 0644);
	tree(hex[3]);
	assert_int_equal(symlink("a", link), 0);
	tree(hex[4]);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("b", link), 0);
	tree(hex[5]);
	assert_int_equal(unlink(link), 0);
	put("link", "b", 0644);
	tree(hex[6]);
	put("sub/c", "one", 0600);
	tree(hex[7]);
	for (int i = 0; i < 8; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(hex[i], hex[k]);
}

static void test_tree_does_not_see_times_umask_or_order_of_making(void **state)
{
	char one[KL_DIGEST_HEX], two[KL_DIGEST_HEX];

	(void)state;
	put("a", "1", 0644);
	put("b", "2", 0644);
	tree(one);
	teardown(NULL);
	setup(NULL);
	put("b", "2", 0600);
	put("a", "1", 0664);
	tree(two);
	assert_string_equal(one, two);
}

static void test_tree_does_not_follow_links_and_refuses_what_is_special(void **state)
{
	KL_AUTO_FREE char *link = kl_path_join(dir, "loop");
	KL_AUTO_FREE char *fifo = kl_path_join(dir, "fifo");
	struct kl_digest d = { 0 };
	char hex[KL_DIGEST_HEX];

	(void)state;
	assert_int_equal(symlink(".", link), 0);
	tree(hex);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(kl_digest_init(&d, &err), 0);
	assert_int_equal(kl_digest_tree(&d, "tree", dir, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	kl_digest_deinit(&d);
}

static void test_cached_digest_notices_a_change_of_the_same_size(void **state)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, "f");
	KL_AUTO_FREE char *cache = kl_path_join(dir, "cache");
	char one[KL_DIGEST_HEX], two[KL_DIGEST_HEX], plain[KL_DIGEST_HEX];

	(void)state;
	assert_int_equal(setenv("XDG_CACHE_HOME", cache, 1), 0);
	put("f", "one", 0644);
	assert_int_equal(kl_sha256_file_cached(path, one, &err), 0);
	put("f", "two", 0644);
	assert_int_equal(kl_sha256_file_cached(path, two, &err), 0);
	assert_int_equal(kl_sha256_file(path, plain, &err), 0);
	assert_string_not_equal(one, two);
	assert_string_equal(two, plain);
	unsetenv("XDG_CACHE_HOME");
}

/* Puts a lie into the cache: it is told, so the file was not read; a damaged entry is not believed. */
static void test_cached_digest_is_remembered_and_checked(void **state)
{
	KL_AUTO_FREE char *cache = kl_path_join(dir, "cache");
	KL_AUTO_FREE char *entries = kl_path_join(dir, "cache/klinic/digests");
	KL_AUTO_FREE char *entry = NULL;
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	char plain[KL_DIGEST_HEX], hex[KL_DIGEST_HEX], lie[KL_DIGEST_HEX];

	(void)state;
	assert_int_equal(setenv("XDG_CACHE_HOME", cache, 1), 0);
	/* /bin/sh was not changed a moment ago, so it is remembered. */
	assert_int_equal(kl_sha256_file_cached("/bin/sh", plain, &err), 0);
	assert_int_equal(kl_dir_list(entries, &names, &err), 0);
	assert_int_equal(names.n, 1);
	entry = kl_path_join(entries, names.v[0]);
	memset(lie, 'a', sizeof(lie) - 1);
	lie[sizeof(lie) - 1] = '\0';
	assert_int_equal(kl_file_write(entry, lie, sizeof(lie) - 1, 0600, &err), 0);
	assert_int_equal(kl_sha256_file_cached("/bin/sh", hex, &err), 0);
	assert_string_equal(hex, lie);
	assert_int_equal(kl_file_write(entry, lie, 10, 0600, &err), 0);
	assert_int_equal(kl_sha256_file_cached("/bin/sh", hex, &err), 0);
	assert_string_equal(hex, plain);
	unsetenv("XDG_CACHE_HOME");
}

static void test_keyed_hash_depends_on_key_and_data(void **state)
{
	uint8_t a[KL_DIGEST_BYTES], b[KL_DIGEST_BYTES], c[KL_DIGEST_BYTES], again[KL_DIGEST_BYTES];

	(void)state;
	kl_keyed_hash("k1", 2, "data", 4, a);
	kl_keyed_hash("k2", 2, "data", 4, b);
	kl_keyed_hash("k1", 2, "dato", 4, c);
	kl_keyed_hash("k1", 2, "data", 4, again);
	assert_memory_equal(a, again, sizeof(a));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, c, sizeof(a));
	kl_random_bytes(a, sizeof(a));
	kl_random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_file_digest_is_sha256sums),
		T(test_files_that_are_none_are_refused),
		T(test_parts_do_not_run_into_each_other),
		T(test_format_of_parts_is_pinned),
		T(test_tree_sees_names_contents_x_bit_and_links),
		T(test_tree_does_not_see_times_umask_or_order_of_making),
		T(test_tree_does_not_follow_links_and_refuses_what_is_special),
		T(test_cached_digest_notices_a_change_of_the_same_size),
		T(test_cached_digest_is_remembered_and_checked),
		T(test_keyed_hash_depends_on_key_and_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
