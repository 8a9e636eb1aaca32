/* Reasons for refusing a submission (refuse.h). */
#include <klinic/cleanup.h>

#include "intake/refuse.h"

#define REASON_MAX 600 /* bytes of one reason */

int kl_refuse(struct kl_strv *refused, struct kl_error *err, const char *fmt, ...)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf raw = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf safe = KL_BUF_INIT;
	va_list ap;

	if (refused->n > KL_REASONS_MAX)
		return 0;
	if (refused->n == KL_REASONS_MAX)
		kl_buf_puts(&safe, "There are more reasons: repair these first.");
	va_start(ap, fmt);
	kl_buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	if (refused->n < KL_REASONS_MAX)
		kl_buf_safe(&safe, kl_buf_str(&raw), raw.len, REASON_MAX);
	if (raw.failed || safe.failed || kl_strv_add(refused, kl_buf_str(&safe)))
		return kl_fail(err, KL_INFRA, "out of memory");
	return 0;
}

char *kl_editable_text(const struct kl_exercise *e)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	for (size_t i = 0; i < e->editable.n; i++)
		kl_buf_printf(&b, "%s%s", i ? ", " : "", e->editable.v[i]);
	return kl_buf_steal(&b);
}
