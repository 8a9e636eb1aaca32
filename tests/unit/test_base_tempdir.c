/* base: temporary folders, and what is swept of them. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include <cmocka.h>

static char *root; /* TMPDIR of each test */

static int setup(void **state)
{
	(void)state;
	unsetenv("TMPDIR");
	return kl_tempdir_create(&root, NULL) || setenv("TMPDIR", root, 1);
}

static int teardown(void **state)
{
	(void)state;
	unsetenv("TMPDIR");
	kl_tempdir_destroy(kl_take(root));
	return 0;
}

static size_t count(void)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	assert_int_equal(kl_dir_list(root, &names, NULL), 0);
	return names.n;
}

static void put(const char *dir, const char *name)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, name);

	assert_int_equal(kl_file_write(path, "x", 1, 0600, NULL), 0);
}

/* A process that makes a folder with a file in it, says so, and waits to be killed. */
static pid_t start_owner(int *ret_said)
{
	int said[2];
	pid_t pid;

	assert_int_equal(pipe(said), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		char *dir = NULL;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (kl_tempdir_create(&dir, NULL) || write(said[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(said[1]);
	*ret_said = said[0];
	return pid;
}

static pid_t owner(void)
{
	int said = -1;
	pid_t pid = start_owner(&said);
	char c;

	assert_int_equal(read(said, &c, 1), 1);
	close(said);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_a_killed_owners_folder_is_swept_a_live_ones_is_not(void **state)
{
	pid_t dead = owner(), alive = owner();

	(void)state;
	assert_int_equal(count(), 2);
	kl_tempdir_sweep();
	assert_int_equal(count(), 2);
	end(dead);
	kl_tempdir_sweep();
	assert_int_equal(count(), 1);
	end(alive);
	kl_tempdir_sweep();
	assert_int_equal(count(), 0);
}

static void test_ones_own_folder_is_not_swept(void **state)
{
	KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;

	(void)state;
	assert_int_equal(kl_tempdir_create(&dir, NULL), 0);
	kl_tempdir_sweep();
	assert_true(kl_file_is_dir(dir));
}

static void test_links_files_and_other_names_are_left_alone(void **state)
{
	KL_AUTO_FREE char *link = kl_path_join(root, "klinic-linked");
	KL_AUTO_FREE char *kept = kl_path_join(root, "kept");
	KL_AUTO_FREE char *old = kl_path_join(root, "klinic.abcdef");
	KL_AUTO_FREE char *open = kl_path_join(root, "klinic-public");

	(void)state;
	assert_int_equal(mkdir(kept, 0700), 0);
	put(kept, "in");
	assert_int_equal(symlink(kept, link), 0);
	put(root, "klinic-afile0");
	assert_int_equal(mkdir(old, 0700), 0);
	assert_int_equal(mkdir(open, 0755), 0);
	kl_tempdir_sweep();
	assert_int_equal(count(), 5);
	kl_remove_tree(link, NULL);
	assert_int_equal(rename(kept, link), 0);
	kl_tempdir_sweep();
	assert_int_equal(count(), 3);
}

static void test_another_users_folder_is_left_alone(void **state)
{
	KL_AUTO_FREE char *path = kl_path_join(root, "klinic-theirs");

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	/* Only root can give a folder away; for others the kernel forbids all of it. */
	if (!geteuid()) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		kl_tempdir_sweep();
		assert_true(kl_file_is_dir(path));
		assert_int_equal(chown(path, 0, 0), 0);
	}
	kl_tempdir_sweep();
	assert_false(kl_file_is_dir(path));
}

static void *sweep_on(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED))
		kl_tempdir_sweep();
	return NULL;
}

static void test_folders_made_beside_a_sweeper_stay_until_they_are_given_up(void **state)
{
	pthread_t sweeper;
	bool stop = false;

	(void)state;
	assert_int_equal(pthread_create(&sweeper, NULL, sweep_on, &stop), 0);
	for (int i = 0; i < 500; i++) {
		KL_AUTO(kl_tempdir_destroy_p) char *dir = NULL;

		assert_int_equal(kl_tempdir_create(&dir, NULL), 0);
		put(dir, "mine");
		assert_true(kl_file_is_dir(dir));
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(sweeper, NULL);
	assert_int_equal(count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_killed_owners_folder_is_swept_a_live_ones_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ones_own_folder_is_not_swept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_files_and_other_names_are_left_alone,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_users_folder_is_left_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_folders_made_beside_a_sweeper_stay_until_they_are_given_up, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
