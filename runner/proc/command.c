/*
 * Building a command: arguments, environment, descriptors, limits. Nothing is
 * started here (start.c, run.c), so building cannot fail; the first failure is
 * kept for the start.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <klinic/cleanup.h>

#include "proc/child.h"

void kl_command_defer(struct kl_command *c, enum kl_class class, const char *fmt, ...)
{
	char text[sizeof(c->deferred.message)];
	va_list ap;

	if (!c || c->deferred.class != KL_CLASS_NONE)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	kl_fail(&c->deferred, class, "%s", text);
}

static void defer_nomem(struct kl_command *c)
{
	kl_command_defer(c, KL_INFRA, "out of memory while preparing a command");
}

/* Room for one more element at the end of *array; NULL, deferred, without memory. */
static void *one_more(struct kl_command *c, void *array, size_t n, size_t size)
{
	void **p = array;
	void *grown = reallocarray(*p, n + 1, size);

	if (!grown) {
		defer_nomem(c);
		return NULL;
	}
	*p = grown;
	return (char *)grown + n * size;
}

static void set_text(struct kl_command *c, char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy) {
		defer_nomem(c);
		return;
	}
	free(*field);
	*field = copy;
}

struct kl_command *kl_command_create(const char *program)
{
	struct kl_command *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	kl_command_arg(c, program);
	return c;
}

void kl_command_destroy(struct kl_command *c)
{
	if (!c)
		return;
	kl_strv_deinit(&c->argv);
	for (size_t i = 0; i < c->n_env; i++) {
		free(c->env[i].name);
		free(c->env[i].value);
	}
	free(c->env);
	free(c->cwd);
	free(c->fds);
	free(c->limits);
	free(c->input);
	free(c->output_path);
	free(c);
}

void kl_command_destroy_p(struct kl_command **c)
{
	kl_command_destroy(*c);
}

void kl_command_arg(struct kl_command *c, const char *arg)
{
	if (!c)
		return;
	/* A NULL here is a string that its maker could not allocate. */
	if (!arg || kl_strv_add(&c->argv, arg) < 0)
		defer_nomem(c);
}

void kl_command_argf(struct kl_command *c, const char *fmt, ...)
{
	KL_AUTO_FREE char *arg = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&arg, fmt, ap) < 0)
		arg = NULL;
	va_end(ap);
	kl_command_arg(c, arg);
}

void kl_command_args(struct kl_command *c, ...)
{
	va_list ap;

	va_start(ap, c);
	for (const char *arg = va_arg(ap, const char *); arg; arg = va_arg(ap, const char *))
		kl_command_arg(c, arg);
	va_end(ap);
}

void kl_command_env_clear(struct kl_command *c)
{
	if (c)
		c->env_clear = true;
}

void kl_command_env(struct kl_command *c, const char *name, const char *value)
{
	struct kl_env_var *var = NULL;

	if (!c)
		return;
	if (!name || !*name || strchr(name, '=')) {
		kl_command_defer(c, KL_INFRA, "'%s' cannot name an environment variable",
				 name ? name : "");
		return;
	}
	for (size_t i = 0; i < c->n_env; i++)
		if (!strcmp(c->env[i].name, name))
			var = &c->env[i];
	if (!var) {
		var = one_more(c, &c->env, c->n_env, sizeof(*var));
		if (!var)
			return;
		*var = (struct kl_env_var){ .name = strdup(name) };
		if (!var->name) {
			defer_nomem(c);
			return;
		}
		c->n_env++;
	}
	free(kl_take(var->value));
	if (value)
		set_text(c, &var->value, value);
}

void kl_command_cwd(struct kl_command *c, const char *path)
{
	if (c)
		set_text(c, &c->cwd, path);
}

void kl_command_pass_fd(struct kl_command *c, int fd, int child_fd)
{
	struct kl_fd_map *map;

	if (!c)
		return;
	for (size_t i = 0; i < c->n_fds; i++)
		if (c->fds[i].to == child_fd)
			kl_command_defer(c, KL_INFRA, "descriptor %d of a child is given twice",
					 child_fd);
	if (fd < 0 || child_fd < 0 || child_fd >= 1000)
		kl_command_defer(c, KL_INFRA, "cannot pass descriptor %d as %d", fd, child_fd);
	map = one_more(c, &c->fds, c->n_fds, sizeof(*map));
	if (!map)
		return;
	*map = (struct kl_fd_map){ .from = fd, .to = child_fd };
	c->n_fds++;
}

void kl_command_rlimit(struct kl_command *c, int resource, rlim_t limit)
{
	struct kl_limit *l = c ? one_more(c, &c->limits, c->n_limits, sizeof(*l)) : NULL;

	if (!l)
		return;
	*l = (struct kl_limit){ .resource = resource, .value = limit };
	c->n_limits++;
}

void kl_command_stdin_data(struct kl_command *c, const void *data, size_t len)
{
	void *copy = c ? malloc(len ? len : 1) : NULL;

	if (!copy) {
		defer_nomem(c);
		return;
	}
	if (len)
		memcpy(copy, data, len);
	free(c->input);
	c->input = copy;
	c->input_len = len;
	c->has_input = true;
}

void kl_command_inherit_output(struct kl_command *c)
{
	if (c)
		c->inherit_output = true;
}

void kl_command_inherit_stdin(struct kl_command *c)
{
	if (c)
		c->inherit_input = true;
}

void kl_command_stderr_to_stdout(struct kl_command *c)
{
	if (c)
		c->merge = true;
}

void kl_command_output_file(struct kl_command *c, const char *path)
{
	if (c)
		set_text(c, &c->output_path, path);
}

void kl_command_on_line(struct kl_command *c, void (*fn)(const char *line, void *arg), void *arg)
{
	if (!c)
		return;
	c->on_line = fn;
	c->on_line_arg = arg;
}

char *const *kl_command_argv(const struct kl_command *c)
{
	return c ? c->argv.v : NULL;
}

static int print_quoted(struct kl_buf *b, const char *s)
{
	const char *p = s;

	while (isalnum((unsigned char)*p) || (*p && strchr("_-+=./:,@%", *p)))
		p++;
	if (*s && !*p)
		return kl_buf_puts(b, s);
	kl_buf_puts(b, "'");
	for (p = s; *p; p++)
		if (*p == '\'')
			kl_buf_puts(b, "'\\''");
		else
			kl_buf_append(b, p, 1);
	return kl_buf_puts(b, "'");
}

static void print_env(const struct kl_command *c, struct kl_buf *ret)
{
	if (!c->env_clear && !c->n_env)
		return;
	kl_buf_puts(ret, c->env_clear ? "env -i PATH=\"$PATH\" LC_ALL=C " : "env ");
	for (size_t i = 0; i < c->n_env; i++) {
		if (!c->env[i].value) {
			kl_buf_puts(ret, "-u ");
			print_quoted(ret, c->env[i].name);
		} else {
			kl_buf_puts(ret, c->env[i].name);
			kl_buf_puts(ret, "=");
			print_quoted(ret, c->env[i].value);
		}
		kl_buf_puts(ret, " ");
	}
}

int kl_command_print(const struct kl_command *c, struct kl_buf *ret)
{
	if (!c || c->deferred.class != KL_CLASS_NONE)
		return -1;
	if (c->cwd) {
		kl_buf_puts(ret, "cd ");
		print_quoted(ret, c->cwd);
		kl_buf_puts(ret, " && ");
	}
	print_env(c, ret);
	for (size_t i = 0; i < c->argv.n; i++) {
		if (i)
			kl_buf_puts(ret, " ");
		print_quoted(ret, c->argv.v[i]);
	}
	return ret->failed ? -1 : 0;
}

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

static int not_installed(const char *program, struct kl_error *err)
{
	const char *package = kl_package_of(program);

	if (package)
		return kl_fail(err, KL_INFRA, "%s is not installed: apt install %s", program,
			       package);
	return kl_fail(err, KL_INFRA, "%s is not installed (not found on PATH)", program);
}

int kl_program_find(const char *program, char **ret, struct kl_error *err)
{
	const char *path = getenv("PATH");
	char *found;

	if (strchr(program, '/')) {
		found = strdup(program);
		if (!found)
			return kl_fail(err, KL_INFRA, "out of memory");
		*ret = found;
		return 0;
	}
	if (!path || !*path)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (const char *end; *path; path = *end ? end + 1 : end) {
		end = strchrnul(path, ':');
		/* A relative entry would look in a folder that a candidate may have filled. */
		if (*path != '/')
			continue;
		found = kl_asprintf("%.*s/%s", (int)(end - path), path, program);
		if (!found)
			return kl_fail(err, KL_INFRA, "out of memory");
		if (is_program(found)) {
			*ret = found;
			return 0;
		}
		free(found);
	}
	return not_installed(program, err);
}
