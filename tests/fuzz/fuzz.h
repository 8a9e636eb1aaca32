/*
 * What the fuzz targets share. A target is one file, target_NAME.c, with one
 * function; libFuzzer, AFL++ (persistent mode, afl-clang-fast -fsanitize=fuzzer)
 * and the replay of the kept corpus all call that. docs/fuzzing.md says how to
 * run them. Programs run from the project's root: some read tests/fuzz/desk/.
 */
#ifndef KL_TESTS_FUZZ_H
#define KL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include <klinic/exercise.h>
#include <klinic/json.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Both engines call it once, before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* What must hold whatever the input was; aborts, so that the engine keeps the input. */
#define FUZZ_MUST(condition)                                         \
	do {                                                         \
		if (!(condition))                                    \
			fuzz_broken(#condition, __FILE__, __LINE__); \
	} while (0)
_Noreturn void fuzz_broken(const char *condition, const char *file, int line);

/* A terminated copy on the heap, exactly as long: what is read behind it is noticed. */
char *fuzz_text(const uint8_t *data, size_t size);

/* The bytes as a file that nobody else has: path is /proc/self/fd/N until it is closed. */
struct fuzz_file {
	int fd;
	char path[32];
};
struct fuzz_file fuzz_file_open(const uint8_t *data, size_t size);
void fuzz_file_close(struct fuzz_file *f);

/* The exercise in tests/fuzz/desk/: two editable files, one that is not, a module. Not to be freed. */
const struct kl_exercise *fuzz_desk(void);

/* As the document is written to disk; the caller frees. */
char *fuzz_dump(const json_t *j);

#endif
