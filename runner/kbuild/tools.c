/* The tools that build: called the same way whoever calls klinic, so that the same bytes come out. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>

#include "kbuild/internal.h"

struct kl_command *kb_tool(const char *program, int lock_fd)
{
	struct kl_command *c = kl_command_create(program);

	if (!c)
		return NULL;
	kl_command_env_clear(c);
	kl_command_env(c, "PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
	kl_command_env(c, "LC_ALL", "C");
	if (lock_fd >= 0)
		kl_command_pass_fd(c, lock_fd, KB_LOCK_FD);
	return c;
}

static int version_of(const char *program, struct kl_buf *to, struct kl_error *err)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = kb_tool(program, -1);
	KL_AUTO(kl_buf_deinit) struct kl_buf out = KL_BUF_CAPPED(65536);

	if (!c)
		return kl_fail(err, KL_INFRA, "out of memory");
	kl_command_arg(c, "--version");
	if (kl_command_check(c, kl_deadline_ms(20000), &out, KL_INFRA, err))
		return -1;
	kl_buf_append(to, kl_buf_str(&out), strcspn(kl_buf_str(&out), "\n"));
	return 0;
}

int kb_compiler(char **ret, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (version_of("gcc", &b, err))
		return -1;
	kl_buf_puts(&b, "; ");
	if (version_of("ld", &b, err) || kl_buf_check(&b, "the compiler's version", err))
		return -1;
	*ret = kl_buf_steal(&b);
	return *ret ? 0 : kl_fail(err, KL_INFRA, "out of memory");
}
