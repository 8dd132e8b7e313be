// SPDX-License-Identifier: MIT
// changes: what a comparison found, totals first, then the stacks.
import { el } from './dom.js';
import * as format from './format.js';
import { KEYS } from './flame_tree.js';
import { Table } from './table.js';

// [name, old, new, format] of two reports.
export function totalsOf(now, before) {
	return [
		['Allocations', before.heap.allocations, now.heap.allocations, format.count],
		['Requested', before.heap.requested_bytes, now.heap.requested_bytes, format.bytes],
		['Peak heap', before.heap.peak_bytes, now.heap.peak_bytes, format.bytes],
		['Live at the end', before.heap.live_bytes, now.heap.live_bytes, format.bytes],
		['Peak RSS', before.process.max_rss_bytes, now.process.max_rss_bytes, format.bytes],
		['Wall time', before.process.wall_s, now.process.wall_s, format.time],
	];
}

export function changeOf(before, now) {
	if (!format.isNumber(before) || !format.isNumber(now)) return 'unknown';
	if (!(before > 0)) return '';
	const share = (now - before) / before;
	return `${share < 0 ? '−' : '+'}${format.percent(Math.abs(share), Math.abs(share) < 0.1 ? 1 : 0)}`;
}

// Plain sentences about the whole.
export function verdictOf(now, before, diff) {
	const greatest = (key) => [...diff.changes].filter((c) => c[key][3])
		.sort((a, b) => Math.abs(b[key][1] - b[key][0]) - Math.abs(a[key][1] - a[key][0]))[0];
	const lines = [];
	const [a, b] = [before.heap.peak_bytes, now.heap.peak_bytes];
	lines.push({ about: 'memory', text: `The peak of the heap went from ${format.bytes(a)} to ${format.bytes(b)}${a > 0 ? ` (${changeOf(a, b)})` : ''}.` });
	const peak = greatest('peak');
	if (peak) lines.push({ about: 'memory', text: `Most of that is ${peak.stack[0]}: ${format.signed(peak.peak[1] - peak.peak[0], format.bytes)} ${format.error(peak.peak[1] - peak.peak[0], peak.peak[2])}`.trim() + '.' });
	const [s, t] = [before.process.wall_s, now.process.wall_s];
	lines.push({ about: 'time', text: `It ran for ${format.time(t)}, before for ${format.time(s)}; one run of each says little about time (perfwrap.sh --vs compares many).` });
	const live = greatest('live');
	const first = live && live.live[1] > live.live[0] ? `Look first at ${live.stack[0]}: it keeps ${format.signed(live.live[1] - live.live[0], format.bytes)} more until the end.`
		: peak ? `Look first at ${peak.stack[0]}.` : 'No stack changed by more than noise.';
	lines.push({ about: 'first', text: first });
	lines.push({ about: 'uncertain', text: `${diff.sure} of ${diff.stacks} stacks changed by more than chance would show in 19 of 20 such comparisons.` });
	return lines;
}

export function totalsView(now, before) {
	return el('table', { class: 'plain', 'aria-label': 'Totals' },
		el('thead', {}, el('tr', {}, ['', 'Old', 'New', 'Change'].map((h, i) => (h ? el('th', { scope: 'col', class: i === 0 ? 'text' : 'figure' }, h) : el('td'))))),
		el('tbody', {}, totalsOf(now, before).map(([name, a, b, unit]) => el('tr', {}, el('th', { scope: 'row', class: 'text' }, name),
			el('td', { class: 'figure' }, unit(a)), el('td', { class: 'figure' }, unit(b)), el('td', { class: 'figure' }, changeOf(a, b))))));
}

export function changesTable(diff, route) {
	return new Table({
		view: 'changes', label: 'Stacks that changed', noun: 'stacks', route, rows: diff.changes, sort: 'peak',
		columns: [
			{ key: 'function', label: 'Function', isText: true, of: (row) => row.stack[0], cell: (row) => [el('code', {}, row.stack[0]), row.stack[1] && el('span', { class: 'caller' }, `← ${row.stack[1]}`)] },
			...KEYS.map(([key, label, unit, hint]) => ({
				key, label, hint, of: (row) => Math.abs(row[key][1] - row[key][0]),
				cell: (row) => {
					const delta = row[key][1] - row[key][0];
					if (delta === 0) return '–';
					return el('span', { class: row[key][3] ? (delta > 0 ? 'more' : 'less') : 'noise' }, format.signed(delta, format[unit]), ' ', el('span', { class: 'error' }, format.error(delta, row[key][2])));
				},
			})),
		],
		words: (row) => row.stack.join(' ').toLowerCase(),
		open: (row) => [el('dl', { class: 'facts' }, KEYS.map(([key, label, unit]) => el('div', {}, el('dt', {}, label),
			el('dd', {}, `${format[unit](row[key][0])} → ${format[unit](row[key][1])}${row[key][3] || row[key][0] === row[key][1] ? '' : ', within noise'}`)))),
		el('ol', { class: 'stack' }, row.stack.map((name) => el('li', {}, el('code', {}, name))))],
	});
}
