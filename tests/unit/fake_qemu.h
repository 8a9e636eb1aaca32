/*
 * A QEMU that boots nothing: the test program itself, started again by the code
 * under test. It speaks QMP and ends each run as it is told by seed.
 */
#ifndef KLINIC_TESTS_FAKE_QEMU_H
#define KLINIC_TESTS_FAKE_QEMU_H

#include "vm/template.h"

/* First in main(): does not return in the fake. */
void fake_qemu_main(int argc);

/*
 * How the run of seed 1, 2, … goes; the last goes on for later seeds:
 * answer, silent-console, no-kmemleak, reset, watchdog, sigterm, killed, hang, fast-hang.
 */
void fake_qemu_plan(const char *comma_separated);

/* A template without a boot, and a cache folder of its own. */
struct fake_template {
	char *dir;
	char *payload; /* some file, to be module and program */
	struct kl_template t;
};
void fake_template_init(struct fake_template *f);
void fake_template_deinit(struct fake_template *f);

#endif
