/* klinic list: the catalogue. */
#include <klinic/json.h>

#include "cli/facts.h"

#define ID_WIDTH 20

json_t *cli_facts_json(const struct kl_exercise *e, bool certified)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", kl_json_text(e->id));
	json_object_set_new(o, "title", kl_json_text(e->title));
	json_object_set_new(o, "kind", json_string(kl_exercise_kind_name(e->kind)));
	json_object_set_new(o, "level", json_string(kl_level_name(e->level)));
	json_object_set_new(o, "minutes", json_integer(e->minutes));
	json_object_set_new(o, "subsystem", kl_json_text(e->subsystem));
	json_object_set_new(o, "bug_class", kl_json_text(e->bug_class));
	json_object_set_new(o, "tracks", kl_json_strv(&e->tracks));
	json_object_set_new(o, "certified", json_boolean(certified));
	return o;
}

static void row(const struct kl_exercise *e, bool certified, struct kl_buf *b)
{
	kl_buf_printf(b, "%-*s  %-12s  %3u min  %-9s  %s\n", ID_WIDTH, e->id,
		      kl_level_name(e->level), e->minutes, certified ? "certified" : "-", e->title);
}

/* An exercise that cannot be read is complained of; the others are still listed. */
static int add(const char *id, bool json, json_t *all, struct kl_buf *b, struct kl_error *err)
{
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	bool certified;

	if (kl_exercise_open(id, KL_HALF_FOUND, &e, err))
		return -1;
	certified = cli_is_certified(&e);
	if (json)
		json_array_append_new(all, cli_facts_json(&e, certified));
	else
		row(&e, certified, b);
	return 0;
}

int cli_verb_list(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv ids = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *all = json_array();
	int format = cli_choice(a, "format", cli_text_or_json, err);
	int status = CLI_DONE;

	if (format < 0 || kl_exercise_list(&ids, err))
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct kl_error bad = KL_ERROR_INIT;

		if (!add(ids.v[i], format == CLI_JSON, all, &b, &bad))
			continue;
		cli_complain(&bad);
		status = cli_exit_status(&bad);
	}
	if (format == CLI_TEXT && !ids.n)
		kl_buf_puts(&b, "There are no exercises here.\n");
	if (format == CLI_JSON ? cli_print_json(all, err) : cli_print_text(&b, err))
		return -1;
	return status;
}
