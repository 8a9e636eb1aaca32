/* Mail as a submission: what git format-patch makes, in every coding that mail programs use. */
#include "patches.h"

#define FROM	  "From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n"
#define HEADERS	  "From: A Body <a@example.org>\nDate: Sat, 1 Jan 2022 10:00:00 +0000\n"
#define STAT	  "---\n stashbox.c | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\n"
#define SIGNATURE "-- \n2.39.5\n\n"
#define MAIL                                                                               \
	FROM HEADERS "Subject: [PATCH] stashbox: wait for readers\n\nThey still look.\n\n" \
		     "Signed-off-by: A Body <a@example.org>\n" STAT GIT_FIX SIGNATURE

static void test_one_message_is_applied_and_its_text_kept(void **state)
{
	(void)state;
	accepted(MAIL);
	expect_the_fix();
	assert_string_equal(s.message, "stashbox: wait for readers\n\nThey still look.\n\n"
				       "Signed-off-by: A Body <a@example.org>\n");
}

static void test_mail_and_patch_of_one_fix_have_one_digest(void **state)
{
	char digest[KL_DIGEST_HEX];

	(void)state;
	accepted(MAIL);
	memcpy(digest, s.digest, sizeof(digest));
	accepted(GIT_FIX);
	assert_string_equal(s.digest, digest);
	assert_null(s.message);
}

static void test_a_message_without_the_from_line_is_mail_too(void **state)
{
	(void)state;
	accepted(HEADERS "Subject: [PATCH] x: y\n\nbody\n" STAT GIT_FIX SIGNATURE);
	expect_the_fix();
	accepted("Subject: [PATCH] x: y\n" HEADERS "\nbody\n" STAT GIT_FIX SIGNATURE);
	expect_the_fix();
}

static void test_quoted_printable_is_decoded(void **state)
{
	(void)state;
	accepted(FROM HEADERS
		 "Subject: [PATCH] =?UTF-8?q?stashbox:=20wait=20=E2=80=93=20always?=\n"
		 "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
		 "Content-Transfer-Encoding: quoted-printable\n\nThey still look =E2=80=94 yes.\n"
		 "---\n\n"
		 "diff --git a/stashbox.c b/stashbox.c\n--- a/stashbox.c\n+++ b/stashbox.c\n"
		 "@@ -4,3 +4,3 @@\n=20line 03\n-line 04\n+line 4 rep=\naired\n line=2005\n"
		 "--=20\n2.39.5\n\n");
	expect_the_fix();
	assert_string_equal(s.message, "stashbox: wait – always\n\nThey still look — yes.\n");
}

static void test_base64_is_decoded(void **state)
{
	(void)state;
	accepted(FROM HEADERS
		 "Subject: [PATCH] stashbox: wait\nMIME-Version: 1.0\n"
		 "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: base64\n\n"
		 "VGhlIHJlYWRlciBtdXN0IGJlIHdhaXRlZCBmb3Ig4oCUIMOpLgoKU2lnbmVkLW9mZi1ieTogQSA8\n"
		 "YUBiPgotLS0KIHN0YXNoYm94LmMgfCAyICstCiAxIGZpbGUgY2hhbmdlZCwgMSBpbnNlcnRpb24o\n"
		 "KyksIDEgZGVsZXRpb24oLSkKCmRpZmYgLS1naXQgYS9zdGFzaGJveC5jIGIvc3Rhc2hib3guYwpp\n"
		 "bmRleCAxMjM0NTY3Li44OWFiY2RlIDEwMDY0NAotLS0gYS9zdGFzaGJveC5jCisrKyBiL3N0YXNo\n"
		 "Ym94LmMKQEAgLTQsMyArNCwzIEBAIHN0YXRpYyBpbnQgeCh2b2lkKQogbGluZSAwMwotbGluZSAw\n"
		 "NAorbGluZSA0IHJlcGFpcmVkCiBsaW5lIDA1Ci0tIAoyLjM5LjUKCg==\n");
	expect_the_fix();
	assert_non_null(strstr(s.message, "waited for — é."));
}

static void test_an_attached_patch_is_found(void **state)
{
	(void)state;
	accepted(FROM HEADERS "Subject: [PATCH] stashbox: wait\nMIME-Version: 1.0\n"
			      "Content-Type: multipart/mixed; boundary=\"sep\"\n\n"
			      "--sep\nContent-Type: text/plain; charset=UTF-8\n\nThey look.\n---\n"
			      "--sep\nContent-Type: text/x-patch; name=\"fix.patch\"\n"
			      "Content-Disposition: attachment; filename=\"fix.patch\"\n\n" GIT_FIX
			      "\n--sep--\n");
	expect_the_fix();
	assert_non_null(strstr(s.message, "They look."));
}

static void test_dos_newlines_of_mail_are_taken_off(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	for (const char *p = MAIL; *p; p++) {
		if (*p == '\n')
			kl_buf_puts(&b, "\r");
		kl_buf_append(&b, p, 1);
	}
	accepted(b.data);
	expect_the_fix();
}

#define SECOND                                 \
	"--- a/stashbox.c\n+++ b/stashbox.c\n" \
	"@@ -4,3 +4,3 @@\n line 03\n-line 4 repaired\n+line 4 repaired twice\n line 05\n"

static void test_a_series_is_applied_in_order(void **state)
{
	(void)state;
	accepted(FROM HEADERS
		 "Subject: [PATCH 0/2] cover\n\nWhat this is.\n" SIGNATURE FROM HEADERS
		 "Subject: [PATCH 1/2] one\n\nFirst.\n" STAT GIT_FIX SIGNATURE FROM HEADERS
		 "Subject: [PATCH 2/2] two\n\nSecond.\n" STAT SECOND SIGNATURE);
	assert_non_null(strstr(s.files[0].data, "line 4 repaired twice\n"));
	assert_non_null(strstr(s.message, "cover\n"));
	assert_true(strstr(s.message, "one\n\nFirst.") < strstr(s.message, "two\n\nSecond."));
}

static void test_a_series_in_the_wrong_order_does_not_apply(void **state)
{
	(void)state;
	refused(FROM HEADERS "Subject: [PATCH 2/2] two\n\n" STAT SECOND SIGNATURE FROM HEADERS
			     "Subject: [PATCH 1/2] one\n\n" STAT GIT_FIX SIGNATURE,
		"Message 1's patch, line");
	assert_false(s.files[0].changed);
}

static void test_a_change_that_a_later_message_takes_back_is_none(void **state)
{
	(void)state;
	accepted(FROM HEADERS
		 "Subject: [PATCH 1/2] one\n\n" STAT GIT_FIX SIGNATURE FROM HEADERS
		 "Subject: [PATCH 2/2] Revert\n\n" STAT "--- a/stashbox.c\n+++ b/stashbox.c\n"
		 "@@ -4,3 +4,3 @@\n line 03\n-line 4 repaired\n+line 04\n line 05\n" SIGNATURE);
	assert_false(s.files[0].changed);
	assert_string_equal(s.diff, "");
}

static void test_every_message_is_held_against_the_editable_files(void **state)
{
	(void)state;
	refused(FROM HEADERS "Subject: [PATCH 1/2] one\n\n" STAT GIT_FIX SIGNATURE FROM HEADERS
			     "Subject: [PATCH 2/2] two\n\n---\n"
			     "--- a/Kbuild\n+++ b/Kbuild\n@@ -1 +1 @@\n-obj-m := stashbox.o\n+x\n",
		"Message 2's patch, line");
	assert_non_null(strstr(s.refused.v[0], "Kbuild may not be changed"));
	assert_false(s.files[0].changed);
}

static void test_mail_without_a_patch_is_refused(void **state)
{
	(void)state;
	refused(FROM HEADERS "Subject: hello\n\nHow are you?\n", "holds no unified diff");
	refused("From: nobody\n", "mail");
	refused("From the desk of A. Body\nno diff here\n", "mail");
}

static void test_too_many_messages(void **state)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)state;
	for (int i = 0; i < 65; i++)
		kl_buf_puts(&b, FROM HEADERS "Subject: x\n\nbody\n\n");
	refused(b.data, "65 messages");
}

static void test_a_nul_byte_behind_base64_is_refused(void **state)
{
	(void)state;
	/* "---\ndiff --git a/stashbox.c b/stashbox.c\n--- a/stashbox.c\n+++ b/stashbox.c\n\0\n" */
	refused(FROM HEADERS
		"Subject: [PATCH] x\nMIME-Version: 1.0\nContent-Type: text/plain\n"
		"Content-Transfer-Encoding: base64\n\n"
		"LS0tCmRpZmYgLS1naXQgYS9zdGFzaGJveC5jIGIvc3Rhc2hib3guYwotLS0gYS9zdGFz\n"
		"aGJveC5jCisrKyBiL3N0YXNoYm94LmMKAAo=\n",
		"Message 1's patch contains a NUL byte");
}

static void test_any_prefix_of_a_mail_is_survived(void **state)
{
	KL_AUTO_FREE char *text = NULL;

	(void)state;
	for (size_t i = 1; i < strlen(MAIL); i += 41) {
		free(text);
		text = strndup(MAIL, i);
		take_bytes(text, strlen(text));
		assert_true(s.refused.n || s.files[0].changed);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_message_is_applied_and_its_text_kept),
		TEST(test_mail_and_patch_of_one_fix_have_one_digest),
		TEST(test_a_message_without_the_from_line_is_mail_too),
		TEST(test_quoted_printable_is_decoded),
		TEST(test_base64_is_decoded),
		TEST(test_an_attached_patch_is_found),
		TEST(test_dos_newlines_of_mail_are_taken_off),
		TEST(test_a_series_is_applied_in_order),
		TEST(test_a_series_in_the_wrong_order_does_not_apply),
		TEST(test_a_change_that_a_later_message_takes_back_is_none),
		TEST(test_every_message_is_held_against_the_editable_files),
		TEST(test_mail_without_a_patch_is_refused),
		TEST(test_too_many_messages),
		TEST(test_a_nul_byte_behind_base64_is_refused),
		TEST(test_any_prefix_of_a_mail_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
