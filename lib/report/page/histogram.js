// SPDX-License-Identifier: MIT
// histogram: how long the calls of a section took, small for a row, large with
// axes.  The data is [from, to, calls] in seconds; the axis is logarithmic.
import { drawingWidth, el, svg } from './dom.js';
import * as format from './format.js';

// Bars on an axis of `columns` equal steps of the logarithm.
export function bars(histogram, count, range) {
	const columns = Math.floor(count);
	const [low, high] = range;
	const width = Math.log(high / low) / columns;
	const sums = new Array(columns).fill(0);
	for (const [from, to, calls] of histogram) {
		const middle = Math.sqrt(Math.max(from, 1e-9) * Math.max(to, 1e-9));
		const at = Math.floor(Math.log(middle / low) / width);
		sums[Math.min(columns - 1, Math.max(0, at))] += calls;
	}
	return sums;
}

export function rangeOf(histograms) {
	let low = Infinity;
	let high = 0;
	for (const histogram of histograms) {
		for (const [from, to] of histogram) {
			low = Math.min(low, Math.max(from, 1e-9));
			high = Math.max(high, to);
		}
	}
	return high > 0 ? [low, Math.max(high, low * 2)] : [1e-6, 1];
}

// Powers of ten within a range.
export function ticks([low, high]) {
	const all = [];
	for (let e = Math.ceil(Math.log10(low) - 1e-9); 10 ** e <= high; e++) all.push(10 ** e);
	return all;
}

// Of [value, place] pairs those that are so far apart.
export function spaced(pairs, gap) {
	let last = -Infinity;
	return pairs.filter(([, at]) => at - last >= gap && (last = at) === at);
}

// All rows of a table have one axis, so that they can be compared.
export function small(histogram, range, title) {
	const [columns, width, height] = [32, 96, 22];
	const sums = bars(histogram, columns, range);
	const most = Math.max(...sums, 1);
	const step = width / columns;
	return svg('svg', { class: 'spark', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': title },
		sums.map((sum, i) => sum > 0 && svg('rect', {
			x: i * step, y: height - Math.max(1.5, height * Math.sqrt(sum / most)), width: step - 0.5, height: Math.max(1.5, height * Math.sqrt(sum / most)),
		})));
}

export function large(histogram, marks) {
	const [width, height, left, bottom, top] = [drawingWidth(), 220, 8, 24, 22];
	const range = rangeOf([histogram]);
	const columns = Math.min(Math.floor(width / 10), Math.max(16, histogram.length * 2));
	const sums = bars(histogram, columns, range);
	const most = Math.max(...sums, 1);
	const step = (width - 2 * left) / columns;
	const x = (s) => left + (width - 2 * left) * Math.log(Math.max(s, range[0]) / range[0]) / Math.log(range[1] / range[0]);
	const y = (calls) => (height - bottom - top) * calls / most;
	const shown = [];
	for (const [name, s] of marks) {
		if (!(s > 0)) continue;
		const at = x(s);
		const level = shown.filter((other) => Math.abs(other - at) < 44).length;
		shown.push(at);
		const isRight = at > width - 60;
		shown.element = (shown.element || []).concat(svg('g', { class: 'mark' },
			svg('line', { x1: at, x2: at, y1: 4 + 12 * level, y2: height - bottom }),
			svg('text', { x: at + (isRight ? -4 : 4), y: 12 + 12 * level, 'text-anchor': isRight ? 'end' : 'start' }, name)));
	}
	return el('figure', { class: 'histogram' }, svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Calls by duration' },
		sums.map((sum, i) => sum > 0 && svg('rect', { x: left + i * step, y: height - bottom - Math.max(1, y(sum)), width: step - 1, height: Math.max(1, y(sum)) },
			svg('title', {}, `${format.count(sum)} calls`))),
		svg('line', { class: 'axis', x1: left, x2: width - left, y1: height - bottom, y2: height - bottom }),
		spaced(ticks(range).map((s) => [s, x(s)]), 54).map(([s]) => svg('text', { class: 'tick', x: x(s), y: height - 8, 'text-anchor': 'middle' }, format.time(s))),
		shown.element),
	el('figcaption', {}, 'Calls by how long they took; the axis is logarithmic.'));
}
