/* Duplicates among scalars, without the square of a hostile file's size. */
#ifndef DATA_YAML_DUP_H
#define DATA_YAML_DUP_H

#include <klinic/yaml.h>

/* *ret_twice: the first scalar of the list that repeats an earlier one, or NULL. -1 without memory. */
int kl_yaml_duplicate(struct kl_yaml_node *const *nodes, size_t n,
		      const struct kl_yaml_node **ret_twice);

#endif
