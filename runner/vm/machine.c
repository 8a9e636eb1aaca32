/* Machines: what a template is made of; QEMU's version; whether KVM really boots a guest. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "guest/mailbox.h"
#include "vm/qemu.h"

#define QEMU_PROGRAM "qemu-system-x86_64"
#define PROBE_MS     20000

static const char *qemu_program(void)
{
	const char *program = getenv("KLINIC_QEMU");

	return program && *program ? program : QEMU_PROGRAM;
}

int kl_machine_init(struct kl_machine *m, const struct kl_kernel *k, enum kl_mode mode,
		    struct kl_error *err)
{
	*m = (struct kl_machine){ .mode = mode };
	m->bzimage = strdup(k->bzimage);
	m->initramfs = strdup(k->initramfs);
	m->vmlinux = strdup(k->vmlinux);
	m->qemu = strdup(qemu_program());
	memcpy(m->kernel_digest, k->digest, sizeof(m->kernel_digest));
	if (!m->bzimage || !m->initramfs || !m->vmlinux || !m->qemu) {
		kl_machine_deinit(m);
		return kl_fail(err, KL_INFRA, "out of memory");
	}
	return 0;
}

void kl_machine_deinit(struct kl_machine *m)
{
	free(m->bzimage);
	free(m->initramfs);
	free(m->vmlinux);
	free(m->qemu);
	*m = (struct kl_machine){ 0 };
}

int kl_vm_qemu_version(const char *qemu, char **ret, struct kl_error *err)
{
	const char *program = qemu ? qemu : qemu_program();
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kl_command_create(program);
	KL_AUTO(kl_buf_deinit) struct kl_buf out = KL_BUF_CAPPED(4096);
	const char *p;

	kl_command_arg(c, "--version");
	if (kl_command_check(c, kl_deadline_ms(20000), &out, KL_INFRA, err))
		return -1;
	p = strstr(kl_buf_str(&out), "version ");
	if (!p)
		return kl_fail(err, KL_INFRA, "%s does not tell its version", program);
	p += strlen("version ");
	*ret = strndup(p, strcspn(p, " (\n"));
	return *ret ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

/* QEMU's data lie beside its folder, wherever that is: what it opens itself, by strace(1). */
static int add_firmware(struct kl_digest *d, const char *program, struct kl_error *err)
{
	static const char *const files[] = { "seabios/bios-256k.bin", "qemu/bios-256k.bin",
					     "qemu/kvmvapic.bin", "qemu/linuxboot_dma.bin" };
	KL_AUTO_FREE char *real = realpath(program, NULL);
	char *slash = real ? strrchr(real, '/') : NULL;

	if (!slash)
		return 0;
	*slash = '\0';
	for (size_t i = 0; i < KL_ARRAY_SIZE(files); i++) {
		KL_AUTO_FREE char *path = kl_asprintf("%s/../share/%s", real, files[i]);
		char hex[KL_DIGEST_HEX];

		if (!path)
			return kl_fail(err, KL_INFRA, "out of memory");
		if (!kl_file_exists(path))
			continue;
		if (kl_sha256_file_cached(path, hex, err))
			return -1;
		kl_digest_text(d, files[i], hex);
	}
	return 0;
}

int kl_vm_qemu_digest(const char *qemu, char ret[KL_DIGEST_HEX], struct kl_error *err)
{
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };
	KL_AUTO_FREE char *program = NULL;
	char hex[KL_DIGEST_HEX];

	if (kl_program_find(qemu ? qemu : qemu_program(), &program, err) ||
	    kl_sha256_file_cached(program, hex, err) || kl_digest_init(&d, err))
		return -1;
	kl_digest_text(&d, "program", hex);
	if (add_firmware(&d, program, err))
		return -1;
	kl_digest_final(&d, ret);
	return 0;
}

/* What the answer depends on: QEMU, kernel, agent, host CPU and host boot. */
static int probe_key(const struct kl_machine *m, char ret_hex[KL_DIGEST_HEX], struct kl_error *err)
{
	static const char *const host[] = { "/proc/sys/kernel/random/boot_id",
					    "/proc/sys/kernel/osrelease" };
	KL_AUTO_FREE char *version = NULL;
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };

	if (kl_vm_qemu_version(m->qemu, &version, err) || kl_digest_init(&d, err))
		return -1;
	kl_digest_text(&d, "qemu", version);
	kl_digest_text(&d, "kernel", m->kernel_digest);
	if (kl_digest_file(&d, "agent", m->initramfs, err))
		return -1;
	for (size_t i = 0; i < KL_ARRAY_SIZE(host); i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

		kl_file_read(host[i], 4096, &b, NULL);
		kl_digest_text(&d, host[i], kl_buf_str(&b));
	}
	kl_digest_final(&d, ret_hex);
	return 0;
}

/* Boots the guest under KVM and waits for the agent. 0: it came; 1 and *ret_why: it did not; -1: interrupted. */
static int boot_under_kvm(const struct kl_machine *m, char **ret_why, struct kl_error *err)
{
	static const char *const names[] = { "GUEST_PANICKED", "SHUTDOWN", NULL };
	const struct kl_mail_orders orders = { .magic = KL_MAIL_MAGIC };
	KL_AUTO(kl_qemu_deinit) struct kl_qemu q = KL_QEMU_INIT;
	KL_AUTO_JSON json_t *e = NULL;
	KL_AUTO_CLOSE int ram = -1;
	KL_AUTO(kl_vm_leave_p) struct kl_vm_place place = KL_VM_PLACE_INIT;
	struct kl_machine kvm = *m;
	kl_deadline deadline;
	int got;

	kvm.kvm = true;
	kvm.mode = KL_MODE_PARALLEL;
	ram = kl_vm_memfd("memory", KL_VM_RAM_SIZE, err);
	if (ram < 0 || kl_vm_enter(&kvm, kl_deadline_ms(600000), &place, err))
		return -1;
	deadline = kl_deadline_ms(PROBE_MS);
	got = kl_qemu_start(&kvm, KL_VM_PROBE, ram, &orders, sizeof(orders), deadline, &q, err);
	if (!got)
		got = kl_qmp_event(&q.qmp, names, deadline, &e, err);
	if (got < 0 && err->class == KL_INTERRUPTED)
		return -1;
	if (!got && !strcmp(kl_qmp_event_name(e), "GUEST_PANICKED"))
		return 0;
	*ret_why = got < 0 ? kl_asprintf("a probe guest does not start: %s", err->message)
		   : got > 0
			   ? kl_asprintf("a probe guest did not boot within %d s", PROBE_MS / 1000)
			   : strdup("a probe guest reset itself while booting");
	return 1;
}

static int recall(const char *path, const char *key, bool *ret_works, char **ret_why)
{
	KL_AUTO_JSON json_t *j = NULL;
	const char *k, *why;

	if (kl_json_load(path, 65536, &j, NULL))
		return -1;
	k = json_string_value(json_object_get(j, "key"));
	why = json_string_value(json_object_get(j, "why"));
	if (!kl_str_eq(k, key) || !why)
		return -1;
	*ret_works = json_is_true(json_object_get(j, "works"));
	*ret_why = strdup(why);
	return *ret_why ? 0 : -1;
}

int kl_vm_kvm_probe(const struct kl_machine *m, bool fresh, bool *ret_works, char **ret_why,
		    struct kl_error *err)
{
	KL_AUTO_FREE char *cache = NULL, *path = NULL, *why = NULL;
	KL_AUTO_JSON json_t *j = NULL;
	char key[KL_DIGEST_HEX];
	bool works = false;
	int got;

	if (probe_key(m, key, err) || kl_cache_dir(NULL, &cache, err))
		return -1;
	path = kl_path_join(cache, "kvm-probe.json");
	if (!path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (!fresh && !recall(path, key, ret_works, ret_why))
		return 0;
	if (access("/dev/kvm", R_OK | W_OK)) {
		*ret_works = false;
		*ret_why = kl_asprintf("/dev/kvm: %s",
				       errno == ENOENT ? "not there" : "not ours to open");
		return *ret_why ? 0 : kl_fail(err, KL_INFRA, "out of memory");
	}
	got = boot_under_kvm(m, &why, err);
	if (got < 0)
		return -1;
	works = !got;
	if (works)
		why = strdup("a probe guest booted");
	if (!why)
		return kl_fail(err, KL_INFRA, "out of memory");
	j = json_pack("{s:s,s:b,s:o}", "key", key, "works", works, "why", kl_json_text(why));
	if (j)
		kl_json_write(j, path, NULL); /* only a memory: probing again is no harm */
	*ret_works = works;
	*ret_why = kl_take(why);
	return 0;
}
