/* The interrupt (Ctrl-C): from then on every wait of every thread returns early with KL_INTERRUPTED. */
#ifndef KLINIC_INTERRUPT_H
#define KLINIC_INTERRUPT_H

#include <stdbool.h>

/* Called by the command's signal handler: async-signal-safe; cannot be taken back. */
void kl_interrupt(void);
bool kl_interrupted(void);
/* Readable from kl_interrupt() on, never read from: for poll(2). -1 (poll skips it) without descriptors. */
int kl_interrupt_fd(void);

#endif
