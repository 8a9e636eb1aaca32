/*
 * splat: kernel log text in, typed findings out. Incremental: bytes may come in
 * any pieces; reports of several CPUs or tasks may be interleaved when the log
 * has caller tags (CONFIG_PRINTK_CALLER). Hostile input: any bytes, any length.
 */
#ifndef KLINIC_SPLAT_H
#define KLINIC_SPLAT_H

#include <stddef.h>

#include <klinic/error.h>
#include <klinic/finding.h>

#define KL_SPLAT_MAX_FINDINGS 256 /* further ones are counted, not kept */

struct kl_splat;

struct kl_splat *kl_splat_create(void); /* NULL without memory */
void kl_splat_destroy(struct kl_splat *s);
void kl_splat_destroy_p(struct kl_splat **s);
int kl_splat_feed(struct kl_splat *s, const char *data, size_t len); /* -1 without memory */
/* Ends open reports and moves the findings, in order of appearance, to the end of ret. */
int kl_splat_finish(struct kl_splat *s, struct kl_findings *ret, unsigned long *ret_dropped);
/* All at once. */
int kl_splat_parse(const char *log, size_t len, struct kl_findings *ret, struct kl_error *err);

/*
 * Fills file and line from "function+offset" by asking addr2line(1) of the
 * build: vmlinux for kernel functions, ko (with debug info; may be NULL) for
 * those tagged [module]; either may be NULL. Paths become relative to the kernel
 * tree or to the folder of the module's init function. Places that the report
 * itself gave stay (but for sleep-in-atomic, whose header names only the check
 * that failed). Findings that cannot be resolved stay as they are: an error
 * is only what keeps klinic itself from going on (no memory).
 */
int kl_splat_resolve(struct kl_findings *fs, const char *vmlinux, const char *module,
		     const char *ko, struct kl_error *err);

#endif
