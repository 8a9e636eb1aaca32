/* Which file a section of a patch means, and whether it may be changed. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "intake/patch.h"
#include "intake/refuse.h"

#define DEV_NULL "/dev/null"

/* name without its first level components, or NULL when it has too few. */
static const char *strip(const char *name, int level)
{
	const char *slash = strchr(name, '/');

	if (level == 0)
		return name;
	return slash && slash[1] ? slash + 1 : NULL;
}

/* What can be said of a name without knowing the exercise. NULL: nothing against it. */
static const char *name_fault(const char *name)
{
	if (!*name)
		return "the file has no name: make the patch with git diff or diff -u";
	if (*name == '"')
		return "the file's name is quoted: no editable file has a name that needs quotes";
	if (*name == '/')
		return "the path is absolute: make the patch inside the workspace, with git diff";
	if (!strcmp(name, "..") || kl_str_starts(name, "../") || strstr(name, "/../") ||
	    kl_str_ends(name, "/.."))
		return "the path contains “..”: make the patch inside the workspace, with git "
		       "diff";
	if (!kl_path_is_plain(name))
		return "the path is not plain: make the patch inside the workspace, with git diff";
	return NULL;
}

static const char *section_fault(const struct kl_section *s)
{
	const char *fault;

	if (!s->old_name)
		return "the patch names a file and changes nothing in it: leave it out";
	if (!strcmp(s->old_name, DEV_NULL))
		return "the patch adds a file: put the code into the editable files";
	if (!strcmp(s->new_name, DEV_NULL))
		return "the patch deletes a file: change the editable files, and keep all of them";
	fault = name_fault(s->old_name);
	if (!fault)
		fault = name_fault(s->new_name);
	if (!fault && !s->n)
		fault = "the file has no hunk: make the patch again";
	return fault;
}

/* “diff --git a/x b/y” must say what the two lines below it say. */
static bool git_names_agree(const struct kl_section *s)
{
	size_t old_len = strlen(s->old_name);

	return !s->git_names ||
	       (strlen(s->git_names) == old_len + 1 + strlen(s->new_name) &&
		!memcmp(s->git_names, s->old_name, old_len) && s->git_names[old_len] == ' ' &&
		!strcmp(s->git_names + old_len + 1, s->new_name));
}

static int check_section(const struct kl_patch *p, struct kl_section *s, struct kl_strv *refused,
			 struct kl_error *err)
{
	const char *fault = section_fault(s);

	if (!fault && !git_names_agree(s))
		fault = "the “diff --git” line names other files than the lines below it: make "
			"the patch again";
	if (!fault)
		return 0;
	s->refused = true;
	return kl_refuse(refused, err, "%s, line %zu: %s.", p->where, s->line, fault);
}

static size_t count_editable(const struct kl_exercise *e, const struct kl_patch *p, int level)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		const char *path = p->sections[i].new_name;

		path = path ? strip(path, level) : NULL;
		n += path && kl_strv_has(&e->editable, path);
	}
	return n;
}

/* diff -u x.c.orig x.c is how the backup of an editor is compared. */
static bool same_file(const struct kl_section *s, const char *old, const char *new)
{
	size_t len = strlen(new);

	if (!old || !kl_str_starts(old, new))
		return false;
	return !old[len] || (!s->git_names && !strcmp(old + len, ".orig"));
}

static int resolve_section(const struct kl_exercise *e, const struct kl_patch *p,
			   struct kl_section *s, int level, struct kl_strv *refused,
			   struct kl_error *err)
{
	const char *old = strip(s->old_name, level), *new = strip(s->new_name, level);
	KL_AUTO_FREE char *editable = kl_editable_text(e);

	if (!editable)
		return kl_fail(err, KL_INFRA, "out of memory");
	if (!new || !kl_strv_has(&e->editable, new)) {
		s->refused = true;
		return kl_refuse(refused, err,
				 "%s, line %zu: %s may not be changed: keep to the editable files "
				 "(%s), with paths as in the handout.",
				 p->where, s->line, new ? new : s->new_name, editable);
	}
	if (!same_file(s, old, new)) {
		s->refused = true;
		return kl_refuse(refused, err,
				 "%s, line %zu: the patch makes %s from %s, another file: keep the "
				 "names of the handout.",
				 p->where, s->line, new, old ? old : s->old_name);
	}
	s->path = strdup(new);
	return s->path ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}

int kl_patch_resolve(const struct kl_exercise *e, struct kl_patch *p, struct kl_strv *refused,
		     struct kl_error *err)
{
	int level = count_editable(e, p, 0) > count_editable(e, p, 1) ? 0 : 1;

	for (size_t i = 0; i < p->n; i++) {
		struct kl_section *s = &p->sections[i];

		if (!s->refused && check_section(p, s, refused, err))
			return -1;
		if (!s->refused && resolve_section(e, p, s, level, refused, err))
			return -1;
	}
	return 0;
}
