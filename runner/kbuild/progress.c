/*
 * How far a kernel build is. make says nothing about how much is left, so its
 * lines are counted against those of the last build of the flavour, or, before
 * there was one, against what a build took where klinic was written.
 */
#include <string.h>

#include <klinic/deadline.h>

#include "kbuild/internal.h"

static void tell(struct kb_progress *p)
{
	int64_t now = kl_now_ns();
	int64_t elapsed = (now - p->began_ns) / 1000000;
	int64_t expected = p->expected_ms;

	/* Past a tenth, this build's own pace says more than the last one's. */
	if (p->total && p->done > p->total / 10 && p->done <= p->total) {
		int64_t phase = (now - p->phase_began_ns) / 1000000;
		int64_t left = phase * (int64_t)(p->total - p->done) / (int64_t)p->done;
		/* linking and headers take about a seventh of compiling */
		int64_t link = phase * (int64_t)p->total / (int64_t)p->done / 7;

		expected = elapsed + left + link;
	}
	if (expected < elapsed)
		expected = elapsed;
	if (p->fn)
		p->fn(p->phase, p->done, p->total, elapsed, expected, p->arg);
}

void kb_progress_phase(struct kb_progress *p, const char *phase, unsigned long total)
{
	p->phase = phase;
	p->done = 0;
	p->total = total;
	p->phase_began_ns = kl_now_ns();
	tell(p);
}

/* "  CC      lib/string.o": kbuild's short lines begin with two blanks and a word in capitals. */
static bool is_step(const char *line)
{
	return line[0] == ' ' && line[1] == ' ' && line[2] >= 'A' && line[2] <= 'Z' &&
	       line[3] >= 'A' && line[3] <= 'Z';
}

void kb_progress_line(const char *line, void *progress)
{
	struct kb_progress *p = progress;

	if (!is_step(line))
		return;
	if (!strcmp(p->phase, "compile") && strstr(line, " vmlinux.o") &&
	    !strncmp(line, "  LD ", 5)) {
		p->compiled = p->done;
		p->expected_ms = (kl_now_ns() - p->began_ns) / 1000000 * 8 / 7;
		kb_progress_phase(p, "link", 0);
		return;
	}
	p->done++;
	tell(p);
}
