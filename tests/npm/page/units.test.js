// SPDX-License-Identifier: MIT
// units: the page's own modules without a browser (node --test).
const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');

const page = (name) => import(path.join(__dirname, '../../../lib/report/page', name));

test('figures read as those of the text report', async () => {
	const f = await page('format.js');
	assert.equal(f.bytes(1536), '1.50 KiB');
	assert.equal(f.bytes(1023), '1023 B');
	assert.equal(f.bytes(10.3 * 2 ** 20), '10.3 MiB');
	assert.equal(f.bytes(1023.9 * 1024), '1.00 MiB');
	assert.equal(f.count(280000), '280 k');
	assert.equal(f.count(999.6), '1000');
	assert.equal(f.time(2.63e-8), '26.3 ns');
	assert.equal(f.time(0.223), '223 ms');
	assert.equal(f.time(185), '3 min 5 s');
	assert.equal(f.rate(5.07e10, 'B/s'), '50.7 GB/s');
	assert.equal(f.rate(200, '/s'), '200/s');
	assert.equal(f.percent(0.001), '<1 %');
});

test('what is not known is unknown, never 0', async () => {
	const f = await page('format.js');
	for (const format of [f.bytes, f.count, f.time, f.percent]) {
		for (const x of [null, undefined, NaN, Infinity]) assert.equal(format(x), 'unknown');
	}
	assert.equal(f.error(100, null), '');
	assert.equal(f.error(100, 150), '±100 %+');
	assert.equal(f.error(100, 12), '±12 %');
	assert.equal(f.error(100, 0.1), '');
});

test('axes of bytes have steps that are powers of two', async () => {
	const { byteSteps, short } = await page('format.js');
	for (const most of [1, 100, 5e3, 12e6, 16 * 2 ** 20, 3e12]) {
		const steps = byteSteps(most);
		assert.ok(steps.length >= 2 && steps.length <= 12, `${steps.length} steps to ${most}`);
		assert.ok(steps.every((s) => s === 0 || Number.isInteger(Math.log2(steps[1]))));
	}
	assert.equal(short('10.0 MiB'), '10 MiB');
	assert.equal(short('1.50 MiB'), '1.5 MiB');
	assert.equal(short('100 ms'), '100 ms');
});

test('an address leads back to what it was written from', async () => {
	const { parse, write, Route } = await page('route.js');
	const values = new URLSearchParams({ by: 'live', q: 'a&b=c #?', zoom: '12' });
	const again = parse(write('flame', values));
	assert.equal(again.view, 'flame');
	assert.deepEqual([...again.values], [...values]);
	assert.equal(parse('').view, '');
	const place = { location: { hash: '#flame?by=live' }, addEventListener() {}, history: { replaceState(a, b, url) { place.location.hash = url; } } };
	const route = new Route(place);
	assert.equal(route.get('by', 'peak'), 'live');
	route.set('sites', 'q', 'x y');
	route.set('sites', 'by', null);
	assert.equal(place.location.hash, '#sites?q=x+y');
});

const flame = {
	frames: [['main', 'app', 'a.c'], ['leaf', 'lib', ''], ['other', 'app', '']],
	parent: [-1, 0, 1, 1], frame: [-1, 0, 1, 2],
	peak: [100, 100, 60, 0], peak_error: [5, 5, 4, 0], live: [0, 0, 0, 0], live_error: [0, 0, 0, 0],
};

test('columns become a tree, without what has no value', async () => {
	const { treeOf, modulesOf, find, matched } = await page('flame_tree.js');
	const root = treeOf(flame, 'peak', 'app');
	assert.equal(root.name, 'app');
	assert.equal(root.children[0].name, 'main');
	assert.deepEqual(root.children[0].children.map((n) => n.name), ['leaf']);
	assert.equal(find(root, 2).error, 4);
	assert.equal(find(root, 3), null);
	assert.deepEqual(modulesOf(root), ['lib', 'app']);
	assert.equal(matched(root, (n) => n.name === 'leaf'), 60);
	assert.equal(matched(root, (n) => n.name === 'main' || n.name === 'leaf'), 100);
});

test('a comparison has both sides, and widths of either', async () => {
	const { treeOf } = await page('flame_tree.js');
	const diff = { ...flame, peak_old: [80, 80, 0, 80] };
	assert.equal(treeOf(diff, 'peak', 'app').children[0].children[0].delta, 60);
	const old = treeOf(diff, 'peak', 'app', 'old');
	assert.equal(old.value, 80);
	assert.deepEqual(old.children[0].children.map((n) => [n.name, n.delta]), [['other', -80]]);
});

test('the tree of sections adds up self times', async () => {
	const { sectionTree } = await page('flame_tree.js');
	const root = sectionTree([{ name: 'outer', parent: null, self_s: 1, calls: 1, total_s: 3 }, { name: 'inner', parent: 0, self_s: 2, calls: 4, total_s: 2 },
		{ name: 'nothing', parent: 0, self_s: 0, calls: 1, total_s: 0 }], 'app');
	assert.equal(root.value, 3);
	assert.deepEqual(root.children[0].children.map((n) => n.name), ['inner']);
});

test('rows are ordered with the unknown last, and filtered by all words', async () => {
	const { ordered, filtered } = await page('table.js');
	const rows = [{ x: 1 }, { x: null }, { x: 3 }, { x: NaN }, { x: 2 }];
	assert.deepEqual(ordered(rows, (r) => r.x, true).slice(0, 3).map((r) => r.x), [3, 2, 1]);
	assert.deepEqual(ordered(rows, (r) => r.x, false).slice(0, 3).map((r) => r.x), [1, 2, 3]);
	const words = ['alpha beta', 'beta', 'alphabet'];
	assert.deepEqual(filtered(words, 'ALPHA  bet', (w) => w), ['alpha beta', 'alphabet']);
	assert.deepEqual(filtered(words, '', (w) => w), words);
});

test('bars hold every call, whatever the axis', async () => {
	const h = await page('histogram.js');
	const histogram = [[1e-6, 2e-6, 10], [1e-3, 2e-3, 5], [5, 6, 1]];
	const range = h.rangeOf([histogram]);
	assert.equal(h.bars(histogram, 32, range).reduce((a, b) => a + b), 16);
	assert.deepEqual(h.rangeOf([[]]), [1e-6, 1]);
	assert.deepEqual(h.ticks([5e-4, 2]).map((t) => Math.round(Math.log10(t))), [-3, -2, -1, 0]);
	assert.deepEqual(h.spaced([[1, 0], [2, 10], [3, 60]], 50).map(([v]) => v), [1, 3]);
});

test('a window of time stays within the run', async () => {
	const t = await page('timeline_window.js');
	assert.deepEqual(t.zoomed([0, 10], 2, [0, 10]), [2.5, 7.5]);
	assert.deepEqual(t.zoomed([2, 4], 0.01, [0, 10]), [0, 10]);
	assert.deepEqual(t.moved([2, 4], 1, [0, 10]), [4, 6]);
	assert.deepEqual(t.moved([2, 4], -9, [0, 10]), [0, 2]);
});

test('processes stand below their parents; another image of one beside it', async () => {
	const p = await page('processes.js');
	const rows = [{ pid: 1, parent: -1 }, { pid: 2, parent: 0 }, { pid: 3, parent: 0 }, { pid: 4, parent: 1 }, { pid: 2, parent: 1 }];
	assert.deepEqual(p.depthsOf(rows), [0, 1, 1, 2, 1]);
	assert.deepEqual(p.inTreeOrder(rows), [0, 1, 3, 4, 2]);
});

test('intervals are those of Student', async () => {
	const s = await page('statistics.js');
	const [low, high] = s.interval([1, 2, 6]);
	assert.ok(Math.abs(high - 3 - 4.303 * Math.sqrt(7 / 3)) < 1e-3 && Math.abs(low + high - 6) < 1e-9);
	assert.equal(s.interval([1]), null);
	assert.equal(s.quantile([4, 1, 3, 2], 0.5), 2.5);
});

test('a comparison is said as perfwrap.sh says it', async () => {
	const { sentenceOf, verdictOf, comparisonsOf } = await page('benchmark.js');
	const c = { metric: 'time', command: 'B', reference: 'A', ratio: 0.8, low: 0.7, high: 0.9, pairs: 9 };
	assert.match(sentenceOf(c), /^B is 1\.250 times faster than A \(95 % interval 1\.111 to 1\.429, 9 pairs\)/);
	assert.match(sentenceOf({ ...c, high: 1.1 }), /cannot be told from/);
	assert.match(sentenceOf({ ...c, metric: 'peak-rss' }), /^B needs 0\.800 times the peak-rss of A/);
	assert.deepEqual(comparisonsOf({}), []);
	assert.match(verdictOf({ results: [{ command: 'x', times: [1, 2, 3] }] })[0].text, /^A run takes 2\.00 s on average/);
});

test('a load test is read with and without its full curve', async () => {
	const { curveOf } = await page('load_curve.js');
	assert.deepEqual(curveOf({ percentiles: [[0.5, 1], [1, null]] }), [[0.5, 1]]);
	assert.deepEqual(curveOf({ p50: 1, p99: 3 }), [[0.5, 1], [0.99, 3]]);
	assert.deepEqual(curveOf(undefined), []);
});

test('frames of the report are taken apart, whatever their names hold', async () => {
	const { frameOf } = await page('sites.js');
	assert.deepEqual(frameOf('f(int) (libx.so)'), { name: 'f(int)', module: 'libx.so' });
	assert.deepEqual(frameOf('a\n(b) (c)'), { name: 'a\n(b)', module: 'c' });
	assert.deepEqual(frameOf('libx.so+0x10'), { name: 'libx.so+0x10', module: '' });
});
