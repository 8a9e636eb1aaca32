/* klinic version: what this is, as results name it. */
#include "cli/cli.h"

#ifndef KLINIC_COMMIT
#define KLINIC_COMMIT ""
#endif

const char *cli_version(void)
{
	return "0.1.0" KLINIC_COMMIT;
}

int cli_verb_version(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	(void)a;
	kl_buf_printf(&b, KLINIC_NAME " %s\n", cli_version());
	return cli_print(&b, err);
}
