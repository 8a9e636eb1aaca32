/* A run: one fork of a template, from its orders to its typed end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "guest/mailbox.h"
#include "vm/answers.h"
#include "vm/canary.h"
#include "vm/facts.h"
#include "vm/qemu.h"
#include "vm/stopped.h"
#include "vm/template.h"

/*
 * The wall-clock net lies far outside what the limit in guest time can take: a
 * spinning guest needs up to 4 s for a counted second on an idle core where this
 * was measured (pause instructions end translation blocks). It is scaled by how
 * much slower than there the template booted.
 */
#define NET_FLOOR_MS		180000
#define NET_PER_GUEST_SECOND_MS 20000
#define BOOT_MS_MEASURED	8000
#define SLOWER_AT_MOST		10

/* Two CPUs run by the host's clock: a busy host must not make a good fix late. */
#define PARALLEL_SLACK 5

/* Before the template's first counted second there is the firmware. */
#define RTC_MARGIN_S 10

#define LIVE_MS 50

/* How often a guest is asked whether it runs past its limit, in the host's time: no verdict hangs on it. */
#define ASK_MS 15000

#define TAINT_BAD_PAGE (1UL << 5)
#define TAINT_WARN     (1UL << 9)

static int append_payload(struct kl_buf *mail, const char *path, struct kl_mail_file *f,
			  struct kl_error *err)
{
	static const char zero[4096];
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (kl_file_read(path, KL_MAIL_SIZE, &b, err))
		return -1;
	if (mail->len + b.len + sizeof(zero) > KL_MAIL_SIZE)
		return kl_fail(err, KL_CONTENT, "%s does not fit into the guest's mailbox",
			       kl_path_base(path));
	f->offset = mail->len;
	f->size = b.len;
	kl_buf_append(mail, kl_buf_str(&b), b.len);
	kl_buf_append(mail, zero, (sizeof(zero) - mail->len % sizeof(zero)) % sizeof(zero));
	return kl_buf_check(mail, "a guest's mailbox", err);
}

static int join_points(const struct kl_strv *points, char *out, size_t size, struct kl_error *err)
{
	size_t used = 0;

	for (size_t i = 0; points && i < points->n; i++) {
		size_t n = strlen(points->v[i]);

		if (!kl_vm_is_point(points->v[i]))
			continue;
		if (used + n + 2 > size)
			return kl_fail(
				err, KL_CONTENT,
				"the module calls more functions than the schedule driver takes");
		if (used)
			out[used++] = ',';
		memcpy(out + used, points->v[i], n);
		used += n;
	}
	return 0;
}

static int copy_text(char *to, size_t size, const char *from, const char *what,
		     struct kl_error *err)
{
	if (!from)
		return 0;
	if ((size_t)snprintf(to, size, "%s", from) >= size)
		return kl_fail(err, KL_CONTENT, "%s is longer than %zu bytes", what, size - 1);
	return 0;
}

static int write_orders(const struct kl_job *job, unsigned int seconds, struct kl_buf *mail,
			struct kl_error *err)
{
	struct kl_mail_orders o = {
		.magic = KL_MAIL_MAGIC,
		.go = 1,
		.seed = job->seed,
		.guest_ns_limit = (uint64_t)seconds * 1000000000ULL,
		.unload = job->unload,
		.leaks = job->leaks,
		.preempt_percent = job->preempt_percent,
		.depth = job->depth,
	};

	memcpy(o.challenge, job->challenge, sizeof(o.challenge));
	if (copy_text(o.program_name, sizeof(o.program_name), job->program_name, "a program's name",
		      err) ||
	    copy_text(o.module_name, sizeof(o.module_name), job->module_name, "the module's name",
		      err) ||
	    copy_text(o.module_params, sizeof(o.module_params), job->module_params,
		      "the module's parameters", err) ||
	    join_points(job->points, o.points, sizeof(o.points), err))
		return -1;
	/* The module's name as the kernel knows it: kbuild's KBUILD_MODNAME. */
	for (char *p = o.module_name; *p; p++)
		if (*p == '-')
			*p = '_';
	for (size_t i = 0; i < KL_MAIL_DATA / 4096; i++) {
		static const char zero[4096];

		kl_buf_append(mail, zero, sizeof(zero));
	}
	if (append_payload(mail, job->module_ko, &o.module, err) ||
	    append_payload(mail, job->program, &o.program, err) ||
	    (job->sched_ko && append_payload(mail, job->sched_ko, &o.sched, err)))
		return -1;
	memcpy(mail->data, &o, sizeof(o));
	return 0;
}

/* The limit in guest time, without the leak scan. */
static unsigned int limit_of(const struct kl_template *t, const struct kl_job *job)
{
	return job->guest_seconds * (t->machine.mode == KL_MODE_PARALLEL ? PARALLEL_SLACK : 1);
}

static int64_t limit_with_scan(const struct kl_template *t, const struct kl_job *job)
{
	return (int64_t)limit_of(t, job) + (job->leaks ? KL_MAIL_LEAK_SECONDS : 0);
}

static kl_deadline net_of(const struct kl_template *t, const struct kl_job *job)
{
	int64_t ms = NET_FLOOR_MS + limit_with_scan(t, job) * NET_PER_GUEST_SECOND_MS;
	int64_t boot_ms = t->boot_ms;

	if (t->net_ms)
		return kl_deadline_ms(t->net_ms);
	if (boot_ms > BOOT_MS_MEASURED * SLOWER_AT_MOST)
		boot_ms = BOOT_MS_MEASURED * SLOWER_AT_MOST;
	if (boot_ms > BOOT_MS_MEASURED)
		ms = ms / BOOT_MS_MEASURED * boot_ms;
	return kl_deadline_ms(ms);
}

/*
 * Did the guest have all of its time, and more? A module can ping or stop the watchdog,
 * and a hang must not pass for a slow machine. The real-time clock counts the same
 * instructions and is asked from outside, which changes nothing in the guest. A guest
 * that sets that as well gets infra at the net, which is no pass.
 */
static bool had_its_time(const struct kl_template *t, const struct kl_job *job, struct kl_qemu *q)
{
	struct tm begun = { .tm_year = 126, .tm_mday = 1 }; /* vm/argv.c: base=2026-01-01 */
	kl_deadline deadline = kl_deadline_ms(20000);
	KL_AUTO_JSON json_t *j = NULL;
	struct tm now = { 0 };
	int64_t ran;

	if (t->machine.mode != KL_MODE_EXACT ||
	    kl_qmp_command(&q->qmp, "qom-get",
			   json_pack("{s:s,s:s}", "path", "/machine", "property", "rtc-time"), -1,
			   deadline, &j, NULL) ||
	    json_unpack(j, "{s:i,s:i,s:i,s:i,s:i,s:i}", "tm_year", &now.tm_year, "tm_mon",
			&now.tm_mon, "tm_mday", &now.tm_mday, "tm_hour", &now.tm_hour, "tm_min",
			&now.tm_min, "tm_sec", &now.tm_sec))
		return false;
	ran = (int64_t)timegm(&now) - (int64_t)timegm(&begun) - t->boot_guest_ms / 1000;
	return ran > limit_with_scan(t, job) + RTC_MARGIN_S;
}

/* Of a guest that runs past its limit only: every other one is ended by its watchdog. */
static bool outlasts_its_limit(const struct kl_template *t, const struct kl_job *job,
			       struct kl_qemu *q)
{
	return had_its_time(t, job, q) &&
	       !kl_qmp_command(&q->qmp, "stop", NULL, -1, kl_deadline_ms(20000), NULL, NULL);
}

static int show_live(const struct kl_job *job, const struct kl_qemu *q, size_t *shown,
		     struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (!job->on_console)
		return 0;
	if (kl_qemu_console_read(q, *shown, &b, err))
		return -1;
	if (b.len)
		job->on_console(b.data, b.len, job->arg);
	*shown += b.len;
	return 0;
}

enum kl_end kl_vm_end(const json_t *event)
{
	const char *name = kl_qmp_event_name(event);

	if (!strcmp(name, "WATCHDOG"))
		return KL_END_GUEST_TIME;
	if (!strcmp(name, "GUEST_PANICKED"))
		return KL_END_ANSWERED;
	/* Somebody ended QEMU, or the host failed it: no doing of the guest's. */
	return json_is_true(json_object_get(json_object_get(event, "data"), "guest")) ? KL_END_RESET
										      : KL_END_LOST;
}

/* Waits for the end. 0 with *ret (LOST when QEMU went away); -1 when interrupted. */
static int wait_for_end(const struct kl_template *t, const struct kl_job *job, struct kl_qemu *q,
			enum kl_end *ret, struct kl_error *err)
{
	static const char *const names[] = { "GUEST_PANICKED", "SHUTDOWN", "WATCHDOG", NULL };
	kl_deadline net = net_of(t, job), ask = kl_deadline_ms(ASK_MS);
	size_t shown = 0;

	for (;;) {
		KL_AUTO_JSON json_t *e = NULL;
		kl_deadline until = ask < net ? ask : net;
		int got;

		if (job->on_console && kl_deadline_ms(LIVE_MS) < until)
			until = kl_deadline_ms(LIVE_MS);
		got = kl_qmp_event(&q->qmp, names, until, &e, err);
		if (got < 0 && err->class == KL_INTERRUPTED)
			return -1;
		if (show_live(job, q, &shown, got < 0 ? NULL : err) && got >= 0)
			return -1;
		if (got <= 0) {
			*ret = got < 0 ? KL_END_LOST : kl_vm_end(e);
			return 0;
		}
		if (!kl_deadline_passed(ask) && !kl_deadline_passed(net))
			continue;
		if (outlasts_its_limit(t, job, q)) {
			*ret = KL_END_GUEST_TIME;
			return 0;
		}
		if (kl_deadline_passed(net)) {
			*ret = KL_END_WALL_NET;
			return 0;
		}
		ask = kl_deadline_ms(ASK_MS);
	}
}

/* The guest's answers are copied once, then looked at: nobody can change them in between. */
static int read_answers(struct kl_qemu *q, struct kl_run *run, struct kl_slots *slots,
			struct kl_error *err)
{
	struct kl_mail_answers a;

	if (pread(q->mailbox, &a, sizeof(a), offsetof(struct kl_mail, answers)) !=
	    (ssize_t)sizeof(a))
		return kl_fail(err, KL_INFRA, "the mailbox cannot be read");
	if (kl_vm_take_answers(&a, run, slots, err))
		return -1;
	if (run->end != KL_END_LOST)
		return 0;
	run->said = kl_qemu_epitaph(q);
	return run->said ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

static int read_console(const struct kl_qemu *q, struct kl_run *run, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_CAPPED(KL_CONSOLE_CAP + 1);

	kl_qemu_console_length(q, &run->console_truncated);
	if (kl_qemu_console_read(q, 0, &b, err))
		return -1;
	run->console = kl_buf_steal(&b);
	if (!run->console)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (run->end == KL_END_RESET && strstr(run->console, "Kernel panic"))
		run->end = KL_END_PANIC;
	return 0;
}

/*
 * Words can be printed by anybody. A real fault also leaves its mark: lockdep has
 * switched itself off, and the kernel is tainted (include/linux/panic.h).
 */
static bool left_its_marks(const struct kl_template *t, struct kl_qemu *q, const struct kl_run *run)
{
	kl_deadline deadline = kl_deadline_ms(20000);
	uint32_t locks = 1;
	uint64_t taint = 0;

	if (t->debug_locks && run->canary_due[KL_KIND_LOCKDEP] &&
	    (kl_qemu_read_memory(q, t->debug_locks, &locks, sizeof(locks), deadline, NULL) ||
	     locks))
		return false;
	if (!t->tainted_mask ||
	    kl_qemu_read_memory(q, t->tainted_mask, &taint, sizeof(taint), deadline, NULL))
		return false;
	return (!run->canary_due[KL_KIND_KASAN] || (taint & TAINT_BAD_PAGE)) &&
	       (!run->canary_due[KL_KIND_WARN] || (taint & TAINT_WARN));
}

/*
 * Once more, when the run has ended well: the canary, and the scan for leaks. What
 * comes on the console from here on is kept apart. A guest that does not come through
 * has not been heard; only a machine that failed changes the run's end.
 */
static int go_on(const struct kl_template *t, const struct kl_job *job, uint64_t free_at,
		 struct kl_qemu *q, struct kl_run *run, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf log = KL_BUF_CAPPED(KL_CONSOLE_CAP + 1);
	struct kl_job quiet = *job;
	enum kl_end end = KL_END_LOST;
	bool cut;
	size_t from = kl_qemu_console_length(q, &cut);

	quiet.on_console = NULL;
	quiet.guest_seconds += KL_MAIL_CANARY_SECONDS;
	if (job->canary_ko && kl_canary_put(job, q->mailbox, free_at, run->canary_due, err))
		return -1;
	run->canary = job->canary_ko != NULL;
	kl_qmp_drop_events(&q->qmp);
	if (kl_qmp_command(&q->qmp, "cont", NULL, -1, kl_deadline_ms(NET_FLOOR_MS), NULL, NULL))
		end = KL_END_LOST;
	else if (wait_for_end(t, &quiet, q, &end, err))
		return -1;
	if (end == KL_END_LOST || end == KL_END_WALL_NET) {
		run->end = end;
		return 0;
	}
	if (kl_qemu_console_read(q, from, &log, err))
		return -1;
	run->canary_log = kl_buf_steal(&log);
	run->canary_marked = run->canary && left_its_marks(t, q, run);
	return run->canary_log ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

/* Nobody but the host writes orders and payload, and what was asked for was done or has an errno. */
static int was_forged(const struct kl_job *job, const struct kl_buf *mail, const struct kl_qemu *q,
		      struct kl_run *run, struct kl_error *err)
{
	KL_AUTO_FREE char *now = malloc(mail->len);

	if (!now)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (pread(q->mailbox, now, mail->len, 0) != (ssize_t)mail->len)
		return kl_fail(err, KL_INFRA, "the mailbox cannot be read");
	run->forged = memcmp(now, mail->data, sizeof(struct kl_mail_orders)) != 0 ||
		      memcmp(now + KL_MAIL_DATA, mail->data + KL_MAIL_DATA,
			     mail->len - KL_MAIL_DATA) != 0 ||
		      run->load_status > 0 || run->unload_status > 1 ||
		      (job->unload && !run->load_status && run->unload_status > 0);
	return 0;
}

int kl_vm_run(struct kl_template *t, const struct kl_job *job, struct kl_run *ret,
	      struct kl_slots *ret_slots, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf mail = KL_BUF_CAPPED(KL_MAIL_SIZE);
	KL_AUTO(kl_qemu_deinit) struct kl_qemu q = KL_QEMU_INIT;
	KL_AUTO(kl_run_deinit)
	struct kl_run run = { .seed = job->seed, .scheduled = job->sched_ko != NULL };
	KL_AUTO(kl_vm_leave_p) struct kl_vm_place place = KL_VM_PLACE_INIT;
	KL_AUTO_CLOSE int state = -1;
	struct kl_slots slots = { 0 };
	kl_deadline restored;
	int64_t begun;

	if (write_orders(job, limit_of(t, job), &mail, err))
		return -1;
	state = kl_vm_reopen(t->state, O_RDONLY, err);
	if (state < 0 || kl_vm_enter(&t->machine, KL_FOREVER, &place, err))
		return -1;
	begun = kl_now_ns();
	restored = kl_deadline_ms(NET_FLOOR_MS);
	if (kl_qemu_start(&t->machine, KL_VM_FORK, t->ram, mail.data, mail.len, restored, &q,
			  err) ||
	    kl_qemu_restore(&q, state, restored, err))
		return kl_error_prepend(err, "fork");
	kl_qmp_drop_events(&q.qmp);
	if (kl_qmp_command(&q.qmp, "cont", NULL, -1, restored, NULL, err))
		return kl_error_prepend(err, "fork");
	if (wait_for_end(t, job, &q, &run.end, err))
		return -1;
	if (read_answers(&q, &run, &slots, err) || read_console(&q, &run, err))
		return -1;
	if (run.end == KL_END_ANSWERED && was_forged(job, &mail, &q, &run, err))
		return -1;
	if (!job->bare)
		kl_vm_read_facts(t, job, &q, &run);
	if (job->on_stopped && run.end != KL_END_LOST && run.end != KL_END_WALL_NET)
		job->on_stopped(&(struct kl_stopped){ .qemu = &q }, &run, job->stopped_arg);
	if (run.end == KL_END_ANSWERED && (job->canary_ko || job->leaks) &&
	    (!job->holds || job->holds(&run, &slots, job->holds_arg)) &&
	    go_on(t, job, mail.len, &q, &run, err))
		return -1;
	run.wall_ms = (kl_now_ns() - begun) / 1000000;
	*ret = run;
	run = (struct kl_run){ 0 };
	*ret_slots = slots;
	return 0;
}
