/* The command: a table of verbs, from which dispatch and help are made. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <klinic/file.h>

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

#define DESK_OPTIONS                                                                     \
	{ "check", 0, "CHECK", "this visible check only" },                              \
		{ "seed", 0, "N", "one run of each check, with this seed" },             \
	{                                                                                \
		"seeds", 0, "N", "runs of each check, instead of the exercise's numbers" \
	}

static const struct cli_verb verbs[] = {
	{ .name = "doctor",
	  .usage = "[options]",
	  .summary = "say what this machine has, and what it lacks",
	  .text = "Each line is ok, missing (with what to do) or a note (klinic does without). "
		  "Exit status: 0 this machine can grade, 4 something is missing.",
	  .run = cli_verb_doctor,
	  .options = { FORMAT_OPTION } },
	{ .name = "list",
	  .usage = "[options]",
	  .summary = "list the exercises",
	  .run = cli_verb_list,
	  .options = { FORMAT_OPTION } },
	{ .name = "show",
	  .usage = "ID [options]",
	  .summary = "show an exercise: its facts and its brief",
	  .min = 1,
	  .max = 1,
	  .run = cli_verb_show,
	  .options = { FORMAT_OPTION } },
	{ .name = "start",
	  .usage = "ID [DIR]",
	  .summary = "make a workspace to solve an exercise in",
	  .text = "DIR (by default the exercise's id) gets the handout, the brief and a README, as a "
		  "git repository with one commit. It must not exist, or be empty.",
	  .min = 1,
	  .max = 2,
	  .run = cli_verb_start },
	{ .name = "handout",
	  .usage = "ID [options]",
	  .summary = "pack the candidate's half of an exercise as an archive",
	  .text = "The archive holds a workspace as start makes it, git repository included: all "
		  "that run and check need, and nothing of the hidden half. The same exercise "
		  "gives the same bytes.",
	  .min = 1,
	  .max = 1,
	  .run = cli_verb_handout,
	  .options = {
		  { "output", 'o', "FILE", "a name that ends in .tar.gz, .tgz or .tar; - is standard output (default: ID.tar.gz)" },
	  } },
	{ .name = "run",
	  .usage = "[DIR] [options]",
	  .summary = "build and run the visible checks, with the guest's console",
	  .text = "DIR is a workspace; by default the one around the working directory. Exit status: "
		  "as of grade, for the visible checks alone.",
	  .max = 1,
	  .run = cli_verb_run,
	  .options = { DESK_OPTIONS } },
	{ .name = "check",
	  .usage = "[DIR] [options]",
	  .summary = "run the visible checks, in short",
	  .text = "DIR is a workspace; by default the one around the working directory. Exit status: "
		  "as of grade, for the visible checks alone.",
	  .max = 1,
	  .run = cli_verb_check,
	  .options = { FORMAT_OPTION, DESK_OPTIONS, JOBS_OPTION } },
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
		  { "quick", 0, NULL,
		    "verdicts without rates: a check ends at its first failure, a decoy is held only "
		    "against the checks that are to catch it (no certificate is kept)" },
		  { "seeds", 0, "N", "runs of each check, instead of the exercise's (no certificate is kept)" },
		  { "kept", 0, NULL, "run nothing: print the certificate in the cache, as JSON" },
		  JOBS_OPTION,
	  } },
	{ .name = "report",
	  .usage = "RESULT.json [options]",
	  .summary = "print a kept result in another format",
	  .text = "RESULT.json is what klinic grade --format json printed.",
	  .min = 1,
	  .max = 1,
	  .run = cli_verb_report,
	  .options = {
		  { "format", 0, "text|json|html|junit", "how to print the result (default: text)" },
		  { "audience", 0, "panel|candidate", "for whom (default: panel; a candidate sees nothing hidden)" },
		  { "output", 'o', "FILE", "write the report there instead of printing it" },
	  } },
	{ .name = "verify",
	  .usage = "RESULT.json [options]",
	  .summary = "check who signed a result, and that it is unchanged",
	  .text = "RESULT.json is what klinic grade --format json printed. Without --key your own "
		  "key is the one that is trusted. Exit status: 0 unchanged and signed by that key, "
		  "1 not, 3 it is no result.",
	  .min = 1,
	  .max = 1,
	  .run = cli_verb_verify,
	  .options = {
		  FORMAT_OPTION,
		  { "key", 0, "KEY", "trust this key alone: a fingerprint, or a file like receipt.pub" },
	  } },
	{ .name = "kernel",
	  .usage = "list | build FLAVOUR | prune [--all]",
	  .summary = "list, build and remove kernels",
	  .text = "Kernels are built from linux-source and a flavour's configuration, and kept in the "
		  "cache. prune removes unfinished builds, and kernels and templates that nothing "
		  "names any more; with --all every one, and checks' programs, handouts' modules "
		  "and the outcomes of controls too, which are made again when they are needed. "
		  "Certificates stay.",
	  .min = 1,
	  .max = 2,
	  .run = cli_verb_kernel,
	  .options = {
		  FORMAT_OPTION,
		  { "all", 0, NULL, "prune: remove what is still of use, too" },
	  } },
	{ .name = "splat",
	  .usage = "FILE|- [options]",
	  .summary = "turn a kernel log into typed findings",
	  .text = "FILE is a kernel log, as dmesg or a console prints it, of at most 64 MiB; - is "
		  "standard input. Exit status 0, whatever is found.",
	  .min = 1,
	  .max = 1,
	  .run = cli_verb_splat,
	  .options = { FORMAT_OPTION } },
	{ .name = "bench",
	  .usage = "grade|schedules ID [options]",
	  .summary = "measure what grading costs, and what schedules find",
	  .text = "grade: grades the reference of an exercise once to warm up, then several times, one "
		  "guest at a time, and prints minimum, median and maximum of each phase. schedules: "
		  "runs each check that has a schedule without the driver, with random preemption and "
		  "with PCT of depth 1, 2 and 3, and prints how many runs failed: of the broken module, "
		  "of the reference (none should), and of the decoys that the check is to catch.",
	  .min = 2,
	  .max = 2,
	  .run = cli_verb_bench,
	  .options = {
		  FORMAT_OPTION,
		  { "submission", 's', "PATH", "grade: this instead of the reference; it must pass" },
		  { "repeat", 'n', "N", "how many times (default: 5); schedules: seeds of each (default: 100)" },
		  { "check", 0, "CHECK", "schedules: this check only" },
		  { "variant", 0, "NAME", "schedules: this variant only" },
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
		       "kernel source archive or tree), KLINIC_QEMU (the emulator), "
		       "XDG_CONFIG_HOME\n"
		       "(the key that signs results lies in klinic/ below it; default "
		       "~/.config), NO_COLOR.\n");
}

static int print_help(const struct cli_verb *v, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (v)
		help_verb(v, &b);
	else
		help_all(&b);
	return cli_print_text(&b, err);
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
	kl_tempdir_sweep();
	status = dispatch(argc, argv, &err);
	cli_progress_end();
	if (status >= 0)
		return status;
	cli_complain(&err);
	return cli_exit_status(&err);
}
