/* data: the key that signs, its file, and signatures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/sign.h>

#include <cmocka.h>

static char *root;
static char key_path[512], public_path[512];

static int setup(void **state)
{
	(void)state;
	if (kl_tempdir_create(&root, NULL))
		return -1;
	snprintf(key_path, sizeof(key_path), "%s/klinic/receipt.key", root);
	snprintf(public_path, sizeof(public_path), "%s/klinic/receipt.pub", root);
	return setenv("XDG_CONFIG_HOME", root, 1);
}

static int teardown(void **state)
{
	(void)state;
	kl_tempdir_destroy(kl_take(root));
	return 0;
}

static void open_key(struct kl_sign_key *k)
{
	struct kl_error err = KL_ERROR_INIT;

	if (kl_sign_key_open(true, k, &err))
		fail_msg("%s", err.message);
}

static void refused(const char *part)
{
	struct kl_sign_key k;
	struct kl_error err = KL_ERROR_INIT;

	assert_int_equal(kl_sign_key_open(true, &k, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	if (!strstr(err.message, part))
		fail_msg("“%s” is not in “%s”", part, err.message);
}

static void put(const char *path, const char *text, mode_t mode)
{
	assert_int_equal(kl_file_write(path, text, strlen(text), mode, NULL), 0);
}

static void test_a_key_is_made_once_and_only_its_owner_may_read_it(void **state)
{
	struct kl_sign_key a, b;
	char public[KL_PUBLIC_HEX];
	struct stat st;

	(void)state;
	assert_int_equal(kl_sign_key_open(false, &a, NULL), 1);
	assert_false(kl_file_exists(key_path));
	umask(0);
	open_key(&a);
	umask(022);
	assert_int_equal(stat(key_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	open_key(&b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(kl_sign_public_load(public_path, public, NULL), 0);
	assert_string_equal(public, a.public_hex);
}

static void test_two_makers_at_once_get_the_same_key(void **state)
{
	enum { N = 8 };
	struct kl_sign_key k, first = { 0 };
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO_FREE char *dir = kl_path_join(root, "klinic");
	int out[2];

	(void)state;
	assert_int_equal(pipe(out), 0);
	for (int i = 0; i < N; i++) {
		if (!fork()) {
			bool ok = !kl_sign_key_open(true, &k, NULL) &&
				  write(out[1], &k, sizeof(k)) == sizeof(k);

			_exit(ok ? 0 : 1);
		}
	}
	for (int i = 0; i < N; i++) {
		int status;

		wait(&status);
		assert_int_equal(status, 0);
		assert_int_equal(read(out[0], &k, sizeof(k)), sizeof(k));
		if (!i)
			first = k;
		assert_memory_equal(&k, &first, sizeof(k));
	}
	close(out[0]);
	close(out[1]);
	assert_int_equal(kl_dir_list(dir, &names, NULL), 0);
	assert_int_equal(names.n, 2);
}

static void test_a_key_that_others_may_read_is_refused(void **state)
{
	static const mode_t bad[] = { 0640, 0604, 0620, 0602, 0666 };
	struct kl_sign_key k;

	(void)state;
	open_key(&k);
	for (size_t i = 0; i < KL_ARRAY_SIZE(bad); i++) {
		assert_int_equal(chmod(key_path, bad[i]), 0);
		refused("chmod 600");
	}
	assert_int_equal(chmod(key_path, 0400), 0);
	open_key(&k);
	if (!geteuid()) {
		assert_int_equal(chown(key_path, 65534, 65534), 0);
		refused("not a file of yours");
	}
}

static void test_what_is_no_key_is_refused_and_stays(void **state)
{
	static const char *const bad[] = {
		"",
		"klinic-ed25519-secret \n",
		"klinic-ed25519-secret 00\n",
		"klinic-ed25519-public "
		"0000000000000000000000000000000000000000000000000000000000000000\n",
		"klinic-ed25519-secret "
		"000000000000000000000000000000000000000000000000000000000000000G\n",
		"klinic-ed25519-secret "
		"00000000000000000000000000000000000000000000000000000000000000000\n",
		"klinic-ed25519-secret "
		"0000000000000000000000000000000000000000000000000000000000000000\nmore",
	};
	KL_AUTO_FREE char *dir = kl_path_join(root, "klinic");
	struct kl_sign_key k;
	struct stat st;

	(void)state;
	assert_int_equal(kl_mkdirs(dir, 0700, NULL), 0);
	for (size_t i = 0; i < KL_ARRAY_SIZE(bad); i++) {
		put(key_path, bad[i], 0600);
		refused("no key");
		assert_int_equal(stat(key_path, &st), 0);
		assert_int_equal(st.st_size, strlen(bad[i]));
	}
	unlink(key_path);
	assert_int_equal(symlink("/etc/hostname", key_path), 0);
	refused("receipt.key");
	unlink(key_path);
	assert_int_equal(mkfifo(key_path, 0600), 0);
	refused("not a file");
	unlink(key_path);
	open_key(&k);
}

static void test_a_signature_fits_its_key_and_bytes_only(void **state)
{
	struct kl_sign_key a, b;
	char signature[KL_SIGNATURE_HEX], upper[KL_SIGNATURE_HEX], print[KL_FINGERPRINT_HEX];

	(void)state;
	open_key(&a);
	unlink(key_path);
	open_key(&b);
	assert_string_not_equal(a.public_hex, b.public_hex);
	kl_sign(&a, "words", 5, signature);
	assert_true(kl_sign_fits(a.public_hex, "words", 5, signature));
	assert_false(kl_sign_fits(a.public_hex, "word", 4, signature));
	assert_false(kl_sign_fits(a.public_hex, "Words", 5, signature));
	assert_false(kl_sign_fits(b.public_hex, "words", 5, signature));
	assert_false(kl_sign_fits("", "words", 5, signature));
	assert_false(kl_sign_fits(a.public_hex, "words", 5, ""));
	for (size_t i = 0; i < sizeof(upper); i++)
		upper[i] = signature[i] >= 'a' ? (char)(signature[i] - 32) : signature[i];
	assert_false(kl_sign_fits(a.public_hex, "words", 5, upper));
	kl_sign_fingerprint(a.public_hex, print);
	assert_true(kl_is_hex(print, KL_FINGERPRINT_HEX - 1));
}

/* RFC 8032, 7.1, test 1: that our files hold what others call seed and public key. */
static void test_a_known_seed_gives_the_known_key(void **state)
{
	KL_AUTO_FREE char *dir = kl_path_join(root, "klinic");
	struct kl_sign_key k;
	char signature[KL_SIGNATURE_HEX];

	(void)state;
	assert_int_equal(kl_mkdirs(dir, 0700, NULL), 0);
	put(key_path,
	    "klinic-ed25519-secret "
	    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\n",
	    0600);
	open_key(&k);
	assert_string_equal(k.public_hex,
			    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
	kl_sign(&k, "", 0, signature);
	assert_string_equal(signature,
			    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
			    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_key_is_made_once_and_only_its_owner_may_read_it),
		TEST(test_two_makers_at_once_get_the_same_key),
		TEST(test_a_key_that_others_may_read_is_refused),
		TEST(test_what_is_no_key_is_refused_and_stays),
		TEST(test_a_signature_fits_its_key_and_bytes_only),
		TEST(test_a_known_seed_gives_the_known_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
