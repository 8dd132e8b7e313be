// SPDX-License-Identifier: MIT
// sites: the allocation sites of the report as a table.
import { el } from './dom.js';
import * as format from './format.js';
import { Table } from './table.js';

// "function (module)" of the report, taken apart.
export function frameOf(text) {
	const match = /^(.*) \(([^()]*)\)$/s.exec(text);
	return match ? { name: match[1], module: match[2] } : { name: text, module: '' };
}

export function rowsOf(report, detail) {
	return report.heap.sites.map((site, i) => ({ ...site, ...detail.sites[i], frames: site.stack.map(frameOf) }));
}

const figure = (row, key, value, unit) => [el('span', { class: value > 0 ? null : 'muted' }, unit(value)), ' ', el('span', { class: 'error' }, format.error(value, row[`${key}_error`]))];

export function stackOf(frames, telling = 0) {
	if (frames.length === 0) return el('p', { class: 'nothing' }, 'No stack.');
	return el('ol', { class: 'stack' }, frames.map((frame, i) => el('li', { class: i < telling ? 'plumbing' : i === telling ? 'telling' : null },
		el('code', {}, frame.name), ' ', el('span', { class: 'muted' }, frame.module))));
}

export function sitesTable(report, detail, route) {
	const telling = (row) => row.frames[row.telling] || row.frames[0] || { name: '(no stack)', module: '' };
	const bytes = (key, field, label, hint) => ({ key, label, hint, of: (row) => row[field], cell: (row) => figure(row, key, row[field], format.bytes) });
	const counts = (key, field, label, hint) => ({ key, label, hint, of: (row) => row[field], cell: (row) => figure(row, key, row[field], format.count) });
	return new Table({
		view: 'sites', label: 'Allocation sites', noun: 'sites', route, rows: rowsOf(report, detail), sort: 'peak',
		columns: [
			{
				key: 'function', label: 'Function', isText: true, of: (row) => telling(row).name,
				cell: (row) => [el('code', {}, telling(row).name), el('span', { class: 'caller' }, row.frames[row.telling + 1] ? `← ${row.frames[row.telling + 1].name}` : telling(row).module)],
			},
			bytes('peak', 'peak_bytes', 'At peak', 'in use when the heap was at its peak'),
			bytes('allocated', 'bytes', 'Allocated', 'bytes allocated in all'),
			bytes('live', 'live_bytes', 'Live at exit', 'never freed'),
			counts('count', 'allocations', 'Count', 'number of allocations'),
			counts('temporary', 'temporary', 'Temporary', 'freed before the next allocation'),
		],
		words: (row) => row.stack.join(' ').toLowerCase(),
		open: (row) => stackOf(row.frames, row.telling),
	});
}
