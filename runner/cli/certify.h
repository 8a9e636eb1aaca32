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
};

/* How often the broken module fails a check with the schedule driver. */
struct cli_race {
	char *check;
	unsigned int runs, failures;
	uint64_t *seeds_failed;
};

struct cli_certification {
	struct kl_exercise exercise;
	struct kl_variants variants;
	struct cli_outcome *outcomes;
	size_t n_outcomes;
	struct cli_race *races;
	size_t n_races;
	bool whole; /* every variant with the exercise's own seeds */
	bool certified; /* what was graded is as it should be */
	bool infra; /* a variant could not be judged because the machine failed */
};

void cli_certification_deinit(struct cli_certification *c);
/* The contract's document; no times in it. NULL without memory. */
json_t *cli_certification_json(const struct cli_certification *c);
void cli_certification_text(const struct cli_certification *c, const struct kl_text_style *style,
			    struct kl_buf *b);

#endif
