/* Challenges, and what the host's half of a check says is right. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/sandbox.h>

#include "session/internal.h"

#define ORACLE_MS 60000

static const struct kl_sandbox_limits limits = {
	.cpu_seconds = 60,
	.memory_bytes = 1UL << 30,
	.file_bytes = 1UL << 20,
	.processes = 16,
};

void ks_secret(const struct kl_exercise *e, const struct kl_submission *s, const struct kl_check *c,
	       const char *domain, uint64_t seed, uint8_t ret[32])
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	kl_buf_printf(&b, "%s%s\n%s\n%" PRIu64, domain, s->digest, c->id, seed);
	kl_keyed_hash(e->digest, strlen(e->digest) < 64 ? strlen(e->digest) : 64, kl_buf_str(&b),
		      b.len, ret);
}

void ks_challenge(const struct kl_exercise *e, const struct kl_submission *s,
		  const struct kl_check *c, uint64_t seed, uint8_t ret[32])
{
	ks_secret(e, s, c, "", seed, ret);
}

static int add_expectation(struct kl_run *run, unsigned int slot, uint64_t min, uint64_t max,
			   const char *label, size_t label_len, const struct kl_slots *slots)
{
	struct kl_answer *v = realloc(run->answers, (run->n_answers + 1) * sizeof(*v));
	struct kl_answer *a;

	if (!v)
		return -1;
	run->answers = v;
	a = &v[run->n_answers];
	*a = (struct kl_answer){ .slot = slot, .min = min, .max = max };
	a->label = strndup(label, label_len);
	if (!a->label)
		return -1;
	a->given = slots->given >> slot & 1;
	a->value = a->given ? slots->value[slot] : 0;
	run->n_answers++;
	return 0;
}

int ks_parse_expectations(const char *text, const struct kl_slots *slots, struct kl_run *run,
			  struct kl_error *err)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		unsigned int slot;
		uint64_t min, max;
		int label = 0;

		if (sscanf(line, "%u %" SCNu64 " %" SCNu64 " %n", &slot, &min, &max, &label) != 3 ||
		    slot >= KL_ANSWER_SLOTS || min > max || (size_t)label > len)
			return kl_fail(err, KL_CONTENT, "the oracle prints no expectation: %.*s",
				       (int)(len < 80 ? len : 80), line);
		if (add_expectation(run, slot, min, max, line + label, len - (size_t)label, slots))
			return kl_fail(err, KL_INFRA, "out of memory");
		line += len + (line[len] == '\n');
	}
	if (!run->n_answers)
		return kl_fail(err, KL_CONTENT,
			       "the oracle expects nothing: a check must ask for "
			       "at least one value");
	return 0;
}

/* The oracle of a candidate's own copy of an exercise (no hidden half) is not trusted. */
static struct kl_command *oracle(const struct ks_plan *p)
{
	KL_AUTO(kl_sandbox_destroy_p) struct kl_sandbox *s = NULL;

	if (!p->hostile)
		return kl_command_create(p->oracle);
	s = kl_sandbox_create(&limits);
	kl_sandbox_bind_ro(s, p->oracle, "/oracle");
	return kl_sandbox_command(s, "/oracle");
}

int ks_expect(const struct ks_plan *p, const uint8_t challenge[32], const struct kl_slots *slots,
	      struct kl_run *run, struct kl_error *err)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *c = oracle(p);
	KL_AUTO(kl_buf_deinit) struct kl_buf out = KL_BUF_CAPPED(65536);
	char hex[65];

	if (!c)
		return kl_fail(err, KL_INFRA, "out of memory");
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", challenge[i]);
	kl_command_argf(c, "%" PRIu64, run->seed);
	kl_command_arg(c, hex);
	kl_command_rlimit(c, RLIMIT_CORE, 0);
	if (kl_command_check(c, kl_deadline_ms(ORACLE_MS), &out, KL_CONTENT, err) ||
	    ks_parse_expectations(kl_buf_str(&out), slots, run, err))
		return kl_error_prepend(err, "%s", p->check->program);
	return 0;
}
