/*
 * The guest kit: what a check's source includes.
 *
 * One source, compiled twice. In the guest (static, KL_GUEST defined) klinic
 * calls kl_check_run(): exercise the device, answer with values that only a
 * working driver produces. On the host (KL_ORACLE defined) klinic calls
 * kl_check_expect() with the same seed and challenge: say which values are
 * right. Put each function, and everything that only it needs, between
 * #ifdef KL_GUEST / #ifdef KL_ORACLE and #endif, so that the guest holds no
 * right answers.
 */
#ifndef KLINIC_CHECK_H
#define KLINIC_CHECK_H

#include <stddef.h>
#include <stdint.h>

#define KL_SLOTS 64

struct kl_challenge {
	uint64_t seed;
	uint8_t bytes[32]; /* unforeseeable for the candidate, the same for a submission and seed */
};

/* Deterministic numbers from a challenge: xoshiro256**, seeded from it and from a stream number. */
struct kl_rng {
	uint64_t s[4];
};
void kl_rng_init(struct kl_rng *r, const struct kl_challenge *c, uint64_t stream);
uint64_t kl_rng_u64(struct kl_rng *r);
uint64_t kl_rng_below(struct kl_rng *r, uint64_t n); /* 0 … n-1, n > 0 */
void kl_rng_fill(struct kl_rng *r, void *buf, size_t len);
/* FNV-1a, 64 bit, continued from h (start with KL_HASH_INIT). */
#define KL_HASH_INIT 0xcbf29ce484222325ULL
uint64_t kl_hash(uint64_t h, const void *data, size_t len);

#ifdef KL_GUEST
/* The check. Returning ends the run; not answering a slot that is expected fails it. */
void kl_check_run(const struct kl_challenge *c);

void kl_answer(unsigned int slot, uint64_t value); /* slot < KL_SLOTS; the last value counts */
/* A remark for the panel, at most 1 KiB in all. */
void kl_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Cannot go on: says why, ends the program with status 2 (the check fails). */
void kl_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* open(2) of a device node, waiting up to a guest second for devtmpfs to make it; kl_die on failure. */
int kl_open_device(const char *path, int flags);
/*
 * Starts n threads of fn(arg of index) at once (a barrier), waits for all. The
 * threads bear the name that the schedule driver preempts.
 */
void kl_threads(unsigned int n, void (*fn)(unsigned int index, void *arg), void *arg);
/* Guest clock (CLOCK_MONOTONIC), ns. On an exact run this counts instructions. */
uint64_t kl_guest_ns(void);
/*
 * Makes the nth (1-based) slab allocation of the calling thread's next system
 * calls fail, once; 0 switches it off. Returns how much of n was left before this
 * call: 0 means that the fault was injected. Uses /proc/thread-self/fail-nth
 * (Documentation/fault-injection/fault-injection.rst) with failslab
 * switched to every gfp mask.
 */
unsigned int kl_fail_nth(unsigned int n);
/* Writes a string to a file of /proc, /sys or debugfs; 0 or -errno. */
int kl_write_file(const char *path, const char *text);
/* Reads at most len-1 bytes, NUL-terminated; length or -errno. */
int kl_read_file(const char *path, char *buf, size_t len);
/* (Un)loads the module under test again; 0 or -errno. The path is a matter of the kit. */
int kl_module_load(const char *params);
int kl_module_unload(void);
/* Live objects of a slab cache from /proc/slabinfo (after a shrink of that cache); -1 when unknown. */
long kl_slab_objects(const char *cache);
/* Runs a kmemleak scan twice; number of unreferenced objects, or -errno. */
int kl_kmemleak(void);
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c);
void kl_expect(unsigned int slot, uint64_t value, const char *label);
void kl_expect_range(unsigned int slot, uint64_t min, uint64_t max, const char *label);
#endif

#endif
