/*
 * Golden files: what a function makes is held against a file under tests/golden/.
 * KLINIC_GOLDEN_UPDATE=1 rewrites the file instead; read the diff before committing.
 */
#ifndef KLINIC_TESTS_GOLDEN_H
#define KLINIC_TESTS_GOLDEN_H

#include <stddef.h>

/* path is relative to tests/golden/. Fails the running test where the first line differs. */
void golden_hold(const char *path, const char *data, size_t len);

#endif
