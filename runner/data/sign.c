/* Keys and signatures. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/sign.h>

#define SECRET_WORD  "klinic-ed25519-secret "
#define PUBLIC_WORD  "klinic-ed25519-public "
#define SEED_DIGITS  64
#define KEY_FILE_MAX 256

_Static_assert(sizeof((struct kl_sign_key){ 0 }.secret) == crypto_sign_SECRETKEYBYTES, "sign.h");
_Static_assert(KL_PUBLIC_HEX == 2 * crypto_sign_PUBLICKEYBYTES + 1, "sign.h");
_Static_assert(KL_SIGNATURE_HEX == 2 * crypto_sign_BYTES + 1, "sign.h");
_Static_assert(SEED_DIGITS == 2 * crypto_sign_SEEDBYTES, "as in the file");

bool kl_is_hex(const char *s, size_t n)
{
	return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

static int begin(struct kl_error *err)
{
	return sodium_init() < 0 ? kl_fail(err, KL_INFRA, "libsodium does not start") : 0;
}

static int config_dir(char **ret, struct kl_error *err)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (xdg && *xdg == '/')
		*ret = kl_asprintf("%s/klinic", xdg);
	else if (home && *home == '/')
		*ret = kl_asprintf("%s/.config/klinic", home);
	else
		return kl_fail(err, KL_INFRA,
			       "no place for the key that signs results: set XDG_CONFIG_HOME or "
			       "HOME to a folder");
	return *ret ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

static void derive(const unsigned char seed[32], struct kl_sign_key *ret)
{
	unsigned char public[crypto_sign_PUBLICKEYBYTES];

	crypto_sign_seed_keypair(public, ret->secret, seed);
	sodium_bin2hex(ret->public_hex, sizeof(ret->public_hex), public, sizeof(public));
}

/* A private file of ours that nobody else may read. 1 when there is none. */
static int open_private(const char *path, int *ret_fd, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 || fstat(fd, &st))
		return kl_fail_errno(err, errno, "cannot open the key %s", path);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return kl_fail(err, KL_INFRA,
			       "%s is not a file of yours: move it away, and a key is made anew",
			       path);
	if (st.st_mode & 077)
		return kl_fail(err, KL_INFRA,
			       "others may use the key %s (mode %04o): chmod 600 it if nobody has, "
			       "else move it away, and a key is made anew",
			       path, st.st_mode & 07777);
	*ret_fd = kl_take_fd(fd);
	return 0;
}

static int load(const char *path, struct kl_sign_key *ret, struct kl_error *err)
{
	char line[KEY_FILE_MAX] = "";
	unsigned char seed[32];
	KL_AUTO_CLOSE int fd = -1;
	const size_t word = strlen(SECRET_WORD), len = word + SEED_DIGITS;
	int got = open_private(path, &fd, err);
	ssize_t n;

	if (got)
		return got;
	n = read(fd, line, sizeof(line) - 1);
	if (n == (ssize_t)len + 1 && line[len] == '\n')
		line[len] = '\0';
	got = -1;
	if (strncmp(line, SECRET_WORD, word) != 0 || !kl_is_hex(line + word, SEED_DIGITS))
		kl_fail_at(err, path, 1, 0,
			   "is no key of klinic: move it away, and a key is made anew");
	else if (!sodium_hex2bin(seed, sizeof(seed), line + word, SEED_DIGITS, NULL, NULL, NULL)) {
		derive(seed, ret);
		got = 0;
	}
	/* A damaged key is the machine's affair, not the submission's. */
	if (got && err)
		err->class = KL_INFRA;
	sodium_memzero(line, sizeof(line));
	sodium_memzero(seed, sizeof(seed));
	return got;
}

static int write_fresh(int fd, struct kl_error *err)
{
	char line[sizeof(SECRET_WORD) + SEED_DIGITS + 1], hex[SEED_DIGITS + 1];
	unsigned char seed[32];
	ssize_t n;
	int len;

	randombytes_buf(seed, sizeof(seed));
	sodium_bin2hex(hex, sizeof(hex), seed, sizeof(seed));
	len = snprintf(line, sizeof(line), SECRET_WORD "%s\n", hex);
	n = write(fd, line, (size_t)len);
	sodium_memzero(line, sizeof(line));
	sodium_memzero(hex, sizeof(hex));
	sodium_memzero(seed, sizeof(seed));
	return n == len && !fsync(fd) ? 0 : kl_fail_errno(err, errno, "cannot write a key");
}

/*
 * Under another name, then linked: the key appears whole, and only where there is
 * none. Who comes second finds the first one's.
 */
static int make_key(const char *dir, const char *path, struct kl_error *err)
{
	KL_AUTO_FREE char *fresh = kl_asprintf("%s/receipt.XXXXXX", dir);
	KL_AUTO_CLOSE int fd = -1;
	int ret;

	if (!fresh)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_mkdirs(dir, 0700, err))
		return kl_error_prepend(err, "the key that signs results");
	fd = mkostemp(fresh, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot make a key in %s", dir);
	ret = write_fresh(fd, err);
	if (!ret && link(fresh, path) && errno != EEXIST)
		ret = kl_fail_errno(err, errno, "cannot make the key %s", path);
	unlink(fresh);
	return ret;
}

/* For others to verify with; the key itself is what counts, so a failure here is none. */
static void publish(const char *dir, const struct kl_sign_key *k)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, "receipt.pub");
	KL_AUTO_FREE char *line = kl_asprintf(PUBLIC_WORD "%s\n", k->public_hex);

	if (path && line && !kl_file_exists(path))
		kl_file_write(path, line, strlen(line), 0644, NULL);
}

int kl_sign_key_open(bool make, struct kl_sign_key *ret, struct kl_error *err)
{
	KL_AUTO(kl_sign_key_deinit) struct kl_sign_key k = { 0 };
	KL_AUTO_FREE char *dir = NULL, *path = NULL;
	int got;

	if (begin(err) || config_dir(&dir, err))
		return -1;
	path = kl_path_join(dir, "receipt.key");
	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	got = load(path, &k, err);
	if (got == 1 && make)
		got = make_key(dir, path, err) ? -1 : load(path, &k, err);
	if (got == 1 && make)
		return kl_fail(err, KL_INFRA, "the key %s went away as it was made", path);
	if (got)
		return got;
	if (make)
		publish(dir, &k);
	*ret = k;
	return 0;
}

void kl_sign_key_deinit(struct kl_sign_key *k)
{
	sodium_memzero(k, sizeof(*k));
}

void kl_sign(const struct kl_sign_key *k, const void *data, size_t len,
	     char ret_hex[KL_SIGNATURE_HEX])
{
	unsigned char signature[crypto_sign_BYTES];

	crypto_sign_detached(signature, NULL, data, len, k->secret);
	sodium_bin2hex(ret_hex, KL_SIGNATURE_HEX, signature, sizeof(signature));
}

bool kl_sign_fits(const char *public_hex, const void *data, size_t len, const char *signature_hex)
{
	unsigned char public[crypto_sign_PUBLICKEYBYTES], signature[crypto_sign_BYTES];

	if (begin(NULL) || !kl_is_hex(public_hex, KL_PUBLIC_HEX - 1) ||
	    !kl_is_hex(signature_hex, KL_SIGNATURE_HEX - 1) ||
	    sodium_hex2bin(public, sizeof(public), public_hex, KL_PUBLIC_HEX - 1, NULL, NULL,
			   NULL) ||
	    sodium_hex2bin(signature, sizeof(signature), signature_hex, KL_SIGNATURE_HEX - 1, NULL,
			   NULL, NULL))
		return false;
	return !crypto_sign_verify_detached(signature, data, len, public);
}

void kl_sign_fingerprint(const char *public_hex, char ret[KL_FINGERPRINT_HEX])
{
	unsigned char public[crypto_sign_PUBLICKEYBYTES] = { 0 }, hash[crypto_hash_sha256_BYTES];

	sodium_hex2bin(public, sizeof(public), public_hex, strlen(public_hex), NULL, NULL, NULL);
	crypto_hash_sha256(hash, public, sizeof(public));
	sodium_bin2hex(ret, KL_FINGERPRINT_HEX, hash, (KL_FINGERPRINT_HEX - 1) / 2);
}

int kl_sign_public_load(const char *path, char ret_hex[KL_PUBLIC_HEX], struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_CAPPED(KEY_FILE_MAX);
	const size_t word = strlen(PUBLIC_WORD);

	if (kl_file_read(path, KEY_FILE_MAX, &b, err))
		return -1;
	if (b.len && b.data[b.len - 1] == '\n')
		b.data[--b.len] = '\0';
	if (strncmp(kl_buf_str(&b), PUBLIC_WORD, word) != 0 ||
	    !kl_is_hex(kl_buf_str(&b) + word, KL_PUBLIC_HEX - 1))
		return kl_fail_at(err, path, 1, 0,
				  "is no public key of klinic: receipt.pub beside receipt.key is");
	memcpy(ret_hex, b.data + word, KL_PUBLIC_HEX);
	return 0;
}
