/*
 * Policy: what a submission may not do, read off its source before the build
 * and off the built module after it. What the handout does itself is never held
 * against a submission. Refused is what can only deceive the judge or harm the
 * machine; what an honest fix may do, but a person should see, is pointed out.
 *
 * The source is read as the compiler reads it, but not preprocessed, and the
 * module is read from its symbol and section tables: neither is a proof. They
 * catch the plain attempts early, by name and place, and they show the rest to
 * people; that nothing passes which deceived a detector is the evidence's work.
 */
#ifndef KLINIC_POLICY_H
#define KLINIC_POLICY_H

#include <klinic/evidence.h>
#include <klinic/exercise.h>
#include <klinic/submission.h>

/*
 * The changed files of s against the whole handout. Notes are appended to ret,
 * refused ones first. -1 only when the handout cannot be read or without memory:
 * a submission, however odd, gives notes.
 */
int kl_policy_source(const struct kl_exercise *e, const struct kl_submission *s,
		     struct kl_policy *ret, struct kl_error *err);

/*
 * The module at ko, without debug info, built from a submission, against the one
 * at handout_ko, built from the handout for the same kernel. A symbol that it
 * calls is fine when the handout's module calls it, the exercise's imports name
 * it, or it is on the list of what any driver may call; else it is pointed out,
 * or refused when it is on the list of what no fix may call. Notes are appended
 * to ret. A module that is no sound ELF object is refused.
 */
int kl_policy_module(const struct kl_exercise *e, const char *ko, const char *handout_ko,
		     struct kl_policy *ret, struct kl_error *err);

#endif
