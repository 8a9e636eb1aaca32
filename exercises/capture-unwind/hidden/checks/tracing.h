/*
 * The kernel's own trace of slab allocations (events kmem:kmalloc and
 * kmem:kmem_cache_alloc, include/trace/events/kmem.h), of the calling thread only.
 */
#ifndef TRACING_H
#define TRACING_H

#ifdef KL_GUEST
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define TRACE_DIR "/tmp/tracing"

static const char *const trace_events[] = { "kmem/kmalloc", "kmem/kmem_cache_alloc" };

struct trace_allocations {
	unsigned int seen;
	unsigned int nofail; /* with __GFP_NOFAIL */
	unsigned int refused_module; /* asked for by the module itself, and not given */
};

static inline void trace_clear(void)
{
	int fd = open(TRACE_DIR "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		kl_die("the trace of allocations: %s", strerror(errno));
	close(fd);
}

static inline void trace_switch(const char *filter, const char *on)
{
	char path[96];

	for (size_t i = 0; i < sizeof(trace_events) / sizeof(trace_events[0]); i++) {
		snprintf(path, sizeof(path), TRACE_DIR "/events/%s/filter", trace_events[i]);
		if (kl_write_file(path, filter))
			kl_die("%s takes no filter", trace_events[i]);
		snprintf(path, sizeof(path), TRACE_DIR "/events/%s/enable", trace_events[i]);
		if (kl_write_file(path, on))
			kl_die("%s cannot be traced", trace_events[i]);
	}
}

static inline void trace_start(void)
{
	char filter[48];

	mkdir(TRACE_DIR, 0700);
	if (mount("tracing", TRACE_DIR, "tracefs", 0, NULL))
		kl_die("mount tracefs: %s", strerror(errno));
	snprintf(filter, sizeof(filter), "common_pid == %ld", syscall(SYS_gettid));
	trace_switch(filter, "1");
	trace_clear();
}

static inline void trace_stop(void)
{
	trace_switch("0", "0");
	umount(TRACE_DIR);
}

/* What there is since trace_clear(). */
static inline struct trace_allocations trace_read(void)
{
	static char text[1 << 18];
	struct trace_allocations t = { 0 };
	char *rest = NULL;

	if (kl_read_file(TRACE_DIR "/trace", text, sizeof(text)) < 0)
		kl_die("the trace of allocations cannot be read");
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *site = strstr(line, "call_site=");
		const char *ptr = site ? strstr(site, " ptr=") : NULL;

		if (!ptr)
			continue;
		t.seen++;
		t.nofail += strstr(ptr, "__GFP_NOFAIL") != NULL;
		/* "call_site=cap_setup+0x1f/0x2e0 [capunit] ptr=0000000000000000 …" */
		t.refused_module += ptr[-1] == ']' && !strtoull(ptr + 5, NULL, 16);
	}
	return t;
}
#endif

#endif
