/** The lists at the side: chats with their unread counts, and users. */

import { el } from "./rows.js";
import { text } from "./strings.js";

const PEOPLE_MOST = 200;

/** @typedef {import("./model.js").Model} Model */

/** @param {HTMLElement} list @param {Model} model @param {(chat: string) => void} open */
export function drawChats(list, model, open) {
	draw(list, model.ordered().map((chat) => {
		const isOpen = chat.name === model.open;
		const button = entry(chat.name, chat.name, chat.name.startsWith("@") ? model.online.has(chat.name.slice(1)) : null, open);
		button.classList.toggle("open", isOpen);
		button.classList.toggle("quieted", chat.alert === "none");
		if (isOpen) button.setAttribute("aria-current", "true");
		else if (chat.draft) button.append(el("span", "pencil", "✎"));
		if (chat.mentions) button.append(count("badge call", `@${chat.mentions}`, text("mentions", chat.mentions)));
		if (chat.unread) button.append(count("badge", String(chat.unread), text("unread", chat.unread)));
		return button;
	}));
}

/** @param {HTMLElement} list @param {Model} model @param {(chat: string) => void} open */
export function drawPeople(list, model, open) {
	const online = [...model.online].filter((name) => name !== model.name).sort((a, b) => a.localeCompare(b));
	const people = [...online, ...model.offline.filter((name) => !model.online.has(name))].slice(0, PEOPLE_MOST);
	draw(list, people.map((name) => entry(`@${name}`, name, model.online.has(name), open)));
}

/** Draw a list again. The entry that has the focus keeps it. @param {HTMLElement} list @param {HTMLElement[]} entries */
function draw(list, entries) {
	const { activeElement } = document;
	const focused = list.contains(activeElement) ? /** @type {HTMLElement} */ (activeElement).dataset.chat : "";
	list.replaceChildren(...entries.map((one) => {
		const item = el("li");
		item.append(one);
		return item;
	}));
	if (focused) entries.find((one) => one.dataset.chat === focused)?.focus();
}

/**
 * Return the entry that opens a chat.
 * @param {string} chat
 * @param {string} shown
 * @param {boolean|null} isOnline null where it is no chat with one user
 * @param {(chat: string) => void} open
 */
function entry(chat, shown, isOnline, open) {
	const button = el("button", "entry");
	button.dataset.chat = chat;
	const name = el("span", "entry-name", shown);
	name.dir = "auto";
	if (isOnline !== null) button.append(dot(isOnline));
	button.append(name);
	button.addEventListener("click", () => open(chat));
	return button;
}

function dot(/** @type {boolean} */ isOnline) {
	const mark = el("span", isOnline ? "dot on" : "dot");
	mark.append(el("span", "spoken", text(isOnline ? "online" : "away")));
	return mark;
}

function count(/** @type {string} */ className, /** @type {string} */ shown, /** @type {string} */ spoken) {
	const badge = el("span", className);
	const visible = el("span", "", shown);
	visible.setAttribute("aria-hidden", "true");
	badge.append(visible, el("span", "spoken", spoken));
	return badge;
}
