/*
 * The receipt of a result: which key stands behind it, word for word.
 *
 * Signed are six digests (SHA-256, 64 hex digits):
 *   submission, exercise   those in the result; "" when the result has none
 *   kernel                 over environment's kernel, qemu, accel, template_ram
 *   grader                 over klinic's version, KL_JUDGING and the rubric's bytes
 *   timing                 over the times: "timing", and "wall_ms" of each of "builds"
 *   result                 over all the rest but "receipt" itself
 * so that results that differ in nothing but their times have the same result
 * digest. Both are taken of a canonical text: JSON without spaces, keys sorted by
 * their bytes, no escapes but those that JSON needs, numbers as %.15g.
 *
 * The signature is over "klinic.receipt/1\n" and the canonical text of the receipt
 * without its signature. There is no time in it: who needs one keeps the file.
 */
#ifndef KLINIC_RECEIPT_H
#define KLINIC_RECEIPT_H

#include <stdbool.h>

#include <klinic/digest.h>
#include <klinic/enum.h>
#include <klinic/json.h>
#include <klinic/sign.h>

enum kl_receipt_part {
	KL_RECEIPT_SUBMISSION,
	KL_RECEIPT_EXERCISE,
	KL_RECEIPT_KERNEL,
	KL_RECEIPT_GRADER,
	KL_RECEIPT_RESULT,
	KL_RECEIPT_TIMING,
	KL_RECEIPT_PART_COUNT
};
KL_ENUM_DECLARE(kl_receipt_part, enum kl_receipt_part);

struct kl_receipt {
	char public_hex[KL_PUBLIC_HEX]; /* "": there is no receipt */
	char fingerprint[KL_FINGERPRINT_HEX];
	char digest[KL_RECEIPT_PART_COUNT][KL_DIGEST_HEX];
	char signature[KL_SIGNATURE_HEX];
};

enum kl_receipt_state {
	KL_RECEIPT_GOOD, /* the signature fits, and so does all that it speaks of */
	KL_RECEIPT_NONE, /* there is none */
	KL_RECEIPT_CHANGED, /* the signature fits; the result was changed after it */
	KL_RECEIPT_FORGED, /* the signature does not fit the receipt and its key */
	KL_RECEIPT_STATE_COUNT
};
KL_ENUM_DECLARE(kl_receipt_state, enum kl_receipt_state);

/* The receipt of a result that has none yet. grader: the digest of that name. */
int kl_receipt_make(const json_t *result, const char *grader, const struct kl_sign_key *k,
		    struct kl_receipt *ret, struct kl_error *err);
/* Under "receipt" of a result; NULL without memory. */
json_t *kl_receipt_json(const struct kl_receipt *r);
/* j is what stands under "receipt"; NULL (it stands nowhere) leaves *ret without one. */
int kl_receipt_from_json(const json_t *j, struct kl_receipt *ret, struct kl_error *err);
/*
 * Does the receipt in a result fit it? ret is the receipt; whose key it is, is the
 * caller's to judge. *ret_part: what was changed, for KL_RECEIPT_CHANGED. -1
 * KL_CONTENT when what stands under "receipt" is none.
 */
int kl_receipt_check(const json_t *result, struct kl_receipt *ret, enum kl_receipt_state *ret_state,
		     enum kl_receipt_part *ret_part, struct kl_error *err);

#endif
