// SPDX-License-Identifier: MIT
// benchmark: every run of a benchmark as a dot, the commands below each other
// on one axis, with the mean and its 95 % interval.
import { choice, drawingWidth, el, replace, svg } from './dom.js';
import * as format from './format.js';
import { deviation, interval, mean, quantile } from './statistics.js';

const UNITS = { s: format.time, byte: format.bytes, 1: format.count };

// {name, unit, values} by command, of hyperfine's files too.
export function seriesOf(result) {
	if (result.series && typeof result.series === 'object') {
		return Object.entries(result.series).map(([name, s]) => ({ name, unit: UNITS[s.unit] || format.count, values: (s.values || []).filter(format.isNumber) }))
			.filter((s) => s.values.length > 0);
	}
	return [{ name: 'time', unit: format.time, values: result.times }];
}

export const nameOf = (i) => String.fromCharCode(65 + i);

// What speaks against the times, in words; a tenth of one is usual.
export function doubtsOf(conditions) {
	const drift = conditions.reference_drift_fraction;
	return [
		Math.abs(drift ?? 0) > 0.05 && `a reference workload became ${format.percent(Math.abs(drift), 1)} ${drift > 0 ? 'slower' : 'faster'}`,
		conditions.steal_fraction > 0.02 && `the hypervisor took ${format.percent(conditions.steal_fraction, 1)}`,
		conditions.pressure_fraction > 0.1 && `some task waited for a CPU ${format.percent(conditions.pressure_fraction)} of the time`,
	].filter(Boolean);
}

// [name, text] of the conditions that a file tells.
export function conditionsOf(conditions) {
	const share = (x) => (format.isNumber(x) ? format.percent(x, 1) : null);
	const c = conditions.calibration || {};
	return [
		['CPU', conditions.cpu], ['Instruction set', c.isa],
		['Run under perfshim', conditions.shim === undefined ? null : conditions.shim ? 'yes' : 'no'],
		['Core clock', format.isNumber(c.core_hz) ? format.rate(c.core_hz, 'Hz') : null],
		['Drift of a reference workload', share(conditions.reference_drift_fraction)],
		['Drift of vector add', share(conditions.vector_add_drift_fraction)],
		['Taken by the hypervisor', share(conditions.steal_fraction)],
		['Some task waited for a CPU', share(conditions.pressure_fraction)],
		['Written by', conditions.version ? `perfshim ${conditions.version}` : null],
	].filter(([, text]) => typeof text === 'string' && text !== '');
}

export function verdictOf(saved) {
	const { results } = saved;
	const lines = results.map((r, i) => {
		const of = interval(r.times);
		return {
			about: 'time',
			text: `${results.length > 1 ? `${nameOf(i)} takes ` : 'A run takes '}${format.time(mean(r.times))} on average` +
				`${of ? `, with 95 % confidence between ${format.time(of[0])} and ${format.time(of[1])}` : ''}, in ${r.times.length} run${r.times.length === 1 ? '' : 's'}.`,
		};
	});
	for (const c of comparisonsOf(saved)) {
		if (c.metric !== 'time' && c.metric !== 'peak-heap') continue;
		lines.push({ about: c.metric === 'time' ? 'first' : 'memory', text: `${sentenceOf(c)}` });
	}
	const doubts = doubtsOf(saved.perfshim || {});
	if (doubts.length > 0) lines.push({ about: 'uncertain', text: `The machine was disturbed meanwhile: ${doubts.join(', ')}.` });
	if (results.some((r) => r.times.length < 10)) lines.push({ about: 'uncertain', text: 'Fewer than ten runs: the intervals are wide, and outliers weigh much.' });
	return lines;
}

// As perfwrap.sh printed them; of older files there are none.
export const comparisonsOf = (saved) => (Array.isArray(saved.comparisons) ? saved.comparisons : []).filter((c) => format.isNumber(c.ratio));

export function sentenceOf(c) {
	const of = `95 % interval ${c.low.toFixed(3)} to ${c.high.toFixed(3)}, ${c.pairs} pairs`;
	if (c.low <= 1 && c.high >= 1) return `${c.command} cannot be told from ${c.reference} in ${c.metric} (${c.ratio.toFixed(3)} times, ${of}).`;
	if (c.metric === 'time') {
		return c.ratio < 1 ? `${c.command} is ${(1 / c.ratio).toFixed(3)} times faster than ${c.reference} (95 % interval ${(1 / c.high).toFixed(3)} to ${(1 / c.low).toFixed(3)}, ${c.pairs} pairs).`
			: `${c.command} is ${c.ratio.toFixed(3)} times slower than ${c.reference} (${of}).`;
	}
	return `${c.command} needs ${c.ratio.toFixed(3)} times the ${c.metric} of ${c.reference} (${of}).`;
}

// A place beside the middle, so that equal samples do not hide each other.
const jitter = (i) => ((i * 0.618034) % 1) - 0.5;

function strip(rows, unit) {
	const [width, left, right, height] = [drawingWidth(), 40, 16, 64];
	const all = rows.flatMap((r) => r.values);
	const low = Math.min(...all);
	const high = Math.max(...all);
	const pad = (high - low) * 0.04 || Math.abs(high) * 0.02 || 1;
	const x = (v) => left + (width - left - right) * (v - low + pad) / (high - low + 2 * pad);
	const ticks = (width < 500 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]).map((t) => low + t * (high - low)).filter((v, i, list) => i === 0 || v > list[0]);
	const bottom = rows.length * height;
	return svg('svg', { class: 'strip', viewBox: `0 0 ${width} ${bottom + 26}`, role: 'img', 'aria-label': rows.map((r) => `${r.label}: mean ${unit(mean(r.values))}`).join('; ') },
		ticks.map((v) => [svg('line', { class: 'grid', x1: x(v), x2: x(v), y1: 0, y2: bottom }), svg('text', { class: 'tick', x: x(v), y: bottom + 18, 'text-anchor': 'middle' }, unit(v))]),
		rows.map((row, i) => {
			const y = i * height + height / 2;
			const of = interval(row.values);
			const m = mean(row.values);
			return svg('g', { class: 'strip-row' }, svg('text', { class: 'strip-name', x: 4, y: y + 5 }, row.label),
				row.values.map((v, k) => svg('circle', { class: 'sample', cx: x(v), cy: y + jitter(k) * 26, r: 3 }, svg('title', {}, `run ${k + 1}: ${unit(v)}`))),
				of && svg('line', { class: 'interval', x1: x(Math.max(of[0], low - pad)), x2: x(Math.min(of[1], high + pad)), y1: y + 20, y2: y + 20 }),
				svg('line', { class: 'mean', x1: x(m), x2: x(m), y1: y - 20, y2: y + 24 }));
		}));
}

export function benchmarkView(saved, route) {
	const series = saved.results.map(seriesOf);
	const names = [...new Set(series.flatMap((list) => list.map((s) => s.name)))];
	const box = el('div', {});
	const show = (name) => {
		const rows = series.map((list, i) => ({ label: nameOf(i), ...list.find((s) => s.name === name) })).filter((r) => r.values);
		const { unit } = rows[0];
		replace(box, el('figure', {}, strip(rows, unit), el('figcaption', {}, 'A dot is a run; the long stroke is the mean, the bar below its 95 % interval.')),
			el('table', { class: 'plain', 'aria-label': `Figures of ${name}` },
				el('thead', {}, el('tr', {}, ['', 'Mean', '± deviation', '95 % interval', 'Median', 'Least', 'Most', 'Runs'].map((h) => (h ? el('th', { scope: 'col', class: 'figure' }, h) : el('td'))))),
				el('tbody', {}, rows.map((row) => {
					const of = interval(row.values);
					const cell = (label, text) => el('td', { class: 'figure', 'data-label': label }, text);
					return el('tr', {}, el('th', { scope: 'row', class: 'text' }, row.label), cell('Mean', unit(mean(row.values))), cell('± deviation', unit(deviation(row.values))),
						cell('95 % interval', of ? `${unit(of[0])} – ${unit(of[1])}` : '–'), cell('Median', unit(quantile(row.values, 0.5))),
						cell('Least', unit(Math.min(...row.values))), cell('Most', unit(Math.max(...row.values))), cell('Runs', String(row.values.length)));
				}))));
	};
	const pick = choice('Metric', names.map((n) => [n, n]), '', (name) => { route.set('samples', 'metric', name === names[0] ? null : name); show(name); });
	const wanted = route.get('metric', names[0]);
	const chosen = names.includes(wanted) ? wanted : names[0];
	pick.choose(chosen);
	show(chosen);
	return el('div', {}, el('ol', { class: 'commands' }, saved.results.map((r, i) => el('li', {}, el('b', {}, nameOf(i)), ' ', el('code', {}, r.command)))),
		el('div', { class: 'controls' }, pick), box);
}

export function comparisonsView(saved) {
	return el('table', { class: 'plain', 'aria-label': 'Comparisons' },
		el('thead', {}, el('tr', {}, ['Metric', 'Ratio', '95 % interval', 'Pairs'].map((h, i) => el('th', { scope: 'col', class: i === 0 ? 'text' : 'figure' }, h)))),
		el('tbody', {}, comparisonsOf(saved).map((c) => el('tr', {}, el('th', { scope: 'row', class: 'text' }, `${c.metric}, ${c.command} against ${c.reference}`),
			el('td', { class: `figure ${c.low > 1 ? 'more' : c.high < 1 ? 'less' : ''}` }, `${c.ratio.toFixed(3)}×`),
			el('td', { class: 'figure', 'data-label': '95 % interval' }, `${c.low.toFixed(3)} – ${c.high.toFixed(3)}`),
			el('td', { class: 'figure', 'data-label': 'Pairs' }, String(c.pairs))))));
}
