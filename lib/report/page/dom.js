// SPDX-License-Identifier: MIT
// dom: elements from a name, attributes and children.  Text is always text:
// nothing here, and nothing else in the page, parses HTML.

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes || {})) {
		if (value === undefined || value === null || value === false) continue;
		if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
		else if (name === 'style') for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
		else node.setAttribute(name, value === true ? '' : String(value));
	}
	for (const child of children.flat(Infinity)) {
		if (child !== undefined && child !== null && child !== false) node.append(child);
	}
	return node;
}

export const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
export const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

export function replace(node, ...children) {
	node.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
	return node;
}

// Units of a drawing's width: text of a drawing that is scaled down to a phone
// could not be read, so there it is a narrower one.
export const drawingWidth = () => (globalThis.innerWidth < 704 ? 380 : 720);

let last = 0;
export const newId = (stem) => `${stem}-${++last}`;

// One of several, as buttons: [[value, label], ...].
export function choice(label, options, chosen, onchoose) {
	const buttons = options.map(([value, text, hint]) => el('button', {
		type: 'button', 'data-value': value, 'aria-pressed': String(value === chosen), title: hint,
		onclick: () => { set(value); onchoose(value); },
	}, text));
	function set(value) {
		for (const b of buttons) b.setAttribute('aria-pressed', String(b.dataset.value === String(value)));
	}
	const node = el('div', { class: 'choice', role: 'group', 'aria-label': label }, buttons);
	node.choose = set;
	return node;
}
