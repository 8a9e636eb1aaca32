/*
 * A module that does on demand what guests do to us (hang, panic, reset, flood),
 * built by the real build and run in real forks. The kernel must be in the cache:
 * `make vm-test` sees to it.
 */
#ifndef KLINIC_TESTS_VM_FIXTURE_H
#define KLINIC_TESTS_VM_FIXTURE_H

#include <klinic/command.h>
#include <klinic/exercise.h>
#include <klinic/kbuild.h>
#include <klinic/vm.h>

struct fixture {
	struct kl_exercise exercise;
	struct kl_kernel kernel;
	struct kl_module module;
	struct kl_template *exact;
	unsigned int guest_seconds;
	void (*on_stopped)(struct kl_stopped *s, const struct kl_run *run, void *arg); /* or NULL */
	void *stopped_arg;
};

struct fixture_run {
	struct kl_run run;
	struct kl_slots slots;
};

int fixture_setup(void **state);
/* The same with another exercise's folder. */
int fixture_setup_of(const char *exercise, void **state);
int fixture_teardown(void **state);
/* Boots the exact template again. */
void fixture_rebuild(struct fixture *f);
/* One run of the check in the exact template, under the schedule driver where the check asks for it. */
void fixture_run(struct fixture *f, const char *check, uint64_t seed, struct fixture_run *ret);
/* The same, and then the canary with this token (KL_CANARY_CHARS characters; NULL: none). */
void fixture_run_with_canary(struct fixture *f, const char *check, const char *token,
			     struct fixture_run *ret);
void fixture_run_in(struct fixture *f, struct kl_template *t, const char *check, uint64_t seed,
		    struct fixture_run *ret);
void fixture_run_deinit(struct fixture_run *r);
/* Starts n processes that only use the CPU; the caller ends them (kl_process_deinit()). */
void fixture_hogs(struct kl_process *hog, unsigned int n);

#endif
