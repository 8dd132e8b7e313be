// SPDX-License-Identifier: MIT
// browser: opens pages in Chromium and uses all that is on them.
//
//   node browser.js DIRECTORY       of what tests/e2e/page.sh made
//
// Nothing may be asked of a network, said on the console, or be scrolled
// sideways; axe-core may have no serious complaint, in neither colour.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { chromium } = require('playwright-core');

const directory = path.resolve(process.argv[2]);
const shots = process.env.PAGE_SHOTS; // a directory: pictures of everything
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const json = (name) => JSON.parse(fs.readFileSync(path.join(directory, name), 'utf8'));
const url = (name, hash = '') => `file://${path.join(directory, name)}${hash}`;
let browser;
let format;

// A page that fails the test when it says or asks for anything.
async function open(name, { hash = '', width = 1280, height = 900, colorScheme = 'light' } = {}) {
	const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' });
	const page = await context.newPage();
	page.wrong = [];
	page.on('console', (message) => page.wrong.push(`console: ${message.text()}`));
	page.on('pageerror', (error) => page.wrong.push(`error: ${error.stack}`));
	page.on('request', (request) => {
		if (!request.url().startsWith(url(name)) && request.url() !== 'data:,') page.wrong.push(`request: ${request.url()}`);
	});
	await page.goto(url(name, hash));
	await page.waitForSelector('html[data-ready]');
	return page;
}

async function close(page) {
	assert.deepEqual(page.wrong, [], `what ${page.url()} said or asked for`);
	await page.context().close();
}

const text = (page, selector) => page.locator(selector).first().innerText();
const hash = (page) => page.evaluate(() => location.hash);
const dataOf = (page) => page.evaluate(() => JSON.parse(document.getElementById('data').textContent));

async function tile(page, name) {
	return page.evaluate((wanted) => [...document.querySelectorAll('.tile')].find((t) => t.querySelector('dt').textContent === wanted)?.querySelector('dd').textContent, name);
}

async function column(page, view, index) {
	return page.$$eval(`#${view} tr.row > :nth-child(${index + 1})`, (cells) => cells.map((cell) => cell.textContent));
}

// ---- what holds of every page ----

async function everyPage(name) {
	for (const colorScheme of shots ? ['light', 'dark'] : ['dark']) {
		const page = await open(name, { colorScheme });
		if (shots) await page.screenshot({ path: path.join(shots, `${name}-${colorScheme}.png`), fullPage: true });
		for (const link of await page.locator('nav a').all()) {
			await link.click();
			const id = (await link.getAttribute('href')).slice(1);
			const top = await page.locator(`#${id}`).evaluate((e) => e.getBoundingClientRect().top);
			const isAtEnd = await page.evaluate(() => innerHeight + scrollY >= document.documentElement.scrollHeight - 2);
			assert.ok((top > -5 && top < 120) || isAtEnd, `${name}: the link to ${id} leads to ${top}`);
			assert.equal(await hash(page), `#${id}`);
		}
		if (colorScheme === 'dark') {
			await page.click('.theme');
			assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
			await page.click('.theme');
			assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(16, 20, 26)');
		}
		await page.setViewportSize({ width: 360, height: 740 });
		await page.reload();
		await page.waitForSelector('html[data-ready]');
		assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, `${name}: its width on a phone`);
		if (shots) await page.screenshot({ path: path.join(shots, `${name}-${colorScheme}-phone.png`), fullPage: true });
		await close(page);
	}
}

// What its policy forbids does not happen, were there a way to ask for it.
async function policy(name) {
	const page = await open(name);
	const did = await page.evaluate(async () => {
		const script = document.createElement('script');
		script.textContent = 'globalThis.ran = true';
		document.body.append(script);
		const style = document.createElement('style');
		style.textContent = 'body { margin: 77px }';
		document.body.append(style);
		const loaded = await fetch('http://127.0.0.1:9/').then(() => 'loaded', (error) => error.message);
		return { ran: globalThis.ran, margin: getComputedStyle(document.body).margin, loaded };
	});
	assert.equal(did.ran, undefined);
	assert.notEqual(did.margin, '77px');
	assert.match(did.loaded, /fetch/i);
	assert.ok(page.wrong.length >= 3 && page.wrong.every((line) => /Content Security Policy/.test(line)), page.wrong.join('\n'));
	page.wrong = [];
	await close(page);
}

// axe runs from outside the page's policy.
async function noSeriousFinding(name, options) {
	const context = await browser.newContext({ viewport: { width: options.width || 1280, height: 900 }, bypassCSP: true, ...options });
	const page = await context.newPage();
	await page.goto(url(name));
	await page.waitForSelector('html[data-ready]');
	await page.evaluate(axe);
	const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
	const serious = found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
		.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary}`).join(' | ')}`);
	assert.deepEqual(serious, [], `${name}: axe-core`);
	await context.close();
}

// Tab alone reaches every control, in the order of the page, and shows where it is.
async function keyboard(name) {
	const page = await open(name);
	const seen = new Set();
	for (let i = 0; i < 400; i++) {
		await page.keyboard.press('Tab');
		const at = await page.evaluate(() => {
			const e = document.activeElement;
			if (e === document.body) return null;
			if (!e.dataset.test) e.dataset.test = String(++globalThis.tests || (globalThis.tests = 1));
			return { id: e.dataset.test, outline: getComputedStyle(e).outlineStyle };
		});
		if (at === null || seen.has(at.id)) break;
		assert.notEqual(at.outline, 'none', 'what has the focus shows it');
		seen.add(at.id);
	}
	const missed = await page.evaluate(() => [...document.querySelectorAll('button, input, a[href], select, [tabindex="0"], summary')]
		.filter((e) => e.checkVisibility() && !e.dataset.test && !e.disabled).map((e) => e.outerHTML.slice(0, 80)));
	assert.deepEqual(missed, [], `${name}: not reached by Tab`);
	await close(page);
}

// ---- a recording ----

async function figures(name, reportName) {
	const page = await open(name);
	const report = json(reportName);
	const { heap, process } = report;
	const doc = await dataOf(page);
	assert.deepEqual(doc.programs[0].report, report, 'the report in the page is that of --json');
	assert.equal(await tile(page, 'Peak heap'), format.bytes(heap.peak_bytes));
	assert.equal(await tile(page, 'Live at exit'), format.bytes(heap.live_bytes));
	assert.equal(await tile(page, 'Allocations'), format.count(heap.allocations));
	assert.equal(await tile(page, 'Peak RSS'), format.bytes(process.max_rss_bytes));
	assert.equal(await tile(page, 'Wall time'), format.time(process.wall_s));
	await page.click('#sites th[data-key="allocated"] button');
	const allocated = [...heap.sites].sort((a, b) => b.bytes - a.bytes).slice(0, 20);
	assert.deepEqual((await column(page, 'sites', 2)).map((c) => c.split(' ±')[0].trim()), allocated.map((s) => format.bytes(s.bytes)));
	if (report.sections.length > 0) {
		await page.click('#sections th[data-key="total"] button');
		const sections = [...report.sections].sort((a, b) => b.total_s - a.total_s).slice(0, 20);
		assert.deepEqual(await column(page, 'sections', 3), sections.map((s) => format.time(s.total_s)));
		assert.deepEqual((await column(page, 'sections', 2)), sections.map((s) => format.count(s.calls)));
	}
	assert.equal(await page.locator('#sizes table.bars').first().locator('tr').count(), heap.size_classes.length);
	const { flame } = doc.programs[0].detail;
	const all = heap.sites.reduce((sum, s) => sum + s.bytes, 0);
	assert.ok(Math.abs(flame.allocated[0] - all) <= 1 + all * 1e-9, 'the root of the flame graph is the sum of the sites');
	assert.match(await text(page, '.verdict .memory dd'), new RegExp(format.bytes(heap.peak_bytes).replace(' ', '\\s')));
	await close(page);
}

async function flameGraph(name) {
	const page = await open(name);
	const status = () => text(page, '.flame-status');
	const { flame } = (await dataOf(page)).programs[0].detail;
	const units = { peak: 'bytes', allocated: 'bytes', live: 'bytes', count: 'count', temporary: 'count' };
	for (const button of await page.locator('.flame-view .choice button').all()) {
		await button.click();
		const key = await button.getAttribute('data-value');
		assert.equal(await button.getAttribute('aria-pressed'), 'true');
		assert.equal(await page.locator('.flame-view .choice').first().locator('[aria-pressed="true"]').count(), 1);
		if (units[key]) assert.ok((await status()).includes(format[units[key]](flame[key][0])), `${key}: ${await status()}`);
		else assert.match(await status(), /[mµn]?s · 100\.0 % of all/);
	}
	await page.click('.flame-view [data-value="allocated"]');
	assert.match(await hash(page), /^#flame\?.*by=allocated/);
	// zoom
	const frames = page.locator('.flame g.frame');
	const width = () => page.locator('.flame svg').evaluate((e) => Number(e.getAttribute('width')));
	const narrow = page.locator('.flame g.frame').filter({ hasNot: page.locator('.fade') }).last();
	const label = await narrow.getAttribute('name');
	await narrow.dispatchEvent('click');
	await page.waitForFunction(([n, w]) => [...document.querySelectorAll('.flame g.frame')].some((g) => g.getAttribute('name') === n && Math.abs(g.getAttribute('width') - w) < 1), [label, await width()]);
	assert.match(await hash(page), /zoom=\d+/);
	assert.ok((await status()).startsWith(label));
	const zoomed = await hash(page);
	await page.click('.flame-reset');
	assert.doesNotMatch(await hash(page), /zoom=/);
	// search
	const word = label.slice(0, 4).toUpperCase();
	await page.fill('.flame-view input', word);
	assert.match(await status(), /^\d.* % of all in functions named so/);
	assert.ok(await page.locator('.flame rect[fill="var(--flame-found)"]').count() > 0, 'what was found stands out');
	assert.match(await hash(page), new RegExp(`q=${encodeURIComponent(word).replace(/%../g, '.*')}`));
	await page.fill('.flame-view input', 'no function has this name');
	assert.match(await status(), /^0\.0 % of all/);
	await page.fill('.flame-view input', '');
	assert.equal(await page.locator('.flame rect[fill="var(--flame-found)"]').count(), 0);
	// the numbers on hover
	await frames.nth(1).dispatchEvent('mouseover');
	assert.match(await text(page, '.tip'), /\d (B|KiB|MiB|GiB).*%/s);
	await frames.nth(1).dispatchEvent('mouseout');
	assert.ok(await page.locator('.tip').isHidden());
	// keys
	await page.focus('.flame');
	const before = await status();
	await page.keyboard.press('ArrowDown');
	assert.notEqual(await status(), before);
	assert.equal(await page.locator('.flame g.current').count(), 1);
	await page.keyboard.press('Enter');
	assert.match(await hash(page), /zoom=/);
	await page.keyboard.press('Escape');
	assert.doesNotMatch(await hash(page), /zoom=/);
	await close(page);
	// a link to all that
	const linked = await open(name, { hash: zoomed });
	assert.equal(await linked.locator('.flame-view [data-value="allocated"]').getAttribute('aria-pressed'), 'true');
	assert.ok((await text(linked, '.flame-status')).startsWith(label), 'the link leads to the zoomed frame');
	assert.ok(await linked.locator('#flame').evaluate((e) => Math.abs(e.getBoundingClientRect().top) < 400));
	await close(linked);
}

async function timeline(name) {
	const page = await open(name);
	const window = async () => (/t=([\d.e-]+?)-([\d.e-]+)/.exec(await hash(page)) || []).slice(1).map(Number);
	await page.click('[aria-label="Zoom in"]');
	const [from, to] = await window();
	assert.ok(to > from);
	await page.click('[aria-label="Later"]');
	assert.ok((await window())[0] > from);
	await page.locator('.plot').focus();
	await page.keyboard.press('0');
	assert.doesNotMatch(await hash(page), /t=/);
	await page.keyboard.press('+');
	assert.match(await hash(page), /t=/);
	await page.keyboard.press('Escape');
	const box = await page.locator('.plot .u-over').boundingBox();
	await page.mouse.move(box.x + box.width * 0.25, box.y + 40);
	await page.mouse.down();
	await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
	await page.mouse.up();
	const dragged = await window();
	const { report } = (await dataOf(page)).programs[0];
	const whole = Math.max(report.process.wall_s, report.heap.timeline[report.heap.timeline.length - 1].t_s);
	assert.ok(Math.abs(dragged[0] / whole - 0.25) < 0.02 && Math.abs(dragged[1] / whole - 0.5) < 0.02, `dragged to ${dragged} of ${whole}`);
	await page.locator('.plot .u-over').dblclick();
	assert.doesNotMatch(await hash(page), /t=/);
	await close(page);
}

async function tables(name) {
	const page = await open(name);
	for (const view of ['sites', 'sections']) {
		const heads = page.locator(`#${view} thead th`);
		for (let i = 0; i < await heads.count(); i++) {
			const head = heads.nth(i);
			await head.locator('button').click();
			const first = await column(page, view, i);
			const order = await head.getAttribute('aria-sort');
			await head.locator('button').click();
			assert.notEqual(await head.getAttribute('aria-sort'), order);
			const other = await column(page, view, i);
			if (new Set(first).size > 1 && first.length < 20) assert.notDeepEqual(first, other, `${view}: column ${i} turned round`);
			assert.match(await hash(page), new RegExp(`${view}-sort=[a-z0-9-]+\\.(up|down)`));
		}
		const names = await page.$$eval(`#${view} .opener code`, (all) => all.map((e) => e.textContent));
		await page.fill(`#${view} input`, names[0]);
		const left = await page.$$eval(`#${view} .opener code`, (all) => all.map((e) => e.textContent));
		assert.ok(left.length >= 1 && left.includes(names[0]));
		await page.fill(`#${view} input`, 'nothing has this name');
		assert.equal(await page.locator(`#${view} tr.row`).count(), 0);
		await page.fill(`#${view} input`, '');
		const opener = page.locator(`#${view} .opener`).first();
		await opener.focus();
		await page.keyboard.press('Enter');
		assert.equal(await opener.getAttribute('aria-expanded'), 'true');
		assert.ok(await page.locator(`#${view} tr.detail`).first().isVisible());
		await page.keyboard.press('Enter');
		assert.ok(await page.locator(`#${view} tr.detail`).first().isHidden());
	}
	await page.locator('#sections .spark-button').first().click();
	assert.ok(await page.locator('#sections .histogram').first().isVisible(), 'the histogram, large on click');
	await close(page);
}

async function print(name) {
	const page = await open(name);
	await page.emulateMedia({ media: 'print' });
	assert.ok(await page.locator('nav').isHidden());
	assert.ok(await page.locator('#summary').isVisible());
	assert.ok((await page.pdf()).length > 10000);
	await close(page);
}

// ---- hostile names ----

async function hostile(name) {
	const page = await open(name);
	await page.locator('#sections .opener').first().click();
	await page.locator('#sites .opener').first().click();
	await page.hover('.flame g.frame >> nth=0');
	assert.doesNotMatch(await page.title(), /owned/);
	assert.equal(await page.evaluate(() => document.querySelectorAll('#page img, #page script, #page iframe, #page i:not([class]), #page u, [onclick], [onerror]').length), 0);
	const names = await page.$$eval('#sections .opener code', (all) => all.map((e) => e.textContent));
	for (const wanted of ["<script>document.title='owned'</script>", '</script><img src=x onerror="document.title=\'owned\'">', '<!--<script>', '&lt;b&gt;&amp;', '__proto__', 'constructor', '\u2028line\u2029']) {
		assert.ok(names.includes(wanted), `${wanted} in ${names}`);
	}
	assert.ok((await column(page, 'sites', 0)).some((cell) => cell.includes('<img src=x onerror=')), 'a function with such a name');
	assert.match(await text(page, 'h1'), /^<b onclick>&"'$/);
	assert.doesNotMatch(fs.readFileSync(path.join(directory, name), 'utf8').split('id="data">')[1].split('</script>')[0], /[<>&\u2028\u2029]/);
	await close(page);
}

// ---- the other kinds ----

async function programs(name) {
	const page = await open(name);
	const doc = await dataOf(page);
	assert.ok(doc.programs.length > 1);
	const first = await text(page, 'h1');
	await page.locator('header .choice button').nth(1).click();
	assert.notEqual(await text(page, 'h1'), first);
	assert.equal(await text(page, 'h1'), doc.programs[1].name);
	assert.equal(await tile(page, 'Peak heap'), format.bytes(doc.programs[1].report.heap.peak_bytes));
	assert.match(await hash(page), /program=1/);
	assert.equal(await page.locator('#processes tbody tr').count(), doc.process_count + doc.small.length);
	assert.equal(doc.programs.reduce((sum, p) => sum + p.processes, 0), doc.process_count);
	const merged = doc.programs.find((p) => p.processes > 1);
	assert.ok(merged, 'an executable with several processes');
	assert.deepEqual(merged.report, json('merged.json'), 'the merged report is that of --merge --json');
	await close(page);
}

async function comparison(name) {
	const page = await open(name);
	const { diff } = await dataOf(page);
	const fills = await page.$$eval('.flame rect', (all) => all.map((e) => e.getAttribute('fill')));
	assert.ok(fills.some((f) => f.includes('--flame-more')), 'something is red');
	assert.ok((await text(page, '.flame-status')).includes(`${format.bytes(diff.flame.peak_old[0])} before, ${format.bytes(diff.flame.peak[0])} now`));
	await page.click('[data-value="old"]');
	assert.match(await hash(page), /side=old/);
	assert.ok((await page.$$eval('.flame rect', (all) => all.map((e) => e.getAttribute('fill')))).some((f) => f.includes('--flame-less')), 'something is blue');
	assert.ok(await page.locator('#changes tr.row').count() > 0);
	await page.locator('#changes .opener').first().click();
	assert.ok(await page.locator('#changes tr.detail').first().isVisible());
	await close(page);
}

async function benchmark(name, savedName) {
	const page = await open(name);
	const saved = json(savedName);
	assert.deepEqual((await dataOf(page)).saved, saved);
	const runs = saved.results.reduce((sum, r) => sum + r.times.length, 0);
	assert.equal(await page.locator('#samples .sample').count(), runs);
	const ratios = await page.$$eval('#comparisons tbody td:nth-child(2)', (all) => all.map((e) => e.textContent));
	assert.deepEqual(ratios, saved.comparisons.map((c) => `${c.ratio.toFixed(3)}×`));
	for (const button of await page.locator('#samples .choice button').all()) {
		await button.click();
		assert.ok(await page.locator('#samples .strip-row').count() === saved.results.length);
	}
	assert.match(await hash(page), /metric=/);
	await close(page);
}

async function loadTest(name, savedName) {
	const page = await open(name);
	const { load } = json(savedName);
	const cells = await page.$$eval('#percentiles tbody tr:first-child td', (all) => all.map((e) => e.textContent));
	assert.deepEqual(cells.slice(0, 2), [format.time(load.corrected.p50), format.time(load.corrected.p90)]);
	assert.equal(await page.locator('#percentiles .curve').count(), 2);
	assert.equal(await tile(page, 'Workers'), format.count(load.workers));
	await close(page);
}

// ---- at the size limit ----

// Private memory of the renderers, from outside.
function rendererBytes() {
	let most = 0;
	for (const pid of fs.readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
		try {
			if (!fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--type=renderer')) continue;
			most = Math.max(most, 1024 * Number(/RssAnon:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))[1]));
		} catch { /* it went */ }
	}
	return most;
}

async function limit(name) {
	let best = Infinity;
	let page;
	for (let i = 0; i < 2; i++) {
		if (page) await close(page);
		const start = Date.now();
		page = await open(name);
		await page.locator('.flame rect').first().waitFor();
		best = Math.min(best, Date.now() - start);
	}
	const bytes = rendererBytes();
	const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
	console.log(`at the size limit: opened in ${best} ms, ${(bytes / 2 ** 20).toFixed(0)} MiB, ${nodes} elements, a page of ${(fs.statSync(path.join(directory, name)).size / 2 ** 20).toFixed(1)} MiB`);
	// On an idle machine 2 s are far from it; a busy one gets more.
	assert.ok(best < Number(process.env.PAGE_OPEN_MS || 8000), `it took ${best} ms to open`);
	assert.ok(bytes > 0 && bytes < 300 * 2 ** 20, `it takes ${bytes} bytes`);
	assert.ok(nodes < 30000, `${nodes} elements`);
	await page.click('.flame-view [data-value="count"]');
	await page.fill('#sections input', 'section 77');
	assert.ok(await page.locator('#sections tr.row').count() > 0);
	await close(page);
}

async function main() {
	format = await import(path.join(__dirname, '../../../lib/report/page/format.js'));
	browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
	const steps = [
		['figures', () => figures('sections.html', 'sections.json')],
		['figures of samples', () => figures('index.html', 'index.json')],
		['flame graph', () => flameGraph('index.html')],
		['timeline', () => timeline('index.html')],
		['tables', () => tables('index.html')],
		['keyboard', () => keyboard('index.html')],
		['policy', () => policy('index.html')],
		['print', () => print('index.html')],
		['hostile names', () => hostile('hostile.html')],
		['programs', () => programs('programs.html')],
		['comparison', () => comparison('diff.html')],
		['benchmark', () => benchmark('benchmark.html', 'benchmark.json')],
		['load test', () => loadTest('load.html', 'load.json')],
		['size limit', () => limit('full.html')],
	];
	for (const name of ['index.html', 'hostile.html', 'programs.html', 'diff.html', 'benchmark.html', 'load.html']) {
		steps.push([`every view of ${name}`, () => everyPage(name)]);
		steps.push([`axe on ${name}`, async () => {
			await noSeriousFinding(name, { colorScheme: 'light' });
			if (name === 'index.html') await noSeriousFinding(name, { colorScheme: 'dark', width: 360 });
		}]);
	}
	for (const [name, step] of steps.filter(([n]) => !process.env.PAGE_STEP || n.includes(process.env.PAGE_STEP))) {
		const start = Date.now();
		try {
			await step();
			console.log(`ok ${name} (${Date.now() - start} ms)`);
		} catch (error) {
			console.log(`not ok ${name}: ${error.stack}`);
			process.exitCode = 1;
		}
	}
	await browser.close();
}

main().catch((error) => {
	console.error(error);
	process.exit(1);
});
