/* What the tests of the splat room share: the golden logs, and findings as text. */
#ifndef KL_TESTS_SPLAT_LOGS_H
#define KL_TESTS_SPLAT_LOGS_H

#include <klinic/finding.h>
#include <klinic/str.h>

#define SPLAT_LOGS "tests/golden/splat"

/* Names of the logs without folder and ".log"; the caller frees. */
struct kl_strv splat_log_names(void);
struct kl_buf splat_log(const char *name);
/* Parses, and fails the test when that fails. */
struct kl_findings splat_parse(const char *log, size_t len);
/* As JSON text; with_place adds offset, length and time. The caller frees. */
char *splat_text(const struct kl_findings *fs, bool with_place);
char *splat_parse_text(const char *log, size_t len, bool with_place);

/* xorshift: the same numbers on every machine. */
unsigned int splat_random(unsigned int *state);

#endif
