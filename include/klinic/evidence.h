/*
 * Evidence: what klinic saw, without an opinion. Graders see this and nothing
 * else, so every grader runs in a unit test from recorded evidence (JSON).
 */
#ifndef KLINIC_EVIDENCE_H
#define KLINIC_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <klinic/digest.h>
#include <klinic/finding.h>
#include <klinic/inspection.h>
#include <klinic/json.h>
#include <klinic/verdict.h>

#define KL_EVIDENCE_SCHEMA "klinic.evidence/1"

/* How a run ended, as the host saw it. */
enum kl_end {
	KL_END_ANSWERED, /* the agent closed the mailbox and stopped the machine */
	KL_END_PANIC, /* reset, and the log says "Kernel panic" */
	KL_END_RESET, /* reset, triple fault or power-off without an answer */
	KL_END_GUEST_TIME, /* the limit in guest time: a hang, exactly judged */
	KL_END_WALL_NET, /* the wall-clock net: infra */
	KL_END_LOST, /* QEMU died or could not be asked: infra */
	KL_END_COUNT,
};
KL_ENUM_DECLARE(kl_end, enum kl_end);

/* What the check's program came to, as the agent wrote it into the mailbox. */
enum kl_program_end {
	KL_PROGRAM_NONE, /* never started: a step before it failed */
	KL_PROGRAM_EXITED,
	KL_PROGRAM_SIGNALLED,
	KL_PROGRAM_TIMED_OUT, /* the agent's limit for the step */
	KL_PROGRAM_COUNT,
};
KL_ENUM_DECLARE(kl_program_end, enum kl_program_end);

/* One answer compared with what the host expected. */
struct kl_answer {
	unsigned int slot;
	bool given;
	uint64_t value;
	uint64_t min, max; /* inclusive */
	char *label; /* what the slot means; for the author and the panel, not the candidate */
};

struct kl_run {
	uint64_t seed;
	enum kl_end end;
	uint64_t guest_ns; /* guest clock at the end as the guest told it; 0 without an answer */
	int load_status; /* of finit_module: 0 or -errno */
	int unload_status; /* of delete_module: 0 or -errno; 1: not asked for */
	enum kl_program_end program;
	int program_status; /* exit status or signal */
	struct kl_answer *answers; /* one for each slot that the host expected */
	size_t n_answers;
	char *said; /* the program's own remark, bounded; hostile text */
	struct kl_findings findings; /* from the console */
	char *console; /* hostile text, capped, NUL bytes replaced */
	bool console_truncated;
	bool debug_locks; /* lockdep still listening at the end, read from guest memory by the host */
	bool memory_read; /* debug_locks, tainted and all below that comes from memory are valid */
	bool forged; /* the mailbox's orders were changed, or its answers are none that the agent gives */
	bool log_cut; /* the log may lack reports: its last words are missing, or records were lost */
	bool leaks_unheard; /* the leak detector gave up before the end, and the check relies on it */
	uint64_t oopses, warnings; /* counted by the kernel since the template */
	uint64_t log_differs; /* lines that only one of console and memory has, up to a bound */
	char *log_where; /* the first of them, and who has it, or NULL */
	char *modules_wrong; /* what the list of modules lacks or has too much, or NULL */
	struct kl_strv switches_changed; /* variables that steer the detectors */
	uint64_t
		text_changed; /* bytes of the kernel's text and read-only data that are not the template's */
	char *text_where; /* the first of them, "symbol+0x12", or NULL */
	uint64_t tainted; /* tainted_mask, the same way */
	/*
	 * The canary: faults made on purpose once the run was over. due: detectors that were
	 * called on; heard: those that reported it, by name.
	 */
	bool canary; /* one was let loose */
	bool canary_marked; /* and left the marks in memory that such faults leave */
	bool canary_due[KL_KIND_COUNT], canary_heard[KL_KIND_COUNT];
	char *canary_log; /* console after the end of the run, or NULL; hostile text, not kept in JSON */
	int64_t wall_ms;
	struct kl_inspection inspection; /* what drgn found in memory; empty when nobody asked */
	bool scheduled; /* under the schedule driver */
	uint64_t points_hit; /* preemption points met and taken, from the schedule driver */
	uint64_t preempted;
};

/*
 * The same check under the same seeds on code that is known to be wrong: whether
 * it speaks when there is something to say. Where it was not asked for (a
 * candidate's own check, certify, a check that has failed) it says nothing.
 */
struct kl_control {
	bool asked;
	char *variant; /* "broken", or a decoy's name; NULL: none is said to fail the check */
	unsigned int runs, failures; /* runs end at the first failure */
	bool cached; /* an earlier session made the runs */
	char *infra; /* why it could not be had, or NULL */
};

/* How often a variant that is known to be wrong fails a parallel check: from the certificate. */
struct kl_known {
	char *variant; /* NULL: not known */
	unsigned int runs, failures;
};

struct kl_check_evidence {
	char *check; /* id */
	char *title;
	char *flavour;
	enum kl_mode mode;
	bool hidden;
	struct kl_run *runs; /* in the order of seeds */
	size_t n_runs;
	unsigned int planned; /* runs that were asked for; fewer were made after a failure */
	bool tolerate[KL_KIND_COUNT];
	bool leaks;
	char *infra; /* why there are no runs, or NULL */
	struct kl_control control;
	struct kl_known known;
};

/* One compile of the candidate's files. */
struct kl_diagnostic {
	char *file;
	unsigned int line, column;
	char *severity; /* error, warning, note */
	char *text;
};

struct kl_build_evidence {
	char *flavour;
	bool ok;
	bool timed_out;
	struct kl_diagnostic *diagnostics;
	size_t n;
	char *log; /* hostile text, capped */
	int64_t wall_ms;
};

/*
 * What the policy (policy.h) says of one place in a submission: refused, which
 * fails it, or only pointed out to the person who reviews it.
 */
struct kl_policy_note {
	char *rule; /* "detector-switch", … */
	char *file; /* relative to handout/, or NAME.ko */
	unsigned int line, column; /* 0 in a module */
	char *name; /* what was found: an identifier, a symbol, a section; hostile text */
	char *text; /* why, and what to do instead */
	bool refused;
};

struct kl_policy {
	struct kl_policy_note *v;
	size_t n;
};

struct kl_evidence {
	char *exercise;
	char exercise_digest[KL_DIGEST_HEX];
	char submission_digest[KL_DIGEST_HEX];
	char *submission; /* name for people */
	char *diff;
	struct kl_strv refused;
	struct kl_policy policy; /* of the source first, then of the module */
	struct kl_build_evidence *builds;
	size_t n_builds;
	struct kl_check_evidence *checks; /* in the order of exercise.yaml */
	size_t n_checks;
	/* environment */
	char *kernel; /* "6.1.192 kasan 0123456789ab" */
	char *qemu; /* version */
	char *accel; /* "tcg", or "tcg+icount" */
	char template_ram[KL_DIGEST_HEX]; /* of the exact template, "" when none was used */
	int64_t intake_ms, build_ms, vm_ms, total_ms;
};

void kl_run_deinit(struct kl_run *r);
void kl_control_deinit(struct kl_control *c);
int kl_control_copy(struct kl_control *to, const struct kl_control *from, struct kl_error *err);
void kl_known_deinit(struct kl_known *k);
int kl_known_copy(struct kl_known *to, const struct kl_known *from, struct kl_error *err);
/*
 * The chance p of one run to fail: failures ÷ (runs + 1), as if one run more had
 * been made and had not failed, so that no count of runs makes it a certainty.
 */
double kl_chance(unsigned int runs, unsigned int failures);
/* 1 - (1 - p)^n: that at least one of n runs fails. */
double kl_confidence(double p, unsigned int n);
/* Appends a copy. */
int kl_policy_add(struct kl_policy *p, const struct kl_policy_note *note);
/* The first refused note, or NULL. */
const struct kl_policy_note *kl_policy_refusal(const struct kl_policy *p);
void kl_policy_deinit(struct kl_policy *p);
void kl_build_evidence_deinit(struct kl_build_evidence *b);
void kl_evidence_deinit(struct kl_evidence *e);
json_t *kl_evidence_json(const struct kl_evidence *e);
int kl_evidence_from_json(const json_t *j, struct kl_evidence *ret, struct kl_error *err);

#endif
