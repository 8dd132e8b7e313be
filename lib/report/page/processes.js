// SPDX-License-Identifier: MIT
// processes: who started whom, when it ran, and what it took.
import { el } from './dom.js';
import * as format from './format.js';

// Depth of each row; an image of the same process (exec) stands beside the one
// before it.
export function depthsOf(rows) {
	const depths = [];
	rows.forEach((row, i) => {
		const parent = row.parent >= 0 && row.parent < i ? row.parent : -1;
		depths.push(parent < 0 ? 0 : depths[parent] + (rows[parent].pid === row.pid ? 0 : 1));
	});
	return depths;
}

// Children below their parents, in the order of their start.
export function inTreeOrder(rows) {
	const children = new Map();
	rows.forEach((row, i) => {
		const parent = row.parent < i ? row.parent : -1;
		children.set(parent, [...(children.get(parent) || []), i]);
	});
	const order = [];
	const stack = [...(children.get(-1) || [])].reverse();
	while (stack.length > 0) {
		const i = stack.pop();
		order.push(i);
		stack.push(...[...(children.get(i) || [])].reverse());
	}
	return order;
}

// Those too small for a recording of their own, by executable: greatest values.
function smallRows(small) {
	return small.map((g) => el('tr', { class: 'small' },
		el('th', { scope: 'row', class: 'text' }, g.exe.replace(/.*\//, ''), ' ', el('span', { class: 'muted' }, `×${g.processes}`)),
		el('td', { class: 'span-cell muted' }, 'too small for a recording'),
		el('td', { class: 'text', 'data-label': 'Ended' }, g.failed > 0 ? `${g.failed} failed` : 'exit 0'),
		el('td', { class: 'figure', 'data-label': 'Wall' }, format.time(g.wall_s)), el('td', { class: 'figure', 'data-label': 'Peak heap' }, format.bytes(g.peak_bytes)),
		el('td', { class: 'figure', 'data-label': 'Allocations' }, format.count(g.allocations)), el('td', { class: 'figure', 'data-label': 'Peak RSS' }, format.bytes(g.max_rss_bytes))));
}

export function processesView(doc) {
	const rows = doc.processes;
	const depths = depthsOf(rows);
	const begin = Math.min(...rows.map((r) => r.start));
	const end = Math.max(...rows.map((r) => r.start + (r.wall_s || 0)), begin + 1e-6);
	const share = (s) => `${100 * s / (end - begin)}%`;
	const order = inTreeOrder(rows);
	return el('div', {},
		el('table', { class: 'plain processes', 'aria-label': 'Processes' },
			el('thead', {}, el('tr', {}, ['Process', 'When', 'Ended', 'Wall', 'Peak heap', 'Allocations', 'Peak RSS'].map((h, i) => el('th', { scope: 'col', class: i < 3 ? 'text' : 'figure' }, h)))),
			el('tbody', {}, order.slice(0, 200).map((i) => {
				const row = rows[i];
				return el('tr', {},
					el('th', { scope: 'row', class: 'text' }, el('span', { class: 'indent', style: { 'padding-left': `${Math.min(depths[i], 8) * 1.1}rem` } },
						row.name, ' ', el('span', { class: 'muted' }, String(row.pid)))),
					el('td', { class: 'span-cell' }, el('span', { class: 'span', style: { 'margin-left': share(row.start - begin), width: share(Math.max(row.wall_s || 0, (end - begin) / 200)) } })),
					el('td', { class: 'text', 'data-label': 'Ended' }, row.end),
					el('td', { class: 'figure', 'data-label': 'Wall' }, format.time(row.wall_s)),
					el('td', { class: 'figure', 'data-label': 'Peak heap' }, format.bytes(row.peak_bytes)),
					el('td', { class: 'figure', 'data-label': 'Allocations' }, format.count(row.allocations)),
					el('td', { class: 'figure', 'data-label': 'Peak RSS' }, format.bytes(row.max_rss_bytes)));
			}), smallRows(doc.small))),
		doc.process_count > Math.min(order.length, 200) && el('p', { class: 'note' }, `${doc.process_count - Math.min(order.length, 200)} more processes.`));
}
