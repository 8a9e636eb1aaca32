/* A content root for tests (lab.h). */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

const char lab_exercise_yaml[] = "id: stash-replace\n"
				 "title: Readers meet a replacing writer\n"
				 "kind: fix\n"
				 "tracks: [interview, ci]\n"
				 "stage: 4\n"
				 "level: intermediate\n"
				 "minutes: 60\n"
				 "subsystem: char-misc\n"
				 "bug_class: use-after-free\n"
				 "dimensions: [debugging-rca, concurrency]\n"
				 "rubric: panel\n"
				 "kernel:\n"
				 "  flavours: [kasan, plain]\n"
				 "module:\n"
				 "  name: stashbox\n"
				 "  sources: [stashbox.c]\n"
				 "editable: [stashbox.c, include/stashbox.h]\n"
				 "imports: [synchronize_rcu]\n"
				 "checks:\n"
				 "  visible:\n"
				 "    - id: reproducer\n"
				 "      title: Reads and replaces\n"
				 "      program: handout/checks/reproducer.c\n"
				 "  hidden:\n"
				 "    - id: readers-and-writer\n"
				 "      title: Readers beside a writer\n"
				 "      program: hidden/checks/readers.c\n"
				 "      flavour: plain\n"
				 "      mode: parallel\n"
				 "      schedule: random\n"
				 "      preempt_percent: 35\n"
				 "      seeds: 8\n"
				 "      first_seed: 11\n"
				 "      guest_seconds: 20\n"
				 "      unload: false\n"
				 "      leaks: true\n"
				 "      points: 3\n"
				 "      dimensions: [concurrency]\n"
				 "      tolerate: [warn, slub]\n"
				 "      probes: [pending, held-locks]\n"
				 "hints:\n"
				 "  - text: Who frees it?\n"
				 "    cost: 1\n";

const char lab_rubric_yaml[] = "id: panel\n"
			       "title: A panel\n"
			       "dimensions:\n"
			       "  - id: debugging-rca\n"
			       "    title: Debugging\n"
			       "    bar: structured approach\n"
			       "    weight: 60\n"
			       "    levels: [guesses, looks, reasons, teaches]\n"
			       "  - id: concurrency\n"
			       "    title: Concurrency\n"
			       "    bar: recognises races\n"
			       "    weight: 40\n"
			       "    levels: [none, some, sound, deep]\n";

#define TEN(t)                                                                                  \
	"line " t "0\nline " t "1\nline " t "2\nline " t "3\nline " t "4\nline " t "5\nline " t \
	"6\nline " t "7\nline " t "8\nline " t "9\n"
const char lab_stashbox_c[] = TEN("0") TEN("1") TEN("2") TEN("3");
const char lab_stashbox_h[] = "#define STASH 1\n";
const char lab_kbuild[] = "obj-m := stashbox.o\n";

static void need(int failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "the lab is broken: %s\n", what);
	abort();
}

void lab_put(const struct lab *lab, const char *text, const char *path, ...)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf full = KL_BUF_INIT;
	struct kl_error err = KL_ERROR_INIT;
	char *slash;
	va_list ap;

	kl_buf_printf(&full, "%s/", lab->root);
	va_start(ap, path);
	kl_buf_vprintf(&full, path, ap);
	va_end(ap);
	slash = strrchr(full.data, '/');
	*slash = '\0';
	need(kl_mkdirs(full.data, 0700, &err), err.message);
	*slash = '/';
	need(kl_file_write(full.data, text, strlen(text), 0644, &err), err.message);
}

void lab_remove(const struct lab *lab, const char *path)
{
	KL_AUTO_FREE char *full = kl_path_join(lab->root, path);
	struct kl_error err = KL_ERROR_INIT;

	need(kl_remove_tree(full, &err), err.message);
}

void lab_create(struct lab *lab)
{
	struct kl_error err = KL_ERROR_INIT;
	static const char at[] = "exercises/stash-replace";

	need(kl_tempdir_create(&lab->root, &err), err.message);
	lab->dir = kl_path_join(lab->root, at);
	need(setenv("KLINIC_ROOT", lab->root, 1), "setenv");
	lab_put(lab, lab_rubric_yaml, "rubrics/panel.yaml");
	lab_put(lab, lab_exercise_yaml, "%s/exercise.yaml", at);
	lab_put(lab, lab_stashbox_c, "%s/handout/stashbox.c", at);
	lab_put(lab, lab_stashbox_h, "%s/handout/include/stashbox.h", at);
	lab_put(lab, lab_kbuild, "%s/handout/Kbuild", at);
	lab_put(lab, "/* visible */\n", "%s/handout/checks/reproducer.c", at);
	lab_put(lab, "/* hidden */\n", "%s/hidden/checks/readers.c", at);
	lab_put(lab, "a patch\n", "%s/hidden/reference.patch", at);
}

void lab_destroy(struct lab *lab)
{
	unsetenv("KLINIC_ROOT");
	kl_tempdir_destroy(lab->root);
	free(lab->dir);
	*lab = (struct lab){ 0 };
}

char *lab_replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	need(!at, from);
	return kl_asprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

void lab_load(const struct lab *lab, struct kl_exercise *ret)
{
	struct kl_error err = KL_ERROR_INIT;

	need(kl_exercise_load(lab->dir, ret, &err), err.message);
}
