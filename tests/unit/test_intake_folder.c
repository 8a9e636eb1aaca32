/* Folders as submissions: the editable files are taken, everything else must be as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/intake.h>

#include "lab.h"

static struct lab lab;
static struct kl_exercise e;
static struct kl_submission s;
static struct kl_error err;
static char *work; /* the candidate's folder */

static void put(const char *path, const char *text)
{
	lab_put(&lab, text, "work/%s", path);
}

static int setup(void **state)
{
	(void)state;
	lab_create(&lab);
	lab_load(&lab, &e);
	s = (struct kl_submission){ 0 };
	err = KL_ERROR_INIT;
	work = kl_path_join(lab.root, "work");
	put("stashbox.c", lab_stashbox_c);
	put("include/stashbox.h", lab_stashbox_h);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kl_submission_deinit(&s);
	kl_exercise_deinit(&e);
	lab_destroy(&lab);
	free(work);
	return 0;
}

static void take(void)
{
	kl_submission_deinit(&s);
	if (kl_intake(&e, work, &s, &err))
		fail_msg("intake failed: %s", err.message);
}

static void accepted(void)
{
	take();
	if (s.refused.n)
		fail_msg("refused: %s", s.refused.v[0]);
}

static void refused(const char *part)
{
	take();
	if (s.refused.n != 1)
		fail_msg("%zu reasons; expected: %s", s.refused.n, part);
	if (!strstr(s.refused.v[0], part))
		fail_msg("got: %s; expected: %s", s.refused.v[0], part);
	assert_string_equal(s.digest, "");
}

static void put_the_fix(void)
{
	KL_AUTO_FREE char *text = lab_replace(lab_stashbox_c, "line 04", "line 4 repaired");

	put("stashbox.c", text);
}

static void test_the_editable_files_are_taken(void **state)
{
	(void)state;
	put_the_fix();
	accepted();
	assert_int_equal(s.n, 2);
	assert_true(s.files[0].changed);
	assert_false(s.files[1].changed);
	assert_non_null(strstr(s.files[0].data, "line 4 repaired"));
	assert_non_null(strstr(s.diff, "+line 4 repaired\n"));
	assert_null(s.message);
	assert_string_equal(s.source, work);
}

static void test_folder_and_patch_of_one_fix_have_one_digest(void **state)
{
	KL_AUTO_FREE char *patch = kl_path_join(lab.root, "fix.patch");
	KL_AUTO_FREE char *diff = NULL;
	char digest[KL_DIGEST_HEX];

	(void)state;
	put_the_fix();
	accepted();
	memcpy(digest, s.digest, sizeof(digest));
	diff = strdup(s.diff);
	lab_put(&lab, diff, "fix.patch");
	kl_submission_deinit(&s);
	assert_int_equal(kl_intake(&e, patch, &s, &err), 0);
	assert_int_equal(s.refused.n, 0);
	assert_string_equal(s.digest, digest);
	assert_string_equal(s.diff, diff);
}

static void test_an_unchanged_folder_is_a_submission_without_a_change(void **state)
{
	KL_AUTO(kl_submission_deinit) struct kl_submission untouched = { 0 };

	(void)state;
	accepted();
	assert_false(s.files[0].changed || s.files[1].changed);
	assert_string_equal(s.diff, "");
	assert_int_equal(kl_intake_unchanged(&e, &untouched, &err), 0);
	assert_string_equal(s.digest, untouched.digest);
}

static void test_the_whole_handout_with_what_a_build_leaves_is_fine(void **state)
{
	static const char *const products[] = {
		"stashbox.o",	       "stashbox.ko",	    "stashbox.mod",	 ".stashbox.o.cmd",
		"stashbox.mod.c",      "stashbox.mod.o",    "modules.order",	 "Module.symvers",
		"checks/reproducer.o", ".tmp_versions/x.c", "checks/reproducer", "notes.txt",
		"stashbox.c.orig",     "stashbox.c~",	    ".vscode/x.c",
	};

	(void)state;
	put("Kbuild", lab_kbuild);
	put("checks/reproducer.c", "/* visible */\n");
	put(".git/HEAD", "ref: refs/heads/main\n");
	put(".git/hooks/x.c", "int x;\n");
	for (size_t i = 0; i < KL_ARRAY_SIZE(products); i++)
		put(products[i], "x");
	put_the_fix();
	accepted();
	assert_true(s.files[0].changed);
}

static void test_a_changed_file_that_is_not_editable_is_refused(void **state)
{
	(void)state;
	put("Kbuild", "obj-m := stashbox.o evil.o\n");
	refused("Kbuild is changed and may not be");
	put("Kbuild", lab_kbuild);
	put("checks/reproducer.c", "/* other */\n");
	refused("checks/reproducer.c is changed and may not be");
}

static void test_an_unknown_source_is_refused(void **state)
{
	static const char *const sources[] = { "more.c",	 "more.h",     "include/more.h",
					       "entry.S",	 "sub/more.c", "Makefile",
					       "include/Kbuild", "my.model.c", "script.lds" };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(sources); i++) {
		KL_AUTO_FREE char *below = kl_asprintf("work/%s", sources[i]);

		put(sources[i], "int x;\n");
		refused(sources[i]);
		assert_non_null(strstr(s.refused.v[0], "no file of the handout"));
		lab_remove(&lab, below);
	}
}

static void test_a_link_is_refused_wherever_it_points(void **state)
{
	static const char *const names[] = { "stashbox.o", "notes.txt", ".git", "sub", "more.c" };

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(names); i++) {
		KL_AUTO_FREE char *path = kl_path_join(work, names[i]);

		assert_int_equal(symlink("/etc", path), 0);
		refused("is a symbolic link");
		assert_int_equal(unlink(path), 0);
	}
}

static void test_an_editable_file_that_is_a_link_is_refused(void **state)
{
	KL_AUTO_FREE char *path = kl_path_join(work, "include/stashbox.h");

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	take();
	assert_non_null(strstr(s.refused.v[0], "include/stashbox.h is a symbolic link"));
	assert_string_equal(s.files[1].data, lab_stashbox_h);
}

static void test_a_folder_that_is_a_link_is_not_entered(void **state)
{
	KL_AUTO_FREE char *include = kl_path_join(work, "include");
	KL_AUTO_FREE char *elsewhere = kl_path_join(lab.dir, "handout/include");

	(void)state;
	lab_remove(&lab, "work/include");
	assert_int_equal(symlink(elsewhere, include), 0);
	take();
	assert_non_null(strstr(s.refused.v[0], "include is a symbolic link"));
}

static void test_pipes_and_sockets_are_refused_without_waiting(void **state)
{
	KL_AUTO_FREE char *path = kl_path_join(work, "stashbox.c");
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd;

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	take();
	assert_non_null(strstr(s.refused.v[0], "stashbox.c is a device, a socket or a pipe"));
	assert_int_equal(unlink(path), 0);
	assert_true(strlen(path) < sizeof(name.sun_path));
	memcpy(name.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	take();
	close(fd);
	assert_non_null(strstr(s.refused.v[0], "stashbox.c is a device, a socket or a pipe"));
}

static void test_a_missing_editable_file_is_refused(void **state)
{
	(void)state;
	lab_remove(&lab, "work/include");
	refused("include/stashbox.h is missing");
}

static void test_the_wrong_folder_is_refused(void **state)
{
	(void)state;
	lab_remove(&lab, "work/include");
	lab_remove(&lab, "work/stashbox.c");
	refused("none of the editable files");
}

static void test_nul_bytes_and_size(void **state)
{
	KL_AUTO_FREE char *path = kl_path_join(work, "stashbox.c");
	KL_AUTO_FREE char *big = calloc(1, KL_SUBMISSION_MAX + 1);

	(void)state;
	assert_non_null(big);
	assert_int_equal(kl_file_write(path, "a\0b", 3, 0644, &err), 0);
	refused("stashbox.c contains a NUL byte");
	memset(big, 'x', KL_SUBMISSION_MAX + 1);
	assert_int_equal(kl_file_write(path, big, KL_SUBMISSION_MAX + 1, 0644, &err), 0);
	refused("stashbox.c is larger than 1024 KiB");
	assert_int_equal(kl_file_write(path, big, KL_SUBMISSION_MAX, 0644, &err), 0);
	accepted();
}

static void test_a_folder_of_great_depth_is_refused(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf deep = KL_BUF_INIT;

	(void)state;
	for (int i = 0; i < 20; i++)
		kl_buf_puts(&deep, "d/");
	kl_buf_puts(&deep, "x");
	put(deep.data, "x");
	refused("too deep");
}

static void test_a_folder_of_too_many_files_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 10001; i++) {
		char path[512];
		FILE *f;

		snprintf(path, sizeof(path), "%s/n%05d", work, i);
		f = fopen(path, "w");
		assert_non_null(f);
		fclose(f);
	}
	refused("too many files");
}

static void test_modes_do_not_matter(void **state)
{
	KL_AUTO_FREE char *path = kl_path_join(work, "stashbox.c");
	char digest[KL_DIGEST_HEX];

	(void)state;
	accepted();
	memcpy(digest, s.digest, sizeof(digest));
	assert_int_equal(chmod(path, 0755), 0);
	accepted();
	assert_string_equal(s.digest, digest);
	assert_string_equal(s.diff, "");
}

static void test_the_handout_itself_is_a_folder(void **state)
{
	KL_AUTO_FREE char *handout = kl_path_join(lab.dir, "handout");

	(void)state;
	assert_int_equal(kl_intake(&e, handout, &s, &err), 0);
	assert_int_equal(s.refused.n, 0);
	assert_string_equal(s.diff, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_editable_files_are_taken),
		TEST(test_folder_and_patch_of_one_fix_have_one_digest),
		TEST(test_an_unchanged_folder_is_a_submission_without_a_change),
		TEST(test_the_whole_handout_with_what_a_build_leaves_is_fine),
		TEST(test_a_changed_file_that_is_not_editable_is_refused),
		TEST(test_an_unknown_source_is_refused),
		TEST(test_a_link_is_refused_wherever_it_points),
		TEST(test_an_editable_file_that_is_a_link_is_refused),
		TEST(test_a_folder_that_is_a_link_is_not_entered),
		TEST(test_pipes_and_sockets_are_refused_without_waiting),
		TEST(test_a_missing_editable_file_is_refused),
		TEST(test_the_wrong_folder_is_refused),
		TEST(test_nul_bytes_and_size),
		TEST(test_a_folder_of_great_depth_is_refused),
		TEST(test_a_folder_of_too_many_files_is_refused),
		TEST(test_modes_do_not_matter),
		TEST(test_the_handout_itself_is_a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
