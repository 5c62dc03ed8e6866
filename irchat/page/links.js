/** A text as nodes: web addresses and references to messages become links, all else stays text. */

import { folded } from "./model.js";

const PARTS = /(https?:\/\/[^\s<>"]+)|((?:GLOBAL|\*[^\s*@#]+)#[1-9][0-9]{0,17})(?![\p{L}\p{N}])|(@[^\s@*,:;!?]+)/gu;
const TRAILING = ").,:;!?]'»”’";

/**
 * Append `text` to `element`.
 * @param {HTMLElement} element
 * @param {string} text
 * @param {{me: string, refer: (chat: string, seq: number) => void}} how
 */
export function appendText(element, text, how) {
	let from = 0;
	for (const match of text.matchAll(PARTS)) {
		const at = match.index ?? 0;
		if (at < from) continue;
		const [whole, address, reference, call] = match;
		/** @type {HTMLElement|null} */
		let node = null;
		let size = whole.length;
		if (address) {
			const url = withoutEnd(address);
			size = url.length;
			node = webLink(url);
		} else if (reference) {
			const [chat, seq] = reference.split("#");
			node = document.createElement("button");
			node.className = "reference";
			node.addEventListener("click", () => how.refer(chat, Number(seq)));
		} else if (call) {
			// Set apart, so that the direction of the text is that of its own words.
			const isMe = folded(call.slice(1)) === folded(how.me);
			node = document.createElement(isMe ? "mark" : "bdi");
			node.dir = "auto";
			if (isMe) node.className = "me-called";
		}
		if (!node) continue;
		element.append(text.slice(from, at));
		node.append(text.slice(at, at + size));
		element.append(node);
		from = at + size;
	}
	element.append(text.slice(from));
}

/** Return an address without the punctuation of the sentence that it ends. @param {string} address */
function withoutEnd(address) {
	let end = address.length;
	while (TRAILING.includes(address[end - 1])) end -= 1;
	return address.slice(0, address[end] === ")" && address.includes("(") ? end + 1 : end);
}

/** @param {string} address */
function webLink(address) {
	let url;
	try {
		url = new URL(address);
	} catch {
		return null;
	}
	if (url.protocol !== "http:" && url.protocol !== "https:") return null;
	const link = document.createElement("a");
	link.href = url.href;
	// In a text from right to left, too, an address begins with its host.
	link.dir = "ltr";
	link.target = "_blank";
	link.rel = "noopener noreferrer nofollow";
	if (/[^\u0000-\u007f]/.test(address.split("/")[2] ?? "")) link.title = url.host;
	return link;
}
