/*
 * Making a workspace: the candidate's half of an exercise, as a git repository
 * with one commit. The commit is the same for everybody: neutral author, fixed
 * date. Nothing but brief.md, handout/ and the public text of exercise.yaml is
 * read, so nothing else can get in.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <klinic/command.h>
#include <klinic/file.h>

#include "cli/workspace.h"

#define WHO		"klinic"
#define MAIL		"klinic@localhost"
#define DATE		"2026-01-01T00:00:00+00:00"
#define TAG		"handout" /* of the one commit */
#define GIT_DEADLINE_MS 60000
#define DEPTH_MAX	16

static int no_memory(struct kl_error *err)
{
	return kl_fail(err, KL_INFRA, "out of memory");
}

static int copy_tree(const char *from, const char *to, unsigned int depth, struct kl_error *err);

static int copy_entry(const char *from, const char *to, unsigned int depth, struct kl_error *err)
{
	struct stat st;

	if (lstat(from, &st))
		return kl_fail_errno(err, errno, "cannot look at %s", from);
	if (S_ISDIR(st.st_mode)) {
		if (mkdir(to, 0755))
			return kl_fail_errno(err, errno, "cannot make the folder %s", to);
		return copy_tree(from, to, depth + 1, err);
	}
	if (!S_ISREG(st.st_mode))
		return kl_fail_at(err, from, 0, 0,
				  "is neither a file nor a folder: a handout holds nothing else");
	return kl_file_copy(from, to, st.st_mode & 0100 ? 0755 : 0644, err);
}

static int copy_tree(const char *from, const char *to, unsigned int depth, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };

	if (depth > DEPTH_MAX)
		return kl_fail_at(err, from, 0, 0, "lies too deep");
	if (kl_dir_list(from, &names, err))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		KL_AUTO_FREE char *a = kl_path_join(from, names.v[i]);
		KL_AUTO_FREE char *b = kl_path_join(to, names.v[i]);

		if (!a || !b)
			return no_memory(err);
		if (copy_entry(a, b, depth, err))
			return -1;
	}
	return 0;
}

static void readme(const struct kl_exercise *e, struct kl_buf *b)
{
	kl_buf_printf(b, "# %s\n\n", e->title);
	kl_buf_puts(b, "What is wrong and what is wanted: brief.md. You may change:\n\n");
	for (size_t i = 0; i < e->editable.n; i++)
		kl_buf_printf(b, "- %s\n", e->editable.v[i]);
	kl_buf_printf(b, "\nAbout %u minutes are meant for it. In this folder:\n\n", e->minutes);
	kl_buf_puts(
		b, "    klinic run      # build the module, boot a kernel, run the visible checks, "
		   "show the console\n"
		   "    klinic check    # the visible checks alone, in short\n\n"
		   "Both take the files as they lie here, committed or not. More checks are run on "
		   "what you submit.\n\n"
		   "To submit, hand in a patch. Either what you changed:\n\n"
		   "    git diff " TAG " > fix.patch\n\n"
		   "or, after a commit with a message as you would send it upstream:\n\n"
		   "    git format-patch --stdout " TAG " > fix.patch\n\n"
		   "It is judged with\n\n");
	kl_buf_printf(b, "    klinic grade %s --submission fix.patch\n", e->id);
}

static int write_text(const char *dir, const char *name, const struct kl_buf *b,
		      struct kl_error *err)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, name);

	if (!path)
		return no_memory(err);
	if (kl_buf_check(b, name, err))
		return -1;
	return kl_file_write(path, kl_buf_str(b), b->len, 0644, err);
}

/* A handout may bring a file of the same name; its own is what the candidate is to read. */
static bool has(const char *dir, const char *name)
{
	KL_AUTO_FREE char *path = kl_path_join(dir, name);

	return path && kl_file_exists(path);
}

/* What run and check work from: an exercise's folder, without hidden/. */
static int keep_exercise(const struct kl_exercise *e, const char *handout, const char *brief,
			 const char *dir, struct kl_error *err)
{
	KL_AUTO_FREE char *own = kl_asprintf("%s/" CLI_WORKSPACE_DIR "/%s", dir, e->id);
	KL_AUTO_FREE char *to = own ? kl_path_join(own, "handout") : NULL;
	KL_AUTO_FREE char *to_brief = own ? kl_path_join(own, "brief.md") : NULL;
	KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_INIT;

	if (!to || !to_brief)
		return no_memory(err);
	if (kl_mkdirs(to, 0755, err) || copy_tree(handout, to, 0, err) ||
	    kl_file_copy(brief, to_brief, 0644, err) || kl_exercise_public_text(e->dir, &text, err))
		return -1;
	return write_text(own, "exercise.yaml", &text, err);
}

static int fill(const struct kl_exercise *e, const char *dir, struct kl_error *err)
{
	KL_AUTO_FREE char *handout = kl_path_join(e->dir, "handout");
	KL_AUTO_FREE char *brief = kl_path_join(e->dir, "brief.md");
	KL_AUTO_FREE char *to = kl_path_join(dir, "brief.md");
	KL_AUTO(kl_buf_deinit) struct kl_buf how = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf mark = KL_BUF_INIT;

	if (!handout || !brief || !to)
		return no_memory(err);
	if (has(handout, CLI_WORKSPACE_DIR) || has(handout, ".git"))
		return kl_fail_at(err, handout, 0, 0,
				  "holds .git or " CLI_WORKSPACE_DIR
				  ": these are the workspace's own");
	readme(e, &how);
	if (copy_tree(handout, dir, 0, err) ||
	    (!has(dir, "brief.md") && kl_file_copy(brief, to, 0644, err)) ||
	    write_text(dir, has(dir, "README.md") ? "README-klinic.md" : "README.md", &how, err) ||
	    keep_exercise(e, handout, brief, dir, err) || cli_workspace_text(e, &mark, err))
		return -1;
	return write_text(dir, CLI_WORKSPACE_FILE, &mark, err);
}

/* git as if nobody had ever configured it: no hooks, no signing, no templates, no names. */
static int git(const char *dir, const char *const *args, struct kl_error *err)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kl_command_create("git");
	static const char *const fixed[][2] = {
		{ "GIT_CONFIG_NOSYSTEM", "1" },	 { "GIT_CONFIG_GLOBAL", "/dev/null" },
		{ "GIT_ATTR_NOSYSTEM", "1" },	 { "GIT_TERMINAL_PROMPT", "0" },
		{ "GIT_AUTHOR_NAME", WHO },	 { "GIT_AUTHOR_EMAIL", MAIL },
		{ "GIT_AUTHOR_DATE", DATE },	 { "GIT_COMMITTER_NAME", WHO },
		{ "GIT_COMMITTER_EMAIL", MAIL }, { "GIT_COMMITTER_DATE", DATE },
		{ "GIT_CONFIG_COUNT", "1" },	 { "GIT_CONFIG_KEY_0", "safe.directory" },
		{ "GIT_CONFIG_VALUE_0", "*" },
	};

	kl_command_env_clear(c);
	for (size_t i = 0; i < KL_ARRAY_SIZE(fixed); i++)
		kl_command_env(c, fixed[i][0], fixed[i][1]);
	kl_command_cwd(c, dir);
	for (; *args; args++)
		kl_command_arg(c, *args);
	return kl_command_check(c, kl_deadline_ms(GIT_DEADLINE_MS), NULL, KL_INFRA, err);
}

static int commit(const struct kl_exercise *e, const char *dir, struct kl_error *err)
{
	KL_AUTO_FREE char *subject = kl_asprintf("%s: as it was handed out", e->id);
	const char *const init[] = { "init", "-q", "--template=", "-b", "main", NULL };
	const char *const add[] = { "add", "-A", "-f", NULL };
	const char *const make[] = { "commit", "-q", "-m", subject, NULL };
	const char *const tag[] = { "tag", TAG, NULL };
	/* The index anew, without times and inodes: the same bytes everywhere. */
	const char *const index[] = { "read-tree", "HEAD", NULL };

	if (!subject)
		return no_memory(err);
	return git(dir, init, err) || git(dir, add, err) || git(dir, make, err) ||
			       git(dir, tag, err) || git(dir, index, err)
		       ? -1
		       : 0;
}

int cli_workspace_make(const struct kl_exercise *e, const char *dir, struct kl_error *err)
{
	return fill(e, dir, err) || commit(e, dir, err) ? -1 : 0;
}
