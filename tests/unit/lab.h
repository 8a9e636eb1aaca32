/* A content root in a temporary folder, with one rubric and one exercise, for tests. */
#ifndef TESTS_UNIT_LAB_H
#define TESTS_UNIT_LAB_H

#include <klinic/exercise.h>

struct lab {
	char *root; /* KLINIC_ROOT of this process until lab_destroy() */
	char *dir; /* the exercise's folder: ROOT/exercises/stash-replace */
};

/* What lab_create() writes. */
extern const char lab_exercise_yaml[];
extern const char lab_rubric_yaml[];
extern const char lab_stashbox_c[]; /* editable: lines “line 1” … “line 40” */
extern const char lab_stashbox_h[]; /* editable: one line */
extern const char lab_kbuild[]; /* handout/Kbuild, not editable */

/* Any failure of the lab itself ends the test program. */
void lab_create(struct lab *lab);
void lab_destroy(struct lab *lab);
/* Writes ROOT/path, folders included; path is a printf format. */
void lab_put(const struct lab *lab, const char *text, const char *path, ...)
	__attribute__((format(printf, 3, 4)));
void lab_remove(const struct lab *lab, const char *path);
/* text with the first from replaced by to, to be freed. from must be there. */
char *lab_replace(const char *text, const char *from, const char *to);
void lab_load(const struct lab *lab, struct kl_exercise *ret);

#endif
