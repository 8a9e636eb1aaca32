/*
 * The canary: after a run that holds so far, a deliberate fault for each detector
 * (runner/guest/canary.c). The module comes into the guest's mailbox when the
 * guest already stands still, with a secret of this run in its symbols' names.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "guest/canary.h"
#include "guest/mailbox.h"
#include "vm/canary.h"

#define STRING_(x) #x
#define STRING(x)  STRING_(x)

static const char placeholder[] = STRING(KL_CANARY_TOKEN);

_Static_assert(sizeof(placeholder) - 1 == KL_CANARY_TOKEN_CHARS, "token and placeholder differ");
_Static_assert(KL_CANARY_CHARS == KL_CANARY_TOKEN_CHARS, "public and guest header differ");

int kl_canary_symbol(const char *token, enum kl_kind kind, char *ret, size_t size)
{
	int n = snprintf(ret, size, "klc_%s_%s", token, kl_kind_name(kind));

	if (n < 0 || (size_t)n >= size)
		return -1;
	for (char *p = ret; *p; p++)
		if (*p == '-')
			*p = '_';
	return 0;
}

/* Which faults this kernel's canary has: those whose function is in its string table. */
static void find_kinds(const struct kl_buf *ko, bool leaks, bool due[KL_KIND_COUNT])
{
	for (unsigned int k = 0; k < KL_KIND_COUNT; k++) {
		char symbol[128];

		due[k] = (k != KL_KIND_KMEMLEAK || leaks) &&
			 !kl_canary_symbol(placeholder, (enum kl_kind)k, symbol, sizeof(symbol)) &&
			 memmem(ko->data, ko->len, symbol, strlen(symbol) + 1);
	}
}

static void name_it(struct kl_buf *ko, const char *token)
{
	char *p = ko->data, *end = ko->data + ko->len;

	while ((p = memmem(p, (size_t)(end - p), placeholder, KL_CANARY_TOKEN_CHARS))) {
		memcpy(p, token, KL_CANARY_TOKEN_CHARS);
		p += KL_CANARY_TOKEN_CHARS;
	}
}

static int put(int mailbox, const void *data, size_t len, uint64_t at, struct kl_error *err)
{
	if (pwrite(mailbox, data, len, (off_t)at) != (ssize_t)len)
		return kl_fail(err, KL_INFRA, "the mailbox cannot be written");
	return 0;
}

int kl_canary_put(const struct kl_job *job, int mailbox, uint64_t at, bool due[KL_KIND_COUNT],
		  struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf ko = KL_BUF_INIT;
	struct kl_mail_file f = { .offset = at };

	if (strlen(job->canary_token) != KL_CANARY_TOKEN_CHARS)
		return kl_fail(err, KL_INFRA, "a canary's token has %d characters",
			       KL_CANARY_TOKEN_CHARS);
	if (at > KL_MAIL_SIZE || kl_file_read(job->canary_ko, KL_MAIL_SIZE - at, &ko, err))
		return kl_error_prepend(err, "the canary");
	f.size = ko.len;
	find_kinds(&ko, job->leaks, due);
	name_it(&ko, job->canary_token);
	return put(mailbox, ko.data, ko.len, at,
		   err) || put(mailbox, &f, sizeof(f), offsetof(struct kl_mail, orders.canary), err)
		       ? -1
		       : 0;
}
