/* What the host takes from a mailbox that a hostile guest wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>

#include "vm/answers.h"

static struct kl_mail_answers answers(uint64_t state)
{
	struct kl_mail_answers a = {
		.state = state,
		.guest_ns = 5,
		.program_end = KL_PROGRAM_EXITED,
		.given = 6,
		.said = "two slots",
	};

	a.value[1] = 11;
	a.value[2] = 22;
	return a;
}

static void test_answers_count_after_the_agents_last_word(void **state)
{
	struct kl_mail_answers a = answers(KL_MAIL_DONE);
	KL_AUTO(kl_run_deinit) struct kl_run run = { .end = KL_END_ANSWERED };
	struct kl_slots slots = { 0 };

	(void)state;
	assert_int_equal(kl_vm_take_answers(&a, &run, &slots, NULL), 0);
	assert_int_equal(run.end, KL_END_ANSWERED);
	assert_int_equal(run.guest_ns, 5);
	assert_int_equal(run.program, KL_PROGRAM_EXITED);
	assert_string_equal(run.said, "two slots");
	assert_int_equal(slots.given, 6);
	assert_int_equal(slots.value[2], 22);
}

static void test_without_it_nothing_in_the_mailbox_counts(void **state)
{
	static const struct {
		uint64_t state;
		enum kl_end end, want;
	} cases[] = {
		{ KL_MAIL_READY, KL_END_ANSWERED, KL_END_RESET },
		{ 0, KL_END_ANSWERED, KL_END_RESET },
		{ KL_MAIL_DONE, KL_END_RESET, KL_END_RESET },
		{ KL_MAIL_DONE, KL_END_GUEST_TIME, KL_END_GUEST_TIME },
		{ KL_MAIL_DONE, KL_END_LOST, KL_END_LOST },
	};

	(void)state;
	for (size_t i = 0; i < KL_ARRAY_SIZE(cases); i++) {
		struct kl_mail_answers a = answers(cases[i].state);
		KL_AUTO(kl_run_deinit) struct kl_run run = { .end = cases[i].end };
		struct kl_slots slots = { 0 };

		assert_int_equal(kl_vm_take_answers(&a, &run, &slots, NULL), 0);
		assert_int_equal(run.end, cases[i].want);
		assert_int_equal(run.program, KL_PROGRAM_NONE);
		assert_int_equal(run.unload_status, 1);
		assert_int_equal(run.guest_ns, 0);
		assert_null(run.said);
		assert_int_equal(slots.given, 0);
	}
}

static void test_an_end_that_nobody_knows_is_a_program_that_never_ran(void **state)
{
	struct kl_mail_answers a = answers(KL_MAIL_DONE);
	KL_AUTO(kl_run_deinit) struct kl_run run = { .end = KL_END_ANSWERED };
	struct kl_slots slots = { 0 };

	(void)state;
	a.program_end = 0xffffffff;
	assert_int_equal(kl_vm_take_answers(&a, &run, &slots, NULL), 0);
	assert_int_equal(run.program, KL_PROGRAM_NONE);
}

static void test_a_remark_without_an_end_is_cut_and_made_harmless(void **state)
{
	struct kl_mail_answers a = answers(KL_MAIL_DONE);
	KL_AUTO(kl_run_deinit) struct kl_run run = { .end = KL_END_ANSWERED };
	struct kl_slots slots = { 0 };

	(void)state;
	memset(a.said, 0x1b, sizeof(a.said));
	assert_int_equal(kl_vm_take_answers(&a, &run, &slots, NULL), 0);
	assert_int_equal(strlen(run.said), 4 * KL_MAIL_SAID);
	assert_null(strchr(run.said, 0x1b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_count_after_the_agents_last_word),
		cmocka_unit_test(test_without_it_nothing_in_the_mailbox_counts),
		cmocka_unit_test(test_an_end_that_nobody_knows_is_a_program_that_never_ran),
		cmocka_unit_test(test_a_remark_without_an_end_is_cut_and_made_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
