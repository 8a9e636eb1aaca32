/* SPDX-License-Identifier: GPL-2.0 */
/* How the canary's functions are named: klc_TOKEN_KIND. Both sides include this. */
#ifndef KLINIC_GUEST_CANARY_H
#define KLINIC_GUEST_CANARY_H

/* What the host overwrites in the module's symbol names; as long as the secret, in hex. */
#define KL_CANARY_TOKEN	      tokentokentokentokentokentoken12
#define KL_CANARY_TOKEN_CHARS 32

#endif
