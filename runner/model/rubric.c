/* A rubric's ownership and look-up. Reading: rubric_parse.c. */
#include <stdlib.h>

#include <klinic/rubric.h>

void kl_rubric_deinit(struct kl_rubric *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct kl_dimension *d = &r->dimensions[i];

		free(d->id);
		free(d->title);
		free(d->bar);
		for (size_t k = 0; k < KL_RUBRIC_LEVELS; k++)
			free(d->levels[k]);
	}
	free(r->dimensions);
	free(r->id);
	free(r->title);
	*r = (struct kl_rubric){ 0 };
}

const struct kl_dimension *kl_rubric_dimension(const struct kl_rubric *r, const char *id)
{
	for (size_t i = 0; i < r->n; i++)
		if (kl_str_eq(r->dimensions[i].id, id))
			return &r->dimensions[i];
	return NULL;
}
