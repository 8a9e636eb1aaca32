/* Evidence and a result with something in every field, as JSON; any failure fails the running test. */
#ifndef KLINIC_TESTS_DOCUMENTS_H
#define KLINIC_TESTS_DOCUMENTS_H

#include <klinic/evidence.h>
#include <klinic/json.h>
#include <klinic/result.h>

/* The caller drops what these return. */
json_t *documents_evidence(void);
json_t *documents_result(void);
/* The same document, written and parsed, as a file would take it. */
json_t *documents_through_text(const json_t *j);
/* Two findings: one with every field, one with none but its kind and title. */
void documents_add_findings(struct kl_findings *fs);
/*
 * Every value of the document, one at a time, becomes something of another type:
 * read must complain (not 0) or read on, and never crash or leak. Returns how often
 * it complained; j is as it was.
 */
size_t documents_poisoned(json_t *j, int (*read)(const json_t *));

#endif
