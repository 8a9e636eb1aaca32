/* Recipes: what decides what a kernel will be, where it comes from, and how far its build is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "kbuild/internal.h"

static void recipe(struct kb_recipe *r)
{
	*r = (struct kb_recipe){ .flavour = strdup("kasan"), .compiler = strdup("gcc 12") };
	memset(r->source_digest, 'a', KL_DIGEST_HEX - 1);
	kl_buf_puts(&r->config, "CONFIG_SMP=y\n");
	kl_strv_add(&r->patch_text, "--- a/x\n");
	assert_int_equal(kb_recipe_digest(r, NULL), 0);
}

static void test_each_part_of_a_recipe_changes_its_digest(void **state)
{
	struct kb_recipe first;

	(void)state;
	recipe(&first);
	assert_true(kb_is_digest(first.digest));
	for (int part = 0; part < 7; part++) {
		KL_AUTO(kb_recipe_deinit) struct kb_recipe r;

		recipe(&r);
		assert_string_equal(r.digest, first.digest);
		switch (part) {
		case 0:
			r.flavour[0] = 'c';
			break;
		case 1:
			r.compiler[4] = '2';
			break;
		case 2:
			r.source_digest[5] = 'b';
			break;
		case 3:
			kl_buf_puts(&r.config, "\n");
			break;
		case 4:
			kl_strv_add(&r.patch_text, "--- a/y\n");
			break;
		case 5:
			r.patch_text.v[0][0] = '+';
			break;
		default:
			kl_strv_deinit(&r.patch_text);
		}
		assert_int_equal(kb_recipe_digest(&r, NULL), 0);
		assert_string_not_equal(r.digest, first.digest);
	}
	kb_recipe_deinit(&first);
}

static void test_the_newest_archive_is_taken_by_version_not_by_spelling(void **state)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	(void)state;
	assert_null(kb_source_newest(&names));
	kl_strv_add(&names, "linux-source-6.10.tar.xz");
	kl_strv_add(&names, "linux-source-6.9.tar.xz");
	kl_strv_add(&names, "linux-source-6.12");
	kl_strv_add(&names, "linux-config-6.99.tar.xz");
	assert_string_equal(kb_source_newest(&names), "linux-source-6.10.tar.xz");
}

struct root {
	char *dir;
};

static void put(const struct root *r, const char *folder, const char *name, const char *text)
{
	KL_AUTO_FREE char *dir = kl_path_join(r->dir, folder);
	KL_AUTO_FREE char *path = kl_path_join(dir, name);

	assert_int_equal(kl_mkdirs(dir, 0700, NULL), 0);
	assert_int_equal(kl_file_write(path, text, strlen(text), 0600, NULL), 0);
}

static int setup(void **state)
{
	struct root *r = calloc(1, sizeof(*r));
	KL_AUTO_FREE char *cache = NULL, *source = NULL;

	if (!r || kl_tempdir_create(&r->dir, NULL))
		return -1;
	cache = kl_path_join(r->dir, "cache");
	source = kl_path_join(r->dir, "src/linux.tar");
	put(r, "broken-kernels/flavours", "kasan.config", "CONFIG_SMP=y\n");
	put(r, "broken-kernels/flavours", "plain.config", "CONFIG_SMP=n\n");
	put(r, "broken-kernels/flavours", "README", "no flavour\n");
	put(r, "src", "linux.tar", "not really\n");
	setenv("KLINIC_ROOT", r->dir, 1);
	setenv("KLINIC_SOURCE", source, 1);
	setenv("XDG_CACHE_HOME", cache, 1);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct root *r = *state;

	kl_tempdir_destroy(r->dir);
	free(r);
	return 0;
}

static void test_a_flavour_is_loaded_with_its_patches_in_order(void **state)
{
	KL_AUTO(kb_recipe_deinit) struct kb_recipe bare = { 0 }, patched = { 0 };

	assert_int_equal(kb_recipe_load("kasan", &bare, NULL), 0);
	put(*state, "broken-kernels/flavours/kasan.patches", "0002-b.patch", "b");
	put(*state, "broken-kernels/flavours/kasan.patches", "0001-a.patch", "a");
	put(*state, "broken-kernels/flavours/kasan.patches", "series", "ignored");
	assert_int_equal(kb_recipe_load("kasan", &patched, NULL), 0);
	assert_int_equal(patched.patch_text.n, 2);
	assert_string_equal(patched.patch_text.v[0], "a");
	assert_string_equal(patched.patch_text.v[1], "b");
	assert_string_not_equal(bare.digest, patched.digest);
}

static void test_an_unknown_flavour_is_told_with_those_there_are(void **state)
{
	static const char *const names[] = { "kcsan", "../kasan", "", "README" };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(names); i++) {
		struct kb_recipe r = { 0 };
		struct kl_error err = KL_ERROR_INIT;

		assert_int_equal(kb_recipe_load(names[i], &r, &err), -1);
		assert_int_equal(err.class, KL_CONTENT);
		assert_non_null(strstr(err.message, "kasan, plain"));
	}
}

static void test_a_source_that_is_missing_is_told_with_the_remedy(void **state)
{
	struct kb_recipe r = { 0 };
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	setenv("KLINIC_SOURCE", "/nowhere/linux.tar.xz", 1);
	assert_int_equal(kb_recipe_load("kasan", &r, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	assert_non_null(strstr(err.message, "/nowhere/linux.tar.xz"));
}

static void test_a_source_that_is_no_kernel_leaves_nothing(void **state)
{
	KL_AUTO_FREE char *tree = NULL, *left = NULL;
	const struct root *root = *state;
	struct kl_error err = KL_ERROR_INIT;
	char digest[KL_DIGEST_HEX] = { 0 };
	KL_AUTO_FREE char *source = kl_path_join(root->dir, "src");

	memset(digest, 'c', KL_DIGEST_HEX - 1);
	assert_int_equal(kb_source_open(source, digest, &tree, &err), -1);
	assert_int_equal(err.class, KL_CONTENT);
	left = kl_asprintf("%s/cache/klinic/sources/%s", root->dir, digest);
	assert_false(kl_file_exists(left));
}

static void test_a_kernel_that_is_not_built_is_told_with_the_command(void **state)
{
	struct kl_kernel k;
	struct kl_error err = KL_ERROR_INIT;

	(void)state;
	assert_int_equal(kl_kernel_open("kasan", false, NULL, NULL, &k, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	assert_non_null(strstr(err.message, "klinic kernel build kasan"));
}

static struct kl_kernel_info *find(struct kl_kernel_list *l, const char *digest)
{
	for (size_t i = 0; i < l->n; i++)
		if (kl_str_eq(l->v[i].digest, digest))
			return &l->v[i];
	fail_msg("%s is not listed", digest);
	return NULL;
}

/* kasan: finished and current; old: finished; cut: unfinished; plain: not there. */
static void fill_cache(const struct root *root, const char *current, const char *old,
		       const char *cut)
{
	KL_AUTO_FREE char *a = kl_path_join("cache/klinic/kernels", current);
	KL_AUTO_FREE char *b = kl_path_join("cache/klinic/kernels", old);
	KL_AUTO_FREE char *c = kl_path_join("cache/klinic/kernels", cut);
	const char *stamp = "{\"flavour\": \"kasan\", \"release\": \"6.1\", \"built_at\": 7}";

	put(root, a, "ready", stamp);
	put(root, b, "ready", stamp);
	put(root, c, "flavour", "kasan");
}

static void test_kernels_are_listed_and_pruned_by_what_flavours_name_today(void **state)
{
	KL_AUTO(kl_kernel_list_deinit) struct kl_kernel_list l = { 0 }, after = { 0 };
	KL_AUTO(kb_recipe_deinit) struct kb_recipe r = { 0 };
	char old[KL_DIGEST_HEX] = { 0 }, cut[KL_DIGEST_HEX] = { 0 };
	struct kl_kernel_info *k;
	uint64_t bytes = 0;

	memset(old, 'd', KL_DIGEST_HEX - 1);
	memset(cut, 'e', KL_DIGEST_HEX - 1);
	assert_int_equal(kb_recipe_load("kasan", &r, NULL), 0);
	fill_cache(*state, r.digest, old, cut);
	assert_int_equal(kl_kernel_list(&l, NULL), 0);
	assert_int_equal(l.n, 4);
	k = find(&l, r.digest);
	assert_true(k->ready && k->current && k->built_at == 7);
	k = find(&l, old);
	assert_true(k->ready && !k->current);
	k = find(&l, cut);
	assert_true(!k->ready && !k->current);
	assert_string_equal(k->flavour, "kasan");
	assert_string_equal(l.v[3].flavour, "plain");
	assert_true(!l.v[3].ready && l.v[3].current);

	assert_int_equal(kl_kernel_prune(false, &bytes, NULL), 0);
	assert_true(bytes > 0);
	assert_int_equal(kl_kernel_list(&after, NULL), 0);
	assert_int_equal(after.n, 2);
	find(&after, r.digest);
	assert_int_equal(kl_kernel_prune(true, &bytes, NULL), 0);
	kl_kernel_list_deinit(&after);
	assert_int_equal(kl_kernel_list(&after, NULL), 0);
	assert_false(find(&after, r.digest)->ready);
}

static void expect_there(const struct root *root, const char *path, bool there)
{
	KL_AUTO_FREE char *full = kl_asprintf("%s/cache/klinic/%s", root->dir, path);

	if (kl_file_exists(full) != there)
		fail_msg("%s is %s", path, there ? "gone" : "still there");
}

#define DIGEST "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void test_outcomes_of_controls_go_with_all_and_certificates_never(void **state)
{
	const struct root *root = *state;
	uint64_t bytes = 0;

	put(root, "cache/klinic/controls", DIGEST ".json", "{}");
	put(root, "cache/klinic/controls", DIGEST ".json.Ab12Cd", "{"); /* being written */
	put(root, "cache/klinic/certificates", DIGEST ".json", "{}");
	assert_int_equal(kl_kernel_prune(false, &bytes, NULL), 0);
	expect_there(root, "controls/" DIGEST ".json", true);
	assert_int_equal(kl_kernel_prune(true, &bytes, NULL), 0);
	assert_true(bytes > 0);
	expect_there(root, "controls/" DIGEST ".json", false);
	expect_there(root, "controls/" DIGEST ".json.Ab12Cd", true);
	expect_there(root, "certificates/" DIGEST ".json", true);
}

static void test_a_build_that_goes_on_is_not_pruned(void **state)
{
	const struct root *root = *state;
	KL_AUTO_FREE char *dir = NULL;
	char cut[KL_DIGEST_HEX] = { 0 };
	uint64_t bytes = 0;
	int lock = -1;

	memset(cut, 'e', KL_DIGEST_HEX - 1);
	fill_cache(root, cut, cut, cut);
	dir = kl_asprintf("%s/cache/klinic/kernels/%s", root->dir, cut);
	assert_int_equal(kb_entry_lock(dir, &lock, NULL), 0);
	assert_int_equal(kl_kernel_prune(true, &bytes, NULL), 0);
	assert_true(kl_file_is_dir(dir));
	close(lock);
	assert_int_equal(kl_kernel_prune(true, &bytes, NULL), 0);
	assert_false(kl_file_is_dir(dir));
}

struct seen {
	char phase[16];
	unsigned long done, total;
	int64_t elapsed, expected;
};

static void see(const char *phase, unsigned long done, unsigned long total, int64_t elapsed_ms,
		int64_t expected_ms, void *arg)
{
	struct seen *s = arg;

	snprintf(s->phase, sizeof(s->phase), "%s", phase);
	*s = (struct seen){
		.done = done, .total = total, .elapsed = elapsed_ms, .expected = expected_ms
	};
	snprintf(s->phase, sizeof(s->phase), "%s", phase);
}

static void test_progress_counts_steps_and_sees_linking_begin(void **state)
{
	struct seen s = { 0 };
	struct kb_progress p = {
		.fn = see, .arg = &s, .began_ns = kl_now_ns(), .expected_ms = 60000
	};

	(void)state;
	kb_progress_phase(&p, "compile", 30);
	assert_string_equal(s.phase, "compile");
	kb_progress_line("  CC      lib/string.o", &p);
	kb_progress_line("  AR      built-in.a", &p);
	kb_progress_line("scripts/kconfig/conf --olddefconfig", &p);
	kb_progress_line("", &p);
	kb_progress_line("  ", &p);
	assert_int_equal(s.done, 2);
	assert_int_equal(s.total, 30);
	assert_true(s.expected == 60000 && s.elapsed < 60000);
	kb_progress_line("  LD      vmlinux.o", &p);
	assert_string_equal(s.phase, "link");
	assert_int_equal(p.compiled, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_part_of_a_recipe_changes_its_digest),
		cmocka_unit_test(test_the_newest_archive_is_taken_by_version_not_by_spelling),
		TEST(test_a_flavour_is_loaded_with_its_patches_in_order),
		TEST(test_an_unknown_flavour_is_told_with_those_there_are),
		TEST(test_a_source_that_is_missing_is_told_with_the_remedy),
		TEST(test_a_source_that_is_no_kernel_leaves_nothing),
		TEST(test_a_kernel_that_is_not_built_is_told_with_the_command),
		TEST(test_kernels_are_listed_and_pruned_by_what_flavours_name_today),
		TEST(test_outcomes_of_controls_go_with_all_and_certificates_never),
		TEST(test_a_build_that_goes_on_is_not_pruned),
		cmocka_unit_test(test_progress_counts_steps_and_sees_linking_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
