/* klinic show: an exercise's brief and its public facts. Of hidden checks only their number. */
#include <string.h>

#include <klinic/file.h>
#include <klinic/json.h>

#include "cli/facts.h"

#define BRIEF_MAX (1UL << 20)

static int read_brief(const struct kl_exercise *e, struct kl_buf *ret, struct kl_error *err)
{
	KL_AUTO_FREE char *path = kl_path_join(e->dir, "brief.md");

	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (!kl_file_exists(path))
		return kl_fail_at(err, path, 0, 0, "is missing: an exercise needs a brief");
	return kl_file_read(path, BRIEF_MAX, ret, err);
}

static json_t *show_json(const struct kl_exercise *e, bool certified, const struct kl_buf *brief)
{
	json_t *o = cli_facts_json(e, certified);
	json_t *visible = json_array();

	for (size_t i = 0; i < e->n_checks; i++) {
		json_t *c;

		if (e->checks[i].hidden)
			continue;
		c = json_object();
		json_object_set_new(c, "id", kl_json_text(e->checks[i].id));
		json_object_set_new(c, "title", kl_json_text(e->checks[i].title));
		json_array_append_new(visible, c);
	}
	json_object_set_new(o, "stage", json_integer(e->stage));
	json_object_set_new(o, "flavours", kl_json_strv(&e->flavours));
	json_object_set_new(o, "module", kl_json_text(e->module));
	json_object_set_new(o, "dimensions", kl_json_strv(&e->dimensions));
	json_object_set_new(o, "editable", kl_json_strv(&e->editable));
	json_object_set_new(o, "imports", kl_json_strv(&e->imports));
	json_object_set_new(o, "visible_checks", visible);
	json_object_set_new(o, "hidden_checks", json_integer((json_int_t)e->n_hidden));
	json_object_set_new(o, "hints", json_integer((json_int_t)e->n_hints));
	json_object_set_new(o, "brief", kl_json_textn(kl_buf_str(brief), brief->len));
	return o;
}

static void join(struct kl_buf *b, const char *name, const struct kl_strv *sv)
{
	kl_buf_printf(b, "%-12s", name);
	for (size_t i = 0; i < sv->n; i++)
		kl_buf_printf(b, "%s%s", i ? ", " : "", sv->v[i]);
	kl_buf_puts(b, "\n");
}

static void show_text(const struct kl_exercise *e, bool certified, const struct kl_buf *brief,
		      struct kl_buf *b)
{
	kl_buf_printf(b, "%s\n\n", e->title);
	kl_buf_printf(b, "%-12s%s\n", "Exercise", e->id);
	kl_buf_printf(b, "%-12s%s, %s, %u minutes\n", "Kind", kl_exercise_kind_name(e->kind),
		      kl_level_name(e->level), e->minutes);
	kl_buf_printf(b, "%-12s%s, %s\n", "Subject", e->subsystem, e->bug_class);
	join(b, "Tracks", &e->tracks);
	join(b, "Kernel", &e->flavours);
	join(b, "Editable", &e->editable);
	kl_buf_printf(b, "%-12s%zu visible, %zu hidden\n", "Checks",
		      e->n_checks - (e->whole ? e->n_hidden : 0), e->n_hidden);
	for (size_t i = 0; i < e->n_checks; i++)
		if (!e->checks[i].hidden)
			kl_buf_printf(b, "%-12s  %s\n", "", e->checks[i].title);
	kl_buf_printf(b, "%-12s%s\n\n", "Certified", certified ? "yes" : "not on this machine");
	kl_buf_safe(b, kl_buf_str(brief), brief->len, SIZE_MAX);
}

int cli_verb_show(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf brief = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *j = NULL;
	int format = cli_choice(a, "format", cli_text_or_json, err);
	bool certified;

	if (format < 0 || kl_exercise_open(a->positional[0], KL_HALF_FOUND, &e, err) ||
	    read_brief(&e, &brief, err))
		return -1;
	certified = cli_is_certified(&e);
	if (format == CLI_JSON) {
		j = show_json(&e, certified, &brief);
		return cli_print_json(j, err) ? -1 : CLI_DONE;
	}
	show_text(&e, certified, &brief, &b);
	return cli_print_text(&b, err) ? -1 : CLI_DONE;
}
