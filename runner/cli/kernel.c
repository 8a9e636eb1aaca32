/* klinic kernel: the kernels of the cache. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <klinic/json.h>
#include <klinic/kbuild.h>
#include <klinic/vm.h>

#include "cli/cli.h"

static json_t *kernel_json(const struct kl_kernel_info *k)
{
	json_t *o = json_object();

	json_object_set_new(o, "flavour", kl_json_text(k->flavour));
	json_object_set_new(o, "digest", kl_json_text(k->digest));
	json_object_set_new(o, "release", kl_json_text(k->release));
	json_object_set_new(o, "ready", json_boolean(k->ready));
	json_object_set_new(o, "current", json_boolean(k->current));
	json_object_set_new(o, "bytes", json_integer((json_int_t)k->bytes));
	json_object_set_new(o, "built_at", k->built_at ? json_integer(k->built_at) : json_null());
	return o;
}

static void kernel_text(const struct kl_kernel_info *k, struct kl_buf *b)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf size = KL_BUF_INIT;
	char when[32] = "";
	time_t at = k->built_at;
	struct tm tm;

	if (at && gmtime_r(&at, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d", &tm);
	if (k->ready)
		cli_bytes_text(&size, k->bytes);
	kl_buf_printf(b, "%-10s  %-24s  %-12.12s  %-10s  %-10s  %s\n",
		      k->flavour ? k->flavour : "?", k->release ? k->release : "-",
		      k->digest ? k->digest : "-", size.len ? kl_buf_str(&size) : "-",
		      when[0] ? when : "-",
		      k->ready && k->current ? "ready"
		      : k->ready	     ? "ready, of older inputs"
		      : k->current	     ? "not built"
					     : "unfinished");
}

static int list(int format, struct kl_error *err)
{
	KL_AUTO(kl_kernel_list_deinit) struct kl_kernel_list l = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *all = json_array();

	if (kl_kernel_list(&l, err))
		return -1;
	for (size_t i = 0; i < l.n; i++)
		if (format == CLI_JSON)
			json_array_append_new(all, kernel_json(&l.v[i]));
		else
			kernel_text(&l.v[i], &b);
	return format == CLI_JSON ? cli_print_json(all, err) : cli_print_text(&b, err);
}

static int build(const char *flavour, int format, struct kl_error *err)
{
	KL_AUTO(kl_kernel_deinit) struct kl_kernel k = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *j = NULL;

	if (!flavour)
		return kl_fail(err, KL_USAGE,
			       "say which kernel to build: klinic kernel build FLAVOUR; “klinic "
			       "kernel list” shows the flavours");
	cli_progress_begin("building");
	if (kl_kernel_open(flavour, true, cli_progress, NULL, &k, err))
		return -1;
	cli_progress_end();
	if (format == CLI_JSON) {
		j = json_pack("{s:s,s:s,s:s,s:b,s:b}", "flavour", k.flavour, "digest", k.digest,
			      "release", k.release, "ready", 1, "current", 1);
		return cli_print_json(j, err);
	}
	kl_buf_printf(&b, "%s: Linux %s is ready, in %s\n", k.flavour, k.release, k.dir);
	return cli_print_text(&b, err);
}

/* The templates that the kernels of today would be run from. */
static int name_templates(const struct kl_kernel *k, struct kl_strv *keep, struct kl_error *err)
{
	for (int mode = 0; mode < KL_MODE_COUNT; mode++) {
		struct kl_machine m;
		char digest[KL_DIGEST_HEX];
		int ret;

		if (kl_machine_init(&m, k, (enum kl_mode)mode, err))
			return -1;
		ret = kl_template_name(&m, digest, err);
		kl_machine_deinit(&m);
		if (ret)
			return -1;
		if (kl_strv_add(keep, digest))
			return kl_fail(err, KL_INFRA, "out of memory");
	}
	return 0;
}

static int current_templates(struct kl_strv *keep, struct kl_error *err)
{
	KL_AUTO(kl_kernel_list_deinit) struct kl_kernel_list l = { 0 };

	if (kl_kernel_list(&l, err))
		return -1;
	for (size_t i = 0; i < l.n; i++) {
		KL_AUTO(kl_kernel_deinit) struct kl_kernel k = { 0 };

		if (!l.v[i].ready || !l.v[i].current)
			continue;
		if (kl_kernel_open(l.v[i].flavour, false, NULL, NULL, &k, err) ||
		    name_templates(&k, keep, err))
			return -1;
	}
	return 0;
}

static int prune(bool all, int format, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO(kl_strv_deinit) struct kl_strv keep = { 0 };
	KL_AUTO_JSON json_t *j = NULL;
	uint64_t kernels = 0, templates = 0;

	/* What is named is known before anything is removed. */
	if ((!all && current_templates(&keep, err)) || kl_kernel_prune(all, &kernels, err) ||
	    kl_template_prune(&keep, &templates, err))
		return -1;
	if (format == CLI_JSON) {
		j = json_pack("{s:I,s:I}", "kernel_bytes", (json_int_t)kernels, "template_bytes",
			      (json_int_t)templates);
		return cli_print_json(j, err);
	}
	kl_buf_puts(&b, "Removed ");
	cli_bytes_text(&b, kernels);
	kl_buf_puts(&b, " of kernels and ");
	cli_bytes_text(&b, templates);
	kl_buf_puts(&b, " of templates.\n");
	return cli_print_text(&b, err);
}

int cli_verb_kernel(const struct cli_args *a, struct kl_error *err)
{
	static const char *const actions[] = { "list", "build", "prune", NULL };
	const char *action = a->positional[0];
	int format = cli_choice(a, "format", cli_text_or_json, err);
	const char *near;

	if (format < 0)
		return -1;
	if (a->n > 1 && strcmp(action, "build") != 0)
		return kl_fail(err, KL_USAGE, "kernel %s takes no argument: “%s” is too many",
			       action, a->positional[1]);
	if (!strcmp(action, "list"))
		return list(format, err);
	if (!strcmp(action, "build"))
		return build(a->positional[1], format, err);
	if (!strcmp(action, "prune"))
		return prune(cli_flag(a, "all"), format, err);
	near = cli_nearest(action, actions);
	return kl_fail(err, KL_USAGE, "kernel knows list, build and prune, not “%s”%s%s%s", action,
		       near ? ": did you mean “" : "", near ? near : "", near ? "”?" : "");
}
