// SPDX-License-Identifier: MIT
// sizes: allocations by size class, and how long freed blocks lived.
import { el } from './dom.js';
import * as format from './format.js';

// Bars with a label before and a figure behind.
function barList(label, rows) {
	const most = Math.max(...rows.map((row) => row.value), 1e-300);
	return el('table', { class: 'bars', 'aria-label': label }, el('tbody', {}, rows.map((row) => el('tr', {},
		el('th', { scope: 'row' }, row.name),
		el('td', { class: 'bar-cell' }, el('span', { class: 'bar', style: { width: `${Math.max(row.value > 0 ? 0.5 : 0, 100 * row.value / most)}%` } })),
		el('td', { class: 'figure' }, row.figure),
		el('td', { class: 'figure muted' }, row.second)))));
}

export function classRows(classes) {
	const all = classes.reduce((sum, c) => sum + c.allocations, 0);
	return classes.map((c) => ({
		name: c.block_bytes === null ? 'larger' : `to ${format.bytes(c.block_bytes)}`,
		value: c.allocations, figure: format.percent(c.allocations / all), second: `${format.count(c.allocations)}`,
	}));
}

export function lifetimeRows(lifetimes) {
	const all = lifetimes.reduce((sum, l) => sum + l.frees, 0);
	const first = lifetimes.findIndex((l) => l.frees > 0);
	const last = lifetimes.findLastIndex((l) => l.frees > 0);
	return lifetimes.slice(first, last + 1).map((l) => ({
		name: l.under_s === null ? 'longer' : `under ${format.time(l.under_s)}`,
		value: l.frees, figure: format.percent(l.frees / all), second: format.bytes(l.bytes),
	}));
}

export function sizesView(report, detail) {
	const classes = report.heap.size_classes;
	const hasLives = detail.lifetimes.some((l) => l.frees > 0);
	return el('div', { class: 'pair' },
		el('div', {}, el('h3', {}, 'By size of block'),
			classes.length > 0 ? barList('Allocations by size of block', classRows(classes)) : el('p', { class: 'nothing' }, 'Nothing was allocated.')),
		el('div', {}, el('h3', {}, 'How long freed blocks lived'),
			hasLives ? barList('Freed blocks by how long they lived', lifetimeRows(detail.lifetimes))
				: el('p', { class: 'nothing' }, 'No sampled block was freed.')));
}
