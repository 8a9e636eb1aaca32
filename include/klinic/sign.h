/*
 * Signatures: Ed25519 (libsodium). Who grades has one key, made on first use:
 * receipt.key in $XDG_CONFIG_HOME/klinic, else ~/.config/klinic, mode 0600, its
 * public half beside it in receipt.pub. Both are one line of text, a word and 64
 * lowercase hex digits. A key that others may read is refused.
 */
#ifndef KLINIC_SIGN_H
#define KLINIC_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#include <klinic/error.h>

#define KL_PUBLIC_HEX	   65 /* sizes of hex strings, each with its NUL */
#define KL_SIGNATURE_HEX   129
#define KL_FINGERPRINT_HEX 33

struct kl_sign_key {
	unsigned char secret[64]; /* wiped by kl_sign_key_deinit */
	char public_hex[KL_PUBLIC_HEX];
};

/*
 * One's own key; made when there is none and make is true. 0, or 1 when there is
 * none. Two that make it at once get the same. -1 KL_INFRA with what to do: no
 * place for it, others may read it, it is no key.
 */
int kl_sign_key_open(bool make, struct kl_sign_key *ret, struct kl_error *err);
void kl_sign_key_deinit(struct kl_sign_key *k);
void kl_sign(const struct kl_sign_key *k, const void *data, size_t len,
	     char ret_hex[KL_SIGNATURE_HEX]);
/* Did the owner of the public key sign these bytes? False also for what is no key or no signature. */
bool kl_sign_fits(const char *public_hex, const void *data, size_t len, const char *signature_hex);
/* The first half of the key's SHA-256: what people compare. */
void kl_sign_fingerprint(const char *public_hex, char ret[KL_FINGERPRINT_HEX]);
/* The public key in a file like receipt.pub. KL_CONTENT when there is none in it. */
int kl_sign_public_load(const char *path, char ret_hex[KL_PUBLIC_HEX], struct kl_error *err);
/* n lowercase hex digits and nothing else: one spelling of each value. */
bool kl_is_hex(const char *s, size_t n);

#endif
