/* Absolute deadlines on CLOCK_MONOTONIC, in nanoseconds. Every wait takes one. */
#ifndef KLINIC_DEADLINE_H
#define KLINIC_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t kl_deadline;

#define KL_FOREVER INT64_MAX

int64_t kl_now_ns(void);
kl_deadline kl_deadline_ms(int64_t ms); /* ms from now */
bool kl_deadline_passed(kl_deadline d);
/* For poll(2): milliseconds left, rounded up, 0 when passed, -1 for KL_FOREVER. */
int kl_deadline_poll_ms(kl_deadline d);

#endif
