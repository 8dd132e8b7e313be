// SPDX-License-Identifier: MIT
// speedscope: speedscope's own importer, run outside a browser.  The package is
// one bundle that draws its window as soon as it is loaded; the line that
// gathers the importer's functions is made to hand them out, and the drawing,
// which comes last, fails for want of a document.
const fs = require('fs');
const path = require('path');

const release = path.join(__dirname, 'node_modules/speedscope/dist/release');

async function importer() {
	const bundle = fs.readdirSync(release).find((f) => /^speedscope-.*\.js$/.test(f));
	const source = fs.readFileSync(path.join(release, bundle), 'utf8');
	const gathers = /[\w$]+\(([\w$]+),\{importFromFileSystemDirectoryEntry:/;
	if (!gathers.test(source)) throw new Error('speedscope: where is its importer?');
	globalThis.window = globalThis;
	globalThis.location = { hash: '', protocol: 'file:' };
	globalThis.localStorage = {};
	globalThis.matchMedia = () => ({ matches: false, addEventListener() {}, addListener() {} });
	const log = console.log;
	console.log = () => {};
	try {
		(0, eval)(source.replace(gathers, 'globalThis.speedscope=$1,$&'));
	} catch (error) {
		if (!globalThis.speedscope) throw new Error('speedscope: its bundle does not start');
	} finally {
		console.log = log;
	}
	await new Promise(setImmediate); // its lazy modules set themselves up
	return globalThis.speedscope;
}

// The profiles of a file: their names, units, total weights and frames.
exports.read = async (file) => {
	const bytes = fs.readFileSync(file);
	const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
	const group = await (await importer()).importProfilesFromArrayBuffer(path.basename(file), buffer);
	if (!group) throw new Error(`speedscope does not know ${file}`);
	return group.profiles.map((profile) => {
		const frames = [];
		profile.forEachFrame((frame) => frames.push({
			name: frame.name, file: frame.file, line: frame.line,
			self: frame.getSelfWeight(), total: frame.getTotalWeight(),
		}));
		return { name: profile.getName(), unit: profile.getWeightUnit(), total: profile.getTotalWeight(), frames };
	});
};
