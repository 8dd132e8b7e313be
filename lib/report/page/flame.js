// SPDX-License-Identifier: MIT
// flame: the flame graph with its switches.  d3-flame-graph lays it out and
// draws it; what it leaves out is here: keys, the numbers, and colours that
// mean something (the module, or in a comparison the change).
import flamegraph from 'd3-flame-graph';
import { select } from 'd3-selection';
import { choice, el, replace } from './dom.js';
import * as format from './format.js';
import { KEYS, find, matched, modulesOf, sectionTree, treeOf } from './flame_tree.js';

const ROW = 20;
const COLOURS = 8;

// Red for more, blue for less, as deep as the change is a part of the whole.
export function changeColour(node) {
	const whole = Math.max(node.now, node.old, 1e-300);
	const part = Math.min(1, Math.abs(node.delta) / whole);
	if (Math.abs(node.delta) <= node.error || part < 0.005) return 'var(--flame-same)';
	const depth = Math.round(25 + 75 * Math.sqrt(part));
	return `color-mix(in srgb, var(--flame-${node.delta > 0 ? 'more' : 'less'}) ${depth}%, var(--flame-same))`;
}

const unitOf = (key) => (key === 'time' ? 'time' : KEYS.find(([name]) => name === key)[2]);

// Lines about a node.
export function describe(node, root, key) {
	const unit = format[unitOf(key)];
	const lines = [node.name];
	if (node.module && node.module !== 'section') lines.push(node.file ? `${node.file} in ${node.module}` : `in ${node.module}`);
	if ('old' in node) {
		lines.push(`${unit(node.old)} before, ${unit(node.now)} now`);
		lines.push(`${format.signed(node.delta, unit)} ${format.error(node.delta, node.error)}`.trim() +
			(Math.abs(node.delta) <= node.error ? ', within noise' : ''));
		return lines;
	}
	lines.push(`${unit(node.value)} ${format.error(node.value, node.error)}`.trim() +
		` · ${format.percent(root.value > 0 ? node.value / root.value : NaN, 1)} of all`);
	const own = node.value - node.children.reduce((sum, child) => sum + child.value, 0);
	if (node.children.length > 0 && own > 0) lines.push(`${unit(own)} of it by itself`);
	if (node.calls !== undefined) lines.push(`${format.count(node.calls)} calls`);
	return lines;
}

export class FlameView {
	// flame: columns; sections: section_tree; name: of the program.
	constructor({ flame, sections = [], name, route, isDiff = false }) {
		Object.assign(this, { flame, sections, name, route, isDiff });
		this.keys = KEYS.filter(([key]) => flame[key].length > 0 && (flame[key][0] > 0 || (isDiff && flame[`${key}_old`][0] > 0)));
		if (!isDiff && sections.length > 0) this.keys.push(['time', 'Section time', 'time', 'time in marked sections, by call path']);
		this.isEmpty = this.keys.length === 0;
		if (this.isEmpty) return;
		this.build();
	}

	build() {
		this.graph = el('div', {
			class: 'flame', tabindex: '0', role: 'group',
			'aria-label': 'Flame graph. Arrow keys move, Enter zooms, Escape resets.',
		});
		this.tip = el('div', { class: 'tip', hidden: true });
		this.status = el('p', { class: 'flame-status', role: 'status', 'aria-live': 'polite' });
		this.legend = el('p', { class: 'legend' });
		this.search = el('input', {
			type: 'search', placeholder: 'Search functions', 'aria-label': 'Search functions',
			oninput: () => this.setSearch(this.search.value),
		});
		this.resetButton = el('button', { type: 'button', class: 'flame-reset', onclick: () => this.reset() }, 'Reset zoom');
		this.keyChoice = choice('Value', this.keys.map(([key, label, , hint]) => [key, label, hint]), '', (key) => {
			this.zoomed = 0;
			this.route.set('flame', 'zoom', null);
			this.route.set('flame', 'by', key);
			this.show();
		});
		this.sideChoice = this.isDiff && choice('Width', [['new', 'Widths of new'], ['old', 'Widths of old']], 'new', (side) => {
			this.route.set('flame', 'side', side === 'new' ? null : side);
			this.show();
		});
		this.element = el('div', { class: 'flame-view' },
			el('div', { class: 'controls' }, this.keyChoice, this.sideChoice, el('span', { class: 'spring' }), this.search, this.resetButton),
			this.legend, this.graph, this.tip, this.status);
		this.graph.addEventListener('keydown', (event) => this.onKey(event));
		this.graph.addEventListener('blur', () => this.tip.setAttribute('hidden', ''));
	}

	// From the address; once the element is in the page.
	restore() {
		if (this.isEmpty) return;
		this.search.value = this.route.get('q', '');
		this.zoomed = Number(this.route.get('zoom', 0)) || 0;
		this.show();
	}

	show() {
		const wanted = this.route.get('by', this.keys[0][0]);
		this.key = this.keys.some(([key]) => key === wanted) ? wanted : this.keys[0][0];
		this.side = this.route.get('side', 'new') === 'old' ? 'old' : 'new';
		this.keyChoice.choose(this.key);
		if (this.sideChoice) this.sideChoice.choose(this.side);
		this.root = this.key === 'time' ? sectionTree(this.sections, this.name)
			: treeOf(this.flame, this.key, this.name, this.side);
		this.colours = new Map(modulesOf(this.root).map((module, i) => [module, Math.min(i, COLOURS - 1)]));
		this.current = this.root;
		this.draw();
		this.showLegend();
	}

	draw() {
		const isQuiet = matchMedia('(prefers-reduced-motion: reduce)').matches;
		const tip = () => {};
		tip.show = (event, d) => this.showTip(event, d.data);
		tip.hide = () => this.tip.setAttribute('hidden', '');
		this.graph.replaceChildren();
		this.chart = flamegraph().width(this.width()).cellHeight(ROW).inverted(true).minFrameSize(1)
			.transitionDuration(isQuiet ? 0 : 150).resetHeightOnZoom(true).tooltip(tip)
			.setColorMapper((d) => this.colourOf(d)).setSearchMatch((d, term) => d.data.name.toLowerCase().includes(term))
			.setSearchHandler(() => {}).setDetailsHandler(() => {})
			.onClick((d) => this.onZoom(d));
		select(this.graph).datum(this.root).call(this.chart);
		if (this.zoomed && find(this.root, this.zoomed)) this.zoomTo(this.zoomed);
		this.setSearch(this.search.value, true);
	}

	width() {
		return Math.max(240, this.graph.clientWidth || 960);
	}

	resize() {
		if (this.isEmpty || !this.chart || this.chart.width() === this.width()) return;
		this.chart.width(this.width()).update();
	}

	colourOf(d) {
		if (d.highlight) return 'var(--flame-found)';
		if (this.isDiff) return changeColour(d.data);
		if (d.data.i === 0) return 'var(--flame-root)';
		return `var(--flame-${this.colours.get(d.data.module) ?? COLOURS - 1})`;
	}

	showLegend() {
		if (this.isDiff) {
			replace(this.legend, swatch('var(--flame-more)'), 'more than before ', swatch('var(--flame-less)'), 'less ',
				swatch('var(--flame-same)'), 'the same, or within noise');
			return;
		}
		const modules = [...this.colours].filter(([, colour]) => colour < COLOURS - 1);
		replace(this.legend, this.key === 'time' ? [] : modules.map(([name, colour]) => el('span', { class: 'key' }, swatch(`var(--flame-${colour})`), name)),
			this.colours.size > modules.length ? el('span', { class: 'key' }, swatch(`var(--flame-${COLOURS - 1})`), 'others') : null);
	}

	datum(node) {
		let found = null;
		select(this.graph).select('svg').selectAll('g').each((d) => { if (d.data === node) found = d; });
		return found || select(this.graph).datum().descendants().find((d) => d.data === node);
	}

	zoomTo(i) {
		const node = find(this.root, i);
		if (node) this.chart.zoomTo(this.datum(node));
	}

	onZoom(d) {
		this.zoomed = d.data.i;
		this.current = d.data;
		this.route.set('flame', 'zoom', this.zoomed || null);
		this.say();
	}

	reset() {
		this.chart.resetZoom();
		this.current = this.root;
		this.say();
	}

	setSearch(text, isRestored = false) {
		const term = text.trim().toLowerCase();
		if (!isRestored) this.route.set('flame', 'q', text.trim());
		this.found = term ? matched(this.root, (node) => node.name.toLowerCase().includes(term)) : null;
		if (term) this.chart.search(term);
		else this.chart.clear();
		this.say();
	}

	// The line below the graph.
	say() {
		const parts = [];
		if (this.found !== null) parts.push(`${format.percent(this.root.value > 0 ? this.found / this.root.value : 0, 1)} of all in functions named so`);
		parts.push(describe(this.current, this.root, this.key).join(' · '));
		replace(this.status, parts.join(' — '));
	}

	showTip(event, node) {
		const box = this.element.getBoundingClientRect();
		replace(this.tip, describe(node, this.root, this.key).map((line, i) => el(i === 0 ? 'strong' : 'span', {}, line)));
		this.tip.removeAttribute('hidden');
		const x = Math.min(event.clientX - box.left + 14, box.width - this.tip.offsetWidth - 4);
		this.tip.style.left = `${Math.max(4, x)}px`;
		this.tip.style.top = `${event.clientY - box.top + 18}px`;
	}

	onKey(event) {
		const parent = this.parentOf(this.current);
		const siblings = parent ? parent.children : [this.root];
		const at = siblings.indexOf(this.current);
		const next = {
			ArrowUp: parent, ArrowDown: this.current.children[0], ArrowLeft: siblings[at - 1], ArrowRight: siblings[at + 1],
			Home: this.root,
		}[event.key];
		if (event.key === 'Enter' || event.key === ' ') this.zoomTo(this.current.i);
		else if (event.key === 'Escape') this.reset();
		else if (!next) return;
		event.preventDefault();
		if (next) this.current = next;
		this.mark();
		this.say();
	}

	parentOf(node) {
		return this.datum(node)?.parent?.data;
	}

	mark() {
		select(this.graph).selectAll('g').classed('current', (d) => d.data === this.current)
			.filter((d) => d.data === this.current).each(function scroll() {
				this.scrollIntoView({ block: 'nearest', inline: 'nearest' });
			});
	}
}

const swatch = (colour) => el('i', { class: 'swatch', style: { background: colour } });
