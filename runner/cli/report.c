/* klinic report: a result that was kept, in another format. */
#include <string.h>

#include "cli/cli.h"

static const char *const audiences[] = {
	[KL_AUDIENCE_PANEL] = "panel",
	[KL_AUDIENCE_CANDIDATE] = "candidate",
	NULL,
};

int cli_verb_report(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(kl_result_deinit) struct kl_result r = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	int format = cli_choice(a, "format", cli_formats, err);
	int audience = format < 0 ? -1 : cli_choice(a, "audience", audiences, err);

	if (audience < 0 || cli_output_probe(cli_value(a, "output"), err) ||
	    kl_result_load(a->positional[0], &r, err))
		return -1;
	if (format == CLI_JSON && audience == KL_AUDIENCE_CANDIDATE &&
	    (cli_redact(&r, err) || cli_sign_redacted(&r, err)))
		return -1;
	if (r.receipt_state == KL_RECEIPT_CHANGED || r.receipt_state == KL_RECEIPT_FORGED)
		cli_warn("%s: the receipt does not fit: “klinic verify” says more",
			 a->positional[0]);
	if (cli_render(&r, (enum cli_format)format, (enum kl_audience)audience,
		       cli_flag(a, "output"), &b, err))
		return -1;
	return cli_output(a, &b, err) ? -1 : CLI_DONE;
}
