/* What the files of this room share. */
#ifndef KLINIC_SESSION_INTERNAL_H
#define KLINIC_SESSION_INTERNAL_H

#include <stdatomic.h>

#include <klinic/session.h>
#include <klinic/vm.h>

/* One flavour of a session: kernel, the candidate's module built for it, templates. */
struct ks_flavour {
	char *name;
	struct kl_kernel kernel;
	struct kl_module module;
	struct kl_template *template[KL_MODE_COUNT];
};

/* One check that will be run. */
struct ks_plan {
	const struct kl_check *check;
	struct ks_flavour *flavour;
	char *program, *oracle;
	bool hostile; /* the oracle is whoever's the workspace is: only in the sandbox */
	unsigned int runs; /* asked for */
	uint64_t first_seed;
	struct kl_run *run; /* [runs], in the order of seeds */
	bool *done; /* [runs] */
	atomic_uint hung; /* index of the first run so far whose tasks were asked for unbidden */
	unsigned int stop_after; /* runs with a larger index are dropped; runs when none failed */
};

struct ks_session {
	const struct kl_exercise *exercise;
	const struct kl_submission *submission;
	const struct kl_session_options *options;
	const struct kl_strv *only; /* a control's session: the checks that it makes; else NULL */
	struct ks_flavour *flavour;
	size_t n_flavours;
	struct ks_plan *plan;
	size_t n_plans;
};

/* session.c: the whole of it; s is empty afterwards. */
int ks_run(struct ks_session *s, struct kl_evidence *ret, struct kl_error *err);

/*
 * control.c: for each check of ev (one for each plan of s, in this order) whose runs
 * did not fail, what known-bad code did in it. Nothing without options->control.
 */
int ks_control(const struct ks_session *s, struct kl_evidence *ev, struct kl_error *err);

/* queue.c */
/* As the graders see it; false when nobody told how they see (kl_session_set_failed_fn). */
bool ks_failed(const struct kl_check_evidence *c, const struct kl_run *run);
/* The machine's fault, not the guest's. */
bool ks_is_infra(const struct kl_run *run);
/* Makes all planned runs, side by side. -1 only when interrupted or out of memory. */
int ks_run_all(struct ks_session *s, struct kl_error *err);

/* look.c: guest memory, asked after a run. */
struct ks_look {
	struct ks_plan *plan;
	unsigned int index; /* of the run */
	bool which[KL_PROBE_COUNT]; /* what is asked: nothing, mostly */
	int dump; /* memfd with guest memory, or -1 */
	struct kl_error err; /* why there is none */
};
/* Sets the job up so that memory is dumped if it is wanted when the run has ended. */
void ks_look_prepare(struct ks_look *l, struct ks_plan *p, unsigned int index, struct kl_job *job);
/* Asks, after the run. What cannot be answered stands in run->inspection; -1 only when interrupted. */
int ks_look_ask(struct ks_look *l, const struct kl_exercise *e, struct kl_run *run,
		struct kl_error *err);
void ks_look_deinit(struct ks_look *l);
/* Of the tasks that were asked for unbidden only those of the first such run stay. */
void ks_look_drop(struct ks_plan *p);

/* canary.c */
/* Fills the job's canary: module, and a token that the guest cannot know before it stops. */
void ks_canary(const struct ks_session *s, const struct ks_plan *p, struct kl_job *job);
/* Who was heard, into run->canary_heard; what else was reported by then, into run->findings. */
int ks_hear_canary(const struct kl_job *job, struct kl_run *run, struct kl_error *err);

/* oracle.c */
/*
 * The challenge of a run: a hash of the submission's digest, check and seed under
 * the exercise's digest, which covers its hidden half. The same for a submission
 * on every machine; not to be foreseen by who does not have the hidden half.
 */
/* Keyed the same way: domain keeps one use's numbers apart from another's. */
void ks_secret(const struct kl_exercise *e, const struct kl_submission *s, const struct kl_check *c,
	       const char *domain, uint64_t seed, uint8_t ret[32]);
void ks_challenge(const struct kl_exercise *e, const struct kl_submission *s,
		  const struct kl_check *c, uint64_t seed, uint8_t ret[32]);
/* Asks the check's oracle what is right, and fills run->answers with it and with what the guest gave. */
int ks_expect(const struct ks_plan *p, const uint8_t challenge[32], const struct kl_slots *slots,
	      struct kl_run *run, struct kl_error *err);
/* "slot min max label" lines. */
int ks_parse_expectations(const char *text, const struct kl_slots *slots, struct kl_run *run,
			  struct kl_error *err);

#endif
