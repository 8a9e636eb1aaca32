/*
 * klinic run: build, boot, run the visible checks with the console live, then
 * say in words what the kernel reported. The candidate's side.
 */
#include <string.h>

#include "cli/desk.h"

/* Lines as they come: a guest's bytes reach a terminal only through cli_log_text. */
struct console {
	struct kl_buf line;
	bool heard;
};

static void flush(struct console *c)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	struct kl_error ignored;

	if (c->line.len)
		cli_log_text(&b, c->line.data, c->line.len);
	cli_print_text(&b, &ignored);
	kl_buf_clear(&c->line);
}

static void on_console(const char *data, size_t len, void *arg)
{
	struct console *c = arg;

	c->heard = true;
	while (len) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) + 1 : len;

		if (kl_buf_append(&c->line, data, n)) {
			flush(c);
			kl_buf_append(&c->line, data, n);
		}
		if (end)
			flush(c);
		data += n;
		len -= n;
	}
}

static void on_progress(const char *phase, unsigned long done, unsigned long total,
			int64_t elapsed_ms, int64_t expected_ms, void *arg)
{
	struct console *c = arg;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	struct kl_error ignored;

	if (strcmp(phase, "run") != 0) {
		cli_progress(phase, done, total, elapsed_ms, expected_ms, NULL);
		return;
	}
	if (c->line.len)
		flush(c);
	kl_buf_printf(&b, "--- run %lu of at most %lu has ended ---\n", done, total);
	cli_print_text(&b, &ignored);
}

int cli_verb_run(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(cli_judgement_deinit) struct cli_judgement j = { 0 };
	KL_AUTO(kl_exercise_deinit) struct kl_exercise e = { 0 };
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_FREE char *dir = NULL;
	struct console console = { .line = KL_BUF_CAPPED(65536) };
	struct kl_session_options o = { 0 };
	int failed;

	if (cli_desk_options(a, &o, err) || cli_workspace_open(a->positional[0], &dir, &e, err) ||
	    cli_desk_check(&e, o.only_check, err))
		return -1;
	o.progress = on_progress;
	o.on_console = on_console;
	o.arg = &console;
	cli_progress_begin("running");
	failed = cli_intake(&e, dir, &j, err) || cli_judge(&e, &o, &j, err);
	flush(&console);
	kl_buf_deinit(&console.line);
	if (failed)
		return -1;
	if (console.heard)
		kl_buf_puts(&b, "\n");
	cli_desk_text(&j.result, &b);
	return cli_print_text(&b, err) ? -1 : cli_result_status(&j.result);
}
