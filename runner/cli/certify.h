/* A certification: what certify.c finds out and certify_show.c shows. */
#ifndef KLINIC_CLI_CERTIFY_H
#define KLINIC_CLI_CERTIFY_H

#include "cli/cli.h"

/* One variant, graded. */
struct cli_outcome {
	const struct kl_variant *variant;
	enum kl_verdict expected;
	struct cli_judgement judgement;
	char *objection; /* why this is not as it should be, or NULL */
	/* With which the exercise's own seeds catch a fix of its kind; 1 when no seed decides. */
	double confidence;
	const struct kl_check *hangs_on; /* the check whose seeds decide, or NULL */
};

/* How often a variant fails a check of which a run is one of many. */
struct cli_rate {
	const struct kl_variant *variant;
	unsigned int own; /* runs of a grade */
	unsigned int runs, failures; /* with those that were made for the rate */
	uint64_t *seeds_failed;
};

/* What a check can show. */
struct cli_proof {
	const struct kl_check *check;
	const struct kl_variant *control; /* known to be wrong, and fails it; or NULL */
	struct cli_rate *
		rates; /* with the schedule driver or in parallel: of what fails it, and of broken */
	size_t n_rates;
	const struct cli_rate
		*known; /* in parallel: the rate that confidence is made of, or NULL */
	unsigned int seeds_needed; /* for three nines with all that hang on it; 0: nothing does */
	char *objection;
};

struct cli_certification {
	struct kl_exercise exercise;
	struct kl_variants variants;
	struct cli_outcome *outcomes;
	size_t n_outcomes;
	struct cli_proof *proofs; /* one for each check, in their order */
	size_t n_proofs;
	bool whole; /* every variant with the exercise's own seeds */
	bool certified; /* what was graded is as it should be */
	bool infra; /* a variant could not be judged because the machine failed */
};

/* certify.c: one variant through a session. */
int cli_certify_judge(const struct kl_exercise *e, const struct kl_session_options *session,
		      const struct kl_variant *v, struct cli_judgement *ret, struct kl_error *err);

/* certify_rates.c, in this order, when all outcomes are there. */
/* Fills proofs; runs what it takes. quick: parallel checks only, which nothing passes without. */
int cli_certify_measure(struct cli_certification *c, const struct kl_session_options *o, bool quick,
			struct kl_error *err);
/* Confidence of each outcome, and the objection where it is too small. */
int cli_certify_weigh(struct cli_certification *c, struct kl_error *err);
/* The control of each check; one without takes c->certified away. */
int cli_certify_controls(struct cli_certification *c, struct kl_error *err);
void cli_proof_deinit(struct cli_proof *p);

void cli_certification_deinit(struct cli_certification *c);
/* The contract's document; no times in it. NULL without memory. */
json_t *cli_certification_json(const struct cli_certification *c);
void cli_certification_text(const struct cli_certification *c, const struct kl_text_style *style,
			    struct kl_buf *b);

#endif
