/** The dialogs: search, settings, members, the time of a timed message; and the menu of a message. */

import { beep } from "./alerts.js";
import { appendText } from "./links.js";
import { el, named } from "./rows.js";
import { text } from "./strings.js";
import * as kept from "./kept.js";

/** @typedef {import("./socket.js").Line} Line */

/** The characters that can be pasted or dropped at once. The input draws more in seconds, and no message has as many. */
const INSERTED_MOST = 200_000;
const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** @returns {any} */
export function byId(/** @type {string} */ id) {
	const element = document.getElementById(id);
	if (!element) throw new Error(`no element ${id}`);
	return element;
}

/** Call a function at each click. @param {string} id @param {(event: Event) => any} then */
export function clicked(id, then) {
	byId(id).addEventListener("click", then);
}

/** Call a function when a form is submitted. @param {string} id @param {() => any} then */
export function submitted(id, then) {
	byId(id).addEventListener("submit", (/** @type {Event} */ event) => {
		event.preventDefault();
		then();
	});
}

/** Refuse files, because one that is dropped would take the place of the page, and texts that the input draws for seconds. */
export function refuseFiles() {
	for (const type of ["dragover", "drop", "paste"]) {
		window.addEventListener(type, (event) => {
			const carried = /** @type {DragEvent} */ (event).dataTransfer ?? /** @type {ClipboardEvent} */ (event).clipboardData;
			const isFile = carried?.types.includes("Files") && !carried.types.includes("text/plain");
			if (!isFile && !(/** @type {DataTransfer} */ (carried).getData("text/plain").length > INSERTED_MOST)) return;
			event.preventDefault();
			if (type !== "dragover") showNotice(text(isFile ? "noFiles" : "tooLong"), true);
		});
	}
}

/** Close each dialog by its own button and by a click beside it. */
export function prepareDialogs() {
	for (const dialog of document.querySelectorAll("dialog")) {
		dialog.querySelector(".close")?.addEventListener("click", () => dialog.close());
		dialog.addEventListener("click", (event) => {
			if (event.target === dialog) dialog.close();
		});
	}
}

/**
 * Prepare the search. Return the function that shows what was found.
 * @param {import("./session.js").Session} session
 * @param {(chat: string, seq: number) => void} jump
 */
export function prepareSearch(session, jump) {
	const dialog = byId("search");
	const results = byId("search-results");
	const words = byId("search-words");
	clicked("open-search", () => {
		dialog.showModal();
		words.select();
	});
	const search = async (/** @type {object} */ query) => {
		results.replaceChildren(el("p", "hint", text("loading")));
		const here = byId("search-here").checked ? { chat: session.model.open } : {};
		const found = await session.ask({ type: "search", limit: 50, ...here, ...query });
		if (found.type === "found") show(found);
		else results.replaceChildren(el("p", "error", found.text ?? text("offline")));
	};
	const show = (/** @type {import("./socket.js").Line} */ found) => {
		if (!dialog.open) dialog.showModal();
		const said = !found.messages.length ? text("foundNone") : text(found.more ? "foundMore" : "found", found.messages.length);
		results.replaceChildren(el("p", "hint", said), ...found.messages.map((/** @type {any} */ message) => {
			const row = el("button", "result");
			const head = el("span", "head");
			head.append(named("b", message.from), " ", el("bdi", "", message.chat), ` · ${WHEN.format(new Date(message.at))}`);
			const body = el("span", "body");
			body.dir = "auto";
			body.textContent = message.text;
			row.append(head, body);
			row.addEventListener("click", () => {
				dialog.close();
				jump(message.chat, message.seq);
			});
			return row;
		}));
	};
	submitted("search-form", () => {
		const typed = words.value.trim();
		const mark = /^(.*?)(?:^|\s)\+(\S+)$/.exec(typed);
		if (typed) search(mark ? { words: mark[1], mark: mark[2] } : { words: typed });
	});
	clicked("search-mentions", () => search({ words: "", mentions: true }));
	return show;
}

/** @param {import("./session.js").Session} session */
export function prepareSettings(session) {
	const dialog = byId("settings");
	const chosen = kept.settings();
	const apply = () => {
		if (chosen.theme === "auto") delete document.documentElement.dataset.theme;
		else document.documentElement.dataset.theme = chosen.theme;
	};
	apply();
	clicked("open-settings", () => {
		byId("sound").checked = chosen.sound;
		for (const radio of dialog.querySelectorAll("[name=theme]")) radio.checked = radio.value === chosen.theme;
		dialog.showModal();
	});
	for (const radio of dialog.querySelectorAll("[name=theme]")) {
		radio.addEventListener("change", () => {
			chosen.theme = radio.value;
			kept.keepSettings(chosen);
			apply();
		});
	}
	byId("sound").addEventListener("change", () => {
		chosen.sound = byId("sound").checked;
		if (chosen.sound) beep();
		kept.keepSettings(chosen);
	});
	clicked("ask-notify", async () => {
		const answer = "Notification" in window ? await Notification.requestPermission() : "denied";
		byId("ask-notify").textContent = text(answer === "granted" ? "notify" : "noNotify");
	});
	submitted("password-form", async () => {
		const reply = await session.ask({ type: "password", old: byId("old-password").value, new: byId("new-password").value });
		byId("old-password").value = byId("new-password").value = "";
		byId("password-said").textContent = reply.type === "ok" ? text("passwordChanged") : (reply.text ?? text("offline"));
	});
	return chosen;
}

/** Show the members of the open group. @param {import("./session.js").Session} session @param {any} group */
export function showMembers(session, group) {
	byId("members-title").textContent = group.group;
	const isOwner = group.owner === session.model.name;
	byId("member-list").replaceChildren(...group.members.map((/** @type {string} */ name) => {
		const item = el("li", "member");
		const shown = el("span", "entry-name", name);
		shown.dir = "auto";
		item.append(shown);
		if (name === group.owner) item.append(el("span", "hint", text("owner")));
		if (isOwner && name !== group.owner) {
			const remove = el("button", "quiet", text("removeMember"));
			remove.addEventListener("click", async () => refresh(session, await session.ask({ type: "remove_member", group: group.group, name })));
			item.append(remove);
		}
		return item;
	}));
	if (!byId("members").open) byId("members").showModal();
}

/** @param {import("./session.js").Session} session @param {any} reply */
export function refresh(session, reply) {
	if (reply.type === "group") showMembers(session, reply);
	else session.on.notice(reply, "");
}

/**
 * Show what can be done with a message, beside its button.
 * @param {HTMLElement} anchor
 * @param {[string, () => void][]} entries
 */
export function showMenu(anchor, entries) {
	const menu = byId("row-menu");
	menu.replaceChildren(...entries.map(([label, act]) => {
		const item = el("button", label.length < 4 ? "short" : "", label);
		item.setAttribute("role", "menuitem");
		item.addEventListener("click", () => {
			close();
			anchor.focus();
			act();
		});
		return item;
	}));
	menu.hidden = false;
	const box = anchor.getBoundingClientRect();
	menu.style.left = `${Math.max(8, Math.min(box.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`;
	menu.style.top = `${box.bottom + menu.offsetHeight > innerHeight ? Math.max(8, box.top - menu.offsetHeight) : box.bottom}px`;
	menu.firstElementChild.focus();
	const close = () => {
		menu.hidden = true;
		document.removeEventListener("click", outside, true);
		menu.onkeydown = null;
	};
	const outside = (/** @type {Event} */ event) => {
		if (!menu.contains(/** @type {Node} */ (event.target))) close();
	};
	document.addEventListener("click", outside, true);
	menu.onkeydown = (/** @type {KeyboardEvent} */ event) => {
		const items = [...menu.children];
		const at = items.indexOf(document.activeElement);
		const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
		if (step) {
			event.preventDefault();
			items[(at + step + items.length) % items.length].focus();
		} else if (event.key === "Escape" || event.key === "Tab") {
			close();
			anchor.focus();
		}
	};
}

/** @param {Line[]} all @param {(one: Line, index: number) => any[]} cells */
const rows = (all, cells) => all.map((one, index) => cells(one, index).filter(Boolean).join("  ")).join("\n");

/** Return a reply that is no message as a text, empty if it says nothing. @param {Line} shown @returns {string} */
export function noticeOf(shown) {
	const said = {
		error: () => [shown.text, shown.usage].filter(Boolean).join("\n"),
		help: () => shown.text,
		blocks: () => (shown.names.length ? text("blocked", shown.names.join(", ")) : text("blockedNone")),
		sessions: () => rows(shown.sessions, (one, index) => [index + 1, one.label, one.since?.slice(0, 10), text(one.this ? "thisSession" : one.online ? "online" : "away")]),
		keys: () => rows([...shown.keys, ...(shown.offered ?? [])], (key) => [key.number, key.fingerprint, key.comment]) || text("keysNone"),
		users: () => [...shown.online, ...shown.offline].join(", "),
		group: () => `${shown.group}: ${shown.members.join(", ")} (${text("owner")}: ${shown.owner})`,
		alert: () => [shown.chat, text(/** @type {"alertall"} */ (`alert${shown.alert}`))].join(" "),
		added: () => `${shown.group}: ${text("added", shown.by, shown.name)}`,
		removed: () => `${shown.group}: ${shown.by === shown.name ? text("leftGroup", shown.name) : text("removedFrom", shown.by, shown.name)} ${shown.owner ? "" : text("dissolved")}`,
		chats: () => rows(shown.chats, (one) => [one.chat, one.unread ? text("unread", one.unread) : ""]),
		sent: () => `${shown.chat}: ${text("sent")}`,
		history: () => text("noMessages"),
	}[shown.type];
	return said ? said() : "";
}

/** Return a line of the help as two cells: a command, and what it does. */
function pair(/** @type {string} */ line) {
	const [command, ...meaning] = line.split(/\s{2,}/);
	return [el("b", "", command), el("span", "", meaning.join(" "))];
}

/**
 * Show a text of the server: help, lists, errors.
 * @param {string} shown
 * @param {boolean} isError
 * @param {boolean} [isTable] whether each line has two cells
 */
export function showNotice(shown, isError, isTable = false) {
	const notice = byId("notice");
	notice.hidden = !shown;
	notice.classList.toggle("error", isError);
	const body = byId("notice-text");
	body.replaceChildren();
	body.classList.toggle("pairs", isTable);
	if (isTable) for (const line of shown.split("\n")) body.append(...pair(line));
	else if (shown) appendText(body, shown, { me: "", refer: () => undefined });
}
