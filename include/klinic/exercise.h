/*
 * exercise.yaml, typed. Field by field in docs/writing-exercises.md.
 * Parse, default and validate are three stages of kl_exercise_load().
 */
#ifndef KLINIC_EXERCISE_H
#define KLINIC_EXERCISE_H

#include <stdbool.h>
#include <stdint.h>

#include <klinic/digest.h>
#include <klinic/error.h>
#include <klinic/finding.h>
#include <klinic/inspection.h>
#include <klinic/str.h>
#include <klinic/verdict.h>

enum kl_exercise_kind { KL_EXERCISE_FIX, KL_EXERCISE_KIND_COUNT };
KL_ENUM_DECLARE(kl_exercise_kind, enum kl_exercise_kind);

enum kl_level { KL_LEVEL_INTRODUCTORY, KL_LEVEL_INTERMEDIATE, KL_LEVEL_ADVANCED, KL_LEVEL_COUNT };
KL_ENUM_DECLARE(kl_level, enum kl_level);

/* How the schedule driver works in a check's runs: key "schedule". */
enum kl_schedule { KL_SCHEDULE_NONE, KL_SCHEDULE_RANDOM, KL_SCHEDULE_PCT, KL_SCHEDULE_COUNT };
KL_ENUM_DECLARE(kl_schedule, enum kl_schedule);

struct kl_check {
	char *id; /* unique in the exercise; never shown to a candidate for hidden checks */
	char *title; /* public, says what must hold, not how it is tested */
	char *program; /* path of the C source, relative to the exercise folder */
	char *flavour; /* kernel flavour; default: the exercise's first */
	enum kl_mode mode; /* default exact */
	bool hidden;
	enum kl_schedule schedule; /* default none */
	unsigned int preempt_percent; /* schedule random: chance at each point, default 30 */
	unsigned int depth; /* schedule pct: 1 to 3, default 2 (docs/schedules.md) */
	uint64_t first_seed; /* seeds are first_seed … first_seed + seeds - 1 */
	unsigned int seeds; /* default 1, at most 1024 */
	unsigned int guest_seconds; /* exact limit in guest time for the whole run, default 30 */
	bool unload; /* rmmod after the program; default true */
	bool leaks; /* kmemleak scan after unload; default false */
	unsigned int points; /* its share of the score, default 1 */
	struct kl_strv dimensions; /* default: the exercise's */
	/*
	 * Kinds whose report does not fail the check (key "tolerate"): for checks
	 * that inject faults and meet the allocator's own warning. Default none.
	 */
	bool tolerate[KL_KIND_COUNT];
	/* Questions to guest memory after the end (key "probes"); judged. Default none. */
	bool probes[KL_PROBE_COUNT];
};

struct kl_hint {
	char *text;
	unsigned int cost; /* points */
};

struct kl_exercise {
	char *dir; /* the folder, as given */
	char *id; /* equals the folder's name */
	char *title;
	enum kl_exercise_kind kind;
	struct kl_strv tracks; /* interview, onboarding, mentoring, ci */
	unsigned int stage; /* of the roadmap, 1 to 7 */
	enum kl_level level;
	unsigned int minutes;
	char *subsystem;
	char *bug_class;
	struct kl_strv dimensions; /* ids of the rubric's dimensions that it can speak to */
	char *rubric; /* id: rubrics/ID.yaml */
	struct kl_strv flavours; /* kernel: {flavours: […]} */
	char *module; /* name of the .ko, without suffix */
	struct kl_strv sources; /* of the module, relative to handout/ */
	struct kl_strv editable; /* files of handout/ that a submission may change */
	struct kl_strv imports; /* symbols a fix may import beside those of the handout's module */
	struct kl_check *checks;
	size_t n_checks;
	struct kl_hint *hints;
	size_t n_hints;
	bool whole; /* with its hidden half; without it nothing can be graded */
	size_t n_hidden; /* hidden checks that exercise.yaml has; among checks only when whole */
	/* Over every file of the folder; of a public half over the public text, brief.md, handout/. */
	char digest[KL_DIGEST_HEX];
};

/* Loads DIR/exercise.yaml and checks that everything it names exists. */
int kl_exercise_load(const char *dir, struct kl_exercise *ret, struct kl_error *err);
/* Without the files: for tests and editors. name is used in complaints. */
int kl_exercise_parse(const char *name, const char *text, size_t len, struct kl_exercise *ret,
		      struct kl_error *err);
void kl_exercise_deinit(struct kl_exercise *e);
const struct kl_check *kl_exercise_check(const struct kl_exercise *e, const char *id);

/*
 * Solutions in hidden/: a variant is a patch against handout/, or a folder with
 * the editable files. hidden/reference.patch, hidden/alternatives/NAME.patch,
 * hidden/decoys/NAME.patch; a decoy's expected failing check stands in
 * hidden/variants.yaml (map NAME: {why, caught_by}). broken and noop are made;
 * an entry for broken says which checks the handout fails, every one of them.
 */
enum kl_role {
	KL_ROLE_BROKEN,
	KL_ROLE_REFERENCE,
	KL_ROLE_ALTERNATIVE,
	KL_ROLE_DECOY,
	KL_ROLE_NOOP,
	KL_ROLE_COUNT
};
KL_ENUM_DECLARE(kl_role, enum kl_role);

struct kl_variant {
	char *name;
	enum kl_role role;
	char *path; /* NULL for broken and noop */
	char *why; /* from variants.yaml, or NULL */
	/* Decoy: checks of which one must fail; broken: checks which all fail. Empty: any. */
	struct kl_strv caught_by;
};

struct kl_variants {
	struct kl_variant *v;
	size_t n;
};

/* broken, reference, alternatives, decoys, noop, in this order, names sorted. */
int kl_variants_load(const struct kl_exercise *e, struct kl_variants *ret, struct kl_error *err);
void kl_variants_deinit(struct kl_variants *vs);

/* Where exercises, rubrics, flavours live: $KLINIC_ROOT, else found from the executable, else ".". */
int kl_content_dir(const char *sub, char **ret, struct kl_error *err);
/* How much of an exercise is wanted. */
enum kl_half {
	KL_HALF_WHOLE, /* KL_CONTENT when hidden/ is not there */
	KL_HALF_PUBLIC, /* without hidden checks; nothing of hidden/ is looked at */
	KL_HALF_FOUND, /* whole if hidden/ is there, else public */
};
/* ID (exercises/ID) or a path to a folder. */
int kl_exercise_open(const char *id_or_path, enum kl_half half, struct kl_exercise *ret,
		     struct kl_error *err);
/* The whole one. */
int kl_exercise_find(const char *id_or_path, struct kl_exercise *ret, struct kl_error *err);
/*
 * The text of an exercise.yaml that says what DIR/exercise.yaml says of the public
 * half: without hidden checks, hints and comments. The same for a text made by it.
 */
int kl_exercise_public_text(const char *dir, struct kl_buf *ret, struct kl_error *err);
/* Ids of all exercises, sorted. */
int kl_exercise_list(struct kl_strv *ret, struct kl_error *err);

#endif
