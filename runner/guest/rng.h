/* SPDX-License-Identifier: GPL-2.0 */
/* The numbers of a challenge: the same in the guest's kit and in the host's oracle. */
#ifndef KLINIC_GUEST_RNG_H
#define KLINIC_GUEST_RNG_H

#include <string.h>

#include <klinic/check.h>

uint64_t kl_hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

/* splitmix64 spreads the challenge over xoshiro's state (Vigna, prng.di.unimi.it). */
void kl_rng_init(struct kl_rng *r, const struct kl_challenge *c, uint64_t stream)
{
	uint64_t x = kl_hash(KL_HASH_INIT, c->bytes, sizeof(c->bytes));

	x = kl_hash(x, &c->seed, sizeof(c->seed));
	x = kl_hash(x, &stream, sizeof(stream));
	for (int i = 0; i < 4; i++) {
		uint64_t z = (x += 0x9e3779b97f4a7c15ULL);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
		r->s[i] = z ^ (z >> 31);
	}
}

static uint64_t kl_rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t kl_rng_u64(struct kl_rng *r)
{
	uint64_t *s = r->s;
	uint64_t ret = kl_rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = kl_rotl(s[3], 45);
	return ret;
}

uint64_t kl_rng_below(struct kl_rng *r, uint64_t n)
{
	return (uint64_t)(((__uint128_t)kl_rng_u64(r) * n) >> 64);
}

void kl_rng_fill(struct kl_rng *r, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len) {
		uint64_t v = kl_rng_u64(r);
		size_t n = len < sizeof(v) ? len : sizeof(v);

		memcpy(p, &v, n);
		p += n;
		len -= n;
	}
}

#endif
