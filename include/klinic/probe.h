/*
 * Questions to the memory of a guest that stood still, answered by drgn
 * (python3-drgn 0.0.22) as a child in the sandbox: graders/probes/. Guest memory
 * and the module's debug info are hostile; so the child has no network, no home,
 * nothing to write to, and limits of CPU time, memory and output.
 */
#ifndef KLINIC_PROBE_H
#define KLINIC_PROBE_H

#include <klinic/error.h>
#include <klinic/inspection.h>

struct kl_probe_target {
	const char *vmlinux; /* with debug info */
	const char *release; /* uname -r */
	const char *module; /* name of the module under test */
	const char *debug_ko; /* it, with debug info; NULL: its functions stay nameless */
};

/* 0 when drgn is here; else -1, KL_INFRA, with what to install. Costs one look for a file. */
int kl_probe_ready(struct kl_error *err);

/*
 * Asks what which[] names, in one child. dump: a file that kl_stopped_dump()
 * filled, which is changed; it must be a memfd or a file that can be opened anew.
 * A dump is asked once: the CPUs' registers are not in it a second time.
 * ret->asked is the caller's to fill. A question without an answer stands in
 * ret->why. -1: KL_INFRA, the child or the dump failed as a whole; or
 * KL_INTERRUPTED.
 */
int kl_probe_ask(const struct kl_probe_target *t, int dump, const bool which[KL_PROBE_COUNT],
		 struct kl_inspection *ret, struct kl_error *err);

#endif
