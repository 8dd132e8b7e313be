// SPDX-License-Identifier: MIT
// load_curve: the latencies of a file as points.
import * as format from './format.js';

export const NAMED = [['p50', 0.5], ['p90', 0.9], ['p95', 0.95], ['p99', 0.99], ['p99.9', 0.999], ['p99.99', 0.9999]];

// [quantile, seconds] from the fullest that the file has.
export function curveOf(latency) {
	if (Array.isArray(latency?.percentiles) && latency.percentiles.length > 0) return latency.percentiles.filter(([, s]) => format.isNumber(s));
	return NAMED.filter(([name]) => format.isNumber(latency?.[name])).map(([name, q]) => [q, latency[name]]);
}
