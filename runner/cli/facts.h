/* What list and show say of an exercise: public facts only. */
#ifndef KLINIC_CLI_FACTS_H
#define KLINIC_CLI_FACTS_H

#include "cli/cli.h"

/* {id, title, kind, level, minutes, subsystem, bug_class, tracks, certified}: the command's contract. */
json_t *cli_facts_json(const struct kl_exercise *e, bool certified);

#endif
