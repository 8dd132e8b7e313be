// SPDX-License-Identifier: MIT
// statistics: what a strip of samples shows beside them.

export function quantile(values, q) {
	const sorted = [...values].sort((a, b) => a - b);
	const at = (sorted.length - 1) * q;
	const low = Math.floor(at);
	return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (at - low);
}

export const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;

export function deviation(values) {
	const m = mean(values);
	return values.length < 2 ? NaN : Math.sqrt(values.reduce((sum, x) => sum + (x - m) ** 2, 0) / (values.length - 1));
}

// Two-sided 95 % points of Student's t, by degrees of freedom.
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
	2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042];

// 95 % interval of the mean; null of fewer than two values.
export function interval(values) {
	if (values.length < 2) return null;
	const t = T95[values.length - 2] ?? 1.96 + 2.4 / (values.length - 1);
	const half = t * deviation(values) / Math.sqrt(values.length);
	return [mean(values) - half, mean(values) + half];
}
