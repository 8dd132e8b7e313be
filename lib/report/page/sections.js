// SPDX-License-Identifier: MIT
// sections: the marked sections as a table, each with its histogram.
import { el } from './dom.js';
import * as format from './format.js';
import * as histogram from './histogram.js';
import { Table } from './table.js';

const known = (value, text) => (format.isNumber(value) ? text(value) : null);

// [name, value] pairs of what an opened row tells.
export function factsOf(row) {
	const approximately = row.is_usage_sampled ? '≈ ' : '';
	return [
		['Minimum', format.time(row.min_s)], ['Maximum', format.time(row.max_s)], ['Deviation', format.time(row.stddev_s)],
		['Threads', format.count(row.threads)],
		['Allocations', `${format.count(row.allocations)} (${format.bytes(row.bytes)})`],
		['CPU time', known(row.cpu_s, (x) => approximately + format.time(x))],
		['Heap growth', known(row.live_growth_bytes, (x) => approximately + format.signed(x, format.bytes))],
		['Page faults', known(row.minor_faults, (x) => `${approximately}${format.count(x)} minor, ${format.count(row.major_faults)} major`)],
		['Waits', known(row.waits, (x) => approximately + format.count(x))],
		['Preemptions', known(row.preemptions, (x) => approximately + format.count(x))],
		['Bytes', row.work.bytes > 0 ? `${format.bytes(row.work.bytes)}, ${format.rate(row.work.bytes / row.total_s, 'B/s')}` : null],
		['Items', row.work.items > 0 ? `${format.count(row.work.items)}, ${format.rate(row.work.items / row.total_s, '/s')}` : null],
		['FLOPs', row.work.flops > 0 ? `${format.count(row.work.flops)}, ${format.rate(row.work.flops / row.total_s, 'FLOP/s')}` : null],
		['Marked at', row.file ? `${row.file}:${row.line}` : null],
	].filter(([, text]) => text !== null);
}

function opened(row) {
	return [
		row.histogram.length > 0 && histogram.large(row.histogram, [['median', row.p50_s], ['p90', row.p90_s], ['p99', row.p99_s], ['max', row.max_s]]),
		el('dl', { class: 'facts' }, factsOf(row).map(([name, text]) => el('div', {}, el('dt', {}, name), el('dd', {}, text)))),
		row.slowest.length > 0 && el('table', { class: 'plain', 'aria-label': `Slowest calls of ${row.name}` },
			el('thead', {}, el('tr', {}, ['Slowest calls', 'at', 'thread', 'within'].map((h, i) => el('th', { scope: 'col', class: i === 3 ? 'text' : 'figure' }, h)))),
			el('tbody', {}, row.slowest.map((call) => el('tr', {}, el('td', { class: 'figure' }, format.time(call.seconds)),
				el('td', { class: 'figure' }, format.time(call.at_s)), el('td', { class: 'figure' }, String(call.thread)), el('td', { class: 'text' }, call.parent || '–'))))),
	];
}

export function sectionsTable(report, detail, route) {
	const rows = report.sections.map((section, i) => ({ ...section, ...detail.sections[i] }));
	const range = histogram.rangeOf(rows.map((row) => row.histogram));
	const time = (key, field, label, hint) => ({ key, label, hint, of: (row) => row[field], text: (row) => format.time(row[field]) });
	return new Table({
		view: 'sections', label: 'Sections', noun: 'sections', route, rows, sort: 'self',
		columns: [
			{ key: 'name', label: 'Section', isText: true, of: (row) => row.name, cell: (row) => el('code', {}, row.name) },
			{
				key: 'calls-by-time', label: 'Distribution', hint: 'calls by how long they took, one axis for all', of: (row) => row.p50_s,
				cell: (row, open) => row.histogram.length > 0 && el('button', { type: 'button', class: 'spark-button', 'aria-label': `Distribution of ${row.name}, large`, onclick: open },
					histogram.small(row.histogram, range, `${format.count(row.calls)} calls, median ${format.time(row.p50_s)}`)),
			},
			{ key: 'calls', label: 'Calls', of: (row) => row.calls, text: (row) => format.count(row.calls) },
			time('total', 'total_s', 'Total', 'what lies inside counts'),
			{ key: 'self', label: 'Self', hint: 'without the sections inside', of: (row) => row.self_s, text: (row) => `${format.time(row.self_s)}${row.is_self_doubtful ? ' ?' : ''}` },
			time('mean', 'mean_s', 'Mean'), time('p50', 'p50_s', 'Median'), time('p99', 'p99_s', 'p99', 'one call in a hundred took longer'),
		],
		words: (row) => `${row.name} ${row.file}`.toLowerCase(),
		open: opened,
	});
}
