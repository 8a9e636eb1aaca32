/* A QEMU that boots nothing. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "guest/mailbox.h"
#include "tests/unit/fake_qemu.h"
#include "vm/qemu.h"

#define PLAN "KLINIC_FAKE_QEMU"

enum { QMP = 3, MAILBOX, CONSOLE, MEMORY };

static void tell(const char *line)
{
	if (dprintf(QMP, "%s\r\n", line) < 0)
		_exit(9);
}

/* The word of the plan for this run's seed. */
static void my_part(char *word, size_t size)
{
	const char *plan = getenv(PLAN);
	struct kl_mail_orders o;
	size_t len;

	if (!plan || pread(MAILBOX, &o, sizeof(o), 0) != (ssize_t)sizeof(o))
		_exit(8);
	for (uint64_t i = 1; i < o.seed && strchr(plan, ','); i++)
		plan = strchr(plan, ',') + 1;
	len = strcspn(plan, ",");
	snprintf(word, size, "%.*s", (int)len, plan);
}

static void answer(bool last_words)
{
	const struct kl_mail_answers a = {
		.state = KL_MAIL_DONE,
		.program_end = KL_PROGRAM_EXITED,
		.unload_status = 1,
		.given = 1,
		.value = { 1 },
	};

	if (pwrite(MAILBOX, &a, sizeof(a), offsetof(struct kl_mail, answers)) !=
		    (ssize_t)sizeof(a) ||
	    dprintf(CONSOLE, "%s\n", last_words ? KL_MAIL_LAST_WORDS : "") < 0)
		_exit(7);
	tell("{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"pause\"}}");
}

static void go_on(const char *part)
{
	if (!strcmp(part, "answer") || !strcmp(part, "no-kmemleak")) {
		answer(true);
	} else if (!strcmp(part, "silent-console")) {
		answer(false);
	} else if (!strcmp(part, "reset")) {
		tell("{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, "
		     "\"reason\": \"guest-reset\"}}");
	} else if (!strcmp(part, "watchdog")) {
		tell("{\"event\": \"WATCHDOG\", \"data\": {\"action\": \"pause\"}}");
	} else if (!strcmp(part, "sigterm")) {
		tell("{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false, "
		     "\"reason\": \"host-signal\"}}");
		_exit(0);
	} else if (!strcmp(part, "killed")) {
		raise(SIGKILL);
	}
}

static void save_memory(const char *line, const char *part)
{
	const char *size = strstr(line, "\"size\":");
	const char *val = strstr(line, "\"val\":");
	uint32_t word = 0;

	/* debug_locks, tainted_mask and kmemleak_enabled lie at 1, 2 and 3. */
	if (val && (val[6] == '1' || (val[6] == '3' && strcmp(part, "no-kmemleak") != 0)))
		word = 1;
	if (ftruncate(MEMORY, 0) || ftruncate(MEMORY, size ? atoi(size + 7) : 0) ||
	    pwrite(MEMORY, &word, sizeof(word), 0) < 0)
		_exit(6);
}

static void obey(const char *line, const char *part)
{
	if (strstr(line, "\"pmemsave\""))
		save_memory(line, part);
	if (strstr(line, "\"qom-get\"")) {
		tell(strcmp(part, "fast-hang") ? "{\"return\": {\"tm_year\": 126, \"tm_mon\": 0, "
						 "\"tm_mday\": 1, \"tm_hour\": 0, \"tm_min\": 0, "
						 "\"tm_sec\": 2}}"
					       : "{\"return\": {\"tm_year\": 126, \"tm_mon\": 0, "
						 "\"tm_mday\": 1, \"tm_hour\": 1, \"tm_min\": 0, "
						 "\"tm_sec\": 2}}");
		return;
	}
	tell("{\"return\": {}}");
	if (strstr(line, "\"migrate-incoming\""))
		tell("{\"event\": \"MIGRATION\", \"data\": {\"status\": \"completed\"}}");
	if (strstr(line, "\"cont\""))
		go_on(part);
}

void fake_qemu_main(int argc)
{
	char line[4096], part[32];
	size_t len = 0;

	if (argc < 10)
		return;
	my_part(part, sizeof(part));
	tell("{\"QMP\": {\"version\": {}, \"capabilities\": []}}");
	while (len < sizeof(line) - 1 && read(QMP, &line[len], 1) == 1) {
		if (line[len++] != '\n')
			continue;
		line[len] = '\0';
		obey(line, part);
		len = 0;
	}
	_exit(0);
}

void fake_qemu_plan(const char *comma_separated)
{
	setenv(PLAN, comma_separated, 1);
}

void fake_template_init(struct fake_template *f)
{
	static char nothing[] = "", self[] = "/proc/self/exe";
	struct kl_error err = KL_ERROR_INIT;

	*f = (struct fake_template){ 0 };
	kl_interrupt_fd(); /* opened once, and not to be taken for a leak */
	assert_int_equal(kl_tempdir_create(&f->dir, &err), 0);
	setenv("XDG_CACHE_HOME", f->dir, 1);
	f->payload = kl_path_join(f->dir, "payload");
	assert_int_equal(kl_file_write(f->payload, "payload", 7, 0600, &err), 0);
	f->t = (struct kl_template){
		.machine = { .mode = KL_MODE_EXACT,
			     .bzimage = nothing,
			     .initramfs = nothing,
			     .vmlinux = nothing,
			     .qemu = self },
		.debug_locks = 1,
		.tainted_mask = 2,
		.kmemleak_enabled = 3,
		.ram = kl_vm_memfd("ram", 4096, &err),
		.state = kl_vm_memfd("state", 0, &err),
	};
	assert_true(f->t.ram >= 0 && f->t.state >= 0);
}

void fake_template_deinit(struct fake_template *f)
{
	close(f->t.ram);
	close(f->t.state);
	kl_tempdir_destroy(f->dir);
	free(f->payload);
}
