/*
 * SHA-256 over labelled parts. Each part goes in as kind, length of label,
 * label, length of data, data; a file or a tree goes in as the digest of its
 * own, so that its size need not be known beforehand.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include <klinic/cleanup.h>
#include <klinic/digest.h>
#include <klinic/file.h>

#define TREE_DEPTH_MAX 64

enum kind { KIND_DATA = 'd', KIND_FILE = 'f', KIND_TREE = 't', KIND_LINK = 'l' };

static int ready(struct kl_error *err)
{
	/* Thread-safe, and free after the first time (libsodium, "Usage"). */
	if (sodium_init() < 0)
		return kl_fail(err, KL_INFRA, "libsodium cannot start: no random numbers");
	return 0;
}

static void update(struct kl_digest *d, const void *data, size_t len)
{
	crypto_hash_sha256_update(d->state, data, len);
}

static void add(struct kl_digest *d, enum kind kind, const char *label, const void *data,
		size_t len)
{
	unsigned char kind_byte = (unsigned char)kind;
	uint64_t label_size = htole64(strlen(label)), size = htole64(len);

	if (!d->state)
		return;
	update(d, &kind_byte, 1);
	update(d, &label_size, sizeof(label_size));
	update(d, label, strlen(label));
	update(d, &size, sizeof(size));
	if (len)
		update(d, data, len);
}

int kl_digest_init(struct kl_digest *d, struct kl_error *err)
{
	crypto_hash_sha256_state *state;

	if (ready(err) < 0)
		return -1;
	state = malloc(sizeof(*state));
	if (!state)
		return kl_fail(err, KL_INFRA, "out of memory for a digest");
	crypto_hash_sha256_init(state);
	d->state = state;
	return 0;
}

void kl_digest_deinit(struct kl_digest *d)
{
	free(kl_take(d->state));
}

void kl_digest_part(struct kl_digest *d, const char *label, const void *data, size_t len)
{
	add(d, KIND_DATA, label, data, len);
}

void kl_digest_text(struct kl_digest *d, const char *label, const char *text)
{
	kl_digest_part(d, label, text ? text : "", text ? strlen(text) : 0);
}

void kl_digest_final(struct kl_digest *d, char ret_hex[KL_DIGEST_HEX])
{
	unsigned char raw[KL_DIGEST_BYTES] = { 0 };

	if (d->state)
		crypto_hash_sha256_final(d->state, raw);
	sodium_bin2hex(ret_hex, KL_DIGEST_HEX, raw, sizeof(raw));
	kl_digest_deinit(d);
}

/* SHA-256 of what fd has left. */
static int hash_fd(int fd, const char *path, unsigned char ret[KL_DIGEST_BYTES],
		   struct kl_error *err)
{
	KL_AUTO_FREE unsigned char *chunk = malloc(1UL << 17);
	crypto_hash_sha256_state state;
	ssize_t n;

	if (!chunk)
		return kl_fail(err, KL_INFRA, "out of memory for a digest");
	crypto_hash_sha256_init(&state);
	while ((n = read(fd, chunk, 1UL << 17)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kl_fail_errno(err, errno, "cannot read %s", path);
		crypto_hash_sha256_update(&state, chunk, (unsigned long long)n);
	}
	crypto_hash_sha256_final(&state, ret);
	return 0;
}

/* Opens a regular file; O_NONBLOCK so that a FIFO in its place does not block us. */
static int open_regular(const char *path, int flags, int *ret_fd, struct stat *ret_st,
			struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);

	if (fd < 0)
		return kl_fail_errno(err, errno, "cannot open %s", path);
	if (fstat(fd, ret_st) < 0)
		return kl_fail_errno(err, errno, "cannot stat %s", path);
	if (!S_ISREG(ret_st->st_mode))
		return kl_fail(err, KL_CONTENT, "%s is not a regular file", path);
	*ret_fd = kl_take_fd(fd);
	return 0;
}

static int hash_file(const char *path, int flags, unsigned char ret[KL_DIGEST_BYTES],
		     mode_t *ret_mode, struct kl_error *err)
{
	KL_AUTO_CLOSE int fd = -1;
	struct stat st = { 0 };

	if (ready(err) < 0 || open_regular(path, flags, &fd, &st, err) < 0 ||
	    hash_fd(fd, path, ret, err) < 0)
		return -1;
	*ret_mode = st.st_mode;
	return 0;
}

int kl_digest_file(struct kl_digest *d, const char *label, const char *path, struct kl_error *err)
{
	unsigned char raw[KL_DIGEST_BYTES];
	mode_t mode;

	if (hash_file(path, 0, raw, &mode, err) < 0)
		return -1;
	add(d, KIND_FILE, label, raw, sizeof(raw));
	return 0;
}

static int add_link(struct kl_digest *d, const char *label, const char *path, struct kl_error *err)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0 || n == sizeof(target))
		return kl_fail_errno(err, n < 0 ? errno : ENAMETOOLONG, "cannot read the link %s",
				     path);
	add(d, KIND_LINK, label, target, (size_t)n);
	return 0;
}

static int add_regular(struct kl_digest *d, const char *label, const char *path,
		       struct kl_error *err)
{
	unsigned char raw[KL_DIGEST_BYTES + 1];
	mode_t mode;

	if (hash_file(path, O_NOFOLLOW, raw, &mode, err) < 0)
		return -1;
	raw[KL_DIGEST_BYTES] = (mode & S_IXUSR) != 0;
	add(d, KIND_FILE, label, raw, sizeof(raw));
	return 0;
}

static int add_folder(struct kl_digest *d, const char *below, const char *path, int depth,
		      struct kl_error *err);

/* One entry; its label is its path below the root of the tree. */
static int add_entry(struct kl_digest *d, const char *label, const char *path, int depth,
		     struct kl_error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return kl_fail_errno(err, errno, "cannot stat %s", path);
	if (S_ISDIR(st.st_mode))
		return add_folder(d, label, path, depth + 1, err);
	if (S_ISLNK(st.st_mode))
		return add_link(d, label, path, err);
	if (S_ISREG(st.st_mode))
		return add_regular(d, label, path, err);
	return kl_fail(err, KL_CONTENT, "%s is neither file, folder nor link: remove it", path);
}

static int add_folder(struct kl_digest *d, const char *below, const char *path, int depth,
		      struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	if (depth > TREE_DEPTH_MAX)
		return kl_fail(err, KL_CONTENT, "%s lies more than %d folders deep", path,
			       TREE_DEPTH_MAX);
	if (kl_dir_list(path, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *full = kl_path_join(path, names.v[i]);
		KL_AUTO_FREE char *label =
			*below ? kl_path_join(below, names.v[i]) : strdup(names.v[i]);

		if (!full || !label)
			return kl_fail(err, KL_INFRA, "out of memory for a digest");
		if (add_entry(d, label, full, depth, err) < 0)
			return -1;
	}
	return 0;
}

int kl_digest_tree(struct kl_digest *d, const char *label, const char *path, struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest tree = { 0 };
	char hex[KL_DIGEST_HEX];

	if (kl_digest_init(&tree, err) < 0 || add_folder(&tree, "", path, 0, err) < 0)
		return -1;
	kl_digest_final(&tree, hex);
	add(d, KIND_TREE, label, hex, KL_DIGEST_HEX - 1);
	return 0;
}

int kl_sha256(const void *data, size_t len, char ret_hex[KL_DIGEST_HEX], struct kl_error *err)
{
	unsigned char raw[crypto_hash_sha256_BYTES];

	if (sodium_init() < 0)
		return kl_fail(err, KL_INFRA, "libsodium does not start");
	crypto_hash_sha256(raw, data, len);
	sodium_bin2hex(ret_hex, KL_DIGEST_HEX, raw, sizeof(raw));
	return 0;
}

int kl_sha256_file(const char *path, char ret_hex[KL_DIGEST_HEX], struct kl_error *err)
{
	unsigned char raw[KL_DIGEST_BYTES];
	mode_t mode;

	if (hash_file(path, 0, raw, &mode, err) < 0)
		return -1;
	sodium_bin2hex(ret_hex, KL_DIGEST_HEX, raw, sizeof(raw));
	return 0;
}

void kl_keyed_hash(const void *key, size_t key_len, const void *data, size_t len,
		   uint8_t ret[KL_DIGEST_BYTES])
{
	if (key_len > crypto_generichash_KEYBYTES_MAX)
		key_len = crypto_generichash_KEYBYTES_MAX;
	crypto_generichash(ret, KL_DIGEST_BYTES, data, len, key_len ? key : NULL, key_len);
}

void kl_random_bytes(void *buf, size_t len)
{
	/* Its state is set up once, and not by two threads at a time. */
	if (sodium_init() < 0)
		abort();
	randombytes_buf(buf, len);
}
