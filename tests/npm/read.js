// SPDX-License-Identifier: MIT
// read: what other people's readers find in a file of perfreport's.
//
//   node read.js speedscope FILE         one line a frame: NAME SELF TOTAL UNIT
//   node read.js pprof FILE VALUE        one line a function: NAME TOTAL, of one
//                                        of the values; then what the file is
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');

const note = console.log;

async function speedscope(file) {
	console.log = console.error; // it says what it takes the file for
	const profiles = await require('./speedscope.js').read(file);
	for (const profile of profiles) {
		note(`(all) 0 ${profile.total} ${profile.unit}`);
		for (const f of profile.frames) note(`${f.name} ${f.self} ${f.total} ${profile.unit}`);
	}
}

function pprof(file, wanted) {
	const { Profile } = require(path.join(__dirname, 'node_modules/pprof-format'));
	const profile = Profile.decode(zlib.gunzipSync(fs.readFileSync(file)));
	const text = (index) => profile.stringTable.strings[Number(index)];
	const byId = (list) => new Map(list.map((one) => [Number(one.id), one]));
	const locations = byId(profile.location);
	const functions = byId(profile.function);
	const mappings = byId(profile.mapping);
	const value = profile.sampleType.findIndex((type) => text(type.type) === wanted);
	const totals = new Map();
	const labels = new Set();
	const count = (number) => Number(BigInt.asIntN(64, BigInt(number)));
	let all = 0;
	let deepest = 0;
	for (const sample of profile.sample) {
		if (sample.value.length !== profile.sampleType.length) throw new Error('a value is missing');
		const seen = new Set();
		all += count(sample.value[value]);
		for (const label of sample.label) labels.add(`${text(label.key)}=${text(label.str)}`);
		for (const id of sample.locationId) {
			const location = locations.get(Number(id));
			if (!location) throw new Error(`no location ${id}`);
			if (Number(location.mappingId) && !mappings.has(Number(location.mappingId))) throw new Error('no mapping');
			deepest = Math.max(deepest, location.line.length);
			for (const line of location.line) seen.add(text(functions.get(Number(line.functionId)).name));
		}
		for (const name of seen) totals.set(name, (totals.get(name) || 0) + count(sample.value[value]));
	}
	note(`(all) ${all}`);
	for (const [name, total] of totals) note(`${name} ${total}`);
	note(`types ${profile.sampleType.map((type) => `${text(type.type)}/${text(type.unit)}`).join(' ')}`);
	note(`inlined ${deepest}`);
	note(`labels ${[...labels].join(' ')}`);
	for (const mapping of profile.mapping) note(`mapping ${text(mapping.filename)} ${text(mapping.buildId)}`);
	for (const one of profile.function) note(`function ${text(one.name)} in ${text(one.filename)}`);
}

const [kind, file, value] = process.argv.slice(2);
Promise.resolve(kind === 'pprof' ? pprof(file, value) : speedscope(file)).catch((error) => {
	console.error(error.message);
	process.exit(1);
});
