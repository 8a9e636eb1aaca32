/* Questions put to drgn: the child, its sandbox, and its answer. */
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/exercise.h>
#include <klinic/file.h>
#include <klinic/probe.h>
#include <klinic/sandbox.h>

#include "probe/internal.h"

/* Debian's own, for which Debian's drgn is built; another python3 may come first on PATH. */
#define PYTHON "/usr/bin/python3"
#define DRGN   "/usr/lib/python3/dist-packages/drgn/__init__.py"

#define DUMP_FD	   3
#define OUTPUT_MAX (4UL << 20)
#define WALL_MS	   600000 /* far beyond the limit of CPU time: for a child that waits for nothing */

static const struct kl_sandbox_limits limits = {
	.cpu_seconds = 60, /* a hundred times what all questions take */
	.memory_bytes = 3UL << 30,
	.file_bytes = 4096,
	.processes = 32,
	.tmp_bytes = 1UL << 20,
};

int kl_probe_ready(struct kl_error *err)
{
	if (kl_file_exists(DRGN) && kl_file_exists(PYTHON))
		return 0;
	return kl_fail(
		err, KL_INFRA,
		"drgn, which reads guest memory, is not installed: apt install python3-drgn");
}

static struct kl_command *make_command(const struct kl_probe_target *t, int dump,
				       const char *scripts, const char *registers,
				       const bool which[KL_PROBE_COUNT])
{
	KL_AUTO(kl_sandbox_destroy_p) struct kl_sandbox *s = kl_sandbox_create(&limits);
	struct kl_command *c;

	kl_sandbox_bind_ro(s, t->vmlinux, "/vmlinux");
	kl_sandbox_bind_ro(s, scripts, "/probes");
	if (t->debug_ko)
		kl_sandbox_bind_ro(s, t->debug_ko, "/module.ko");
	/* Indexing debug info on more threads gains little and takes other guests' cores. */
	kl_sandbox_env(s, "OMP_NUM_THREADS", "1");
	c = kl_sandbox_command(s, PYTHON);
	if (!c)
		return NULL;
	kl_command_args(c, "-I", "-B", "/probes/ask.py", NULL);
	kl_command_argf(c, "/proc/self/fd/%d", DUMP_FD);
	kl_command_args(c, "/vmlinux", t->module, t->debug_ko ? "/module.ko" : "-", registers,
			NULL);
	for (int i = 0; i < KL_PROBE_COUNT; i++)
		if (which[i])
			kl_command_arg(c, kl_probe_name((enum kl_probe)i));
	kl_command_pass_fd(c, dump, DUMP_FD);
	return c;
}

/* Questions that failed are taken out of the object, into words. */
static int set_aside(json_t *answers, const bool which[KL_PROBE_COUNT], struct kl_buf *why,
		     struct kl_error *err)
{
	for (int i = 0; i < KL_PROBE_COUNT; i++) {
		const char *name = kl_probe_name((enum kl_probe)i);
		const json_t *a = json_object_get(answers, name);
		const char *error = json_string_value(json_object_get(a, "error"));

		if (!which[i] || (a && !error))
			continue;
		kl_buf_printf(why, "%s%s: ", why->len ? "; " : "", name);
		kl_buf_safe(why, error ? error : "no answer", error ? strlen(error) : 9, 300);
		json_object_del(answers, name);
	}
	json_object_set_new(answers, "asked", json_array());
	json_object_set_new(answers, "why", why->len ? kl_json_text(kl_buf_str(why)) : json_null());
	return kl_buf_check(why, "the answers of drgn", err);
}

static int read_answers(const struct kl_buf *out, const bool which[KL_PROBE_COUNT],
			struct kl_inspection *ret, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf why = KL_BUF_CAPPED(4096);
	KL_AUTO_JSON json_t *j = NULL;

	if (kl_json_parse("drgn's answer", kl_buf_str(out), out->len, &j, err))
		return -1;
	if (!kl_str_eq(json_string_value(json_object_get(j, "schema")), "klinic.probe/1"))
		return kl_fail(err, KL_INFRA, "drgn's answer is none of klinic.probe/1");
	if (set_aside(j, which, &why, err))
		return -1;
	return kl_inspection_from_json(j, ret, err);
}

int kl_probe_ask(const struct kl_probe_target *t, int dump, const bool which[KL_PROBE_COUNT],
		 struct kl_inspection *ret, struct kl_error *err)
{
	struct kp_kernel kernel = { .release = t->release };
	KL_AUTO(kl_buf_deinit) struct kl_buf registers = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf out = KL_BUF_CAPPED(OUTPUT_MAX);
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = NULL;
	KL_AUTO_FREE char *scripts = NULL;

	if (kl_probe_ready(err) || kl_content_dir("graders/probes", &scripts, err) ||
	    kp_symbol(t->vmlinux, "init_top_pgt", &kernel.page_table, err) ||
	    kp_mend(dump, &kernel, &registers, err))
		return -1;
	c = make_command(t, dump, scripts, kl_buf_str(&registers), which);
	if (kl_command_check(c, kl_deadline_ms(WALL_MS), &out, KL_INFRA, err))
		return kl_error_prepend(err, "drgn");
	if (read_answers(&out, which, ret, err)) {
		/* Whatever the child says, it is not the exercise that is wrong. */
		if (err && err->class == KL_CONTENT)
			err->class = KL_INFRA;
		return -1;
	}
	return 0;
}
