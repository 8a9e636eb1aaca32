/* git-format-patch(1) mail. Decoding (MIME, quoted-printable, base64) is git's (mbox.h). */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/intake.h>

#include "intake/apply.h"
#include "intake/git.h"
#include "intake/mbox.h"
#include "intake/refuse.h"

#define MESSAGES_MAX	64
#define COMMIT_TEXT_MAX (64UL << 10)

bool kl_mbox_is(const char *text, size_t len)
{
	static const char *const begins[] = {
		"From ",	 "From:",	"Subject:",	 "Date:",
		"Message-Id:",	 "Message-ID:", "Return-Path:",	 "Received:",
		"MIME-Version:", "To:",		"Content-Type:", "X-Mailer:",
	};

	for (size_t i = 0; i < KL_ARRAY_SIZE(begins); i++)
		if (len >= strlen(begins[i]) && !memcmp(text, begins[i], strlen(begins[i])))
			return true;
	return false;
}

struct mbox {
	const struct kl_exercise *e;
	const char *home, *dir;
	char *mail; /* folder: 0001, 0002, … and what mailinfo makes of each */
	struct kl_buf message; /* all commit messages */
	size_t sections; /* of all messages */
	struct kl_strv *refused;
	struct kl_error *err;
};

static void mbox_deinit(struct mbox *m)
{
	free(m->mail);
	kl_buf_deinit(&m->message);
}

static int out_of_memory(struct mbox *m)
{
	return kl_fail(m->err, KL_INFRA, "out of memory");
}

static int split(struct mbox *m, const char *text, size_t len, struct kl_strv *ret_names)
{
	KL_AUTO(kl_command_destroy_p) struct kl_command *git = kl_git_create(m->home, m->home);
	int status;

	if (kl_mkdirs(m->mail, 0700, m->err))
		return -1;
	kl_command_args(git, "mailsplit", "-b", "-d4", NULL);
	kl_command_argf(git, "-o%s", m->mail);
	kl_command_stdin_data(git, text, len);
	if (kl_git_run(git, NULL, NULL, &status, m->err) || kl_dir_list(m->mail, ret_names, m->err))
		return -1;
	if (status || ret_names->n == 0)
		return kl_refuse(m->refused, m->err,
				 "The file begins as mail and cannot be read as mail: make it with "
				 "git format-patch.");
	if (ret_names->n > MESSAGES_MAX)
		return kl_refuse(
			m->refused, m->err,
			"The mailbox holds %zu messages; at most %d are read: send the fix "
			"alone.",
			ret_names->n, MESSAGES_MAX);
	return 0;
}

/* “Subject: …” of mailinfo's output, then the body. */
static int keep_message(struct mbox *m, const char *info, const char *msg_path)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf body = KL_BUF_INIT;
	const char *subject = kl_str_starts(info, "Subject: ") ? info : strstr(info, "\nSubject: ");

	if (kl_file_read(msg_path, COMMIT_TEXT_MAX, &body, NULL))
		kl_buf_clear(&body);
	if (m->message.len)
		kl_buf_puts(&m->message, "\n");
	if (subject) {
		subject = strchr(subject, ' ') + 1;
		kl_buf_append(&m->message, subject, (size_t)(strchrnul(subject, '\n') - subject));
		kl_buf_puts(&m->message, "\n");
	}
	if (*kl_buf_str(&body)) {
		kl_buf_puts(&m->message, "\n");
		kl_buf_puts(&m->message, kl_buf_str(&body));
	}
	return 0;
}

static int decode(struct mbox *m, size_t number, const char *mail_path, const char *msg_path,
		  const char *patch_path, bool *ret_ok)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf mail = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf info = KL_BUF_CAPPED(COMMIT_TEXT_MAX);
	KL_AUTO(kl_command_destroy_p) struct kl_command *git = kl_git_create(m->home, m->home);
	int status;

	*ret_ok = false;
	if (kl_file_read(mail_path, 2 * KL_SUBMISSION_MAX, &mail, m->err))
		return -1;
	kl_command_args(git, "mailinfo", "--encoding=UTF-8", "--no-scissors", msg_path, patch_path,
			NULL);
	kl_command_stdin_data(git, mail.data, mail.len);
	if (kl_git_run(git, &info, NULL, &status, m->err))
		return -1;
	if (status)
		return kl_refuse(m->refused, m->err,
				 "Message %zu cannot be decoded: make it with git format-patch.",
				 number);
	*ret_ok = true;
	return keep_message(m, kl_buf_str(&info), msg_path);
}

static int apply_message(struct mbox *m, size_t number, const char *name)
{
	KL_AUTO_FREE char *mail_path = kl_path_join(m->mail, name);
	KL_AUTO_FREE char *msg_path = kl_asprintf("%s/%s.msg", m->mail, name);
	KL_AUTO_FREE char *patch_path = kl_asprintf("%s/%s.patch", m->mail, name);
	KL_AUTO_FREE char *where = kl_asprintf("Message %zu's patch", number);
	KL_AUTO(kl_buf_deinit) struct kl_buf patch = KL_BUF_INIT;
	size_t sections = 0;
	bool ok;

	if (!mail_path || !msg_path || !patch_path || !where)
		return out_of_memory(m);
	if (decode(m, number, mail_path, msg_path, patch_path, &ok))
		return -1;
	if (!ok)
		return 0;
	if (kl_file_read(patch_path, 2 * KL_SUBMISSION_MAX, &patch, m->err))
		return -1;
	if (kl_apply_text(m->e, m->home, m->dir, where, kl_buf_str(&patch), patch.len, &sections,
			  m->refused, m->err))
		return -1;
	m->sections += sections;
	return 0;
}

int kl_mbox_apply(const struct kl_exercise *e, const char *home, const char *dir, const char *text,
		  size_t len, char **ret_message, struct kl_strv *refused, struct kl_error *err)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv names = { 0 };
	KL_AUTO(mbox_deinit)
	struct mbox m = {
		.e = e,
		.home = home,
		.dir = dir,
		.mail = kl_path_join(home, "mail"),
		.message = KL_BUF_CAPPED(MESSAGES_MAX * COMMIT_TEXT_MAX),
		.refused = refused,
		.err = err,
	};

	if (!m.mail)
		return out_of_memory(&m);
	if (split(&m, text, len, &names))
		return -1;
	for (size_t i = 0; !refused->n && i < names.n; i++)
		if (apply_message(&m, i + 1, names.v[i]))
			return -1;
	/* A cover letter has no patch; a mailbox without any is no submission. */
	if (!refused->n && !m.sections)
		return kl_refuse(refused, err,
				 "The mail holds no unified diff: make it with git format-patch.");
	*ret_message = kl_buf_steal(&m.message);
	return *ret_message ? 0 : out_of_memory(&m);
}
