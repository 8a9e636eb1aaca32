/* jansson with our errors: bounded input, duplicate keys refused, stable output. */
#include <string.h>

#include <klinic/file.h>
#include <klinic/json.h>

#include "data/utf8.h"

int kl_json_parse(const char *name, const char *text, size_t len, json_t **ret,
		  struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf why = KL_BUF_INIT;
	json_error_t complaint;
	json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &complaint);

	if (j) {
		*ret = j;
		return 0;
	}
	if (json_error_code(&complaint) == json_error_out_of_memory)
		return kl_fail(err, KL_INFRA, "out of memory while reading %s", name);
	/* jansson quotes the text near the fault, which may be anything. */
	kl_buf_safe(&why, complaint.text, strnlen(complaint.text, sizeof(complaint.text)),
		    sizeof(complaint.text));
	return kl_fail_at(err, name, complaint.line > 0 ? (unsigned int)complaint.line : 0,
			  complaint.column > 0 ? (unsigned int)complaint.column : 0,
			  "not valid JSON: %s", kl_buf_str(&why));
}

int kl_json_load(const char *path, size_t max, json_t **ret, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_CAPPED(max);

	if (kl_file_read(path, max, &b, err) < 0)
		return -1;
	return kl_json_parse(path, kl_buf_str(&b), b.len, ret, err);
}

static int append(const char *data, size_t len, void *b)
{
	return kl_buf_append(b, data, len);
}

int kl_json_dump(const json_t *j, struct kl_buf *b, struct kl_error *err)
{
	/* 15 digits: what a person wrote as 0.1 is printed as 0.1, and reading it again changes nothing. */
	size_t flags = JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);

	if (!j || json_dump_callback(j, append, b, flags) < 0 || kl_buf_puts(b, "\n") < 0)
		return kl_fail(err, KL_INFRA, "cannot write JSON: too large, or memory ran out");
	return 0;
}

int kl_json_write(const json_t *j, const char *path, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (kl_json_dump(j, &b, err) < 0)
		return kl_error_prepend(err, "%s", path);
	return kl_file_write(path, b.data, b.len, 0644, err);
}

json_t *kl_json_textn(const char *s, size_t len)
{
	/* A bad byte becomes three. */
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_CAPPED(3 * len + 1);
	unsigned int code;

	for (size_t i = 0; i < len;) {
		size_t n = kl_utf8_length((const unsigned char *)s + i, len - i, &code);

		/* A NUL could be written, but jansson and others refuse to read it. */
		if (!n || !code)
			kl_buf_puts(&b, "\xef\xbf\xbd");
		else
			kl_buf_append(&b, s + i, n);
		i += n ? n : 1;
	}
	return b.failed ? NULL : json_stringn(kl_buf_str(&b), b.len);
}

json_t *kl_json_text(const char *s)
{
	return s ? kl_json_textn(s, strlen(s)) : json_null();
}

json_t *kl_json_strv(const struct kl_strv *sv)
{
	KL_AUTO_JSON json_t *list = json_array();

	for (size_t i = 0; list && i < sv->n; i++)
		if (json_array_append_new(list, kl_json_text(sv->v[i])) < 0)
			return NULL;
	return kl_take(list);
}
