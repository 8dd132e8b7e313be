// SPDX-License-Identifier: MIT
// bundle: the page without its data as one file, node bundle.mjs OUT.
//
// Scripts and styles stand in the page itself; the policy in its head names
// them by their hashes and forbids everything else, so nothing is ever loaded
// and no name in the data can become code.  The licences of what is bundled
// stand in the page, too, since it is mailed without this directory.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
const read = (...names) => readFileSync(join(here, ...names), 'utf8');
const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const result = await build({
	absWorkingDir: here,
	entryPoints: ['main.js'],
	bundle: true,
	minify: true,
	format: 'iife',
	target: 'es2021',
	charset: 'utf8',
	legalComments: 'none',
	outdir: 'out',
	metafile: true,
	write: false,
});
// A closing tag within the script would end it.
const script = result.outputFiles.find((f) => f.path.endsWith('.js')).text.replaceAll('</', '<\\/');
const style = result.outputFiles.find((f) => f.path.endsWith('.css')).text.replaceAll('</', '<\\/');

// The packages that ended up in it.
const packages = new Set(Object.keys(result.metafile.inputs)
	.map((name) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(name)?.[1]).filter(Boolean));
const licences = [...packages].sort().map((name) => {
	const { version, license } = JSON.parse(read('node_modules', name, 'package.json'));
	const text = read('node_modules', name, 'LICENSE').trim();
	return `${name} ${version} (${license})\n\n${text}`;
}).join(`\n\n${'-'.repeat(72)}\n\n`);
const asText = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; ` +
	"img-src data:; base-uri 'none'; form-action 'none'";
const parts = { policy, style, script, licences: asText(licences) };
// A function, since $& and the like in a replacement mean something.
writeFileSync(out, read('page.html').replace(/@(policy|style|script|licences)@/g, (_, name) => parts[name]));
