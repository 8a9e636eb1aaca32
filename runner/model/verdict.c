/* The four verdicts and the two modes: spelling, and what the shell is told. */
#include <klinic/verdict.h>

static const char *const verdict_names[] = {
	[KL_VERDICT_PASS] = "pass",
	[KL_VERDICT_FAIL] = "fail",
	[KL_VERDICT_INCONCLUSIVE] = "inconclusive",
	[KL_VERDICT_INFRA] = "infra",
};
KL_ENUM_DEFINE(kl_verdict, enum kl_verdict, verdict_names, KL_VERDICT_COUNT);

static const char *const mode_names[] = {
	[KL_MODE_EXACT] = "exact",
	[KL_MODE_PARALLEL] = "parallel",
};
KL_ENUM_DEFINE(kl_mode, enum kl_mode, mode_names, KL_MODE_COUNT);

int kl_verdict_exit_status(enum kl_verdict v)
{
	switch (v) {
	case KL_VERDICT_PASS:
		return 0;
	case KL_VERDICT_FAIL:
		return 1;
	case KL_VERDICT_INCONCLUSIVE:
		return 5;
	case KL_VERDICT_INFRA:
	case KL_VERDICT_COUNT:
		break;
	}
	return 4;
}
