// SPDX-License-Identifier: MIT
// timeline: heap and resident memory over the run, with the peak, the alerts
// and the longest calls of sections.  uPlot draws the curves; below them each
// section has a lane of its own.
import uPlot from 'uplot';
import { el, replace, svg } from './dom.js';
import * as format from './format.js';
import { columnsOf, lanesOf, moved, within, zoomed } from './timeline_window.js';

export class Timeline {
	constructor({ report, detail, route }) {
		Object.assign(this, { report, detail, route });
		this.columns = columnsOf(report.heap.timeline);
		this.isEmpty = this.columns[0].length < 2;
		const ends = this.columns[0];
		this.range = [0, Math.max(ends[ends.length - 1] || 0, report.process.wall_s || 0, 1e-6)];
		this.lanes = lanesOf(report, detail);
		this.build();
	}

	build() {
		const step = (factor) => this.zoomTo(zoomed(this.now(), factor, this.range));
		const move = (share) => this.zoomTo(moved(this.now(), share, this.range));
		this.plotBox = el('div', {
			class: 'plot', tabindex: '0', role: 'img', 'aria-label': this.summary(),
			onkeydown: (event) => {
				const act = { '+': () => step(2), '=': () => step(2), '-': () => step(0.5), ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25), 0: () => this.zoomTo(this.range), Escape: () => this.zoomTo(this.range) }[event.key];
				if (act) { event.preventDefault(); act(); }
			},
		});
		this.laneBox = el('div', { class: 'lanes' });
		this.reading = el('p', { class: 'reading', 'aria-hidden': 'true' });
		this.resetButton = el('button', { type: 'button', onclick: () => this.zoomTo(this.range) }, 'Whole run');
		const button = (label, text, act) => el('button', { type: 'button', 'aria-label': label, title: label, onclick: act }, text);
		this.element = el('div', { class: 'timeline' },
			el('div', { class: 'controls' }, this.reading, el('span', { class: 'spring' }),
				button('Zoom in', '+', () => step(2)), button('Zoom out', '−', () => step(0.5)),
				button('Earlier', '←', () => move(-0.25)), button('Later', '→', () => move(0.25)), this.resetButton),
			this.plotBox, this.laneBox);
	}

	summary() {
		const { heap, process } = this.report;
		return `Heap over ${format.time(process.wall_s)}: ${heap.peak_at_s === null ? '' : `peak ${format.bytes(heap.peak_bytes)} at ${format.time(heap.peak_at_s)}, `}` +
			`${format.bytes(heap.live_bytes)} at the end. Drag to zoom, or use plus, minus and the arrow keys.`;
	}

	now() {
		return this.window || this.range;
	}

	restore() {
		const [from, to] = this.route.get('t', '').split('-').map(Number);
		this.window = to > from ? within([from, to], this.range) : this.range;
		this.draw();
	}

	zoomTo(window) {
		this.window = window;
		const isWhole = window[1] - window[0] >= (this.range[1] - this.range[0]) * 0.9999;
		this.route.set('timeline', 't', isWhole ? null : window.map((s) => Number(s.toPrecision(6))).join('-'));
		this.plot?.setScale('x', { min: window[0], max: window[1] });
		this.drawLanes();
	}

	draw() {
		if (this.isEmpty) {
			replace(this.plotBox, el('p', { class: 'nothing' }, 'The run was too short for a course over time.'));
			this.drawLanes();
			return;
		}
		this.plot?.destroy();
		const css = getComputedStyle(document.documentElement);
		const colour = (name) => css.getPropertyValue(name).trim();
		const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' };
		const width = Math.max(240, this.plotBox.clientWidth || 900);
		this.plot = new uPlot({
			width, height: width < 500 ? 200 : 280,
			legend: { show: false },
			padding: [18, 8, 0, 0],
			cursor: { drag: { x: true, y: false }, points: { size: 7 } },
			scales: { x: { time: false, range: (u, low, high) => [low, high] }, y: { range: (u, low, high) => [0, Math.max(high, 1) * 1.08] } },
			axes: [
				{ ...axis, values: (u, splits) => splits.map((s) => (s === 0 ? '0' : format.short(format.time(s)))), space: width < 500 ? 76 : 90, size: 30 },
				{ ...axis, splits: (u, i, low, high) => format.byteSteps(high), values: (u, splits) => splits.map((b) => (b === 0 ? '0' : format.short(format.bytes(b)))), size: 72 },
			],
			series: [
				{ label: 'time' },
				{ label: 'heap', stroke: colour('--accent'), fill: colour('--accent-soft'), width: 1.5, points: { show: false } },
				{ label: 'RSS', stroke: colour('--second'), width: 1.5, spanGaps: true, points: { show: false } },
			],
			hooks: {
				draw: [(u) => this.drawMarks(u, colour)],
				setCursor: [(u) => this.read(u.cursor.idx)],
				setSelect: [(u) => this.onSelect(u)],
			},
		}, this.columns, replace(this.plotBox));
		this.plot.over.addEventListener('dblclick', () => this.zoomTo(this.range));
		this.plot.setScale('x', { min: this.now()[0], max: this.now()[1] });
		this.read(null);
		this.drawLanes();
	}

	onSelect(u) {
		if (u.select.width < 4) return;
		const window = [u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')];
		u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
		this.zoomTo(within(window, this.range));
	}

	read(i) {
		const parts = [el('span', { class: 'key' }, el('i', { class: 'swatch', style: { background: 'var(--accent)' } }), 'heap'),
			this.columns[2].some((x) => x > 0) && el('span', { class: 'key' }, el('i', { class: 'swatch', style: { background: 'var(--second)' } }), 'resident')];
		if (i !== null && i !== undefined) {
			const rss = this.columns[2][i];
			parts.push(el('span', {}, `${format.time(this.columns[0][i])}: ${format.bytes(this.columns[1][i])}${rss ? `, ${format.bytes(rss)} resident` : ''}`));
		}
		replace(this.reading, parts);
	}

	// The peak and the alerts, over the curves.
	drawMarks(u, colour) {
		const ctx = u.ctx;
		const scale = devicePixelRatio || 1;
		const { left, top, width, height } = u.bbox;
		const mark = (at, text, stroke) => {
			const x = at === null ? NaN : u.valToPos(at, 'x', true);
			if (!(x >= left && x <= left + width)) return;
			ctx.save();
			ctx.strokeStyle = stroke;
			ctx.fillStyle = stroke;
			ctx.lineWidth = scale;
			ctx.setLineDash([4 * scale, 3 * scale]);
			ctx.beginPath();
			ctx.moveTo(x, top);
			ctx.lineTo(x, top + height);
			ctx.stroke();
			ctx.font = `${12 * scale}px system-ui, sans-serif`;
			ctx.textAlign = x > left + width * 0.7 ? 'right' : 'left';
			ctx.fillText(text, x + (ctx.textAlign === 'right' ? -5 : 5) * scale, top - 5 * scale);
			ctx.restore();
		};
		const { heap, alerts } = this.report;
		mark(heap.peak_at_s, `peak ${format.bytes(heap.peak_bytes)}`, colour('--text'));
		for (const alert of alerts) mark(alert.at_s, alerts.length > 3 ? '' : 'alert', colour('--warn'));
	}

	drawLanes() {
		const [from, to] = this.now();
		const x = (s) => 100 * (s - from) / (to - from);
		replace(this.laneBox, this.lanes.map((lane) => el('div', { class: 'lane' },
			el('span', { class: 'lane-name', title: lane.name }, lane.name),
			svg('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', role: 'img', 'aria-label': `${lane.calls.length} calls of ${lane.name}` },
				lane.calls.filter((c) => c.at + c.seconds >= from && c.at <= to).map((c) => svg('rect', {
					x: Math.max(0, x(c.at)), y: 1, height: 8, width: Math.max(0.3, Math.min(100, x(c.at + c.seconds)) - Math.max(0, x(c.at))),
				}, svg('title', {}, `${lane.name}: ${format.time(c.seconds)} at ${format.time(c.at)} in thread ${c.thread}`)))))),
		this.lanes.length > 0 ? el('p', { class: 'note' }, this.detail.events.length > 0
			? `The ${format.count(this.detail.events.length)} longest of ${format.count(this.detail.event_count)} calls that were kept.`
			: 'Of each section its slowest calls; a run with PERFSHIM_EVENTS has more.') : null);
	}
}
