/* The stages of reading exercise.yaml: parse, default, validate. */
#ifndef MODEL_EXERCISE_STAGES_H
#define MODEL_EXERCISE_STAGES_H

#include <klinic/exercise.h>
#include <klinic/yaml.h>

/* Bounds of what an author may ask for. */
#define KL_CHECKS_MAX	  64
#define KL_HINTS_MAX	  32
#define KL_SEEDS_MAX	  1024
#define KL_GUEST_SECS_MAX 1000
#define KL_POINTS_MAX	  1000
#define KL_MINUTES_MAX	  1440

/* Types, ranges, spelling; of the half that ret->whole says. Fills ret as far as it came, also on failure: kl_exercise_deinit(). */
int kl_exercise_parse_yaml(const struct kl_yaml *y, struct kl_exercise *ret, struct kl_error *err);
/* What follows from other keys: a check's flavour and dimensions. */
int kl_exercise_default(struct kl_exercise *e, struct kl_error *err);
/* What the text alone can tell. */
int kl_exercise_validate(const struct kl_yaml *y, const struct kl_exercise *e,
			 struct kl_error *err);
/* What the text names must exist: e->dir, the files of handout/ and hidden/, the rubric. */
int kl_exercise_validate_files(const struct kl_yaml *y, const struct kl_exercise *e,
			       struct kl_error *err);

/* kl_exercise_public_text() of a parsed document. */
int kl_exercise_write_public(const struct kl_yaml *y, struct kl_buf *ret, struct kl_error *err);

/* Is DIR/PATH a regular file that no link leads to? */
bool kl_regular_below(const char *dir, const char *path);

#endif
