/* rubrics/ID.yaml: weighted dimensions with anchored levels. */
#ifndef KLINIC_RUBRIC_H
#define KLINIC_RUBRIC_H

#include <stddef.h>

#include <klinic/error.h>
#include <klinic/str.h>

#define KL_RUBRIC_LEVELS 4

struct kl_dimension {
	char *id; /* "debugging-rca" */
	char *title;
	char *bar; /* what meets the bar */
	unsigned int weight; /* per cent; all of a rubric's add up to 100 */
	char *levels[KL_RUBRIC_LEVELS]; /* anchors, from below the bar to outstanding */
};

struct kl_rubric {
	char *id;
	char *title;
	struct kl_dimension *dimensions;
	size_t n;
};

int kl_rubric_load(const char *path, struct kl_rubric *ret, struct kl_error *err);
int kl_rubric_find(const char *id, struct kl_rubric *ret,
		   struct kl_error *err); /* rubrics/ID.yaml */
void kl_rubric_deinit(struct kl_rubric *r);
const struct kl_dimension *kl_rubric_dimension(const struct kl_rubric *r, const char *id);

#endif
