/*
 * YAML in, through libyaml. A document is parsed whole into a tree whose nodes
 * know their line and column; typed readers then take values out and complain
 * with the place. Nothing here knows what a document means.
 *
 * Bounds, so that a hostile file is refused rather than served: 1 MiB of text,
 * depth 32, 65,536 nodes, one document. Anchors and aliases are refused by
 * name: no document of ours needs them and they are how a small file grows.
 */
#ifndef KLINIC_YAML_H
#define KLINIC_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <klinic/error.h>
#include <klinic/str.h>

enum kl_yaml_type { KL_YAML_SCALAR, KL_YAML_LIST, KL_YAML_MAP };

struct kl_yaml_node {
	enum kl_yaml_type type;
	unsigned int line, column; /* 1-based */
	const char *text; /* scalar: NUL-terminated, no embedded NUL */
	bool quoted; /* scalar: was in quotes or a block (a "3" is a string) */
	size_t n; /* list, map: number of entries */
	struct kl_yaml_node **items; /* list entries, map values, in order */
	struct kl_yaml_node **keys; /* map: scalars; duplicates were refused */
};

struct kl_yaml {
	char *path; /* as named in complaints */
	struct kl_yaml_node *root; /* never NULL after success */
	void *arena; /* owns every node */
};

int kl_yaml_load(const char *path, struct kl_yaml *ret, struct kl_error *err);
/* Parses text; name is what complaints call it. */
int kl_yaml_parse(const char *name, const char *text, size_t len, struct kl_yaml *ret,
		  struct kl_error *err);
void kl_yaml_deinit(struct kl_yaml *y);

/* A complaint at a node: always -1. */
int kl_yaml_fail(const struct kl_yaml *y, const struct kl_yaml_node *node, struct kl_error *err,
		 const char *fmt, ...) KL_PRINTF(4, 5);

/*
 * Checks that node is a map and that each of its keys is in known (NULL-ended);
 * the complaint names the unknown key and lists what is allowed. what names the
 * map ("check", "kernel").
 */
int kl_yaml_known(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *what,
		  const char *const *known, struct kl_error *err);
/* The value under key, or NULL. */
const struct kl_yaml_node *kl_yaml_get(const struct kl_yaml_node *map, const char *key);
/* The same; a complaint at the map when it is missing. */
int kl_yaml_need(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		 const struct kl_yaml_node **ret, struct kl_error *err);

/* Typed values of one node; *ret is untouched on failure. key only words the complaint. */
int kl_yaml_string(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *key,
		   char **ret, struct kl_error *err); /* copies; frees an old *ret; refuses "" */
int kl_yaml_int(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *key,
		int64_t min, int64_t max, int64_t *ret, struct kl_error *err);
int kl_yaml_bool(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *key,
		 bool *ret, struct kl_error *err); /* true or false, nothing else */
int kl_yaml_strings(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *key,
		    struct kl_strv *ret, struct kl_error *err); /* appends; refuses duplicates */
/* An index of names (NULL-ended); the complaint lists what is allowed. */
int kl_yaml_enum(const struct kl_yaml *y, const struct kl_yaml_node *node, const char *key,
		 const char *const *names, size_t count, int *ret, struct kl_error *err);

#endif
