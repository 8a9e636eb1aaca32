/*
 * JSON in and out is jansson's (https://jansson.readthedocs.io/); these few
 * functions turn its errors into ours and bound what comes from outside.
 */
#ifndef KLINIC_JSON_H
#define KLINIC_JSON_H

#include <jansson.h>

#include <klinic/cleanup.h>
#include <klinic/error.h>
#include <klinic/str.h>

static inline void kl_json_p(json_t **j)
{
	json_decref(*j);
}

#define KL_AUTO_JSON KL_AUTO(kl_json_p)

/* Parses at most max bytes of a file. Duplicate keys are refused. */
int kl_json_load(const char *path, size_t max, json_t **ret, struct kl_error *err);
int kl_json_parse(const char *name, const char *text, size_t len, json_t **ret,
		  struct kl_error *err);
/* Indented by two, keys in insertion order, newline at the end. Non-UTF-8 must not get in: see kl_json_text. */
int kl_json_dump(const json_t *j, struct kl_buf *b, struct kl_error *err);
int kl_json_write(const json_t *j, const char *path, struct kl_error *err); /* atomic */
/* A JSON string of bytes that may not be UTF-8: bad bytes become U+FFFD. NULL s gives JSON null. */
json_t *kl_json_text(const char *s);
json_t *kl_json_textn(const char *s, size_t len);
/* [] of a vector. */
json_t *kl_json_strv(const struct kl_strv *sv);

#endif
