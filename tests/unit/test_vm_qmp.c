/* The QMP client against a fake server on a socket pair, end-of-file in mid-sentence included. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <klinic/cleanup.h>

#include "vm/qmp.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define YES	 "{\"return\": {}}\r\n"

/* A server that says its lines one after the other, each after a line from the client (but for the first). */
struct server {
	int fd;
	const char *const *lines;
	pthread_t thread;
	struct kl_buf heard;
};

static void *serve(void *arg)
{
	struct server *s = arg;

	for (size_t i = 0; s->lines[i]; i++) {
		char c;

		if (i)
			do {
				if (read(s->fd, &c, 1) != 1)
					return NULL;
				kl_buf_append(&s->heard, &c, 1);
			} while (c != '\n');
		if (write(s->fd, s->lines[i], strlen(s->lines[i])) < 0)
			return NULL;
	}
	shutdown(s->fd, SHUT_WR);
	return NULL;
}

static int start(struct server *s, const char *const *lines)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	*s = (struct server){ .fd = pair[1], .lines = lines };
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	return pair[0];
}

static void stop(struct server *s, struct kl_qmp *q)
{
	kl_qmp_deinit(q);
	pthread_join(s->thread, NULL);
	close(s->fd);
	kl_buf_deinit(&s->heard);
}

static void test_events_between_command_and_answer_are_kept_in_order(void **state)
{
	static const char *const lines[] = {
		GREETING, YES,
		"{\"event\": \"STOP\"}\r\n{\"event\": \"SHUTDOWN\", \"data\": {}}\r\n" YES, NULL
	};
	static const char *const names[] = { "STOP", "SHUTDOWN", NULL };
	struct kl_error err = KL_ERROR_INIT;
	struct kl_qmp q;
	struct server s;
	int fd = start(&s, lines);

	(void)state;
	assert_int_equal(kl_qmp_init(&q, fd, kl_deadline_ms(5000), &err), 0);
	assert_int_equal(kl_qmp_command(&q, "cont", NULL, -1, kl_deadline_ms(5000), NULL, &err), 0);
	for (int i = 0; i < 2; i++) {
		KL_AUTO_JSON json_t *e = NULL;

		assert_int_equal(kl_qmp_event(&q, names, kl_deadline_ms(5000), &e, &err), 0);
		assert_string_equal(kl_qmp_event_name(e), names[i]);
	}
	stop(&s, &q);
}

static void test_arguments_are_sent_as_json(void **state)
{
	static const char *const lines[] = { GREETING, YES, YES, NULL };
	struct kl_error err = KL_ERROR_INIT;
	struct kl_qmp q;
	struct server s;
	int fd = start(&s, lines);

	(void)state;
	assert_int_equal(kl_qmp_init(&q, fd, kl_deadline_ms(5000), &err), 0);
	assert_int_equal(kl_qmp_command(&q, "migrate", json_pack("{s:s}", "uri", "fd:a\"b"), -1,
					kl_deadline_ms(5000), NULL, &err),
			 0);
	pthread_join(s.thread, NULL);
	assert_non_null(
		strstr(kl_buf_str(&s.heard),
		       "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"fd:a\\\"b\"}}\r\n"));
	kl_qmp_deinit(&q);
	close(s.fd);
	kl_buf_deinit(&s.heard);
}

static void test_an_error_answer_carries_qemus_words(void **state)
{
	static const char *const lines[] = {
		GREETING, YES,
		"{\"error\": {\"class\": \"GenericError\", \"desc\": \"No such device\"}}\r\n", NULL
	};
	struct kl_error err = KL_ERROR_INIT;
	struct kl_qmp q;
	struct server s;
	int fd = start(&s, lines);

	(void)state;
	assert_int_equal(kl_qmp_init(&q, fd, kl_deadline_ms(5000), &err), 0);
	assert_int_equal(kl_qmp_command(&q, "x", NULL, -1, kl_deadline_ms(5000), NULL, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	assert_non_null(strstr(err.message, "No such device"));
	stop(&s, &q);
}

/* What a server says in place of an answer, and what must come of it. */
static void fails_with(const char *said, const char *complaint)
{
	const char *lines[] = { GREETING, YES, said, NULL };
	struct kl_error err = KL_ERROR_INIT;
	struct kl_qmp q;
	struct server s;
	int fd = start(&s, lines);

	assert_int_equal(kl_qmp_init(&q, fd, kl_deadline_ms(5000), &err), 0);
	assert_int_equal(kl_qmp_command(&q, "x", NULL, -1, kl_deadline_ms(5000), NULL, &err), -1);
	assert_int_equal(err.class, KL_INFRA);
	if (!strstr(err.message, complaint))
		fail_msg("'%s' does not say '%s'", err.message, complaint);
	stop(&s, &q);
}

static void test_end_of_file_in_mid_sentence_is_told(void **state)
{
	(void)state;
	fails_with("{\"return\": {", "in the middle of a sentence");
	fails_with("", "QEMU ended");
}

static void test_what_is_no_json_object_is_refused(void **state)
{
	(void)state;
	fails_with("hello\r\n", "no JSON object");
	fails_with("[1]\r\n", "no JSON object");
	fails_with("{\"neither\": 1}\r\n", "neither yes nor no");
}

static void test_a_silent_server_is_left_at_the_deadline(void **state)
{
	struct kl_error err = KL_ERROR_INIT;
	struct kl_qmp q;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(kl_qmp_init(&q, pair[0], kl_deadline_ms(30), &err), -1);
	assert_non_null(strstr(err.message, "did not greet in time"));
	kl_qmp_deinit(&q);
	close(pair[1]);
}

/* What a guest can make QEMU say for ever: ACPI_DEVICE_OST is not held back. */
static void *flood(void *arg)
{
	static const char event[] = "{\"event\": \"ACPI_DEVICE_OST\", \"data\": {}}\r\n";
	struct kl_buf many = KL_BUF_INIT;
	int fd = *(int *)arg;

	for (int i = 0; i < 2000; i++)
		kl_buf_puts(&many, event);
	while (send(fd, many.data, many.len, MSG_NOSIGNAL) > 0)
		;
	kl_buf_deinit(&many);
	return NULL;
}

static void test_a_flood_of_other_events_is_left_at_the_deadline(void **state)
{
	static const char *const names[] = { "SHUTDOWN", NULL };
	struct kl_qmp q = KL_QMP_INIT;
	struct kl_error err = KL_ERROR_INIT;
	KL_AUTO_JSON json_t *e = NULL;
	int64_t begun = kl_now_ns();
	pthread_t thread;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], GREETING YES, strlen(GREETING YES)), strlen(GREETING YES));
	assert_int_equal(kl_qmp_init(&q, pair[0], KL_FOREVER, &err), 0);
	assert_int_equal(pthread_create(&thread, NULL, flood, &pair[1]), 0);
	assert_int_equal(kl_qmp_event(&q, names, kl_deadline_ms(50), &e, &err), 1);
	assert_int_equal(kl_qmp_command(&q, "stop", NULL, -1, kl_deadline_ms(50), NULL, &err), -1);
	assert_non_null(strstr(err.message, "did not answer in time"));
	assert_true(kl_now_ns() - begun < 5000000000);
	kl_qmp_deinit(&q);
	pthread_join(thread, NULL);
	close(pair[1]);
}

static void test_a_line_without_end_meets_the_cap(void **state)
{
	KL_AUTO_FREE char *longer = malloc(KL_QMP_LINE_MAX + 65536);

	(void)state;
	memset(longer, ' ', KL_QMP_LINE_MAX + 65535);
	longer[KL_QMP_LINE_MAX + 65535] = '\0';
	fails_with(longer, "a line of more than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_between_command_and_answer_are_kept_in_order),
		cmocka_unit_test(test_arguments_are_sent_as_json),
		cmocka_unit_test(test_an_error_answer_carries_qemus_words),
		cmocka_unit_test(test_end_of_file_in_mid_sentence_is_told),
		cmocka_unit_test(test_what_is_no_json_object_is_refused),
		cmocka_unit_test(test_a_silent_server_is_left_at_the_deadline),
		cmocka_unit_test(test_a_flood_of_other_events_is_left_at_the_deadline),
		cmocka_unit_test(test_a_line_without_end_meets_the_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
