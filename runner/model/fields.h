/*
 * What the YAML documents of this room read most: one key of a map, typed. A
 * missing optional key leaves *ret as it was, so defaults are set beforehand.
 */
#ifndef MODEL_FIELDS_H
#define MODEL_FIELDS_H

#include <stdbool.h>

#include <klinic/yaml.h>

#define KL_TITLE_MAX 200 /* bytes: a line of a catalogue */

int kl_field_text(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		  bool needed, char **ret, struct kl_error *err);
/* One line of at most KL_TITLE_MAX bytes; needed. */
int kl_field_title(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		   char **ret, struct kl_error *err);
/* kl_str_is_id(); needed. */
int kl_field_id(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		char **ret, struct kl_error *err);
int kl_field_uint(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		  bool needed, unsigned int min, unsigned int max, unsigned int *ret,
		  struct kl_error *err);
int kl_field_bool(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		  bool *ret, struct kl_error *err);
/* A needed list has an entry. */
int kl_field_strings(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		     bool needed, struct kl_strv *ret, struct kl_error *err);
/* *ret stays NULL when an optional list is missing; a needed one has an entry. */
int kl_field_list(const struct kl_yaml *y, const struct kl_yaml_node *map, const char *key,
		  bool needed, const struct kl_yaml_node **ret, struct kl_error *err);

#endif
