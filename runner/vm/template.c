/*
 * Templates: one boot, kept. The cache holds templates/<digest>/{ram, state,
 * meta.json}; the folder is made under another name and renamed when it is
 * whole. A template whose RAM is not what meta.json says is made again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "guest/mailbox.h"
#include "vm/qemu.h"
#include "vm/template.h"

/* A cold boot took 6 to 11 s where this was measured; a loaded machine may need many times that. */
#define BOOT_MS	 600000
#define META_MAX 65536
/* Of what save_meta writes: a template of another version is made anew. */
#define META_VERSION "2"

int kl_template_name(const struct kl_machine *m, char ret[KL_DIGEST_HEX], struct kl_error *err)
{
	/* The argument list without what differs from run to run. */
	const struct kl_vm_paths no_paths = { "ram", "mailbox", "console", "qmp" };
	KL_AUTO(kl_digest_deinit) struct kl_digest d = { 0 };
	KL_AUTO(kl_strv_deinit) struct kl_strv argv = { 0 };
	char nothing[] = "", qemu[KL_DIGEST_HEX];
	struct kl_machine shape = *m;

	shape.bzimage = shape.initramfs = shape.vmlinux = nothing;
	if (kl_vm_argv(&shape, KL_VM_TEMPLATE, &no_paths, &argv, err) ||
	    kl_vm_qemu_digest(m->qemu, qemu, err) || kl_digest_init(&d, err))
		return -1;
	for (size_t i = 0; i < argv.n; i++)
		kl_digest_text(&d, "argv", argv.v[i]);
	kl_digest_text(&d, "meta.json", META_VERSION);
	kl_digest_text(&d, "qemu", qemu);
	kl_digest_text(&d, "kernel", m->kernel_digest);
	if (kl_digest_file(&d, "agent", m->initramfs, err))
		return -1;
	kl_digest_final(&d, ret);
	return 0;
}

static int copy_machine(const struct kl_machine *m, struct kl_template *t, struct kl_error *err)
{
	t->machine = *m;
	t->machine.bzimage = strdup(m->bzimage);
	t->machine.initramfs = strdup(m->initramfs);
	t->machine.vmlinux = strdup(m->vmlinux);
	t->machine.qemu = strdup(m->qemu);
	if (!t->machine.bzimage || !t->machine.initramfs || !t->machine.vmlinux || !t->machine.qemu)
		return kl_fail(err, KL_INFRA, "out of memory");
	return 0;
}

/* 0 and t filled when dir holds a whole template, -1 otherwise. */
static int load_meta(struct kl_template *t, const char *dir)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, "meta.json");
	KL_AUTO_FREE char *ram_path = kl_path_join(dir, "ram");
	KL_AUTO_FREE char *state_path = kl_path_join(dir, "state");
	KL_AUTO_CLOSE int ram_fd = -1, state_fd = -1;
	KL_AUTO_JSON json_t *j = NULL;
	char now[KL_DIGEST_HEX];
	const char *digest, *ram;
	struct stat st;

	if (!path || !ram_path || !state_path || kl_json_load(path, META_MAX, &j, NULL))
		return -1;
	digest = json_string_value(json_object_get(j, "digest"));
	ram = json_string_value(json_object_get(j, "ram_sha256"));
	if (!kl_str_eq(digest, t->digest) || !ram || strlen(ram) != KL_DIGEST_HEX - 1)
		return -1;
	ram_fd = open(ram_path, O_RDONLY | O_CLOEXEC);
	state_fd = open(state_path, O_RDONLY | O_CLOEXEC);
	if (ram_fd < 0 || state_fd < 0 || fstat(ram_fd, &st) ||
	    (unsigned long)st.st_size != KL_VM_RAM_SIZE)
		return -1;
	if (kl_sha256_file_cached(ram_path, now, NULL) || !kl_str_eq(now, ram))
		return -1;
	if (kl_sha256_file_cached(state_path, now, NULL) ||
	    !kl_str_eq(now, json_string_value(json_object_get(j, "state_sha256"))))
		return -1;
	memcpy(t->ram_digest, ram, KL_DIGEST_HEX);
	t->boot_ms = json_integer_value(json_object_get(j, "boot_ms"));
	t->boot_guest_ms = json_integer_value(json_object_get(j, "boot_guest_ms"));
	t->debug_locks = (uint64_t)json_integer_value(json_object_get(j, "debug_locks"));
	t->tainted_mask = (uint64_t)json_integer_value(json_object_get(j, "tainted_mask"));
	t->kmemleak_enabled = (uint64_t)json_integer_value(json_object_get(j, "kmemleak_enabled"));
	t->ram = kl_take_fd(ram_fd);
	t->state = kl_take_fd(state_fd);
	return 0;
}

static int save_meta(const struct kl_template *t, const char *dir, const char *state_digest,
		     struct kl_error *err)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, "meta.json");
	KL_AUTO_JSON json_t *j = json_pack(
		"{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I}", "digest", t->digest, "ram_sha256",
		t->ram_digest, "state_sha256", state_digest, "qemu", t->qemu_version, "boot_ms",
		(json_int_t)t->boot_ms, "boot_guest_ms", (json_int_t)t->boot_guest_ms,
		"debug_locks", (json_int_t)t->debug_locks, "tainted_mask",
		(json_int_t)t->tainted_mask, "kmemleak_enabled", (json_int_t)t->kmemleak_enabled);

	if (!path || !j)
		return kl_fail(err, KL_INFRA, "out of memory");
	return kl_json_write(j, path, err);
}

/* The line that says why a kernel did not boot: its panic, else the last one that it printed. */
static void last_words(const struct kl_qemu *q, struct kl_buf *ret)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf log = KL_BUF_CAPPED(KL_CONSOLE_CAP + 1);
	const char *line, *panic;
	size_t len;

	if (kl_qemu_console_read(q, 0, &log, NULL) || !log.len)
		return;
	for (len = log.len; len && (unsigned char)log.data[len - 1] <= ' ';)
		log.data[--len] = '\0';
	panic = strstr(log.data, "Kernel panic");
	line = memrchr(log.data, '\n', len);
	line = panic ? panic : line ? line + 1 : log.data;
	kl_buf_safe(ret, line, strcspn(line, "\r\n"), 200);
}

static int no_boot(const struct kl_qemu *q, const char *how, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf words = KL_BUF_INIT;

	last_words(q, &words);
	return kl_fail(err, KL_INFRA,
		       "the kernel does not boot: %s; its last words: \"%s\"; "
		       "build it again with klinic kernel build",
		       how, kl_buf_str(&words));
}

static int wait_for_agent(struct kl_qemu *q, kl_deadline deadline, struct kl_error *err)
{
	static const char *const names[] = { "GUEST_PANICKED", "SHUTDOWN", NULL };
	struct kl_mail_answers a;
	KL_AUTO_JSON json_t *e = NULL;
	int got = kl_qmp_event(&q->qmp, names, deadline, &e, err);

	if (got < 0 && err->class == KL_INTERRUPTED)
		return -1;
	if (got < 0 || (!got && kl_vm_end(e) == KL_END_LOST)) {
		KL_AUTO_FREE char *why = kl_qemu_epitaph(q);

		return kl_fail(err, KL_INFRA, "while a template booted: %s", why ? why : "lost");
	}
	if (got)
		return no_boot(q, "no agent in time", err);
	if (!kl_str_eq(kl_qmp_event_name(e), "GUEST_PANICKED"))
		return no_boot(q, "it reset or powered off", err);
	if (pread(q->mailbox, &a, sizeof(a), offsetof(struct kl_mail, answers)) !=
		    (ssize_t)sizeof(a) ||
	    a.state != KL_MAIL_READY)
		return no_boot(q, "it stopped before the agent was ready", err);
	return 0;
}

static int boot(struct kl_template *t, const char *ram, const char *state, kl_deadline deadline,
		struct kl_error *err)
{
	const struct kl_mail_orders orders = { .magic = KL_MAIL_MAGIC };
	KL_AUTO(kl_qemu_deinit) struct kl_qemu q = KL_QEMU_INIT;
	KL_AUTO(kl_vm_leave_p) struct kl_vm_place place = KL_VM_PLACE_INIT;
	KL_AUTO_CLOSE int ram_fd = -1, state_fd = -1;
	struct kl_mail_answers a;
	int64_t begun;
	int got;

	ram_fd = open(ram, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	state_fd = open(state, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (ram_fd < 0 || state_fd < 0)
		return kl_fail_errno(err, errno, "cannot make a template's files beside %s", ram);
	/* Room for it all now: a full disk later would be a bus error in QEMU. */
	got = posix_fallocate(ram_fd, 0, KL_VM_RAM_SIZE);
	if (got)
		return kl_fail_errno(err, got,
				     "no room for a template's %lu MiB of RAM at %s (klinic "
				     "kernel prune makes some)",
				     KL_VM_RAM_SIZE >> 20, ram);
	if (kl_vm_enter(&t->machine, deadline, &place, err))
		return -1;
	begun = kl_now_ns();
	if (kl_qemu_start(&t->machine, KL_VM_TEMPLATE, ram_fd, &orders, sizeof(orders), deadline,
			  &q, err) ||
	    wait_for_agent(&q, deadline, err))
		return -1;
	t->boot_ms = (kl_now_ns() - begun) / 1000000;
	if (pread(q.mailbox, &a, sizeof(a), offsetof(struct kl_mail, answers)) !=
	    (ssize_t)sizeof(a))
		return kl_fail(err, KL_INFRA, "the mailbox cannot be read");
	t->boot_guest_ms = (int64_t)(a.guest_ns / 1000000);
	if (kl_qemu_save(&q, state_fd, deadline, err))
		return -1;
	/* Ends QEMU in order, so that the RAM file is whole. */
	kl_qmp_command(&q.qmp, "quit", NULL, -1, deadline, NULL, NULL);
	got = kl_process_wait(&q.process, deadline, NULL, err);
	if (got)
		return got < 0 ? -1
			       : kl_fail(err, KL_INFRA, "QEMU did not end after saving a template");
	return fsync(ram_fd) || fsync(state_fd) ? kl_fail_errno(err, errno, "cannot save %s", ram)
						: 0;
}

/* Into a folder with another name, then renamed. The caller holds the lock. */
static int make(struct kl_template *t, const char *dir, kl_deadline deadline, struct kl_error *err)
{
	static const char *const names[] = { "debug_locks", "tainted_mask", "kmemleak_enabled" };
	KL_AUTO_FREE char *fresh = kl_asprintf("%s.new", dir);
	KL_AUTO_FREE char *ram = fresh ? kl_path_join(fresh, "ram") : NULL;
	KL_AUTO_FREE char *state = fresh ? kl_path_join(fresh, "state") : NULL;
	KL_AUTO_FREE char *kept_ram = kl_path_join(dir, "ram");
	KL_AUTO_FREE char *kept_state = kl_path_join(dir, "state");
	char state_digest[KL_DIGEST_HEX];
	uint64_t where[KL_ARRAY_SIZE(names)];

	if (!ram || !state || !kept_ram || !kept_state)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_vm_symbols(t->machine.vmlinux, names, KL_ARRAY_SIZE(names), where, err) ||
	    kl_remove_tree(fresh, err) || kl_mkdirs(fresh, 0700, err))
		return -1;
	t->debug_locks = where[0];
	t->tainted_mask = where[1];
	t->kmemleak_enabled = where[2];
	if (boot(t, ram, state, deadline, err) || kl_sha256_file(ram, t->ram_digest, err) ||
	    kl_sha256_file(state, state_digest, err) || save_meta(t, fresh, state_digest, err) ||
	    kl_remove_tree(dir, err))
		goto fail;
	if (rename(fresh, dir)) {
		kl_fail_errno(err, errno, "cannot keep the template %s", dir);
		goto fail;
	}
	t->ram = open(kept_ram, O_RDONLY | O_CLOEXEC);
	t->state = open(kept_state, O_RDONLY | O_CLOEXEC);
	if (t->ram < 0 || t->state < 0)
		return kl_fail_errno(err, errno, "the template has gone: %s", dir);
	t->fresh = true;
	return 0;
fail:
	kl_remove_tree(fresh, NULL);
	return -1;
}

int kl_template_open(const struct kl_machine *m, bool rebuild, kl_deadline deadline,
		     struct kl_template **ret, struct kl_error *err)
{
	KL_AUTO(kl_template_destroy_p) struct kl_template *t = calloc(1, sizeof(*t));
	KL_AUTO_FREE char *cache = NULL, *dir = NULL, *lock_path = NULL;
	KL_AUTO_CLOSE int lock = -1;

	if (!t)
		return kl_fail(err, KL_INFRA, "out of memory");
	t->ram = t->state = -1;
	if (copy_machine(m, t, err))
		return -1;
	if (kl_vm_qemu_version(m->qemu, &t->qemu_version, err) ||
	    kl_template_name(&t->machine, t->digest, err) || kl_cache_dir("templates", &cache, err))
		return -1;
	dir = kl_path_join(cache, t->digest);
	lock_path = dir ? kl_asprintf("%s.lock", dir) : NULL;
	if (!lock_path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_lock(lock_path, deadline, &lock, err))
		return -1;
	if (rebuild || load_meta(t, dir)) {
		kl_deadline limit = kl_deadline_ms(BOOT_MS);

		if (make(t, dir, deadline < limit ? deadline : limit, err))
			return -1;
	}
	if (kl_text_init(&t->text, t->machine.vmlinux, err) ||
	    kl_baseline_init(&t->baseline, t->machine.vmlinux, t->ram, err))
		return -1;
	*ret = kl_take(t);
	return 0;
}

void kl_template_destroy(struct kl_template *t)
{
	if (!t)
		return;
	kl_machine_deinit(&t->machine);
	kl_text_deinit(&t->text);
	kl_baseline_deinit(&t->baseline);
	free(t->qemu_version);
	if (t->ram >= 0)
		close(t->ram);
	if (t->state >= 0)
		close(t->state);
	free(t);
}

void kl_template_destroy_p(struct kl_template **t)
{
	kl_template_destroy(*t);
}

const char *kl_template_ram_digest(const struct kl_template *t)
{
	return t->ram_digest;
}

const char *kl_template_digest(const struct kl_template *t)
{
	return t->digest;
}

const char *kl_template_qemu_version(const struct kl_template *t)
{
	return t->qemu_version;
}

int64_t kl_template_boot_ms(const struct kl_template *t)
{
	return t->boot_ms;
}

bool kl_template_fresh(const struct kl_template *t)
{
	return t->fresh;
}

static int drop(const char *cache, const char *name, uint64_t *sum, struct kl_error *err)
{
	const int stem = (int)(strlen(name) - (kl_str_ends(name, ".new") ? 4 : 0));
	KL_AUTO_FREE char *path = kl_path_join(cache, name);
	KL_AUTO_FREE char *lock_path = kl_asprintf("%s/%.*s.lock", cache, stem, name);
	KL_AUTO_CLOSE int lock = -1;
	uint64_t bytes = 0;

	if (!path || !lock_path)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (kl_try_lock(lock_path, &lock, NULL) != 1)
		return 0;
	kl_tree_size(path, &bytes, NULL);
	if (kl_remove_tree(path, err))
		return -1;
	*sum += bytes;
	return 0;
}

int kl_template_prune(const struct kl_strv *keep, uint64_t *ret_bytes, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO_FREE char *cache = NULL;
	uint64_t sum = 0;

	if (kl_cache_dir("templates", &cache, err) || kl_dir_list(cache, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (!kl_str_ends(names.v[i], ".lock") && !kl_strv_has(keep, names.v[i]) &&
		    drop(cache, names.v[i], &sum, err))
			return -1;
	*ret_bytes = sum;
	return 0;
}
