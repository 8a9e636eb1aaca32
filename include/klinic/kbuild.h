/*
 * Kernels, modules and check programs, built and cached by digest.
 *
 * Cache (below kl_cache_dir(NULL)):
 *   sources/<sha256 of archive>/tree        the unpacked source
 *   kernels/<digest>/                       one kernel
 *   kernels/<digest>/guest/<digest>/        initramfs, schedule driver and canary for it
 *   programs/<digest>/                      a check: program and oracle
 *   modules/<digest>/                       a handout's own module
 * Each of these is an entry: built where it will stay (a kernel's build tree
 * does not survive a rename), under a lock, and finished only with its stamp,
 * the JSON file "ready", which is written last. Without it an entry counts as
 * nothing and is removed before the next build.
 */
#ifndef KLINIC_KBUILD_H
#define KLINIC_KBUILD_H

#include <stdbool.h>

#include <klinic/digest.h>
#include <klinic/error.h>
#include <klinic/evidence.h>
#include <klinic/exercise.h>
#include <klinic/submission.h>

struct kl_kernel {
	char *flavour;
	char digest[KL_DIGEST_HEX]; /* of kernel, agent, schedule driver and canary together */
	char *release; /* uname -r */
	char *dir; /* kernels/<digest of the kernel alone> */
	char *bzimage, *vmlinux;
	char *headers; /* what a module build may see: tree for make -C */
	char *initramfs; /* cpio with the agent as /init */
	char *sched_ko; /* the schedule driver, built for this kernel */
	char *canary_ko; /* a fault for each detector, built for this kernel */
};

/*
 * Progress of something long. phase is a word (wait, unpack, configure, compile,
 * link, headers); done of total counts within it, total 0 when unknown; elapsed and
 * expected are of the whole.
 */
typedef void (*kl_progress_fn)(const char *phase, unsigned long done, unsigned long total,
			       int64_t elapsed_ms, int64_t expected_ms, void *arg);

/* Finds the flavour's kernel in the cache, or builds it when build is true (else KL_INFRA with the command to run). */
int kl_kernel_open(const char *flavour, bool build, kl_progress_fn progress, void *arg,
		   struct kl_kernel *ret, struct kl_error *err);
void kl_kernel_deinit(struct kl_kernel *k);

struct kl_kernel_info {
	char *flavour;
	char *digest;
	char *release;
	bool ready; /* finished */
	bool current; /* matches today's source, fragments, compiler */
	uint64_t bytes;
	int64_t built_at; /* seconds since the epoch; 0 when unknown */
};
struct kl_kernel_list {
	struct kl_kernel_info *v;
	size_t n;
};
/* Every flavour of broken-kernels/flavours/ and everything in the cache. */
int kl_kernel_list(struct kl_kernel_list *ret, struct kl_error *err);
void kl_kernel_list_deinit(struct kl_kernel_list *l);
/*
 * Removes unfinished builds nobody works on and kernels that no flavour names any more;
 * all: every one, checks' programs, handouts' modules and controls' outcomes. Certificates
 * stay.
 */
int kl_kernel_prune(bool all, uint64_t *ret_bytes, struct kl_error *err);

struct kl_module {
	char *ko; /* path of the module without debug info, in dir */
	char *debug_ko; /* the same with it, for file:line */
	char *dir; /* temporary folder, removed by deinit */
	struct kl_strv undefined; /* undefined symbols: what it calls, sorted */
};

/*
 * Builds the module of e from the submission's files in the sandbox. ret_build
 * is always filled (diagnostics with file:line, no host paths); ret is filled
 * only when ret_build->ok. -1 is KL_INFRA: the sandbox could not run.
 */
int kl_module_build(const struct kl_exercise *e, const struct kl_kernel *k,
		    const struct kl_submission *s, struct kl_build_evidence *ret_build,
		    struct kl_module *ret, struct kl_error *err);
void kl_module_deinit(struct kl_module *m);
/*
 * The module of e's own handout for k, built once. *ret_ko lies in the cache and
 * is without debug info; the path is the caller's. A handout that does not build
 * is KL_CONTENT.
 */
int kl_module_handout(const struct kl_exercise *e, const struct kl_kernel *k, char **ret_ko,
		      struct kl_error *err);

/*
 * Compiles a check (trusted source, include/klinic/check.h) twice: the static
 * program for the guest, and the oracle for the host. Paths lie in the cache
 * and are owned by the caller. A compile error is KL_CONTENT with file:line.
 */
int kl_program_build(const struct kl_exercise *e, const struct kl_check *c, char **ret_program,
		     char **ret_oracle, struct kl_error *err);

/*
 * Digest of everything below a run but QEMU, the submission and the exercise's own
 * files, as it stands today and whether or not it is built yet: kernels of the
 * flavours that e's checks name, agent, schedule driver, check kit, compiler.
 */
int kl_kbuild_identity(const struct kl_exercise *e, char ret[KL_DIGEST_HEX], struct kl_error *err);

#endif
