/*
 * JSON of this room's documents, both ways.
 *
 * Out: a missing value poisons the whole (out of memory gives NULL, not a
 * document with a hole). In: what is read may come from anybody, so each
 * reader knows the type and the bound of what it takes; a complaint names the
 * key, and callers prepend where they are.
 */
#ifndef MODEL_JSON_IO_H
#define MODEL_JSON_IO_H

#include <stdbool.h>
#include <stdint.h>

#include <klinic/digest.h>
#include <klinic/json.h>
#include <klinic/str.h>

#define KL_IN_NAME_MAX (64UL << 10) /* bytes of an id, a path, a title */
#define KL_IN_TEXT_MAX (16UL << 20) /* of a console, a build log, a diff */
#define KL_IN_LIST_MAX 65536UL

/* Both steal value. *o becomes NULL (freed) when value is NULL or there is no memory. */
void kl_out_put(json_t **o, const char *key, json_t *value);
void kl_out_push(json_t **list, json_t *value);
/*
 * A number when every reader of JSON can hold it (below 2^53, RFC 7493), else
 * a string of hex digits.
 */
json_t *kl_out_u64(uint64_t value);
json_t *kl_out_hex(uint64_t value); /* always "0x…" */
json_t *kl_out_real(double value); /* whole numbers without a point; what is not finite as 0 */

int kl_in_object(const json_t *j, const char *what, struct kl_error *err);
/* "schema" must be exactly this one. */
int kl_in_schema(const json_t *o, const char *schema, struct kl_error *err);
/* The list under key. */
int kl_in_list(const json_t *o, const char *key, size_t max, const json_t **ret,
	       struct kl_error *err);
/*
 * The objects of the list under key, each read by read into an item of size bytes,
 * zeroed before. *ret_items (a T *) becomes the vector of them, also on failure, and
 * *ret_n counts the last one even when it is bad: the owner's deinit frees them.
 */
int kl_in_items(const json_t *o, const char *key, size_t max, size_t size,
		int (*read)(const json_t *o, void *ret, struct kl_error *err), void *ret_items,
		size_t *ret_n, struct kl_error *err);
/* null gives NULL unless it is needed. */
int kl_in_text(const json_t *o, const char *key, size_t max, bool needed, char **ret,
	       struct kl_error *err);
int kl_in_strings(const json_t *o, const char *key, struct kl_strv *ret, struct kl_error *err);
/* "" or 64 hex digits. */
int kl_in_digest(const json_t *o, const char *key, char ret[KL_DIGEST_HEX], struct kl_error *err);
/* What kl_out_u64() or kl_out_hex() wrote. */
int kl_in_u64(const json_t *o, const char *key, uint64_t *ret, struct kl_error *err);
int kl_in_u64_value(const json_t *v, const char *key, uint64_t *ret, struct kl_error *err);
int kl_in_uint(const json_t *o, const char *key, unsigned int max, unsigned int *ret,
	       struct kl_error *err);
int kl_in_int(const json_t *o, const char *key, int64_t min, int64_t max, int64_t *ret,
	      struct kl_error *err);
int kl_in_real(const json_t *o, const char *key, double min, double max, double *ret,
	       struct kl_error *err);
int kl_in_bool(const json_t *o, const char *key, bool *ret, struct kl_error *err);
/* parse is the enum's kl_…_parse(). */
int kl_in_enum(const json_t *o, const char *key, int (*parse)(const char *), int *ret,
	       struct kl_error *err);

#endif
