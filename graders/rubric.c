/*
 * The rubric engine: what the checks say about each dimension. Only checks that
 * were run and decided speak; a dimension without any is not assessed, which is
 * something else than nought.
 */
#include <stdlib.h>
#include <string.h>

#include <klinic/grader.h>

#define SCORE_MAX 4.0

static bool bears_on(const struct kl_exercise *e, const struct kl_check *c, const char *dimension)
{
	const struct kl_strv *own = &c->dimensions;

	return kl_strv_has(own->n ? own : &e->dimensions, dimension);
}

static int score_one(const struct kl_exercise *e, const struct kl_dimension *d,
		     const struct kl_result *res, struct kl_dimension_score *ret,
		     struct kl_error *err)
{
	unsigned int earned = 0, possible = 0;

	ret->id = strdup(d->id);
	ret->title = strdup(d->title);
	ret->weight = d->weight;
	if (!ret->id || !ret->title)
		return kl_fail(err, KL_INFRA, "no memory for the scorecard");
	for (size_t i = 0; i < res->n_checks; i++) {
		const struct kl_check_result *r = &res->checks[i];
		const struct kl_check *c = kl_exercise_check(e, r->id);

		/* No runs: the module did not build, and nothing was seen of what the check is about. */
		if (!c || !r->runs || !bears_on(e, c, d->id))
			continue;
		earned += r->points;
		possible += r->points_max;
	}
	ret->assessed = possible > 0;
	ret->score = possible ? SCORE_MAX * earned / possible : 0;
	return 0;
}

int kl_rubric_score(const struct kl_exercise *e, const struct kl_rubric *r, struct kl_result *res,
		    struct kl_error *err)
{
	res->dimensions = calloc(r->n ? r->n : 1, sizeof(*res->dimensions));
	if (!res->dimensions)
		return kl_fail(err, KL_INFRA, "no memory for the scorecard");
	for (size_t i = 0; i < r->n; i++)
		if (score_one(e, &r->dimensions[i], res, &res->dimensions[res->n_dimensions++],
			      err))
			return -1;
	return 0;
}
