/*
 * The result document, schema "klinic.result/1": one for every format, page and
 * exit code. Field names are the command's contract.
 */
#ifndef KLINIC_RESULT_H
#define KLINIC_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <klinic/digest.h>
#include <klinic/evidence.h>
#include <klinic/finding.h>
#include <klinic/json.h>
#include <klinic/receipt.h>
#include <klinic/verdict.h>

#define KL_RESULT_SCHEMA "klinic.result/1"

struct kl_check_result {
	char *id;
	char *title; /* public */
	bool hidden;
	enum kl_verdict verdict;
	char *flavour;
	enum kl_mode mode;
	unsigned int runs, failures;
	uint64_t *seeds_failed;
	size_t n_seeds_failed;
	double rate; /* failures / runs */
	double confidence; /* exact: 1 when anything ran; parallel: 1-(1-p)^n; 0 when unknown */
	struct kl_control control;
	struct kl_known known; /* p is kl_chance() of it */
	struct kl_findings findings; /* of the first failing run, else of none */
	char *detail; /* for the panel: why, with seed and values */
	char *remark; /* for the candidate: names nothing hidden */
	char *console; /* kernel log of the first failing run, or NULL */
	char *memory; /* what its memory said: stacks, what was pending; lines, or NULL */
	uint64_t guest_ns; /* of the first failing run, else of the first run */
	unsigned int points, points_max;
};

struct kl_dimension_score {
	char *id;
	char *title;
	unsigned int weight;
	bool assessed;
	double score; /* 0 to 4 when assessed */
};

struct kl_result {
	char *exercise;
	char *title;
	char *submission;
	enum kl_verdict verdict;
	char *summary; /* one sentence */
	double points, points_max;
	struct kl_dimension_score *dimensions;
	size_t n_dimensions;
	struct kl_check_result *checks;
	size_t n_checks;
	struct kl_findings findings; /* of all checks, without repetition */
	struct kl_strv refused; /* by intake */
	struct kl_policy policy;
	struct kl_build_evidence *builds;
	size_t n_builds;
	char *diff;
	int64_t intake_ms, build_ms, vm_ms, total_ms;
	char *kernel, *qemu, *accel, *klinic;
	char template_ram[KL_DIGEST_HEX];
	char exercise_digest[KL_DIGEST_HEX];
	char submission_digest[KL_DIGEST_HEX];
	struct kl_receipt receipt;
	/* Not in the document: what kl_result_load() found. */
	enum kl_receipt_state receipt_state;
	enum kl_receipt_part receipt_changed; /* what, when the state is KL_RECEIPT_CHANGED */
};

void kl_result_deinit(struct kl_result *r);
json_t *kl_result_json(const struct kl_result *r);
int kl_result_from_json(const json_t *j, struct kl_result *ret, struct kl_error *err);
/* From a file, its receipt held against it. */
int kl_result_load(const char *path, struct kl_result *ret, struct kl_error *err);

#endif
