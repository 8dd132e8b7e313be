// SPDX-License-Identifier: MIT
// roofline: what the machine can do at best, and where the sections that count
// their bytes or FLOPs stand below that.
import { drawingWidth, el, svg } from './dom.js';
import * as format from './format.js';

// FLOP/s that f FLOPs a byte can reach.
export const ceilingAt = (f, bandwidth, peak) => Math.min(peak, f * bandwidth);

export function levelsOf(calibration) {
	const v = calibration.vector_add_bytes_per_s;
	return [['L1', v.l1], ['L2', v.l2], ['L3', v.l3], ['memory', v.dram]].filter(([, rate]) => rate > 0);
}

export function pointsOf(report, detail) {
	return report.sections.map((s, i) => ({ name: s.name, work: s.work, seconds: s.total_s, ...detail.sections[i].roofline }))
		.filter((p) => p.share !== undefined);
}

const [LEFT, RIGHT, TOP, BOTTOM] = [92, 16, 16, 40];

function chart(levels, peak, points) {
	const W = drawingWidth();
	const H = Math.max(300, W / 2);
	const xs = points.map((p) => p.flops_a_byte);
	const low = Math.min(0.01, ...xs.map((x) => x / 3));
	const high = Math.max(100, ...xs.map((x) => x * 3));
	const top = peak * 2;
	const bottom = Math.min(ceilingAt(low, levels[levels.length - 1][1], peak), ...points.map((p) => p.rate)) / 3;
	const x = (f) => LEFT + (W - LEFT - RIGHT) * Math.log(f / low) / Math.log(high / low);
	const y = (r) => H - BOTTOM - (H - TOP - BOTTOM) * Math.log(r / bottom) / Math.log(top / bottom);
	const powers = (from, to) => {
		const all = [];
		for (let e = Math.ceil(Math.log10(from)); 10 ** e <= to; e++) all.push(10 ** e);
		return all;
	};
	return svg('svg', { viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': `Roofline: peak ${format.rate(peak, 'FLOP/s')}` },
		powers(low, high).map((f) => [svg('line', { class: 'grid', x1: x(f), x2: x(f), y1: TOP, y2: H - BOTTOM }),
			svg('text', { class: 'tick', x: x(f), y: H - BOTTOM + 16, 'text-anchor': 'middle' }, String(Number(f.toPrecision(1))))]),
		powers(bottom, top).map((r) => [svg('line', { class: 'grid', x1: LEFT, x2: W - RIGHT, y1: y(r), y2: y(r) }),
			svg('text', { class: 'tick', x: LEFT - 8, y: y(r) + 4, 'text-anchor': 'end' }, format.short(format.rate(r, 'FLOP/s')))]),
		svg('text', { class: 'tick', x: W - RIGHT, y: H - 6, 'text-anchor': 'end' }, 'FLOPs a byte'),
		levels.map(([name, rate], i) => {
			const knee = peak / rate;
			const isMemory = i === levels.length - 1;
			// Its name lies along it: above the upper two, below the others.
			const f = low * 1.25;
			const [at, to] = [[x(f), y(f * rate)], [x(f * 4), y(4 * f * rate)]];
			const angle = Math.atan2(to[1] - at[1], to[0] - at[0]) * 180 / Math.PI;
			return [svg('text', { class: 'roof-name', transform: `translate(${at[0].toFixed(1)} ${at[1].toFixed(1)}) rotate(${angle.toFixed(1)})`, y: i < levels.length / 2 ? -6 : 14 }, `${name} ${format.rate(rate, 'B/s')}`),
				svg('polyline', { class: isMemory ? 'roof' : 'roof faint', points: `${x(low)},${y(ceilingAt(low, rate, peak))} ${x(knee)},${y(peak)} ${x(high)},${y(peak)}` },
				svg('title', {}, `${name} ${format.rate(rate, 'B/s')}`))];
		}),
		svg('text', { class: 'roof-name', x: W - RIGHT, y: y(peak) - 6, 'text-anchor': 'end' }, `peak ${format.rate(peak, 'FLOP/s')}`),
		points.map((p) => svg('g', { class: 'point' }, svg('circle', { cx: x(p.flops_a_byte), cy: y(p.rate), r: 5 }),
			svg('text', { x: x(p.flops_a_byte) + 9, y: y(p.rate) + 4 }, p.name),
			svg('title', {}, `${p.name}: ${format.percent(p.share)} of the ceiling`))));
}

export function rooflineView(report, detail) {
	const { calibration } = report;
	const levels = levelsOf(calibration);
	const peak = calibration.fma_flops || calibration.matmul_flops;
	if (levels.length === 0 || !(peak > 0)) {
		return el('p', { class: 'nothing' }, 'This machine was not measured: the run was short, or calibration is off.');
	}
	const points = pointsOf(report, detail);
	const placed = points.filter((p) => p.flops_a_byte > 0 && p.rate > 0);
	return el('div', { class: 'roofline' },
		el('p', { class: 'note' }, `${detail.cpu_model}, ${calibration.isa}, one core`,
			calibration.core_hz ? ` at ${format.rate(calibration.core_hz, 'Hz')}` : ''),
		el('figure', {}, chart(levels, peak, placed),
			el('figcaption', {}, points.length === 0
				? 'No section counts its bytes or FLOPs (PERFSHIM_BYTES, PERFSHIM_FLOPS), so none stands below the roof.'
				: 'The roof is what one core was measured to reach; bytes may come from a cache, hence the fainter roofs.')),
		points.length > 0 && el('table', { class: 'plain', 'aria-label': 'Sections below their ceiling' },
			el('thead', {}, el('tr', {}, ['Section', 'Bytes', 'FLOPs', 'Of the ceiling', 'Bound by'].map((h, i) => el('th', { scope: 'col', class: i === 0 || i === 4 ? 'text' : 'figure' }, h)))),
			el('tbody', {}, points.map((p) => el('tr', {}, el('th', { scope: 'row', class: 'text' }, p.name),
				el('td', { class: 'figure' }, p.work.bytes > 0 ? format.rate(p.work.bytes / p.seconds, 'B/s') : '–'),
				el('td', { class: 'figure' }, p.work.flops > 0 ? format.rate(p.work.flops / p.seconds, 'FLOP/s') : '–'),
				el('td', { class: 'figure' }, format.percent(p.share, p.share < 0.1 ? 1 : 0)),
				el('td', { class: 'text' }, p.bound))))));
}
