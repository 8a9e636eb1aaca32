/*
 * What an audience gets to see. Every format asks here, so that what is hidden
 * from candidates is decided in one place. Private to report/.
 */
#ifndef KLINIC_REPORT_VIEW_H
#define KLINIC_REPORT_VIEW_H

#include <klinic/report.h>

/* May id, seeds, runs, times, findings and log of this check be shown? */
bool kl_view_open(const struct kl_check_result *c, enum kl_audience a);
/* May its detail be shown? It names slots and values, which candidates never see. */
bool kl_view_detail(const struct kl_check_result *c, enum kl_audience a);
/* Why it ended as it did: the detail or the remark; "" when there is nothing to say. */
const char *kl_view_why(const struct kl_check_result *c, enum kl_audience a);
/* The findings of the checks that are open to the audience, without repetition. */
int kl_view_findings(const struct kl_result *r, enum kl_audience a, struct kl_findings *ret,
		     struct kl_error *err);
/* Hints where to look next, for what was seen; fixed sentences. */
int kl_view_remedies(const struct kl_result *r, struct kl_strv *ret, struct kl_error *err);
/* "1 of 3 runs failed, seed 19"; for checks that are open. "not run" without runs. */
void kl_view_runs(struct kl_buf *b, const struct kl_check_result *c);
/*
 * What known-bad code does in this check, for the panel: its rate in parallel runs,
 * and the control. Nothing for candidates: it names solutions of the hidden half.
 */
void kl_view_known(struct kl_buf *b, const struct kl_check_result *c, enum kl_audience a);
/* "8.594620774 s"; nothing for 0. */
void kl_view_guest_time(struct kl_buf *b, uint64_t ns);
/* "3 of 9 points", with a word when some could not be decided. */
void kl_view_score(struct kl_buf *b, const struct kl_result *r);
/* How much of the scorecard the machine speaks to. */
void kl_view_assessed(struct kl_buf *b, const struct kl_result *r);
/*
 * Notes of the policy: what was refused is for everybody, what is only pointed
 * out is for those who review.
 */
bool kl_view_note(const struct kl_policy_note *n, bool refused, enum kl_audience a);
/* Notes of this kind that the audience sees. */
size_t kl_view_notes(const struct kl_result *r, bool refused, enum kl_audience a);
/* "lincal.c:12:3: detector-switch: …" */
void kl_view_note_words(struct kl_buf *b, const struct kl_policy_note *n);
/* Who signed it, and whether that still fits; nothing without a receipt. */
void kl_view_receipt(struct kl_buf *b, const struct kl_result *r);
/* The build that failed, or NULL. */
const struct kl_build_evidence *kl_view_failed_build(const struct kl_result *r);
/* Was this finding's place named already in its title? */
bool kl_view_title_names(const struct kl_finding *f);

#endif
