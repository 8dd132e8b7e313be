/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "base/random.h"
#include "tests/unit/noise.h"

/* Box and Muller's method. */
double
noise_normal(uint64_t *random)
{
	double radius = sqrt(-2 * log(ps_random_unit(random)));

	return radius *
	       cos(2 * 3.14159265358979323846 * ps_random_unit(random));
}

static double
log_noise(struct noise *n)
{
	double z = noise_normal(&n->random);
	double u = ps_random_unit(&n->random);

	switch (n->model) {
	case NOISE_SKEWED:
		return -0.03 * log(u);
	case NOISE_OUTLIERS:
		return 0.02 * z +
		       (u < 0.1 ? 0.7 * ps_random_unit(&n->random) : 0);
	case NOISE_LEVELS:
		return 0.01 * z + (u < 0.3 ? 0.06 : 0);
	case NOISE_DRIFT:
		/* Drawn back to 0, or it would leave for good. */
		n->drift = 0.95 * n->drift + 0.01 * z;
		return n->drift + 0.01 * noise_normal(&n->random);
	default:
		return 0.03 * z;
	}
}

double
noise_sample(struct noise *n, double value)
{
	return value * exp(log_noise(n));
}

double
noise_reference(struct noise *n)
{
	return exp(n->drift + 0.015 * noise_normal(&n->random));
}
