/** The lists at the side: chats with their unread counts, and users. */

import { el } from "./rows.js";
import { text } from "./strings.js";

const PEOPLE_MOST = 200;

/** @param {HTMLElement} list @param {import("./model.js").Model} model @param {(chat: string) => void} open */
export function drawChats(list, model, open) {
	const focused = focusedIn(list);
	list.replaceChildren(...model.ordered().map((chat) => {
		const item = el("li");
		const button = el("button", "entry");
		button.dataset.chat = chat.name;
		button.classList.toggle("open", chat.name === model.open);
		button.classList.toggle("quieted", chat.alert === "none");
		if (chat.name === model.open) button.setAttribute("aria-current", "true");
		const name = el("span", "entry-name", chat.name);
		name.dir = "auto";
		if (chat.name.startsWith("@")) button.append(dot(model.online.has(chat.name.slice(1))));
		button.append(name);
		if (chat.draft && chat.name !== model.open) button.append(el("span", "pencil", "✎"));
		if (chat.mentions) button.append(count("badge call", `@${chat.mentions}`, text("mentions", chat.mentions)));
		if (chat.unread) button.append(count("badge", String(chat.unread), text("unread", chat.unread)));
		button.addEventListener("click", () => open(chat.name));
		item.append(button);
		return item;
	}));
	focusAgain(list, focused);
}

/** @param {HTMLElement} list */
function focusedIn(list) {
	const { activeElement } = document;
	return list.contains(activeElement) ? /** @type {HTMLElement} */ (activeElement).dataset.chat : undefined;
}

/** @param {HTMLElement} list @param {string|undefined} chat */
function focusAgain(list, chat) {
	if (chat) /** @type {HTMLElement|null} */ (list.querySelector(`[data-chat="${CSS.escape(chat)}"]`))?.focus();
}

/** @param {HTMLElement} list @param {import("./model.js").Model} model @param {(chat: string) => void} open */
export function drawPeople(list, model, open) {
	const online = [...model.online].filter((name) => name !== model.name).sort((a, b) => a.localeCompare(b));
	const people = [...online.map((name) => [name, true]), ...model.offline.filter((name) => !model.online.has(name)).map((name) => [name, false])];
	const focused = focusedIn(list);
	list.replaceChildren(...people.slice(0, PEOPLE_MOST).map(([name, isOnline]) => {
		const item = el("li");
		const button = el("button", "entry");
		button.dataset.chat = `@${name}`;
		button.append(dot(!!isOnline));
		const shown = el("span", "entry-name", String(name));
		shown.dir = "auto";
		button.append(shown);
		button.addEventListener("click", () => open(`@${name}`));
		item.append(button);
		return item;
	}));
	focusAgain(list, focused);
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
