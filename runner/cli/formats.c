/* A result in the format that was asked for. */
#include "cli/cli.h"

const char *const cli_formats[] = {
	[CLI_TEXT] = "text", [CLI_JSON] = "json", [CLI_HTML] = "html", [CLI_JUNIT] = "junit", NULL,
};
const char *const cli_text_or_json[] = { [CLI_TEXT] = "text", [CLI_JSON] = "json", NULL };

static int render_json(const struct kl_result *r, struct kl_buf *ret, struct kl_error *err)
{
	KL_AUTO_JSON json_t *j = kl_result_json(r);

	return j ? kl_json_dump(j, ret, err) : kl_fail(err, KL_INFRA, "out of memory");
}

int cli_render(const struct kl_result *r, enum cli_format f, enum kl_audience a, bool to_file,
	       struct kl_buf *ret, struct kl_error *err)
{
	const struct kl_text_style style = cli_style(to_file);

	switch (f) {
	case CLI_TEXT:
		return kl_report_text(r, a, &style, ret, err);
	case CLI_JSON:
		return render_json(r, ret, err);
	case CLI_HTML:
		return kl_report_html(r, a, ret, err);
	case CLI_JUNIT:
		return kl_report_junit(r, a, ret, err);
	}
	return -1;
}
