/* SPDX-License-Identifier: GPL-2.0 */
/* What the agent hands to a check's program: descriptors, and the sheet that both have mapped. */
#ifndef KLINIC_GUEST_KIT_H
#define KLINIC_GUEST_KIT_H

#include <stdint.h>

#include "guest/mailbox.h"

#define KL_KIT_MODULE_FD 10 /* memfd with the module under test */
#define KL_KIT_SHEET_FD	 11 /* memfd with struct kl_kit_sheet */

struct kl_kit_sheet {
	uint64_t seed;
	uint8_t challenge[32];
	char module_name[64];
	char program_name[16];
	uint64_t given;
	uint64_t value[KL_MAIL_SLOTS];
	char said[KL_MAIL_SAID];
};

#endif
