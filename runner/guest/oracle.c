/*
 * The host's half of a check: prints, for a seed and a challenge, which values
 * are right. usage: oracle SEED CHALLENGE-IN-64-HEX-DIGITS
 * Output: one line a slot, "slot min max label".
 */
#include <stdio.h>
#include <stdlib.h>

#include "guest/rng.h"

static void expect(unsigned int slot, uint64_t min, uint64_t max, const char *label)
{
	if (slot >= KL_SLOTS || min > max) {
		fprintf(stderr, "slot %u (%s): no such slot, or an empty range\n", slot, label);
		exit(3);
	}
	printf("%u %llu %llu %s\n", slot, (unsigned long long)min, (unsigned long long)max, label);
}

void kl_expect(unsigned int slot, uint64_t value, const char *label)
{
	expect(slot, value, value, label);
}

void kl_expect_range(unsigned int slot, uint64_t min, uint64_t max, const char *label)
{
	expect(slot, min, max, label);
}

int main(int argc, char **argv)
{
	struct kl_challenge c = { 0 };

	if (argc != 3 || strlen(argv[2]) != 2 * sizeof(c.bytes)) {
		fprintf(stderr, "usage: oracle SEED CHALLENGE\n");
		return 2;
	}
	c.seed = strtoull(argv[1], NULL, 10);
	for (size_t i = 0; i < sizeof(c.bytes); i++) {
		char byte[3] = { argv[2][2 * i], argv[2][2 * i + 1], '\0' };

		c.bytes[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	kl_check_expect(&c);
	return fflush(stdout) ? 1 : 0;
}
