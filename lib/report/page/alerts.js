// SPDX-License-Identifier: MIT
// alerts: the rules that came true, each with the heap's stacks of the moment.
import { el } from './dom.js';
import * as format from './format.js';
import { frameOf, stackOf } from './sites.js';

export function valueOf(value, unit) {
	switch (unit) {
	case 'bytes': return format.bytes(value);
	case 'bytes_per_second': return `${format.bytes(value)}/s`;
	case 'seconds': return format.time(value);
	case 'fraction': return format.percent(value, 1);
	case 'per_second': return `${format.count(value)}/s`;
	default: return format.count(value);
	}
}

export function alertsView(alerts) {
	return el('ul', { class: 'alerts' }, alerts.map((a) => el('li', { class: a.severity },
		el('p', {}, el('strong', {}, a.rule), ` ${a.severity}, at ${format.time(a.at_s)}: ${valueOf(a.value, a.unit)}, threshold ${valueOf(a.threshold, a.unit)}` +
			`${a.section ? `, in ${a.section}` : ''}${a.replaced ? `; ${a.replaced} before it` : ''}`),
		a.sites.length > 0 && el('details', {}, el('summary', {}, `The heap then: ${format.bytes(a.heap_bytes)}`),
			a.sites.map((site) => el('div', {}, el('p', {}, `${format.bytes(site.live_bytes)} in ${format.count(site.live_blocks)} blocks`),
				stackOf((site.stack || []).map(frameOf))))))));
}
