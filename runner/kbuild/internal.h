/* What the files of this room share. Nothing outside runner/kbuild includes it but its tests. */
#ifndef KLINIC_KBUILD_INTERNAL_H
#define KLINIC_KBUILD_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <klinic/digest.h>
#include <klinic/evidence.h>
#include <klinic/json.h>
#include <klinic/kbuild.h>

/* Counts in every digest: raise it when the steps of a build change what comes out. */
#define KB_RECIPE_VERSION "1"

/*
 * entry.c: a folder of the cache. It counts only with its stamp, the file
 * "ready", which is written last; whatever stands there without one is the rest
 * of a build that was cut off, and is removed before the next begins.
 */

/*
 * Fills the empty folder dir. lock_fd is the entry's lock: children inherit it
 * (kl_command_pass_fd), so that an entry stays locked as long as any process of
 * a killed klinic still writes there.
 */
typedef int (*kb_build_fn)(const char *dir, int lock_fd, void *arg, json_t **ret_stamp,
			   struct kl_error *err);
#define KB_LOCK_FD 9

/* True and the stamp when dir is finished. ret_stamp may be NULL. */
bool kb_entry_ready(const char *dir, json_t **ret_stamp);
/* Takes the entry's lock, waiting for whoever holds it; gives up when interrupted. */
int kb_entry_lock(const char *dir, int *ret_fd, struct kl_error *err);
/* The finished entry, built if need be. What two want at once is built once. */
int kb_entry_make(const char *dir, kb_build_fn build, void *arg, json_t **ret_stamp,
		  struct kl_error *err);
/* Is there room for bytes below path (the nearest folder that exists)? */
int kb_need_space(const char *path, uint64_t bytes, const char *what, struct kl_error *err);
/* After a failure: a full disk is what happened, whatever the tool said. */
void kb_explain_space(const char *path, struct kl_error *err);
bool kb_is_digest(const char *name);

/* tools.c: commands as every step here runs them: /usr alone on PATH, no environment of the user. */
struct kl_command;
struct kl_command *kb_tool(const char *program, int lock_fd);
/* First lines of gcc's and ld's --version. */
int kb_compiler(char **ret, struct kl_error *err);

/* source.c */
/* $KLINIC_SOURCE, else the newest /usr/src/linux-source-*.tar.xz, with its digest. */
int kb_source_find(char **ret_path, char ret_digest[KL_DIGEST_HEX], struct kl_error *err);
/* The newest of the names "linux-source-VERSION.tar.xz", or NULL. */
const char *kb_source_newest(const struct kl_strv *names);
int kb_source_open(const char *path, const char *digest, char **ret_tree, struct kl_error *err);

/* recipe.c: everything that decides what a kernel will be. */
struct kb_recipe {
	char *flavour;
	char *source; /* archive or tree; NULL for a recipe made by hand */
	char source_digest[KL_DIGEST_HEX];
	char *fragment; /* path */
	struct kl_buf config; /* its text */
	struct kl_strv patches; /* paths, in the order of application */
	struct kl_strv patch_text;
	char *compiler;
	char digest[KL_DIGEST_HEX];
};
int kb_recipe_load(const char *flavour, struct kb_recipe *ret, struct kl_error *err);
int kb_recipe_digest(struct kb_recipe *r, struct kl_error *err);
void kb_recipe_deinit(struct kb_recipe *r);
/* Names of flavours, sorted. */
int kb_flavours(struct kl_strv *ret, struct kl_error *err);

/* fragment.c */
/* Nothing but comments and CONFIG_NAME=value, each name once. */
int kb_fragment_check(const char *path, const char *text, struct kl_error *err);
/* Every line of the fragment is in force in config; else KL_CONTENT with its place. */
int kb_fragment_verify(const char *path, const char *text, const char *config,
		       struct kl_error *err);

/* kernel.c */
struct kb_progress {
	kl_progress_fn fn;
	void *arg;
	int64_t began_ns;
	const char *phase;
	unsigned long done, total;
	unsigned long compiled; /* lines until linking began */
	int64_t expected_ms; /* of the whole build */
	int64_t phase_began_ns;
};
/* Reads one line of make's output: counts it, and knows where compiling ends and linking begins. */
void kb_progress_line(const char *line, void *progress);
void kb_progress_phase(struct kb_progress *p, const char *phase, unsigned long total);
int kb_kernel_dir(const char *digest, char **ret, struct kl_error *err);

/* headers.c: what a module build may see of the kernel in tree, as hard links in headers. */
int kb_headers_make(const char *tree, const char *headers, struct kl_error *err);

/* guest.c: initramfs and schedule driver for the kernel; sets initramfs, sched_ko, digest. */
int kb_guest_open(const char *kernel_digest, const char *compiler, struct kl_kernel *k,
		  struct kl_error *err);

/* module.c */
struct kb_module_job {
	const char *headers;
	const char *in; /* sources and our Kbuild; the sandbox may read it */
	const char *out; /* gets NAME.ko (stripped) and debug.ko; the sandbox may write it */
	const char *name;
};
struct kb_module_end {
	bool ok;
	bool timed_out;
	struct kl_buf log; /* hostile text, folders of the sandbox taken out */
	int64_t wall_ms;
};
/* -1 only when the sandbox could not do its work. */
int kb_module_make(const struct kb_module_job *job, struct kb_module_end *ret,
		   struct kl_error *err);
void kb_module_end_deinit(struct kb_module_end *e);
/* What a build left: two regular files, and the calls of the module. KL_CONTENT when they are not sound. */
int kb_module_read(const char *ko, const char *debug_ko, struct kl_strv *ret_undefined,
		   struct kl_error *err);
/* The text of our Kbuild. */
int kb_module_kbuild(const char *name, const struct kl_strv *sources, struct kl_buf *ret,
		     struct kl_error *err);

/* diagnostics.c: gcc's and modpost's words, typed. folder is cut off the front of file names. */
int kb_diagnostics_parse(const char *log, const char *folder, struct kl_diagnostic **ret,
			 size_t *ret_n);
void kb_diagnostics_free(struct kl_diagnostic *v, size_t n);
/* Takes every occurrence of what out of text. */
int kb_text_without(const char *text, const char *what, struct kl_buf *ret);

#endif
