/*
 * Digests are SHA-256 (libsodium), written as 64 hex digits. A digest of
 * several things is taken over length-prefixed parts, so that no two lists of
 * parts can meet.
 */
#ifndef KLINIC_DIGEST_H
#define KLINIC_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include <klinic/error.h>

#define KL_DIGEST_BYTES 32
#define KL_DIGEST_HEX	65 /* with the NUL */

struct kl_digest {
	void *state; /* NULL once finished */
};

int kl_digest_init(struct kl_digest *d, struct kl_error *err);
void kl_digest_part(struct kl_digest *d, const char *label, const void *data, size_t len);
void kl_digest_text(struct kl_digest *d, const char *label, const char *text); /* NULL is "" */
/* The bytes of a file, streamed. */
int kl_digest_file(struct kl_digest *d, const char *label, const char *path, struct kl_error *err);
/* Every regular file and link below path: names, modes (x bit) and contents, in sorted order. */
int kl_digest_tree(struct kl_digest *d, const char *label, const char *path, struct kl_error *err);
void kl_digest_final(struct kl_digest *d, char ret_hex[KL_DIGEST_HEX]);
void kl_digest_deinit(struct kl_digest *d);

/* Plain SHA-256 of bytes in memory. */
int kl_sha256(const void *data, size_t len, char ret_hex[KL_DIGEST_HEX], struct kl_error *err);
/* Plain SHA-256 of a file's bytes, as sha256sum(1) prints it. */
int kl_sha256_file(const char *path, char ret_hex[KL_DIGEST_HEX], struct kl_error *err);
/*
 * The same, remembered in the cache by (path, device, inode, size, mtime, ctime):
 * for the kernel's source archive and the like, which are read at every start.
 */
int kl_sha256_file_cached(const char *path, char ret_hex[KL_DIGEST_HEX], struct kl_error *err);
/* Keyed hash: BLAKE2b-256 of data under key (any length up to 64). */
void kl_keyed_hash(const void *key, size_t key_len, const void *data, size_t len,
		   uint8_t ret[KL_DIGEST_BYTES]);
/* Bytes nobody can foresee. */
void kl_random_bytes(void *buf, size_t len);

#endif
