/* A submission's ownership; intake/ fills it. */
#include <stdlib.h>

#include <klinic/submission.h>

void kl_submission_deinit(struct kl_submission *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->files[i].path);
		free(s->files[i].data);
	}
	free(s->files);
	free(s->source);
	free(s->diff);
	free(s->message);
	kl_strv_deinit(&s->refused);
	*s = (struct kl_submission){ 0 };
}
