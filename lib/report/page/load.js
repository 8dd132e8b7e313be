// SPDX-License-Identifier: MIT
// load: the latencies of a load test as a curve over percentiles, and second by
// second.
import uPlot from 'uplot';
import { drawingWidth, el, replace, svg } from './dom.js';
import * as format from './format.js';
import { NAMED, curveOf } from './load_curve.js';

export function verdictOf(load) {
	const l = load.corrected || load.service;
	const lines = [{ about: 'time', text: `${format.count(load.done)} steps in ${format.time(load.wall)}, ${format.rate(load.per_second, '/s')} by ${load.workers} worker${load.workers === 1 ? '' : 's'}: half of them took ${format.time(l.p50)} or less, one in a hundred ${format.time(l.p99)} or more.` }];
	const share = load.errors / Math.max(1, load.done);
	if (load.errors > 0) lines.push({ about: 'first', text: `Look first at the errors: ${format.count(load.errors)} steps failed (${format.percent(share, 1)}).` });
	else if (l.p99 > 20 * l.p50) lines.push({ about: 'first', text: `Look first at the slow steps: one in a hundred takes ${Math.round(l.p99 / l.p50)} times as long as half of them.` });
	else lines.push({ about: 'first', text: 'Nothing stands out.' });
	lines.push({
		about: 'uncertain', text: load.corrected
			? `Steps came at a fixed rate (${format.count(load.rate)}/s) and are timed from when they were due, so that pauses count; ${format.count(load.late)} began late, ${format.count(load.dropped)} were never begun.`
			: 'The loop was closed: a worker waits for each answer, so pauses hide (--rate opens it).',
	});
	if (load.was_stopped) lines.push({ about: 'uncertain', text: 'The test was stopped before its time.' });
	return lines;
}

function curve(lines) {
	const [W, H, left, right, top, bottom] = [drawingWidth(), 300, 72, 16, 16, 40];
	const most = Math.max(...lines.flatMap((l) => l.points.map(([, s]) => s)));
	const least = Math.min(...lines.flatMap((l) => l.points.map(([, s]) => s).filter((s) => s > 0)));
	const nines = Math.max(2, ...lines.flatMap((l) => l.points.map(([q]) => (q < 1 ? -Math.log10(1 - q) : 0))));
	const x = (q) => left + (W - left - right) * (q >= 1 ? nines : -Math.log10(1 - q)) / nines;
	const isWide = most / least > 30;
	const y = (s) => H - bottom - (H - top - bottom) * (isWide ? Math.log(Math.max(s, least) / least) / Math.log(most / least) : s / most);
	const ticks = isWide ? Array.from({ length: 12 }, (_, e) => 10 ** (e - 9)).filter((s) => s >= least && s <= most) : [0.25, 0.5, 0.75, 1].map((t) => t * most);
	return svg('svg', { viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': 'Latency by percentile' },
		ticks.map((s) => [svg('line', { class: 'grid', x1: left, x2: W - right, y1: y(s), y2: y(s) }), svg('text', { class: 'tick', x: left - 8, y: y(s) + 4, 'text-anchor': 'end' }, format.time(s))]),
		[0, 0.9, 0.99, 0.999, 0.9999, 0.99999].filter((q) => -Math.log10(1 - q) <= nines + 1e-9).map((q) => [svg('line', { class: 'grid', x1: x(q), x2: x(q), y1: top, y2: H - bottom }),
			svg('text', { class: 'tick', x: x(q), y: H - bottom + 18, 'text-anchor': 'middle' }, `${Number((100 * q).toPrecision(7))} %`)]),
		lines.map((l) => svg('polyline', { class: `curve ${l.name}`, points: l.points.map(([q, s]) => `${x(q).toFixed(1)},${y(s).toFixed(1)}`).join(' ') })));
}

const key = (name, text) => el('span', { class: 'key' }, el('i', { class: 'swatch', style: { background: name === 'corrected' ? 'var(--accent)' : 'var(--second)' } }), text);

export function loadView(load) {
	const lines = [['corrected', load.corrected, 'from when a step was due'], ['service', load.service, 'from when it was begun']].filter(([, l]) => l)
		.map(([name, l, text]) => ({ name, text, latency: l, points: curveOf(l) })).filter((l) => l.points.length > 0);
	if (lines.length === 0) return el('p', { class: 'nothing' }, 'No step was completed.');
	return el('div', {},
		el('p', { class: 'legend' }, lines.map((l) => key(l.name, l.text))),
		el('figure', {}, curve(lines), el('figcaption', {}, 'Each step to the right is ten times rarer.')),
		el('table', { class: 'plain', 'aria-label': 'Latencies' },
			el('thead', {}, el('tr', {}, el('td'), [...NAMED.map(([name]) => name), 'max', 'mean'].map((h) => el('th', { scope: 'col', class: 'figure' }, h)))),
			el('tbody', {}, lines.map((l) => el('tr', {}, el('th', { scope: 'row', class: 'text' }, l.name === 'corrected' ? 'Corrected' : 'Service'),
				[...NAMED.map(([name]) => name), 'max', 'mean'].map((name) => el('td', { class: 'figure', 'data-label': name }, format.time(l.latency[name]))))))));
}

// p50, p99 and maximum over the test.
export class LoadTimeline {
	constructor(load) {
		this.seconds = Array.isArray(load.seconds) ? load.seconds : [];
		this.isEmpty = this.seconds.length < 2;
		this.box = el('div', { class: 'plot', role: 'img', 'aria-label': 'Latency over the test' });
		this.element = el('div', {}, el('p', { class: 'legend' }, key('corrected', 'median'), key('service', 'p99')), this.box);
	}

	draw() {
		if (this.isEmpty) {
			replace(this.box, el('p', { class: 'nothing' }, 'The test was too short for a course over time.'));
			return;
		}
		this.plot?.destroy();
		const css = getComputedStyle(document.documentElement);
		const colour = (name) => css.getPropertyValue(name).trim();
		const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' };
		this.plot = new uPlot({
			width: Math.max(240, this.box.clientWidth || 900), height: 220, legend: { show: false }, scales: { x: { time: false } },
			axes: [{ ...axis, values: (u, s) => s.map((v) => (v === 0 ? '0' : format.short(format.time(v)))), space: 80, size: 30 }, { ...axis, values: (u, s) => s.map((v) => (v === 0 ? '0' : format.short(format.time(v)))), size: 72 }],
			series: [{}, { stroke: colour('--accent'), width: 1.5 }, { stroke: colour('--second'), width: 1.5 }],
		}, [this.seconds.map((s) => s.at), this.seconds.map((s) => s.p50), this.seconds.map((s) => s.p99)], replace(this.box));
	}
}
