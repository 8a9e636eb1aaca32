/* Receipts: what is signed of a result, and how it is held against the result again. */
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/receipt.h>

#include "model/json_io.h"

#define ALGORITHM "ed25519"
#define DOMAIN	  "klinic.receipt/1\n" /* so that no other signed text can be taken for one */
/* 15 digits, as kl_json_dump() writes: more would not come back from a file. */
#define CANONICAL (JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

static const char *const part_names[] = {
	[KL_RECEIPT_SUBMISSION] = "submission", [KL_RECEIPT_EXERCISE] = "exercise",
	[KL_RECEIPT_KERNEL] = "kernel",		[KL_RECEIPT_GRADER] = "grader",
	[KL_RECEIPT_RESULT] = "result",		[KL_RECEIPT_TIMING] = "timing",
};
KL_ENUM_DEFINE(kl_receipt_part, enum kl_receipt_part, part_names, KL_RECEIPT_PART_COUNT);

static const char *const state_names[] = {
	[KL_RECEIPT_GOOD] = "good",
	[KL_RECEIPT_NONE] = "none",
	[KL_RECEIPT_CHANGED] = "changed",
	[KL_RECEIPT_FORGED] = "forged",
};
KL_ENUM_DEFINE(kl_receipt_state, enum kl_receipt_state, state_names, KL_RECEIPT_STATE_COUNT);

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static int append(const char *data, size_t len, void *b)
{
	return kl_buf_append(b, data, len);
}

static int canonical(const json_t *j, struct kl_buf *b, struct kl_error *err)
{
	if (!j || json_dump_callback(j, append, b, CANONICAL))
		return no_memory(err);
	return 0;
}

static int digest_json(const json_t *j, char ret[KL_DIGEST_HEX], struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	return canonical(j, &b, err) ? -1 : kl_sha256(b.data, b.len, ret, err);
}

static json_t *value_or_null(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return v ? json_incref(v) : json_null();
}

/* Takes the times out of a copy of a result. */
static json_t *cut_times(json_t *result)
{
	json_t *times = json_object(), *builds = json_array();
	json_t *list = json_object_get(result, "builds");
	const char *key = "wall_ms";

	kl_out_put(&times, "timing", value_or_null(result, "timing"));
	json_object_del(result, "timing");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *b = json_array_get(list, i);

		kl_out_push(&builds, value_or_null(b, key));
		json_object_del(b, key);
	}
	kl_out_put(&times, "builds", builds);
	return times;
}

/* "" stays "": a result that is without it says nothing about it. */
static int copy_digest(const json_t *o, const char *key, char ret[KL_DIGEST_HEX],
		       struct kl_error *err)
{
	return json_object_get(o, key) ? kl_in_digest(o, key, ret, err) : 0;
}

static json_t *machine_of(const json_t *environment)
{
	static const char *const keys[] = { "kernel", "qemu", "accel", "template_ram" };
	json_t *o = json_object();

	for (size_t i = 0; i < KL_ARRAY_SIZE(keys); i++)
		kl_out_put(&o, keys[i], value_or_null(environment, keys[i]));
	return o;
}

/* All but the grader's, which the result does not hold. */
static int digests_of(const json_t *result, char ret[][KL_DIGEST_HEX], struct kl_error *err)
{
	KL_AUTO_JSON json_t *copy = json_deep_copy(result);
	const json_t *environment = json_object_get(result, "environment");
	KL_AUTO_JSON json_t *machine = machine_of(environment);
	KL_AUTO_JSON json_t *times = NULL;

	if (!copy || !json_is_object(copy))
		return copy ? kl_fail(err, KL_CONTENT, "is no object") : no_memory(err);
	json_object_del(copy, "receipt");
	times = cut_times(copy);
	if (copy_digest(result, "submission_digest", ret[KL_RECEIPT_SUBMISSION], err) ||
	    copy_digest(environment, "exercise_digest", ret[KL_RECEIPT_EXERCISE], err))
		return -1;
	return digest_json(machine, ret[KL_RECEIPT_KERNEL], err) ||
			       digest_json(copy, ret[KL_RECEIPT_RESULT], err) ||
			       digest_json(times, ret[KL_RECEIPT_TIMING], err)
		       ? -1
		       : 0;
}

/* Without the signature when it is empty. */
json_t *kl_receipt_json(const struct kl_receipt *r)
{
	json_t *o = json_object(), *digests = json_object();

	for (int i = 0; i < KL_RECEIPT_PART_COUNT; i++)
		kl_out_put(&digests, part_names[i], json_string(r->digest[i]));
	kl_out_put(&o, "algorithm", json_string(ALGORITHM));
	kl_out_put(&o, "public_key", json_string(r->public_hex));
	kl_out_put(&o, "fingerprint", json_string(r->fingerprint));
	kl_out_put(&o, "digests", digests);
	if (r->signature[0])
		kl_out_put(&o, "signature", json_string(r->signature));
	return o;
}

static int message(const struct kl_receipt *r, struct kl_buf *ret, struct kl_error *err)
{
	KL_AUTO_JSON json_t *o = NULL;
	struct kl_receipt bare = *r;

	bare.signature[0] = '\0';
	o = kl_receipt_json(&bare);
	return kl_buf_puts(ret, DOMAIN) ? no_memory(err) : canonical(o, ret, err);
}

int kl_receipt_make(const json_t *result, const char *grader, const struct kl_sign_key *k,
		    struct kl_receipt *ret, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	struct kl_receipt r = { 0 };

	memcpy(r.public_hex, k->public_hex, sizeof(r.public_hex));
	kl_sign_fingerprint(r.public_hex, r.fingerprint);
	memcpy(r.digest[KL_RECEIPT_GRADER], grader, KL_DIGEST_HEX);
	if (digests_of(result, r.digest, err) || message(&r, &b, err))
		return -1;
	kl_sign(k, b.data, b.len, r.signature);
	*ret = r;
	return 0;
}

/* A value has one spelling only, so that no two files are one receipt. */
static int read_hex(const json_t *o, const char *key, size_t digits, bool empty, char *ret,
		    struct kl_error *err)
{
	const char *s = json_string_value(json_object_get(o, key));

	if (!s || (!kl_is_hex(s, digits) && !(empty && !*s)))
		return kl_fail(err, KL_CONTENT, "“%s” must be %zu lowercase hex digits", key,
			       digits);
	memcpy(ret, s, strlen(s) + 1);
	return 0;
}

static int read_digests(const json_t *o, struct kl_receipt *ret, struct kl_error *err)
{
	if (kl_in_object(o, "“digests”", err))
		return -1;
	if (json_object_size(o) != KL_RECEIPT_PART_COUNT)
		return kl_fail(err, KL_CONTENT, "“digests” must have %d keys",
			       KL_RECEIPT_PART_COUNT);
	for (int i = 0; i < KL_RECEIPT_PART_COUNT; i++)
		if (read_hex(o, part_names[i], KL_DIGEST_HEX - 1, true, ret->digest[i], err))
			return kl_error_prepend(err, "digests");
	return 0;
}

static int read_receipt(const json_t *o, struct kl_receipt *ret, struct kl_error *err)
{
	if (kl_in_object(o, "it", err))
		return -1;
	if (json_object_size(o) != 5)
		return kl_fail(err, KL_CONTENT, "it must have five keys");
	if (!kl_str_eq(json_string_value(json_object_get(o, "algorithm")), ALGORITHM))
		return kl_fail(err, KL_CONTENT, "“algorithm” must be “" ALGORITHM "”");
	if (read_hex(o, "public_key", KL_PUBLIC_HEX - 1, false, ret->public_hex, err) ||
	    read_hex(o, "fingerprint", KL_FINGERPRINT_HEX - 1, false, ret->fingerprint, err) ||
	    read_hex(o, "signature", KL_SIGNATURE_HEX - 1, false, ret->signature, err))
		return -1;
	return read_digests(json_object_get(o, "digests"), ret, err);
}

int kl_receipt_from_json(const json_t *j, struct kl_receipt *ret, struct kl_error *err)
{
	struct kl_receipt r = { 0 };

	if (j && read_receipt(j, &r, err))
		return kl_error_prepend(err, "receipt");
	*ret = r;
	return 0;
}

static bool fits(const struct kl_receipt *r, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	char fingerprint[KL_FINGERPRINT_HEX];

	kl_sign_fingerprint(r->public_hex, fingerprint);
	return !message(r, &b, err) && kl_str_eq(fingerprint, r->fingerprint) &&
	       kl_sign_fits(r->public_hex, b.data, b.len, r->signature);
}

int kl_receipt_check(const json_t *result, struct kl_receipt *ret, enum kl_receipt_state *ret_state,
		     enum kl_receipt_part *ret_part, struct kl_error *err)
{
	char now[KL_RECEIPT_PART_COUNT][KL_DIGEST_HEX] = { "" };

	if (kl_receipt_from_json(json_object_get(result, "receipt"), ret, err))
		return -1;
	*ret_state = KL_RECEIPT_NONE;
	if (!ret->public_hex[0])
		return 0;
	*ret_state = KL_RECEIPT_FORGED;
	if (!fits(ret, err))
		return 0;
	if (digests_of(result, now, err))
		return -1;
	*ret_state = KL_RECEIPT_GOOD;
	for (int i = 0; i < KL_RECEIPT_PART_COUNT; i++) {
		if (i == KL_RECEIPT_GRADER || kl_str_eq(now[i], ret->digest[i]))
			continue;
		*ret_state = KL_RECEIPT_CHANGED;
		*ret_part = (enum kl_receipt_part)i;
		break;
	}
	return 0;
}
