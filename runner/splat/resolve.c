/*
 * From "function+offset" to file and line: the address by the symbol table, the
 * place by addr2line(1), once for each object and section. addr2line reads debug
 * information that a candidate's source may have made up (asm can emit any
 * section), so it runs in the sandbox, bounded in time and memory.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/sandbox.h>
#include <klinic/splat.h>

#include "splat/frame.h"
#include "splat/symtab.h"

#define DEADLINE_MS 20000
#define MAX_ANSWER  (8UL << 20)

/* One finding's frame, on its way to a place. */
struct wanted {
	struct kl_finding *finding; /* NULL for the landmark that tells the tree's root */
	struct kl_frame_parts parts;
	bool exact; /* the CPU was there; otherwise a return address, one past the call */
	char *place; /* "/tree/fs/pipe.c:12" */
};

struct object {
	const char *path;
	const char *landmark; /* a function whose file is known … */
	const char *landmark_file; /* … relative to the root; NULL: its folder is the root */
	struct wanted *w;
	size_t n;
};

static bool prints_rip(enum kl_kind k)
{
	switch (k) {
	case KL_KIND_PAGE_FAULT:
	case KL_KIND_GPF:
	case KL_KIND_BUG:
	case KL_KIND_WARN:
	case KL_KIND_SOFT_LOCKUP:
	case KL_KIND_RCU_STALL:
		return true;
	default:
		return false;
	}
}

/* The frame of the trace that is the finding's function. */
static bool frame_of(struct kl_finding *f, struct wanted *ret)
{
	char function[KL_FRAME_MAX];

	/* What the header names is exact; only for sleeping it names the callee's check. */
	if (!f->function || (f->file && f->kind != KL_KIND_SLEEP_IN_ATOMIC))
		return false;
	for (size_t i = 0; i < f->trace.n; i++) {
		kl_frame_function(f->trace.v[i], function, sizeof(function));
		if (strcmp(function, f->function) != 0 ||
		    !kl_frame_split(f->trace.v[i], &ret->parts))
			continue;
		ret->finding = f;
		ret->exact = i == 0 && prints_rip(f->kind);
		return true;
	}
	return false;
}

/* Module names: - and _ are one (kernel/params.c, parameq). */
static bool same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

/* Which findings ask this object; the landmark is last. NULL without memory. */
static struct wanted *collect(struct kl_findings *fs, const char *module, const char *landmark,
			      size_t *ret_n)
{
	struct wanted *w = calloc(fs->n + 1, sizeof(*w));
	size_t n = 0;

	for (size_t i = 0; w && i < fs->n; i++) {
		struct wanted x = { 0 };

		if (!frame_of(&fs->v[i], &x))
			continue;
		if (module ? x.parts.module[0] && same_module(x.parts.module, module)
			   : !x.parts.module[0])
			w[n++] = x;
	}
	if (w && n) {
		memcpy(w[n].parts.symbol, landmark, strlen(landmark) + 1);
		w[n++].exact = true;
	}
	*ret_n = n;
	return w;
}

static void wanted_free(struct wanted *w, size_t n)
{
	for (size_t i = 0; w && i < n; i++)
		free(w[i].place);
	free(w);
}

/* addr2line -a -i -f: "0x…", then function and place by turns, innermost first. */
struct answer {
	struct wanted *const *asked;
	size_t n, next; /* next: addresses seen */
	bool place_comes;
	bool failed;
};

static bool is_source(const char *place)
{
	const char *colon = strrchr(place, ':');

	return colon && colon - place > 2 && !strncmp(colon - 2, ".c", 2);
}

static void answer_line(struct answer *a, char *line)
{
	struct wanted *w = a->next ? a->asked[a->next - 1] : NULL;

	char *more = strstr(line, " (discriminator ");

	if (more)
		*more = '\0';
	if (!strncmp(line, "0x", 2) && !a->place_comes) {
		if (a->next < a->n)
			a->next++;
		return;
	}
	a->place_comes = !a->place_comes;
	if (a->place_comes || !w || !strncmp(line, "??", 2) || !strchr(line, ':'))
		return;
	/* Inlined functions of headers say less than the source that used them. */
	if (w->place && (is_source(w->place) || !is_source(line)))
		return;
	free(w->place);
	w->place = strdup(line);
	a->failed = a->failed || !w->place;
}

static bool read_answer(char *text, struct wanted *const *asked, size_t n)
{
	struct answer a = { .asked = asked, .n = n };
	char *line, *save = NULL;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		answer_line(&a, line);
	return !a.failed;
}

static int addr2line(const char *path, const char *section, const struct kl_buf *addresses,
		     kl_deadline deadline, struct kl_buf *out, struct kl_error *err)
{
	static const struct kl_sandbox_limits limits = {
		.cpu_seconds = DEADLINE_MS / 1000,
		.memory_bytes = 4ULL << 30,
		.file_bytes = 1 << 20,
		.tmp_bytes = 1 << 20,
	};
	KL_AUTO(kl_sandbox_destroy_p) struct kl_sandbox *box = kl_sandbox_create(&limits);
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = NULL;
	KL_AUTO_FREE char *real = realpath(path, NULL);

	if (!box || !real)
		return kl_fail(err, KL_INFRA, "cannot look at %s", path);
	kl_sandbox_bind_ro(box, real, "/object");
	c = kl_sandbox_command(box, "/usr/bin/addr2line");
	if (!c)
		return kl_fail(err, KL_INFRA, "no memory to run addr2line");
	kl_command_args(c, "-a", "-i", "-f", "-e", "/object", NULL);
	if (section[0])
		kl_command_args(c, "-j", section, NULL);
	kl_command_stdin_data(c, addresses->data, addresses->len);
	return kl_command_check(c, deadline, out, KL_INFRA, err);
}

/* All queries of one section in one run. -1 only without memory. */
static int ask_section(const struct object *o, struct kl_symbol_query *q, size_t first,
		       kl_deadline deadline)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf addresses = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf out = KL_BUF_CAPPED(MAX_ANSWER);
	KL_AUTO_FREE struct wanted **asked = calloc(o->n, sizeof(struct wanted *));
	struct kl_error err = KL_ERROR_INIT;
	size_t n = 0;
	char section[sizeof(q->section)];

	if (!asked)
		return -1;
	memcpy(section, q[first].section, sizeof(section));
	for (size_t i = first; i < o->n; i++) {
		uint64_t address = q[i].address + q[i].offset;

		if (!q[i].found || strcmp(q[i].section, section) != 0)
			continue;
		q[i].found = false; /* asked */
		if (!o->w[i].exact && q[i].offset)
			address--;
		(void)kl_buf_printf(&addresses, "0x%llx\n", (unsigned long long)address);
		asked[n++] = &o->w[i];
	}
	if (addresses.failed)
		return -1;
	if (addr2line(o->path, section, &addresses, deadline, &out, &err) < 0 || !out.data)
		return 0;
	return read_answer(out.data, asked, n) ? 0 : -1;
}

/* Bytes of the root's path at the start of places, 0 when unknown. */
static size_t root_length(const struct object *o)
{
	const char *place = o->w[o->n - 1].place, *colon, *slash;
	size_t len, tail;

	colon = place ? strrchr(place, ':') : NULL;
	if (!colon)
		return 0;
	len = (size_t)(colon - place);
	if (o->landmark_file) {
		tail = strlen(o->landmark_file);
		return len > tail && !strncmp(colon - tail, o->landmark_file, tail) ? len - tail
										    : 0;
	}
	slash = memrchr(place, '/', len);
	return slash ? (size_t)(slash + 1 - place) : 0;
}

static int settle(const struct object *o, struct wanted *w, size_t root)
{
	const char *landmark = o->w[o->n - 1].place, *include;
	char *colon = w->place ? strrchr(w->place, ':') : NULL, *file;
	const char *relative;
	unsigned long line;

	if (!colon)
		return 0;
	line = strtoul(colon + 1, NULL, 10);
	*colon = '\0';
	relative = w->place;
	include = strstr(relative, "/include/");
	if (root && !strncmp(relative, landmark, root))
		relative += root;
	else if (include)
		relative = include + 1;
	else if (o->landmark_file == NULL)
		relative = kl_path_base(relative);
	while (!strncmp(relative, "./", 2))
		relative += 2;
	if (!line || line > UINT_MAX || !*relative)
		return 0;
	file = strdup(relative);
	if (!file)
		return -1;
	free(w->finding->file);
	w->finding->file = file;
	w->finding->line = (unsigned int)line;
	return 0;
}

static int resolve_object(struct object *o, kl_deadline deadline)
{
	KL_AUTO_FREE struct kl_symbol_query *q = calloc(o->n, sizeof(*q));
	struct kl_error err = KL_ERROR_INIT;
	size_t root;

	if (!q)
		return -1;
	for (size_t i = 0; i < o->n; i++) {
		q[i].symbol = o->w[i].parts.symbol;
		q[i].size = o->w[i].parts.size;
		q[i].offset = o->w[i].parts.offset;
	}
	if (kl_symtab_find(o->path, q, o->n, &err) < 0)
		return 0;
	for (size_t i = 0; i < o->n; i++)
		if (q[i].found && ask_section(o, q, i, deadline) < 0)
			return -1;
	root = root_length(o);
	for (size_t i = 0; i + 1 < o->n; i++)
		if (settle(o, &o->w[i], root) < 0)
			return -1;
	return 0;
}

int kl_splat_resolve(struct kl_findings *fs, const char *vmlinux, const char *module,
		     const char *ko, struct kl_error *err)
{
	kl_deadline deadline = kl_deadline_ms(DEADLINE_MS);
	struct object objects[] = {
		{ .path = vmlinux, .landmark = "start_kernel", .landmark_file = "init/main.c" },
		{ .path = module ? ko : NULL, .landmark = "init_module" },
	};
	int rc = 0;

	for (size_t i = 0; i < KL_ARRAY_SIZE(objects) && !rc; i++) {
		struct object *o = &objects[i];

		if (!o->path)
			continue;
		o->w = collect(fs, i ? module : NULL, o->landmark, &o->n);
		if (!o->w || (o->n && resolve_object(o, deadline) < 0))
			rc = kl_fail(err, KL_INFRA, "no memory to resolve findings");
		wanted_free(o->w, o->n);
	}
	return rc;
}
