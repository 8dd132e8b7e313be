// SPDX-License-Identifier: MIT
// main: puts the page together from its data.
//
// A view is {id, title, note, element, restore(), resize()}; it takes its state
// from the address and keeps it there.  Everything is drawn from the data that
// stands in the page; nothing is ever asked for.
import 'uplot/dist/uPlot.min.css';
import { alertsView } from './alerts.js';
import * as benchmark from './benchmark.js';
import * as changes from './changes.js';
import { choice, el, replace } from './dom.js';
import { FlameView } from './flame.js';
import * as format from './format.js';
import * as load from './load.js';
import { processesView } from './processes.js';
import { rooflineView } from './roofline.js';
import { Route } from './route.js';
import { sectionsTable } from './sections.js';
import { sitesTable } from './sites.js';
import { sizesView } from './sizes.js';
import { Timeline } from './timeline.js';
import { trustView } from './trust.js';
import './style.css'; // after those of the packages

const ABOUT = { memory: 'Memory', time: 'Time', first: 'Look first', uncertain: 'Uncertain' };

function verdictView(lines) {
	const about = [...new Set(lines.map((line) => line.about))];
	return el('dl', { class: 'verdict' }, about.map((name) => el('div', { class: name }, el('dt', {}, ABOUT[name] || name),
		lines.filter((line) => line.about === name).map((line) => el('dd', {}, format.typographic(line.text))))));
}

const tile = (name, value, note) => el('div', { class: 'tile' }, el('dt', {}, name), el('dd', {}, value), note && el('dd', { class: 'muted' }, note));

function endOf(exit) {
	if (exit.kind === 'running') return 'still running';
	if (exit.kind === 'signal') return `killed by signal ${exit.code}`;
	if (exit.kind === 'exit') return exit.code === null ? 'exited' : `exit ${exit.code}`;
	return 'ended without a word';
}

// Of several processes peaks are added up, and the greatest RSS of one is told.
function tilesOf({ report, processes }) {
	const { process, heap } = report;
	const outside = process.max_rss_bytes > heap.peak_bytes ? `${format.bytes(process.max_rss_bytes - heap.peak_bytes)} outside malloc` : null;
	return el('dl', { class: 'tiles' },
		tile('Peak heap', format.bytes(heap.peak_bytes), processes > 1 ? 'peaks added up' : `at ${format.time(heap.peak_at_s)}`),
		tile('Live at exit', format.bytes(heap.live_bytes), `${format.count(heap.live_blocks)} blocks`),
		tile('Allocations', format.count(heap.allocations), format.bytes(heap.requested_bytes)),
		tile('Peak RSS', format.bytes(process.max_rss_bytes), processes > 1 ? 'of the greatest' : outside),
		tile('Wall time', format.time(process.wall_s), `${format.time((process.user_s ?? NaN) + (process.sys_s ?? NaN))} CPU`),
		tile('Threads', format.count(process.threads), null));
}

const plain = (id, title, element, note) => ({ id, title, element, note, restore() {}, resize() {} });
const living = (id, title, thing, note) => ({ id, title, element: thing.element, note, restore: () => thing.restore?.(), resize: () => (thing.resize || thing.draw)?.call(thing) });

function flameView(options, note) {
	const view = new FlameView(options);
	if (view.isEmpty) return plain('flame', 'Flame graph', el('p', { class: 'nothing' }, 'No allocation was sampled and no section is marked.'));
	return living('flame', 'Flame graph', view, note);
}

const leftOut = (flame) => (flame.left_out > 0
	? `${format.count(flame.left_out)} frames below ${format.percent(flame.least_share, 3)} are drawn as part of their callers.` : null);

function programViews(doc, program, route) {
	const { report, detail } = program;
	const views = [
		plain('summary', 'Summary', el('div', {}, verdictView(detail.verdict), tilesOf(program))),
		living('timeline', 'Memory over time', new Timeline({ report, detail, route })),
		flameView({ flame: detail.flame, sections: report.section_tree, name: program.name, route }, leftOut(detail.flame)),
	];
	if (report.alerts.length > 0) views.splice(2, 0, plain('alerts', 'Alerts', alertsView(report.alerts)));
	if (report.heap.sites.length > 0) {
		views.push(living('sites', 'Allocation sites', sitesTable(report, detail, route),
			detail.site_count > report.heap.sites.length ? `The ${report.heap.sites.length} with most bytes of ${format.count(detail.site_count)}.` : null));
	}
	if (report.sections.length > 0) views.push(living('sections', 'Sections', sectionsTable(report, detail, route)));
	views.push(plain('sizes', 'Sizes and lifetimes', sizesView(report, detail)));
	views.push(plain('machine', 'Machine', rooflineView(report, detail)));
	if (doc.kind === 'recording' && doc.process_count + doc.small.length > 1) views.push(plain('processes', 'Processes', processesView(doc)));
	views.push(plain('trust', 'How far to trust this', trustView(report, detail)));
	return views;
}

function diffViews(doc, route) {
	const [now, before] = doc.programs;
	const views = [
		plain('summary', 'Summary', el('div', {}, verdictView(changes.verdictOf(now.report, before.report, doc.diff)), changes.totalsView(now.report, before.report))),
		living('timeline', 'Memory over time, new', new Timeline({ report: now.report, detail: now.detail, route })),
		flameView({ flame: doc.diff.flame, name: now.name, route, isDiff: true }, leftOut(doc.diff.flame)),
	];
	if (doc.diff.changes.length > 0) {
		views.push(living('changes', 'Stacks that changed', changes.changesTable(doc.diff, route),
			doc.diff.sure > doc.diff.changes.length ? `The first ${doc.diff.changes.length} of ${doc.diff.sure}.` : null));
	}
	views.push(plain('trust', 'How far to trust this', el('div', {}, el('h3', {}, 'New'), trustView(now.report, now.detail), el('h3', {}, 'Old'), trustView(before.report, before.detail))));
	return views;
}

const machineOf = (saved) => el('dl', { class: 'trust' }, benchmark.conditionsOf(saved.perfshim || {}).map(([name, text]) => [el('dt', {}, name), el('dd', {}, text)]));

function benchmarkViews(doc, route) {
	const { saved } = doc;
	const views = [
		plain('summary', 'Summary', verdictView(benchmark.verdictOf(saved))),
		plain('samples', 'Every run', benchmark.benchmarkView(saved, route)),
	];
	if (benchmark.comparisonsOf(saved).length > 0) views.splice(1, 0, plain('comparisons', 'Comparison', benchmark.comparisonsView(saved)));
	views.push(plain('trust', 'How it was measured', machineOf(saved)));
	return views;
}

function loadViews(doc) {
	const { load: test } = doc.saved;
	const l = test.corrected || test.service;
	return [
		plain('summary', 'Summary', el('div', {}, verdictView(load.verdictOf(test)), el('dl', { class: 'tiles' },
			tile('Median', format.time(l.p50), null), tile('p99', format.time(l.p99), null), tile('Slowest', format.time(l.max), null),
			tile('Throughput', format.rate(test.per_second, '/s'), null), tile('Errors', format.count(test.errors), format.percent(test.errors / Math.max(1, test.done), 2)),
			tile('Workers', format.count(test.workers), null)))),
		plain('percentiles', 'Latency by percentile', load.loadView(test)),
		living('course', 'Over the test', Object.assign(new load.LoadTimeline(test), { restore() { this.draw(); } })),
		plain('trust', 'How it was measured', machineOf(doc.saved)),
	];
}

// ---- the frame around the views ----

// Follows the system until one is chosen; a file may not keep it.
function themeSwitch(redraw) {
	const system = matchMedia('(prefers-color-scheme: dark)');
	const isDark = () => (document.documentElement.dataset.theme || (system.matches ? 'dark' : 'light')) === 'dark';
	const button = el('button', { type: 'button', class: 'theme', onclick: () => { document.documentElement.dataset.theme = isDark() ? 'light' : 'dark'; show(); } });
	function show() {
		replace(button, isDark() ? 'Light' : 'Dark');
		button.setAttribute('aria-label', isDark() ? 'Light colours' : 'Dark colours');
		redraw();
	}
	system.addEventListener('change', show);
	return { button, show };
}

const whoOf = (program) => (program.processes > 1 ? `${program.processes} processes` : `pid ${program.pids[0]}`);

function titleOf(doc, program) {
	if (doc.kind === 'benchmark') return [doc.saved.results.length > 1 ? 'Comparison' : 'Benchmark', `${doc.saved.results.length} command${doc.saved.results.length > 1 ? 's' : ''}`];
	if (doc.kind === 'load') return ['Load test', doc.saved.perfshim?.cpu || ''];
	if (doc.kind === 'diff') return [program.name, `${whoOf(doc.programs[1])} → ${whoOf(doc.programs[0])}, what changed`];
	const { process } = program.report;
	const when = new Date(process.start * 1000).toISOString().replace('T', ' ').slice(0, 16);
	if (program.processes > 1) return [program.name, `${program.processes} processes, added up (the greatest peak of one is ${format.bytes(program.greatest_peak_bytes)}) · ${when} UTC`];
	return [program.name, `pid ${process.pid} · ${endOf(process.exit)} · ${when} UTC`];
}

function viewsOf(doc, program, route) {
	switch (doc.kind) {
	case 'diff': return diffViews(doc, route);
	case 'benchmark': return benchmarkViews(doc, route);
	case 'load': return loadViews(doc, route);
	default: return programViews(doc, program, route);
	}
}

function start() {
	const doc = JSON.parse(document.getElementById('data').textContent);
	const page = document.getElementById('page');
	const route = new Route();
	let views = [];
	let isReady = false;
	const redraw = () => isReady && views.forEach((view) => view.resize());
	const theme = themeSwitch(redraw);
	const jump = () => document.getElementById(route.view)?.scrollIntoView();

	function show() {
		isReady = false;
		const programs = doc.programs || [];
		const program = programs[Number(route.get('program', 0))] || programs[0];
		views = viewsOf(doc, program, route);
		const [title, subtitle] = titleOf(doc, program);
		document.title = `${title} · perfshim`;
		const pick = doc.kind === 'recording' && programs.length > 1 && choice('Program', programs.map((p, i) => [String(i), `${p.name}${p.processes > 1 ? ` ×${p.processes}` : ''}`]),
			String(programs.indexOf(program)), (i) => { route.set('summary', 'program', i === '0' ? null : i); route.set('flame', 'zoom', null); show(); });
		replace(page,
			el('a', { class: 'skip', href: '#summary' }, 'Skip to the summary'),
			el('header', {}, el('div', { class: 'wide' }, el('div', { class: 'head' },
				el('div', {}, el('p', { class: 'brand' }, 'perfshim'), el('h1', {}, title), el('p', { class: 'muted' }, subtitle)), theme.button), pick)),
			el('nav', { 'aria-label': 'Views' }, el('div', { class: 'wide' }, views.map((view) => el('a', { href: `#${view.id}`, onclick: (event) => { event.preventDefault(); route.set(view.id); jump(); } }, view.title)))),
			el('main', {}, views.map((view) => el('section', { id: view.id, 'aria-labelledby': `${view.id}-title` },
				el('h2', { id: `${view.id}-title` }, view.title), view.note && el('p', { class: 'note' }, view.note), view.element))),
			el('footer', {}, el('p', {}, `Written by perfshim ${doc.version}. This file holds all its data and loads nothing.`)));
		for (const view of views) view.restore();
		theme.show();
		isReady = true;
	}

	show();
	if (route.view) jump();
	route.onchange(() => { for (const view of views) view.restore(); jump(); });
	let width = innerWidth;
	addEventListener('resize', () => { if (innerWidth !== width) { width = innerWidth; redraw(); } });
	addEventListener('beforeprint', redraw);
	document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start();
