/*
 * What the files of the command share. A verb is one file with one function;
 * main.c has the table that makes dispatch and help. Only this room prints and
 * exits.
 *
 * Exit status: 0 pass or done, 1 graded and failed, 2 usage, 3 bad content, 4
 * infrastructure, 5 inconclusive, 130 interrupted. When a verb fails, stdout
 * stays empty in every format and stderr has one sentence, "klinic: …". The one
 * exception is grade: once the submission has been taken in, a machine that
 * fails still gives a result, with the verdict infra, to whom asked for a
 * document (json, html, junit) and not for text.
 */
#ifndef KLINIC_CLI_H
#define KLINIC_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include <klinic/cleanup.h>
#include <klinic/error.h>
#include <klinic/exercise.h>
#include <klinic/json.h>
#include <klinic/report.h>
#include <klinic/result.h>
#include <klinic/session.h>
#include <klinic/str.h>
#include <klinic/submission.h>

#define KLINIC_NAME "klinic"
/* "0.1.0", and "0.1.0-3f2a9c0d1e5b" when it was built in a git checkout. */
const char *cli_version(void);

enum {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_CONTENT = 3,
	CLI_INFRA = 4,
	CLI_INCONCLUSIVE = 5,
	CLI_INTERRUPTED = 130,
};

#define CLI_OPTIONS_MAX	    16
#define CLI_POSITIONALS_MAX 8

struct cli_option {
	const char *name; /* without dashes */
	char letter; /* or 0 */
	const char *arg; /* name of its argument in help; NULL: a flag */
	const char *help;
};

struct cli_args {
	const struct cli_verb *verb;
	const char *value[CLI_OPTIONS_MAX]; /* by index in verb->options; "" for a flag given */
	const char *positional[CLI_POSITIONALS_MAX];
	unsigned int n;
};

struct cli_verb {
	const char *name;
	const char *usage; /* what follows the verb: "ID --submission PATH [options]" */
	const char *summary; /* one line */
	const char *text; /* more, for klinic VERB --help */
	unsigned int min, max; /* positionals */
	/* Exit status, or -1 and err. */
	int (*run)(const struct cli_args *a, struct kl_error *err);
	struct cli_option options[CLI_OPTIONS_MAX];
};

/* options.c */
/* argv without program and verb. 0, or -1 KL_USAGE. *ret_help when --help is among them. */
int cli_parse(const struct cli_verb *v, int argc, char **argv, struct cli_args *ret, bool *ret_help,
	      struct kl_error *err);
/* The argument of an option, or NULL when it was not given. */
const char *cli_value(const struct cli_args *a, const char *name);
bool cli_flag(const struct cli_args *a, const char *name);
/* *ret keeps its value when the option was not given. */
int cli_number(const struct cli_args *a, const char *name, uint64_t min, uint64_t max,
	       uint64_t *ret, struct kl_error *err);
/* Index in names (NULL-ended) of the option's value; 0 when it was not given. -1 KL_USAGE. */
int cli_choice(const struct cli_args *a, const char *name, const char *const *names,
	       struct kl_error *err);
/* The nearest of names (NULL-ended), or NULL when none is near. */
const char *cli_nearest(const char *word, const char *const *names);

/* output.c */
int cli_exit_status(const struct kl_error *err);
/* "klinic: …" on stderr. */
void cli_complain(const struct kl_error *err);
void cli_warn(const char *fmt, ...) KL_PRINTF(1, 2);
/* To stdout. A reader that has gone away is no error. */
int cli_print(const struct kl_buf *b, struct kl_error *err);
/* The same for text of ours: in plain ASCII where the locale has no UTF-8. */
int cli_print_text(struct kl_buf *b, struct kl_error *err);
int cli_print_json(const json_t *j, struct kl_error *err);
/* To the file that --output names, else to stdout. */
int cli_output(const struct cli_args *a, const struct kl_buf *b, struct kl_error *err);
/* Could a file be written there? Asked before the long work whose result goes there. */
int cli_output_probe(const char *path, struct kl_error *err);
int cli_write_file(const char *path, const struct kl_buf *b, struct kl_error *err);

/* A kernel log, as a serial console ends lines, made safe for a terminal; ends with a newline. */
void cli_log_text(struct kl_buf *b, const char *log, size_t len);

/* terminal.c */
/* For stdout, or for a file when to_file. */
struct kl_text_style cli_style(bool to_file);
bool cli_stderr_is_terminal(void);
bool cli_unicode(void);
/* Typographic quotes, dashes and marks in plain ASCII, where the locale has no UTF-8. */
void cli_ascii(char *text);

/* signals.c */
void cli_catch_signals(void);

/* progress.c: one line on stderr, shown when it is a terminal and more than two seconds have passed. */
void cli_progress_begin(const char *what);
/* Says which of several things is being done: "decoy early-unlock (4 of 9)". */
void cli_progress_part(const char *fmt, ...) KL_PRINTF(1, 2);
/* A kl_progress_fn; arg is not used. */
void cli_progress(const char *phase, unsigned long done, unsigned long total, int64_t elapsed_ms,
		  int64_t expected_ms, void *arg);
/* Erases the line. Harmless without a beginning. */
void cli_progress_end(void);

/* judge.c: submission → evidence → result, as grade, check, certify and bench want it. */
struct cli_judgement {
	struct kl_submission submission;
	struct kl_evidence evidence;
	struct kl_result result;
};
void cli_judgement_deinit(struct cli_judgement *j);
/* PATH, or the handout as it stands when path is NULL. Sets evidence.intake_ms. */
int cli_intake(const struct kl_exercise *e, const char *path, struct cli_judgement *j,
	       struct kl_error *err);
/* Runs and grades what cli_intake took. */
int cli_judge(const struct kl_exercise *e, const struct kl_session_options *o,
	      struct cli_judgement *j, struct kl_error *err);
/* Grades the evidence again, after somebody has changed it. */
int cli_regrade(const struct kl_exercise *e, struct cli_judgement *j, struct kl_error *err);
/* A result with verdict infra for a session that the machine let down. */
int cli_judge_infra(const struct kl_exercise *e, const struct kl_session_options *o,
		    const struct kl_error *why, struct cli_judgement *j, struct kl_error *err);
/* The exit status of a result: 3 when it was refused. */
int cli_result_status(const struct kl_result *r);

/* candidate.c: takes out of a result what a candidate must not see. */
int cli_redact(struct kl_result *r, struct kl_error *err);

/* receipt.c */
/* Signs the result as it is now: after cli_redact() when it was redacted. */
int cli_sign(const struct kl_exercise *e, const struct kl_sign_key *k, struct kl_result *r,
	     struct kl_error *err);
/*
 * After cli_redact() of a result whose receipt was good: signed anew if the key is
 * one's own; else it has no receipt any more.
 */
int cli_sign_redacted(struct kl_result *r, struct kl_error *err);

/* formats.c: a result in the format of --format. */
enum cli_format { CLI_TEXT, CLI_JSON, CLI_HTML, CLI_JUNIT };
extern const char *const cli_formats[]; /* all four, NULL-ended */
extern const char *const cli_text_or_json[]; /* the first two */
int cli_render(const struct kl_result *r, enum cli_format f, enum kl_audience a, bool to_file,
	       struct kl_buf *ret, struct kl_error *err);

/* words.c: findings for people. */
void cli_findings_text(const struct kl_findings *fs, bool explain, struct kl_buf *b);
void cli_bytes_text(struct kl_buf *b, uint64_t bytes);

/* certificate.c */
/* Where the certificate of e as it is now, for what would judge it now, is kept. */
int cli_certificate_path(const struct kl_exercise *e, char **ret, struct kl_error *err);
/* It, or NULL. The caller's reference. */
json_t *cli_certificate_load(const struct kl_exercise *e);
/* Into the evidence of parallel checks: the rates of known-bad code that it has measured. */
int cli_certificate_known(const struct kl_exercise *e, struct kl_evidence *ev,
			  struct kl_error *err);
/* Is there one, and does it say yes? */
bool cli_is_certified(const struct kl_exercise *e);
int cli_certificate_save(const struct kl_exercise *e, const json_t *j, struct kl_error *err);

/* bench_schedules.c */
int cli_bench_schedules(const struct cli_args *a, struct kl_error *err);

/* The verbs. */
int cli_verb_bench(const struct cli_args *a, struct kl_error *err);
int cli_verb_certify(const struct cli_args *a, struct kl_error *err);
int cli_verb_check(const struct cli_args *a, struct kl_error *err);
int cli_verb_doctor(const struct cli_args *a, struct kl_error *err);
int cli_verb_grade(const struct cli_args *a, struct kl_error *err);
int cli_verb_handout(const struct cli_args *a, struct kl_error *err);
int cli_verb_kernel(const struct cli_args *a, struct kl_error *err);
int cli_verb_list(const struct cli_args *a, struct kl_error *err);
int cli_verb_report(const struct cli_args *a, struct kl_error *err);
int cli_verb_run(const struct cli_args *a, struct kl_error *err);
int cli_verb_show(const struct cli_args *a, struct kl_error *err);
int cli_verb_splat(const struct cli_args *a, struct kl_error *err);
int cli_verb_start(const struct cli_args *a, struct kl_error *err);
int cli_verb_verify(const struct cli_args *a, struct kl_error *err);
int cli_verb_version(const struct cli_args *a, struct kl_error *err);

#endif
