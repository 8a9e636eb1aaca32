/* Receipts in the command: signing what grade says, and klinic verify. */
#include <string.h>

#include <klinic/digest.h>
#include <klinic/file.h>
#include <klinic/json.h>
#include <klinic/receipt.h>

#include "cli/cli.h"

/* Whose word a result is: this program's version, how it judges, and by which rubric. */
static int digest_grader(const struct kl_exercise *e, char ret[KL_DIGEST_HEX], struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };
	KL_AUTO_FREE char *rubrics = NULL, *path = NULL;

	if (kl_content_dir("rubrics", &rubrics, err))
		return -1;
	path = kl_asprintf("%s/%s.yaml", rubrics, e->rubric);
	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_digest_init(&d, err))
		return -1;
	kl_digest_text(&d, "klinic", cli_version());
	kl_digest_text(&d, "judging", KL_JUDGING);
	if (kl_digest_file(&d, "rubric", path, err))
		return -1;
	kl_digest_final(&d, ret);
	return 0;
}

static int sign(struct kl_result *r, const char *grader, const struct kl_sign_key *k,
		struct kl_error *err)
{
	KL_AUTO_JSON json_t *j = NULL;

	r->receipt = (struct kl_receipt){ 0 };
	j = kl_result_json(r);
	if (!j)
		return kl_fail(err, KL_INFRA, "out of memory");
	r->receipt_state = KL_RECEIPT_GOOD;
	return kl_receipt_make(j, grader, k, &r->receipt, err);
}

int cli_sign(const struct kl_exercise *e, const struct kl_sign_key *k, struct kl_result *r,
	     struct kl_error *err)
{
	char grader[KL_DIGEST_HEX];

	return digest_grader(e, grader, err) || sign(r, grader, k, err) ? -1 : 0;
}

int cli_sign_redacted(struct kl_result *r, struct kl_error *err)
{
	KL_AUTO(kl_sign_key_deinit) struct kl_sign_key k = { 0 };
	struct kl_receipt old = r->receipt;
	enum kl_receipt_state state = r->receipt_state;

	r->receipt = (struct kl_receipt){ 0 };
	if (!old.public_hex[0] || state != KL_RECEIPT_GOOD || kl_sign_key_open(false, &k, NULL) ||
	    strcmp(k.public_hex, old.public_hex) != 0)
		return 0;
	return sign(r, old.digest[KL_RECEIPT_GRADER], &k, err);
}

enum whose { WHOSE_NOBODYS, WHOSE_OWN, WHOSE_NAMED, WHOSE_OTHERS };

/* named: what --key says, NULL without it. Without it, one's own key is the one that is known. */
static int whose_key(const struct kl_receipt *r, const char *named, enum whose *ret,
		     struct kl_error *err)
{
	KL_AUTO(kl_sign_key_deinit) struct kl_sign_key own = { 0 };
	char public[KL_PUBLIC_HEX];

	if (!named) {
		/* A key that cannot be used to sign is no reason not to look at others' receipts. */
		bool known = !kl_sign_key_open(false, &own, NULL);

		*ret = known && kl_str_eq(own.public_hex, r->public_hex) ? WHOSE_OWN
									 : WHOSE_NOBODYS;
		return 0;
	}
	if (kl_is_hex(named, KL_FINGERPRINT_HEX - 1)) {
		*ret = kl_str_eq(named, r->fingerprint) ? WHOSE_NAMED : WHOSE_OTHERS;
		return 0;
	}
	if (!kl_file_exists(named))
		return kl_fail(err, KL_USAGE,
			       "“%s” is neither a fingerprint (%d hex digits) nor a file with a "
			       "public key",
			       named, KL_FINGERPRINT_HEX - 1);
	if (kl_sign_public_load(named, public, err))
		return -1;
	*ret = kl_str_eq(public, r->public_hex) ? WHOSE_NAMED : WHOSE_OTHERS;
	return 0;
}

/* One word for programs: a good signature of a key that nobody vouched for is not good. */
static const char *outcome(const struct kl_result *r, enum whose w)
{
	if (r->receipt_state == KL_RECEIPT_GOOD && (w == WHOSE_NOBODYS || w == WHOSE_OTHERS))
		return "unknown-key";
	return kl_receipt_state_name(r->receipt_state);
}

static void say_good(const struct kl_result *r, enum whose w, struct kl_buf *b)
{
	if (w == WHOSE_OWN || w == WHOSE_NAMED)
		kl_buf_printf(b, "Good: %s of %s, signed by %s, %s.\n", kl_verdict_name(r->verdict),
			      r->exercise, r->receipt.fingerprint,
			      w == WHOSE_OWN ? "your own key" : "the key that was named");
	else
		kl_buf_printf(
			b,
			"Unknown key: the signature fits, but it is by %s, %s. Whose key that "
			"is, its owner must tell you: --key takes the fingerprint or their "
			"receipt.pub.\n",
			r->receipt.fingerprint,
			w == WHOSE_OTHERS ? "not by the key that was named" : "which is not yours");
}

static void say(const struct kl_result *r, enum whose w, struct kl_buf *b)
{
	switch (r->receipt_state) {
	case KL_RECEIPT_GOOD:
		say_good(r, w, b);
		return;
	case KL_RECEIPT_NONE:
		kl_buf_puts(b, "No receipt: nobody signed this result. klinic grade signs what it "
			       "prints as JSON.\n");
		return;
	case KL_RECEIPT_CHANGED:
		kl_buf_printf(
			b,
			"Changed: %s signed it, and after that its %s was changed. Ask for the "
			"file as it was, or grade again.\n",
			r->receipt.fingerprint,
			r->receipt_changed == KL_RECEIPT_TIMING ? "timing" : "content");
		return;
	case KL_RECEIPT_FORGED:
	case KL_RECEIPT_STATE_COUNT:
		break;
	}
	kl_buf_puts(b, "Forged: the signature does not fit the receipt and the key in it. Whatever "
		       "this file says, nobody stands behind it.\n");
}

static json_t *verify_json(const struct kl_result *r, enum whose w)
{
	json_t *o = json_object();
	bool there = r->receipt_state != KL_RECEIPT_NONE;
	bool is_changed = r->receipt_state == KL_RECEIPT_CHANGED;

	json_object_set_new(o, "state", json_string(outcome(r, w)));
	json_object_set_new(o, "fingerprint",
			    there ? json_string(r->receipt.fingerprint) : json_null());
	json_object_set_new(o, "public_key",
			    there ? json_string(r->receipt.public_hex) : json_null());
	json_object_set_new(o, "changed",
			    is_changed ? json_string(kl_receipt_part_name(r->receipt_changed))
				       : json_null());
	json_object_set_new(o, "exercise", kl_json_text(r->exercise));
	json_object_set_new(o, "verdict", json_string(kl_verdict_name(r->verdict)));
	return o;
}

int cli_verb_verify(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *j = NULL;
	enum whose w = WHOSE_NOBODYS;
	int format = cli_choice(a, "format", cli_text_or_json, err);
	bool good;

	if (format < 0 || kl_result_load(a->positional[0], &r, err) ||
	    whose_key(&r.receipt, cli_value(a, "key"), &w, err))
		return -1;
	good = !strcmp(outcome(&r, w), kl_receipt_state_name(KL_RECEIPT_GOOD));
	say(&r, w, &b);
	j = verify_json(&r, w);
	if (format == CLI_JSON ? cli_print_json(j, err) : cli_print_text(&b, err))
		return -1;
	return good ? CLI_DONE : CLI_FAILED;
}
