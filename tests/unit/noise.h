/* SPDX-License-Identifier: MIT */
/*
 * noise - seeded models of how run times scatter, around a true value
 *
 * Shared by the tests of statistics: the same seed gives the same samples.
 */
#ifndef PS_TEST_NOISE_H
#define PS_TEST_NOISE_H

#include <stddef.h>
#include <stdint.h>

enum noise_model {
	NOISE_NORMAL,	/* 3 % */
	NOISE_SKEWED,	/* a floor, and exponentially more */
	NOISE_OUTLIERS, /* 2 %, and one in ten up to twice as long */
	NOISE_LEVELS,	/* two, 6 % apart, 1 % each */
	NOISE_DRIFT,	/* wanders by 1 % a sample, and 1 % of its own */
	NOISE_MODELS
};

struct noise {
	enum noise_model model;
	uint64_t random;
	double drift; /* logarithm */
};

/* The next sample of something that takes `value`. */
double noise_sample(struct noise *n, double value);
double noise_normal(uint64_t *random);
/* The reference workload beside it: what drifts is the machine. */
double noise_reference(struct noise *n);

#endif /* PS_TEST_NOISE_H */
