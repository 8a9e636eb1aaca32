/*
 * The candidate's files against the handout. What the handout says anywhere is
 * no news anywhere: its author is trusted, and moving its code is no offence.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/policy.h>

#include "policy/spots.h"

#define FILE_MAX_BYTES (16UL << 20)
#define DEPTH_MAX      8
#define NOTES_MAX      100
#define SAME_MAX       5 /* places of one name in one file */

struct handout {
	struct kl_strv files; /* C sources and headers */
	struct pl_spots spots;
	struct kl_strv names; /* every identifier, sorted */
};

static void handout_deinit(struct handout *h)
{
	kl_strv_deinit(&h->files);
	pl_spots_deinit(&h->spots);
	kl_strv_deinit(&h->names);
}

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static bool is_c(const char *path)
{
	return kl_str_ends(path, ".c") || kl_str_ends(path, ".h");
}

/* Headers, and the module's own sources: what its build sees. A reproducer is none of it. */
static int list_files(const struct kl_exercise *e, const char *sub, unsigned int depth,
		      struct kl_strv *ret, struct kl_error *err)
{
	KL_AUTO_FREE char *dir = kl_asprintf("%s/handout/%s", e->dir, sub);
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	if (!dir)
		return no_memory(err);
	if (kl_dir_list(dir, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *rel = *sub ? kl_path_join(sub, names.v[i]) : strdup(names.v[i]);
		KL_AUTO_FREE char *path = kl_path_join(dir, names.v[i]);
		struct stat st;

		if (!rel || !path)
			return no_memory(err);
		if (lstat(path, &st))
			return kl_fail_errno(err, errno, "cannot look at %s", path);
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX &&
		    list_files(e, rel, depth + 1, ret, err))
			return -1;
		if (S_ISREG(st.st_mode) &&
		    (kl_str_ends(rel, ".h") || kl_strv_has(&e->sources, rel) ||
		     (is_c(rel) && kl_strv_has(&e->editable, rel))) &&
		    kl_strv_add(ret, rel))
			return no_memory(err);
	}
	return 0;
}

static int append(struct pl_spots *to, struct pl_spots *from, struct kl_error *err)
{
	struct pl_spot *more = realloc(to->v, (to->n + from->n + 1) * sizeof(*more));

	if (!more)
		return no_memory(err);
	to->v = more;
	if (from->n)
		memcpy(to->v + to->n, from->v, from->n * sizeof(*more));
	to->n += from->n;
	free(from->v);
	*from = (struct pl_spots){ 0 };
	return 0;
}

static int scan_as(const char *file, const char *data, size_t len, bool trigraphs,
		   const struct kl_strv *files, struct pl_spots *ret, struct kl_strv *names,
		   struct kl_error *err)
{
	KL_AUTO(pl_tokens_deinit) struct pl_tokens t = { 0 };
	KL_AUTO(pl_spots_deinit) struct pl_spots spots = { 0 };

	if (pl_lex(data, len, trigraphs, &t, err) || pl_scan_tokens(&t, file, files, &spots, err))
		return -1;
	for (size_t i = 0; names && i < t.n; i++)
		if (t.v[i].kind == PL_NAME && kl_strv_add(names, t.v[i].text))
			return no_memory(err);
	return append(ret, &spots, err);
}

/* Both ways when the file can be read two ways. */
static int scan_file(const char *file, const char *data, size_t len, const struct kl_strv *files,
		     struct pl_spots *ret, struct kl_strv *names, struct kl_error *err)
{
	if (scan_as(file, data, len, false, files, ret, names, err))
		return -1;
	return memmem(data, len, "??", 2) ? scan_as(file, data, len, true, files, ret, NULL, err)
					  : 0;
}

static int compare_spots(const void *a, const void *b)
{
	const struct pl_spot *x = a, *y = b;
	int d = strcmp(x->rule, y->rule);

	return d ? d : strcmp(x->key, y->key);
}

static int read_handout(const struct kl_exercise *e, struct handout *h, struct kl_error *err)
{
	if (list_files(e, "", 0, &h->files, err))
		return -1;
	for (size_t i = 0; i < h->files.n; i++) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = { .cap = FILE_MAX_BYTES };
		KL_AUTO_FREE char *path = kl_asprintf("%s/handout/%s", e->dir, h->files.v[i]);

		if (!path)
			return no_memory(err);
		if (kl_file_read(path, FILE_MAX_BYTES, &b, err) ||
		    scan_file(h->files.v[i], kl_buf_str(&b), b.len, &h->files, &h->spots, &h->names,
			      err))
			return -1;
	}
	if (h->spots.n)
		qsort(h->spots.v, h->spots.n, sizeof(*h->spots.v), compare_spots);
	kl_strv_sort(&h->names);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, *(char *const *)b);
}

static bool is_news(const struct handout *h, const struct pl_spot *s)
{
	if (h->spots.n && bsearch(s, h->spots.v, h->spots.n, sizeof(*s), compare_spots))
		return false;
	return !s->if_known || (h->names.n && bsearch(s->key, h->names.v, h->names.n,
						      sizeof(*h->names.v), compare_names));
}

/* Reports of one place, and of one name in one file, are kept few. */
static bool is_enough(const struct kl_policy *p, size_t from, const struct pl_spot *s)
{
	size_t same = 0;

	for (size_t i = from; i < p->n; i++) {
		const struct kl_policy_note *n = &p->v[i];

		if (strcmp(n->rule, s->rule) != 0 || strcmp(n->name, s->name) != 0)
			continue;
		if ((n->line == s->line && n->column == s->column) || ++same == SAME_MAX)
			return true;
	}
	return p->n - from >= NOTES_MAX;
}

static int note(struct kl_policy *to, const char *file, const struct pl_spot *s,
		struct kl_error *err)
{
	const struct kl_policy_note n = { .rule = (char *)s->rule,
					  .file = (char *)file,
					  .line = s->line,
					  .column = s->column,
					  .name = s->name,
					  .text = s->text,
					  .refused = s->refused };

	return kl_policy_add(to, &n) ? no_memory(err) : 0;
}

static int note_all(const struct handout *h, const char *file, const struct pl_spots *spots,
		    bool refused, struct kl_policy *to, struct kl_error *err)
{
	size_t from = to->n;

	for (size_t i = 0; i < spots->n; i++) {
		const struct pl_spot *s = &spots->v[i];

		if (s->refused == refused && is_news(h, s) && !is_enough(to, from, s) &&
		    note(to, file, s, err))
			return -1;
	}
	return 0;
}

static int note_crowd(const char *file, struct kl_policy *to, struct kl_error *err)
{
	const struct pl_spot s = {
		.rule = "too-much",
		.name = (char *)file,
		.text = (char *)"The file has too many places to look at: make the change a small "
				"one",
		.refused = true,
	};

	return note(to, file, &s, err);
}

static int note_no_c(const char *file, struct kl_policy *to, struct kl_error *err)
{
	const struct pl_spot s = {
		.rule = "no-source",
		.name = (char *)file,
		.text = (char *)"The file is no C, and the build does not use it: the module is "
				"built "
				"by klinic's own Kbuild",
	};

	return note(to, file, &s, err);
}

static int judge_file(const struct handout *h, const struct kl_submission_file *f,
		      struct kl_policy *refused, struct kl_policy *flagged, struct kl_error *err)
{
	KL_AUTO(pl_spots_deinit) struct pl_spots spots = { 0 };

	if (!is_c(f->path))
		return note_no_c(f->path, flagged, err);
	if (scan_file(f->path, f->data ? f->data : "", f->len, &h->files, &spots, NULL, err) ||
	    note_all(h, f->path, &spots, true, refused, err) ||
	    note_all(h, f->path, &spots, false, flagged, err))
		return -1;
	return spots.n >= PL_SPOTS_MAX ? note_crowd(f->path, refused, err) : 0;
}

static int add_all(struct kl_policy *to, const struct kl_policy *from, struct kl_error *err)
{
	for (size_t i = 0; i < from->n; i++)
		if (kl_policy_add(to, &from->v[i]))
			return no_memory(err);
	return 0;
}

int kl_policy_source(const struct kl_exercise *e, const struct kl_submission *s,
		     struct kl_policy *ret, struct kl_error *err)
{
	KL_AUTO(handout_deinit) struct handout h = { 0 };
	KL_AUTO(kl_policy_deinit) struct kl_policy refused = { 0 };
	KL_AUTO(kl_policy_deinit) struct kl_policy flagged = { 0 };

	if (read_handout(e, &h, err))
		return -1;
	for (size_t i = 0; i < s->n; i++)
		if (s->files[i].changed && judge_file(&h, &s->files[i], &refused, &flagged, err))
			return -1;
	if (add_all(ret, &refused, err))
		return -1;
	return add_all(ret, &flagged, err);
}
