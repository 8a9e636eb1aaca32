/*
 * One line on stderr while something takes longer than two seconds: what, how
 * far, how long it took, how long it may take. Booting a template tells nothing
 * about itself, so a thread keeps the clock going. No terminal, no line.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <klinic/deadline.h>

#include "cli/cli.h"

#define SILENT_NS 2000000000LL
#define TICK_NS	  250000000LL

static struct {
	pthread_mutex_t lock;
	pthread_cond_t stop;
	pthread_t thread;
	bool running, stopping, shown;
	char what[64], part[160], phase[32];
	unsigned long done, total;
	int64_t begun_ns, phase_ns; /* of the whole, and when the last report came */
	int64_t elapsed_ms, expected_ms; /* as reported; 0 when unknown */
} p = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void clock_text(struct kl_buf *b, int64_t ms)
{
	kl_buf_printf(b, "%" PRId64 ":%02" PRId64, ms / 60000, ms / 1000 % 60);
}

/* What a phase of kl_progress_fn is to a person. */
static const char *phase_words(const char *phase)
{
	static const struct {
		const char *phase, *words;
	} table[] = {
		{ "wait", "another build is at work, waiting" },
		{ "unpack", "kernel: unpacking the source" },
		{ "configure", "kernel: configuring" },
		{ "compile", "kernel: compiling" },
		{ "link", "kernel: linking" },
		{ "headers", "kernel: headers" },
		{ "run", "guests" },
		{ "solution", "solutions" },
	};

	for (size_t i = 0; i < KL_ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].phase, phase))
			return table[i].words;
	return phase;
}

static void compose(struct kl_buf *b, int64_t now)
{
	int64_t since = p.phase_ns ? (now - p.phase_ns) / 1000000 : 0;
	int64_t elapsed = p.phase[0] ? p.elapsed_ms + since : (now - p.begun_ns) / 1000000;
	int64_t expected = p.expected_ms;

	kl_buf_puts(b, p.what);
	if (p.part[0])
		kl_buf_printf(b, ": %s", p.part);
	if (p.phase[0])
		kl_buf_printf(b, ": %s", phase_words(p.phase));
	if (p.total)
		kl_buf_printf(b, " %lu/%lu", p.done < p.total ? p.done : p.total, p.total);
	else if (p.done)
		kl_buf_printf(b, " %lu", p.done);
	kl_buf_puts(b, "  ");
	clock_text(b, elapsed);
	/* Runs are alike: what is left takes as long as what is done. */
	if (!expected && p.total && p.done && p.done < p.total)
		expected = p.elapsed_ms * (int64_t)p.total / (int64_t)p.done;
	if (expected > elapsed) {
		kl_buf_puts(b, " of about ");
		clock_text(b, expected);
	}
}

/* Never wider than the terminal: a wrapped line could not be erased. Cuts between characters. */
static void fit(struct kl_buf *b)
{
	struct winsize w;
	size_t columns = 79, seen = 0;

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &w) && w.ws_col > 1)
		columns = w.ws_col - 1U;
	for (size_t i = 0; i < b->len; i++) {
		if (((unsigned char)b->data[i] & 0xc0) == 0x80)
			continue;
		if (seen++ == columns) {
			b->data[i] = '\0';
			return;
		}
	}
}

/* The caller holds the lock. */
static void draw(void)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_CAPPED(1024);
	int64_t now = kl_now_ns();

	if (now - p.begun_ns < SILENT_NS)
		return;
	compose(&b, now);
	if (!b.data)
		return;
	if (!cli_unicode())
		cli_ascii(b.data);
	fit(&b);
	fprintf(stderr, "\r%s\033[K", b.data);
	fflush(stderr);
	p.shown = true;
}

static void *tick(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&p.lock);
	while (!p.stopping) {
		int64_t until = kl_now_ns() + TICK_NS;
		struct timespec at = { .tv_sec = until / 1000000000,
				       .tv_nsec = until % 1000000000 };

		if (pthread_cond_timedwait(&p.stop, &p.lock, &at) == ETIMEDOUT)
			draw();
	}
	pthread_mutex_unlock(&p.lock);
	return NULL;
}

void cli_progress_begin(const char *what)
{
	pthread_condattr_t monotonic;

	if (p.running || !cli_stderr_is_terminal())
		return;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&p.stop, &monotonic);
	pthread_condattr_destroy(&monotonic);
	snprintf(p.what, sizeof(p.what), "%s", what);
	p.part[0] = p.phase[0] = '\0';
	p.done = p.total = 0;
	p.phase_ns = p.elapsed_ms = p.expected_ms = 0;
	p.begun_ns = kl_now_ns();
	p.stopping = p.shown = false;
	p.running = !pthread_create(&p.thread, NULL, tick, NULL);
}

void cli_progress_part(const char *fmt, ...)
{
	va_list ap;

	if (!p.running)
		return;
	pthread_mutex_lock(&p.lock);
	va_start(ap, fmt);
	vsnprintf(p.part, sizeof(p.part), fmt, ap);
	va_end(ap);
	p.phase[0] = '\0';
	p.done = p.total = 0;
	pthread_mutex_unlock(&p.lock);
}

void cli_progress(const char *phase, unsigned long done, unsigned long total, int64_t elapsed_ms,
		  int64_t expected_ms, void *arg)
{
	(void)arg;
	if (!p.running)
		return;
	pthread_mutex_lock(&p.lock);
	snprintf(p.phase, sizeof(p.phase), "%s", phase);
	p.done = done;
	p.total = total;
	p.elapsed_ms = elapsed_ms;
	p.expected_ms = expected_ms;
	p.phase_ns = kl_now_ns();
	pthread_mutex_unlock(&p.lock);
}

void cli_progress_end(void)
{
	if (!p.running)
		return;
	pthread_mutex_lock(&p.lock);
	p.stopping = true;
	pthread_cond_signal(&p.stop);
	pthread_mutex_unlock(&p.lock);
	pthread_join(p.thread, NULL);
	pthread_cond_destroy(&p.stop);
	p.running = false;
	if (p.shown)
		fputs("\r\033[K", stderr);
}
