/* The command: a table of verbs, from which dispatch and help are made. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define HELP_COLUMN 30
#define HELP_WIDTH  80

#define FORMAT_OPTION                                                                       \
	{                                                                                   \
		"format", 0, "text|json", "text for people (default), or one JSON document" \
	}
#define JOBS_OPTION                                                                 \
	{                                                                           \
		"jobs", 'j', "N", "guests side by side (default: as many as cores)" \
	}

static const struct cli_verb verbs[] = {
	{ .name = "grade",
	  .usage = "ID --submission PATH [options]",
	  .summary = "judge one submission by the hidden checks",
	  .text = "PATH is a unified diff, a git format-patch mailbox, or a folder with the "
		  "editable files. A kernel that is missing is built first (some minutes, once). "
		  "Exit status: 0 pass, 1 fail, 3 refused, 4 the machine failed, 5 inconclusive.",
	  .min = 1,
	  .max = 1,
	  .run = cli_verb_grade,
	  .options = {
		  { "submission", 's', "PATH", "what to judge" },
		  { "format", 0, "text|json|html|junit", "how to print the result (default: text)" },
		  { "output", 'o', "FILE", "write the result there instead of printing it" },
		  { "audience", 0, "panel|candidate", "for whom (default: panel; a candidate sees nothing hidden)" },
		  { "check", 0, "CHECK", "run this check only" },
		  { "seed", 0, "N", "one run of each check, with this seed" },
		  { "seeds", 0, "N", "runs of each check, instead of the exercise's numbers" },
		  { "log", 0, NULL, "text: print the kernel log of each run" },
		  JOBS_OPTION,
		  { "evidence", 0, "FILE", "write everything that was seen there (JSON)" },
		  { "rebuild-template", 0, NULL, "boot the template again even if the cache has it" },
	  } },
	{ .name = "certify",
	  .usage = "ID [options]",
	  .summary = "prove that an exercise judges as it should",
	  .text = "Grades every solution in hidden/, all seeds: the broken module, no change at all "
		  "and every decoy must fail, a decoy by a check that is said to catch it; the "
		  "reference and every alternative must pass. Exit status: 0 certified, 1 not.",
	  .min = 1,
	  .max = 1,
	  .run = cli_verb_certify,
	  .options = {
		  FORMAT_OPTION,
		  { "output", 'o', "FILE", "write the certificate there instead of printing it" },
		  { "variant", 0, "NAME", "this one only (no certificate is kept)" },
		  { "seeds", 0, "N", "runs of each check, instead of the exercise's (no certificate is kept)" },
		  JOBS_OPTION,
	  } },
	{ .name = "version",
	  .usage = "",
	  .summary = "print the version that results name",
	  .run = cli_verb_version },
};

/* Text wrapped at HELP_WIDTH, the first line already at column at. */
static void wrap(struct kl_buf *b, const char *text, unsigned int at, unsigned int indent)
{
	while (*text) {
		size_t word = strcspn(text, " ");

		if (at > indent && at + 1 + word > HELP_WIDTH) {
			kl_buf_printf(b, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			kl_buf_puts(b, " ");
			at++;
		}
		kl_buf_append(b, text, word);
		at += (unsigned int)word;
		text += word + strspn(text + word, " ");
	}
	kl_buf_puts(b, "\n");
}

static void help_row(struct kl_buf *b, const char *left, const char *right)
{
	if (strlen(left) + 1 > HELP_COLUMN)
		kl_buf_printf(b, "%s\n%*s", left, HELP_COLUMN, "");
	else
		kl_buf_printf(b, "%-*s", HELP_COLUMN, left);
	wrap(b, right, HELP_COLUMN, HELP_COLUMN);
}

static void help_verb(const struct cli_verb *v, struct kl_buf *b)
{
	kl_buf_printf(b, "usage: " KLINIC_NAME " %s%s%s\n\n", v->name, *v->usage ? " " : "",
		      v->usage);
	kl_buf_printf(b, "%c%s.\n", v->summary[0] - 'a' + 'A', v->summary + 1);
	if (v->text) {
		kl_buf_puts(b, "\n");
		wrap(b, v->text, 0, 0);
	}
	kl_buf_puts(b, "\noptions:\n");
	for (size_t i = 0; i < CLI_OPTIONS_MAX && v->options[i].name; i++) {
		const struct cli_option *o = &v->options[i];
		const char dash[] = { '-', o->letter, ',', ' ', '\0' };
		KL_AUTO_FREE char *left =
			kl_asprintf("  %s--%s%s%s", o->letter ? dash : "", o->name,
				    o->arg ? " " : "", o->arg ? o->arg : "");

		help_row(b, left ? left : "", o->help);
	}
	help_row(b, "  -h, --help", "this text");
}

static void help_all(struct kl_buf *b)
{
	kl_buf_puts(b, "usage: " KLINIC_NAME " VERB [arguments]\n\n"
		       "Kernel debugging exercises: booted, judged and scored.\n\nverbs:\n");
	for (size_t i = 0; i < KL_ARRAY_SIZE(verbs); i++)
		kl_buf_printf(b, "  %-10s%s\n", verbs[i].name, verbs[i].summary);
	kl_buf_puts(b, "\n“" KLINIC_NAME " VERB --help” says more about each.\n\n"
		       "Exit status: 0 pass or done, 1 graded and failed, 2 usage, 3 bad content "
		       "(exercise,\n"
		       "rubric, submission refused), 4 infrastructure, 5 inconclusive, 130 "
		       "interrupted.\n\n"
		       "Environment: KLINIC_ROOT (the checkout with exercises/ and rubrics/), "
		       "XDG_CACHE_HOME\n"
		       "(kernels and templates lie in klinic/ below it; default ~/.cache), "
		       "KLINIC_SOURCE (a\n"
		       "kernel source archive or tree), KLINIC_QEMU (the emulator), NO_COLOR.\n");
}

static int print_help(const struct cli_verb *v, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (v)
		help_verb(v, &b);
	else
		help_all(&b);
	if (b.data && !cli_unicode())
		cli_ascii(b.data);
	b.len = strlen(kl_buf_str(&b));
	return cli_print(&b, err);
}

static const struct cli_verb *find_verb(const char *name)
{
	for (size_t i = 0; i < KL_ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int unknown_verb(const char *word, struct kl_error *err)
{
	const char *names[KL_ARRAY_SIZE(verbs) + 1] = { 0 };
	const char *near;

	for (size_t i = 0; i < KL_ARRAY_SIZE(verbs); i++)
		names[i] = verbs[i].name;
	near = cli_nearest(word, names);
	if (near)
		return kl_fail(err, KL_USAGE, "there is no verb “%s”: did you mean “%s”?", word,
			       near);
	return kl_fail(err, KL_USAGE,
		       "there is no verb “%s”: “" KLINIC_NAME " --help” lists what there is", word);
}

static int dispatch(int argc, char **argv, struct kl_error *err)
{
	const struct cli_verb *v;
	struct cli_args args;
	bool help;

	if (argc < 2)
		return kl_fail(err, KL_USAGE,
			       "say what to do: “" KLINIC_NAME " --help” lists the verbs");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    (!strcmp(argv[1], "help") && argc == 2))
		return print_help(NULL, err);
	if (!strcmp(argv[1], "--version"))
		argv[1] += 2;
	if (!strcmp(argv[1], "help"))
		return (v = find_verb(argv[2])) ? print_help(v, err) : unknown_verb(argv[2], err);
	v = find_verb(argv[1]);
	if (!v)
		return unknown_verb(argv[1], err);
	if (cli_parse(v, argc - 2, argv + 2, &args, &help, err))
		return -1;
	return help ? print_help(v, err) : v->run(&args, err);
}

int main(int argc, char **argv)
{
	struct kl_error err = KL_ERROR_INIT;
	int status;

	/* Not LC_NUMERIC: numbers in documents have a point everywhere. */
	setlocale(LC_CTYPE, "");
	cli_catch_signals();
	status = dispatch(argc, argv, &err);
	cli_progress_end();
	if (status >= 0)
		return status;
	cli_complain(&err);
	return cli_exit_status(&err);
}
