/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The agent: /init of the guest, static, x86-64.
 *
 * In the template it brings the guest up, maps the mailbox and stops the machine
 * at one instruction. A fork goes on behind that instruction: the orders are
 * already in its mailbox, so nothing reaches the guest from outside while it
 * runs, and a run is a function of its orders (docs/architecture.md).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "guest/kit.h"
#include "guest/mailbox.h"

/* pvpanic's port and its "guest panicked" bit (QEMU docs/specs/pvpanic.txt); QEMU pauses there. */
#define PVPANIC_PORT	 0x505
#define PVPANIC_PANICKED 1

/*
 * The guest-time limit is an i6300esb watchdog (Intel 6300ESB datasheet, ch. 16): its
 * timers run on QEMU's virtual clock, so under counted instructions it fires at one
 * instruction. Stage 1 is one tick, stage 2 the limit; the lock bit keeps it armed.
 */
#define ESB_VENDOR_DEVICE 0x25ab8086U
#define ESB_CONFIG_REG	  0x60
#define ESB_LOCK_REG	  0x68
#define ESB_TIMER1	  0x00
#define ESB_TIMER2	  0x04
#define ESB_RELOAD	  0x0c
#define ESB_TICK_NS	  992970 /* 2^15 clocks of 33 MHz */

enum { PROGRAM_NONE, PROGRAM_EXITED, PROGRAM_SIGNALLED, PROGRAM_TIMED_OUT };

static volatile struct kl_mail *mail;
static volatile uint32_t *esb;
static uint32_t esb_slot;
static int console = -1;

static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdprintf(console, fmt, ap);
	va_end(ap);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -errno : 0;
}

static uint32_t pci_read(uint32_t slot, uint32_t reg)
{
	outl(0x80000000U | slot << 11 | reg, 0xcf8);
	return inl(0xcfc);
}

static void pci_write16(uint32_t slot, uint32_t reg, uint16_t value)
{
	outl(0x80000000U | slot << 11 | (reg & ~3U), 0xcf8);
	outw(value, 0xcfc + (reg & 2));
}

static void pci_write8(uint32_t slot, uint32_t reg, uint8_t value)
{
	outl(0x80000000U | slot << 11 | (reg & ~3U), 0xcf8);
	outb(value, 0xcfc + (reg & 3));
}

static int find_watchdog(int mem)
{
	for (uint32_t slot = 0; slot < 32; slot++) {
		uint32_t bar;

		if (pci_read(slot, 0) != ESB_VENDOR_DEVICE)
			continue;
		bar = pci_read(slot, 0x10) & ~0xfU;
		if (!bar)
			return -1;
		pci_write16(slot, 0x04, 0x2); /* memory space on */
		esb = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mem, bar);
		esb_slot = slot;
		return esb == MAP_FAILED ? -1 : 0;
	}
	return -1;
}

static void esb_unlock(void)
{
	volatile uint16_t *reload = (volatile uint16_t *)((volatile char *)esb + ESB_RELOAD);

	*reload = 0x80;
	*reload = 0x86;
}

static void arm_watchdog(uint64_t limit_ns)
{
	uint64_t ticks = limit_ns / ESB_TICK_NS;

	if (!limit_ns)
		return;
	if (ticks > 0xfffff)
		ticks = 0xfffff;
	pci_write16(esb_slot, ESB_CONFIG_REG, 0x3); /* no interrupt, 1 kHz, end of stage 2 acts */
	esb_unlock();
	esb[ESB_TIMER1 / 4] = 1;
	esb_unlock();
	esb[ESB_TIMER2 / 4] = (uint32_t)ticks;
	esb_unlock();
	*(volatile uint16_t *)((volatile char *)esb + ESB_RELOAD) = 0x100; /* start over */
	pci_write8(esb_slot, ESB_LOCK_REG, 0x3); /* enabled, and locked so */
}

/*
 * QEMU may move the clock on while it stops: for a moment the CPU counts as stopped and
 * the machine as running, and the main loop, if it looks just then, takes the CPU for
 * idle and jumps to the next timer (QEMU softmmu/icount.c, icount_start_warp_timer; its
 * order against cpu_stop_current() is the host's scheduler's). So nothing may depend on
 * whether it jumped: behind the stop the agent does nothing, in one instruction, until a
 * timer of its own that is later than any jump. Then both ways have led to one state, but
 * for part of an instruction's time, which the sleep that follows takes away: who wakes
 * from it wakes at its deadline. As a real-time task, because a fair one would keep that
 * part in its account.
 */
#define STOP_REST_NS  20000000L /* a tick takes 4 ms */
#define STOP_SLEEP_NS 30000000L /* since the same moment */

extern const char stop_resting[];

static void leave_rest(int sig, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	/* On two CPUs the host may hold one so long that the timer comes before the stop. */
	if (r[REG_RIP] == (greg_t)stop_resting)
		r[REG_RIP] += 2;
}

static void stop_machine(void)
{
	const struct itimerval rest = { { 0, STOP_REST_NS / 1000 }, { 0, STOP_REST_NS / 1000 } };
	const struct itimerval none = { 0 };
	const struct sched_param first = { .sched_priority = 1 }, fair = { 0 };
	struct timespec wake;

	tcdrain(console);
	sched_setscheduler(0, SCHED_FIFO, &first);
	clock_gettime(CLOCK_MONOTONIC, &wake);
	wake.tv_nsec += STOP_SLEEP_NS;
	wake.tv_sec += wake.tv_nsec / 1000000000L;
	wake.tv_nsec %= 1000000000L;
	setitimer(ITIMER_REAL, &rest, NULL);
	__asm__ volatile("outb %0, %1\n"
			 "stop_resting:\n"
			 "\t.byte 0xeb, 0xfe\n" /* jmp stop_resting, in its short form */
			 :
			 : "a"((uint8_t)PVPANIC_PANICKED), "d"((uint16_t)PVPANIC_PORT)
			 : "memory");
	setitimer(ITIMER_REAL, &none, NULL);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL) == EINTR)
		;
	sched_setscheduler(0, SCHED_OTHER, &fair);
}

/* Two CPUs run by the host's clock, and a busy host may hold either for a while. */
static int exact(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) == 1;
}

/* Init's exit is a panic, which the host is told of at once. */
static _Noreturn void give_up(const char *missing)
{
	say("klinic: the guest has no %s: %s\n", missing, strerror(errno));
	tcdrain(console);
	_exit(1);
}

static void bring_up(void)
{
	static const char *const dirs[] = { "/proc", "/sys", "/dev", "/tmp", "/run" };
	int mem;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		mkdir(dirs[i], 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("tmp", "/tmp", "tmpfs", 0, NULL);
	mount("run", "/run", "tmpfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	console = open("/dev/console", O_RDWR | O_NOCTTY);
	if (console >= 0 && console < 3) {
		dup2(console, 0);
		dup2(console, 1);
		dup2(console, 2);
	}
	/*
	 * A hang shows its stack well before the limit of a run. Looked for each second: at
	 * the timeout's own pace a task may hang for twice as long before it is told of
	 * (kernel/hung_task.c, check_hung_task).
	 */
	write_file("/proc/sys/kernel/hung_task_timeout_secs", exact() ? "10" : "60");
	write_file("/proc/sys/kernel/hung_task_check_interval_secs", "1");
	write_file("/proc/sys/kernel/hung_task_warnings", "4");
	/* The kernel's log is the kernel's: on a console nothing tells a program's words from it. */
	write_file("/proc/sys/kernel/printk_devkmsg", "off\n");
	/* kmemleak: what the boot left behind is not the candidate's. */
	write_file("/sys/kernel/debug/kmemleak", "scan=off");
	write_file("/sys/kernel/debug/kmemleak", "scan");
	write_file("/sys/kernel/debug/kmemleak", "clear");
	mem = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	mail = mmap(NULL, KL_MAIL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, KL_MAIL_PHYS);
	if (mem < 0 || mail == MAP_FAILED || iopl(3))
		give_up("mailbox");
	if (find_watchdog(mem))
		give_up("watchdog");
	if (sigaction(SIGALRM,
		      &(struct sigaction){ .sa_sigaction = leave_rest,
					   .sa_flags = SA_SIGINFO | SA_RESTART },
		      NULL))
		give_up("timer");
	close(mem);
}

/* A private copy of a payload file as a memfd, at descriptor fd. */
static int payload_fd(const volatile struct kl_mail_file *f, int fd)
{
	const char *p = (const char *)mail + f->offset;
	uint64_t left = f->size;
	int m;

	if (!f->size || f->offset > KL_MAIL_SIZE || f->size > KL_MAIL_SIZE - f->offset)
		return -1;
	m = memfd_create("payload", 0);
	while (m >= 0 && left) {
		ssize_t n = write(m, p, left);

		if (n <= 0)
			return -1;
		p += n;
		left -= (uint64_t)n;
	}
	if (m < 0 || m == fd)
		return m;
	dup2(m, fd);
	close(m);
	return fd;
}

static int load(const volatile struct kl_mail_file *f, const char *params)
{
	if (!f->size)
		return 0;
	if (syscall(SYS_init_module, (const char *)mail + f->offset, f->size, params))
		return -errno;
	return 0;
}

static struct kl_kit_sheet *make_sheet(void)
{
	int fd = memfd_create("sheet", 0);
	struct kl_kit_sheet *s;

	if (fd < 0 || ftruncate(fd, sizeof(*s)))
		return NULL;
	dup2(fd, KL_KIT_SHEET_FD);
	close(fd);
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED, KL_KIT_SHEET_FD, 0);
	if (s == MAP_FAILED)
		return NULL;
	s->seed = mail->orders.seed;
	for (int i = 0; i < 32; i++)
		s->challenge[i] = mail->orders.challenge[i];
	for (int i = 0; i < 63; i++)
		s->module_name[i] = mail->orders.module_name[i];
	for (int i = 0; i < 15; i++)
		s->program_name[i] = mail->orders.program_name[i];
	return s;
}

/* Started held: it goes on when the pipe's other end is closed. */
static pid_t start_program(int program, struct kl_kit_sheet *sheet, int *ret_hold)
{
	char *const argv[] = { sheet->program_name, NULL };
	static char *const envp[] = { "PATH=/", NULL };
	int hold[2];
	pid_t pid;
	char c;

	if (pipe2(hold, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		close(hold[1]);
		while (read(hold[0], &c, 1) < 0 && errno == EINTR)
			;
		syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
		_exit(127);
	}
	close(hold[0]);
	*ret_hold = hold[1];
	return pid;
}

/*
 * Kills what the program left running and waits until it is gone: what is still
 * on its way out holds the module. Orphans are our children, and of their group.
 */
static void end_group(pid_t pgrp)
{
	const struct timespec tick = { .tv_nsec = 1000000 };

	kill(-pgrp, SIGKILL);
	for (int i = 0; i < 500; i++) {
		pid_t got = waitpid(-pgrp, NULL, WNOHANG);

		if (got < 0)
			return;
		if (!got)
			nanosleep(&tick, NULL);
	}
}

/* Waits at most until the deadline in guest time. */
static void reap_program(pid_t pid, uint64_t deadline, uint32_t *end, int32_t *status)
{
	sigset_t set;
	int st;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (waitpid(pid, &st, WNOHANG) != pid) {
		struct timespec left;
		uint64_t now = now_ns();

		if (now >= deadline) {
			*end = PROGRAM_TIMED_OUT;
			*status = 0;
			end_group(pid);
			return;
		}
		left.tv_sec = (time_t)((deadline - now) / 1000000000ULL);
		left.tv_nsec = (long)((deadline - now) % 1000000000ULL);
		sigtimedwait(&set, NULL, &left);
	}
	end_group(pid);
	*end = WIFEXITED(st) ? PROGRAM_EXITED : PROGRAM_SIGNALLED;
	*status = WIFEXITED(st) ? WEXITSTATUS(st) : WTERMSIG(st);
}

static void run_program(struct kl_kit_sheet *sheet, uint64_t deadline)
{
	uint32_t end = PROGRAM_NONE;
	int32_t status = 0;
	char params[64];
	int program, hold, sched;
	pid_t pid;

	program = payload_fd(&mail->orders.program, 12);
	if (program < 0 || !sheet)
		return;
	pid = start_program(program, sheet, &hold);
	if (pid < 0)
		return;
	snprintf(params, sizeof(params), "pgrp=%d", pid);
	sched = load(&mail->orders.sched, params);
	if (sched)
		say("klinic: the schedule driver did not load: %s\n", strerror(-sched));
	close(hold);
	reap_program(pid, deadline, &end, &status);
	if (mail->orders.sched.size && !sched)
		write_file("/sys/module/klinic_sched/parameters/over", "1");
	close(program);
	mail->answers.program_end = sched ? PROGRAM_NONE : end;
	mail->answers.program_status = status;
	mail->answers.given = sheet->given;
	for (int i = 0; i < KL_MAIL_SLOTS; i++)
		mail->answers.value[i] = sheet->value[i];
	for (int i = 0; i < KL_MAIL_SAID; i++)
		mail->answers.said[i] = sheet->said[i];
}

/* Two scans, so that an object met in the middle of a change is not called lost; idle time is free. */
static void look_for_leaks(void)
{
	char buf[2048];
	ssize_t n;
	int fd;

	/* The agent's work, not the check's. */
	arm_watchdog(KL_MAIL_LEAK_SECONDS * 1000000000ULL);
	sleep(6); /* kmemleak leaves objects alone that are younger than five seconds */
	write_file("/sys/kernel/debug/kmemleak", "scan");
	write_file("/sys/kernel/debug/kmemleak", "scan");
	fd = open("/sys/kernel/debug/kmemleak", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		say("klinic: no kmemleak: %s\n", strerror(errno));
		return;
	}
	for (int i = 0; i < 16 && (n = read(fd, buf, sizeof(buf))) > 0; i++)
		if (write(console, buf, (size_t)n) < 0)
			break;
	close(fd);
}

/*
 * What the kernel has logged is on the console when this returns: opening
 * /proc/consoles takes the console's lock, and who gives that back prints what
 * is left (kernel/printk/printk.c, console_unlock).
 */
static void close_log(void)
{
	char buf[256];
	int fd;

	write_file("/proc/sys/kernel/printk_devkmsg", "on\n");
	write_file("/dev/kmsg", "<1>" KL_MAIL_LAST_WORDS "\n");
	fd = open("/proc/consoles", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

static void obey(void)
{
	volatile struct kl_mail_orders *o = &mail->orders;
	volatile struct kl_mail_answers *a = &mail->answers;
	uint64_t started = now_ns();
	uint64_t deadline = started + o->guest_ns_limit / 5 * 4;
	char name[64], params[KL_MAIL_PARAMS];

	arm_watchdog(o->guest_ns_limit);
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = o->module_name[i];
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < sizeof(params); i++)
		params[i] = o->module_params[i];
	params[sizeof(params) - 1] = '\0';
	a->unload_status = 1;
	payload_fd(&o->module, KL_KIT_MODULE_FD);
	a->load_status = load(&o->module, params);
	if (!a->load_status) {
		run_program(make_sheet(), deadline);
		if (o->unload && name[0]) {
			a->unload_status = 0;
			if (syscall(SYS_delete_module, name, O_NONBLOCK))
				a->unload_status = -errno;
		}
	}
	close_log();
	a->guest_ns = now_ns() - started;
	a->state = KL_MAIL_DONE;
}

/*
 * The host has taken its facts and lets the guest go on once more: do the detectors
 * still speak? Then, if it was asked for, the scan for what was left behind.
 */
static void sing(void)
{
	volatile struct kl_mail_orders *o = &mail->orders;

	arm_watchdog(KL_MAIL_CANARY_SECONDS * 1000000000ULL);
	if (load(&o->canary, ""))
		say("klinic: the canary did not load: %s\n", strerror(errno));
	if (o->leaks)
		look_for_leaks();
	close_log();
	mail->answers.state = KL_MAIL_SUNG;
}

int main(void)
{
	bring_up();
	mail->answers.guest_ns = now_ns();
	mail->answers.state = KL_MAIL_READY;
	say("klinic: ready\n");
	stop_machine();
	/* A fork goes on here: its orders are already there. */
	while (!mail->orders.go)
		;
	if (mail->orders.magic == KL_MAIL_MAGIC)
		obey();
	stop_machine();
	sing();
	for (;;)
		stop_machine();
}
