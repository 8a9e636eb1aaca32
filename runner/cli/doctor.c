/*
 * klinic doctor: what this machine has, and what to do about what it lacks.
 * Everything missing is told at once, not the first thing only.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <klinic/file.h>
#include <klinic/json.h>
#include <klinic/kbuild.h>
#include <klinic/probe.h>
#include <klinic/sandbox.h>
#include <klinic/vm.h>

#include "cli/cli.h"

#define GIB		 (1ULL << 30)
#define SPACE_TO_BUILD	 (9 * GIB) /* a source tree and a kernel's build */
#define SPACE_TO_GRADE	 (1 * GIB) /* templates, modules, results */
#define MEMORY_NEEDED	 (2 * GIB) /* two guests of 256 MiB under emulation, and a compiler */
#define FLAVOUR_TO_PROBE "kasan"

enum state { OK, NOTE, MISSING }; /* a note is something that klinic does without */

static const char *const state_names[] = { [OK] = "ok", [NOTE] = "note", [MISSING] = "missing" };

struct report {
	json_t *rows; /* {name, state, detail, remedy} */
	bool missing;
	bool kernel; /* the kernel to probe with is there */
	struct kl_error *err;
};

static void add(struct report *r, const char *name, enum state state, const char *remedy,
		const char *fmt, ...) KL_PRINTF(5, 6);

static void add(struct report *r, const char *name, enum state state, const char *remedy,
		const char *fmt, ...)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf detail = KL_BUF_INIT;
	json_t *o = json_object();
	va_list ap;

	va_start(ap, fmt);
	kl_buf_vprintf(&detail, fmt, ap);
	va_end(ap);
	json_object_set_new(o, "name", json_string(name));
	json_object_set_new(o, "state", json_string(state_names[state]));
	json_object_set_new(o, "detail", kl_json_text(kl_buf_str(&detail)));
	json_object_set_new(o, "remedy", kl_json_text(remedy));
	json_array_append_new(r->rows, o);
	r->missing |= state == MISSING;
}

static void look_at_qemu(struct report *r)
{
	const char *program = getenv("KLINIC_QEMU");
	KL_AUTO_FREE char *version = NULL;
	struct kl_error why = KL_ERROR_INIT;

	if (!program || !*program)
		program = "qemu-system-x86_64";
	if (kl_vm_qemu_version(program, &version, &why))
		add(r, "qemu", MISSING,
		    "install qemu-system-x86 (make deps), or name the program in KLINIC_QEMU", "%s",
		    why.message);
	else
		add(r, "qemu", OK, NULL, "%s, version %s", program, version);
}

/* What a check does not ask for, klinic does without. */
static void look_at_drgn(struct report *r)
{
	struct kl_error why = KL_ERROR_INIT;

	if (kl_probe_ready(&why))
		add(r, "drgn", NOTE, "install python3-drgn (make deps)",
		    "not there: checks that ask guest memory stay inconclusive, and a run that "
		    "hung is shown without its stacks");
	else
		add(r, "drgn", OK, NULL, "python3-drgn is there, to ask guest memory");
}

static void look_at_sandbox(struct report *r)
{
	struct kl_error why = KL_ERROR_INIT;

	if (kl_sandbox_probe(&why))
		add(r, "sandbox", MISSING,
		    "install bubblewrap (make deps), and allow user namespaces", "%s", why.message);
	else
		add(r, "sandbox", OK, NULL, "bubblewrap works");
}

static char *newest_source(void)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	const char *best = NULL;

	if (kl_dir_list("/usr/src", &names, NULL))
		return NULL;
	for (size_t i = 0; i < names.n; i++)
		if (kl_str_starts(names.v[i], "linux-source-") &&
		    kl_str_ends(names.v[i], ".tar.xz") &&
		    (!best || strverscmp(names.v[i], best) > 0))
			best = names.v[i];
	return best ? kl_path_join("/usr/src", best) : NULL;
}

static void look_at_source(struct report *r)
{
	const char *named = getenv("KLINIC_SOURCE");
	KL_AUTO_FREE char *path = named && *named ? strdup(named) : newest_source();

	if (path && kl_file_exists(path))
		add(r, "source", OK, NULL, "%s", path);
	else if (path)
		add(r, "source", MISSING, "correct KLINIC_SOURCE, or unset it",
		    "KLINIC_SOURCE names %s, which does not exist", path);
	else
		add(r, "source", MISSING, "install linux-source-6.1 (make deps)",
		    "there is no kernel source in /usr/src");
}

static bool on_path(const char *program)
{
	const char *path = getenv("PATH");
	KL_AUTO_FREE char *dirs = kl_asprintf("%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	char *save = NULL;

	for (char *d = dirs ? strtok_r(dirs, ":", &save) : NULL; d;
	     d = strtok_r(NULL, ":", &save)) {
		KL_AUTO_FREE char *file = kl_path_join(d, program);

		if (file && !access(file, X_OK))
			return true;
	}
	return false;
}

static void look_at_compiler(struct report *r)
{
	if (on_path("gcc") && on_path("ld") && on_path("make"))
		add(r, "compiler", OK, NULL, "gcc, ld and make are there");
	else
		add(r, "compiler", MISSING, "install gcc, binutils and make",
		    "gcc, ld or make is not installed");
}

/* What building a kernel and grading run beside the compiler. */
static void look_at_packages(struct report *r)
{
	static const struct {
		const char *what, *package; /* a program, or an absolute path */
	} needed[] = {
		{ "flex", "flex" },
		{ "bison", "bison" },
		{ "bc", "bc" },
		{ "perl", "perl" },
		{ "xz", "xz-utils" },
		{ "lz4", "lz4" },
		{ "cpio", "cpio" },
		{ "depmod", "kmod" },
		{ "rsync", "rsync" },
		{ "patch", "patch" },
		{ "git", "git" },
		{ "addr2line", "binutils" },
		{ "tar", "tar" },
		{ "/usr/include/libelf.h", "libelf-dev" },
		{ "/usr/include/openssl/ssl.h", "libssl-dev" },
	};
	KL_AUTO(kl_buf_deinit) struct kl_buf missing = KL_BUF_INIT;
	KL_AUTO_FREE char *remedy = NULL;

	for (size_t i = 0; i < KL_ARRAY_SIZE(needed); i++)
		if (needed[i].what[0] == '/' ? !kl_file_exists(needed[i].what)
					     : !on_path(needed[i].what))
			kl_buf_printf(&missing, "%s%s", missing.len ? " " : "", needed[i].package);
	if (!missing.len) {
		add(r, "packages", OK, NULL, "all that building a kernel needs");
		return;
	}
	remedy = kl_asprintf("apt-get install %s (or make deps)", kl_buf_str(&missing));
	add(r, "packages", MISSING, remedy, "not installed: %s", kl_buf_str(&missing));
}

static void look_at_content(struct report *r)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv ids = { 0 };
	struct kl_error why = KL_ERROR_INIT;

	if (kl_exercise_list(&ids, &why))
		add(r, "exercises", MISSING,
		    "run klinic from its checkout, or set KLINIC_ROOT to it", "%s", why.message);
	else
		add(r, "exercises", OK, NULL, "%zu in the catalogue", ids.n);
}

static void look_at_kernels(struct report *r)
{
	KL_AUTO(kl_kernel_list_deinit) struct kl_kernel_list l = { 0 };
	struct kl_error why = KL_ERROR_INIT;

	if (kl_kernel_list(&l, &why)) {
		add(r, "kernels", MISSING, "see the rows above", "%s", why.message);
		return;
	}
	for (size_t i = 0; i < l.n; i++) {
		const struct kl_kernel_info *k = &l.v[i];
		KL_AUTO_FREE char *name = kl_asprintf("kernel %s", k->flavour ? k->flavour : "?");
		KL_AUTO_FREE char *remedy =
			kl_asprintf("klinic kernel build %s", k->flavour ? k->flavour : "?");

		if (!k->current || !name)
			continue;
		if (k->ready)
			add(r, name, OK, NULL, "%s", k->release ? k->release : "built");
		else
			add(r, name, NOTE, remedy,
			    "not built yet: the first grade takes some minutes longer");
		r->kernel |= k->ready && kl_str_eq(k->flavour, FLAVOUR_TO_PROBE);
	}
}

static void look_at_cache(struct report *r)
{
	uint64_t needed = r->kernel ? SPACE_TO_GRADE : SPACE_TO_BUILD;
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_FREE char *cache = NULL;
	struct kl_error why = KL_ERROR_INIT;
	struct statvfs fs;

	if (kl_cache_dir(NULL, &cache, &why)) {
		add(r, "cache", MISSING, "set XDG_CACHE_HOME to a folder that you can write to",
		    "%s", why.message);
		return;
	}
	if (access(cache, W_OK | X_OK) || statvfs(cache, &fs)) {
		add(r, "cache", MISSING, "set XDG_CACHE_HOME to a folder that you can write to",
		    "%s cannot be written to", cache);
		return;
	}
	cli_bytes_text(&b, (uint64_t)fs.f_bavail * fs.f_frsize);
	kl_buf_printf(&b, " free in %s", cache);
	if ((uint64_t)fs.f_bavail * fs.f_frsize < needed) {
		kl_buf_puts(&b, ", needed ");
		cli_bytes_text(&b, needed);
		add(r, "cache", MISSING,
		    "free some (klinic kernel prune --all), or set XDG_CACHE_HOME", "%s",
		    kl_buf_str(&b));
	} else {
		add(r, "cache", OK, NULL, "%s", kl_buf_str(&b));
	}
}

static void look_at_machine(struct report *r)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct sysinfo info;
	uint64_t memory;

	add(r, "cores", OK, NULL, "%ld: as many guests run side by side", cores);
	if (sysinfo(&info))
		return;
	memory = (uint64_t)info.totalram * info.mem_unit;
	cli_bytes_text(&b, memory);
	if (memory < MEMORY_NEEDED)
		add(r, "memory", MISSING, "give the machine 2 GiB, or run with --jobs 1", "%s",
		    kl_buf_str(&b));
	else
		add(r, "memory", OK, NULL, "%s", kl_buf_str(&b));
}

/* Exact runs are emulated anyway: KVM only makes parallel ones faster. */
static int look_at_kvm(struct report *r)
{
	KL_AUTO(kl_kernel_deinit) struct kl_kernel k = { 0 };
	KL_AUTO_FREE char *why = NULL;
	struct kl_machine m = { 0 };
	struct kl_error bad = KL_ERROR_INIT;
	bool works = false;
	int failed;

	if (!r->kernel) {
		add(r, "kvm", NOTE, NULL, "not probed: that takes a kernel");
		return 0;
	}
	failed = kl_kernel_open(FLAVOUR_TO_PROBE, false, NULL, NULL, &k, &bad) ||
		 kl_machine_init(&m, &k, KL_MODE_PARALLEL, &bad) ||
		 kl_vm_kvm_probe(&m, false, &works, &why, &bad);
	kl_machine_deinit(&m);
	if (failed && bad.class == KL_INTERRUPTED) {
		*r->err = bad;
		return -1;
	}
	if (failed)
		add(r, "kvm", NOTE, NULL, "could not be probed: %s", bad.message);
	else if (works)
		add(r, "kvm", OK, NULL, "%s", why);
	else
		add(r, "kvm", NOTE, NULL, "not used, guests are emulated: %s", why);
	return 0;
}

static void print_text(const struct report *r, struct kl_buf *b)
{
	const struct kl_text_style s = cli_style(false);
	static const char *const colors[] = {
		[OK] = "\033[32m", [NOTE] = "\033[33m", [MISSING] = "\033[31m"
	};
	size_t i;
	json_t *row;

	json_array_foreach(r->rows, i, row)
	{
		const char *state = json_string_value(json_object_get(row, "state"));
		const char *remedy = json_string_value(json_object_get(row, "remedy"));
		const char *detail = json_string_value(json_object_get(row, "detail"));
		int k = !strcmp(state, "ok") ? OK : !strcmp(state, "note") ? NOTE : MISSING;

		kl_buf_printf(b, "%s%-8s%s %-14s ", s.color ? colors[k] : "", state,
			      s.color ? "\033[0m" : "",
			      json_string_value(json_object_get(row, "name")));
		kl_buf_safe(b, detail, strlen(detail), 1000);
		if (remedy)
			kl_buf_printf(b, "\n%-23s  → %s", "", remedy);
		kl_buf_puts(b, "\n");
	}
	kl_buf_puts(b, r->missing ? "\nSomething is missing: see the remedies.\n"
				  : "\nThis machine can grade.\n");
}

int cli_verb_doctor(const struct cli_args *a, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	KL_AUTO_JSON json_t *o = NULL;
	struct report r = { .rows = json_array(), .err = err };
	int format = cli_choice(a, "format", cli_text_or_json, err);

	o = json_object();
	if (!o || !r.rows || json_object_set_new(o, "checks", r.rows))
		return kl_fail(err, KL_INFRA, "out of memory");
	if (format < 0)
		return -1;
	cli_progress_begin("looking");
	look_at_qemu(&r);
	look_at_sandbox(&r);
	look_at_drgn(&r);
	look_at_source(&r);
	look_at_compiler(&r);
	look_at_packages(&r);
	look_at_content(&r);
	look_at_kernels(&r);
	look_at_cache(&r);
	look_at_machine(&r);
	if (look_at_kvm(&r))
		return -1;
	json_object_set_new(o, "ok", json_boolean(!r.missing));
	if (format == CLI_TEXT)
		print_text(&r, &b);
	if (format == CLI_JSON ? cli_print_json(o, err) : cli_print_text(&b, err))
		return -1;
	return r.missing ? CLI_INFRA : CLI_DONE;
}
