// SPDX-License-Identifier: MIT
// trust: what the figures are worth, and what was lost.
import { el } from './dom.js';
import * as format from './format.js';

export function trustRows(report, detail) {
	const { sampling, overhead, calibration } = report;
	const rows = [];
	if (sampling.mode === 'off') rows.push(['Sampling', 'off: counts are exact, sites are not known']);
	else if (detail.is_exact) rows.push(['Sampling', `every allocation recorded (${format.count(sampling.samples)})`]);
	else {
		rows.push(['Sampling', `one sample every ${format.bytes(sampling.interval_bytes)}${sampling.interval_bytes_widest > sampling.interval_bytes ? ` to ${format.bytes(sampling.interval_bytes_widest)}` : ''} on average, ${format.count(sampling.samples)} in all ` +
			`${format.error(detail.site_bytes, detail.site_bytes_error)}`.trim()]);
	}
	rows.push(['Samples', `dropped ${format.count(sampling.dropped)}, without a stack ${format.count(detail.samples_without_stack)}, cut short ${format.count(detail.samples_cut_short)}`]);
	if (detail.stacks_off) rows.push(['Stacks', `off: ${detail.stacks_off}`]);
	rows.push(['What the shim cost', `${format.time(overhead.seconds)}${overhead.fraction === null ? '' : ` (${format.percent(overhead.fraction, 2)} of the run)`} in sampling, tables and marks`]);
	rows.push(['Clock', `${calibration.clock}${calibration.tsc_ppm ? ` ±${calibration.tsc_ppm.toFixed(1)} ppm` : ''}${calibration.marker_ns ? `, a pair of marks ${calibration.marker_ns.toFixed(1)} ns` : ''}`]);
	if (detail.timing_note) {
		const parts = [['waiting for a CPU', calibration.waiting_fraction], ['stolen by the hypervisor', calibration.steal_fraction], ['slower than before', calibration.drift_fraction],
			['a slower clock', calibration.core_drift_fraction], ['a faster clock', -calibration.core_drift_fraction], ['slower memory', calibration.memory_drift_fraction]]
			.filter(([, x]) => x > 0).map(([what, x]) => `${what} ${format.percent(x, 1)}`);
		rows.push(['Machine', `it was disturbed, so times may be too long: ${parts.join(', ')}`]);
	}
	for (const loss of detail.losses) rows.push(['Lost', `${format.count(loss.count)} ${loss.what}`]);
	return rows;
}

export function trustView(report, detail) {
	return el('dl', { class: 'trust' }, trustRows(report, detail).map(([name, text]) => [el('dt', {}, name), el('dd', {}, text)]));
}
