/*
 * The sandbox: bubblewrap (bwrap(1)) around a command. Nothing of the host is
 * visible but what is bound; no network, own pid, ipc, uts, user and cgroup
 * namespaces, no capabilities, no home, a private /tmp, killed with klinic.
 */
#ifndef KLINIC_SANDBOX_H
#define KLINIC_SANDBOX_H

#include <stdint.h>

#include <klinic/command.h>

struct kl_sandbox_limits {
	uint64_t cpu_seconds; /* RLIMIT_CPU, each process */
	uint64_t memory_bytes; /* RLIMIT_AS, each process */
	uint64_t file_bytes; /* RLIMIT_FSIZE */
	uint64_t processes; /* RLIMIT_NPROC in the user namespace; 0: not limited */
	uint64_t tmp_bytes; /* size of the private /tmp (bwrap --size) */
};

struct kl_sandbox;

/* Toolchain (/usr with /bin, /lib, /lib64 as Debian links them) is always bound read-only. */
struct kl_sandbox *kl_sandbox_create(const struct kl_sandbox_limits *limits);
void kl_sandbox_destroy(struct kl_sandbox *s);
void kl_sandbox_destroy_p(struct kl_sandbox **s);
void kl_sandbox_bind_ro(struct kl_sandbox *s, const char *host, const char *inside);
void kl_sandbox_bind_rw(struct kl_sandbox *s, const char *host, const char *inside);
void kl_sandbox_env(struct kl_sandbox *s, const char *name, const char *value);
void kl_sandbox_cwd(struct kl_sandbox *s, const char *inside);
/* A command that runs program inside; add arguments with kl_command_arg. NULL only without memory. */
struct kl_command *kl_sandbox_command(const struct kl_sandbox *s, const char *program);
/* Does the sandbox work here? -1 KL_INFRA with what to do (package, sysctl). Cheap: one bwrap of true(1). */
int kl_sandbox_probe(struct kl_error *err);

#endif
