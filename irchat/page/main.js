/** The page: it joins the connection, the model and the drawing. */

import { alertOf, alertsFor, alertUser, showTitle } from "./alerts.js";
import { Composer } from "./composer.js";
import { LEAVE } from "./grammar.js";
import * as kept from "./kept.js";
import { Log } from "./log.js";
import { Model } from "./model.js";
import { byId, clicked, prepareDialogs, prepareSearch, prepareSettings, refresh, showMenu, showNotice, submitted } from "./panels.js";
import { Session } from "./session.js";
import { drawChats, drawPeople } from "./side.js";
import { Connection } from "./socket.js";
import { text } from "./strings.js";

/** @typedef {import("./model.js").Message} Message */
/** @typedef {import("./model.js").Chat} Chat */
/** @typedef {import("./socket.js").Line} Line */

const UNTRUSTED_AFTER = 2;
const MARKS = ["👍", "ok", "pin", "❤", "😄"];

const model = new Model();
/** @type {Line|null} */
let credentials = null;
let isSignedIn = false;
let endedWith = "";

/** @type {Connection} */
const connection = new Connection({
	opened: () => signIn(),
	event: (line) => session.event(line),
	closed: (seconds, neverOpened) => {
		session.isReady = false;
		if (!isSignedIn && !credentials && !kept.token()) return connection.stop();
		const isUntrusted = location.protocol === "https:" && neverOpened >= UNTRUSTED_AFTER && !isSignedIn;
		const trouble = text(isUntrusted ? "untrusted" : "again", seconds);
		showState(trouble);
		byId("door-error").textContent = isSignedIn ? "" : trouble;
	},
});

/** @type {Session} */
const session = new Session(connection, model, {
	signedIn: () => {
		isSignedIn = true;
		credentials = null;
		byId("door").hidden = true;
		byId("app").hidden = false;
		byId("me").textContent = model.name;
		byId("password").value = "";
		showState("");
		if (!log.chat) open(model.open);
	},
	said: (message) => {
		if (message.chat === model.open) log.add(message);
		if (alertsFor(model, message)) alertUser(message, settings.sound, () => open(message.chat));
	},
	changed: (message) => message.chat === model.open && log.update(message),
	gone: () => log.redraw(),
	lists: () => drawLists(),
	page: (chat, place) => {
		if (chat.name !== model.open) return;
		if (place === "keep") {
			log.redraw();
			log.scrolled();
		} else log.show(chat, place);
		drawHead();
	},
	notice: (shown, asked) => notice(shown, asked),
	refused: (chat, line, error) => {
		const isBack = composer.giveBack(chat, line);
		showNotice([error.text, error.usage ? `${error.usage}` : "", isBack || !line ? "" : text("refused", line)].filter(Boolean).join("\n"), true);
		drawLists();
	},
	ended: (reason) => {
		endedWith = text("ended", reason);
		showState(endedWith);
	},
	quoted: (seq, message) => log.quoted(seq, message),
});

/** @type {Log} */
const log = new Log({ scroller: byId("scroller"), log: byId("log"), toEnd: byId("to-end") }, {
	older: () => log.chat && session.older(log.chat),
	newer: () => log.chat && session.newer(log.chat),
	seen: (chat, seq) => session.seen(chat, seq),
	end: () => log.chat && session.load(log.chat, "end"),
	how: {
		get me() {
			return model.name;
		},
		answered: (seq) => (log.chat ? session.answered(log.chat, seq) : null),
		refer: (chat, seq) => (!chat || model.chats.has(chat) ? open(chat || model.open, seq) : showNotice(text("notIn", chat), true)),
		mark: (message, mark, on) => session.mark(message, mark, on),
		menu: (message, at) => messageMenu(message, at),
	},
});

/** @type {Composer} */
const composer = new Composer({ form: byId("composer"), line: byId("line"), offers: byId("offers"), about: byId("about-line") }, model, {
	say: (line, chat) => {
		showNotice("", false);
		if (LEAVE.test(line)) signOut();
		else session.say(line, chat);
	},
	find: (seq) => model.chats.get(model.open)?.items.find((item) => item.seq === seq),
	toLog: () => log.focusLast(),
});

const settings = prepareSettings(session);
prepareDialogs();
const showFound = prepareSearch(session, (chat, seq) => open(chat, seq));

/** Sign in on a new connection: with the typed name and password, or with the token. */
async function signIn() {
	const token = kept.token();
	if (!credentials && !token) {
		connection.stop();
		return;
	}
	const request = credentials ?? { type: "resume", token };
	const reply = await session.ask(request);
	if (reply.type === "welcome") {
		if (credentials) kept.keepToken(reply.token, byId("stay").checked);
		await session.welcome(reply);
	} else if (reply.type === "error") {
		const trouble = [reply.text, reply.until ? new Date(reply.until).toLocaleString() : ""].join(" ");
		if (credentials) {
			credentials = null;
			showDoor(trouble);
		} else if (reply.code === "bad-token" || reply.code === "banned") {
			kept.dropToken();
			leave(reply.code === "banned" ? trouble : endedWith);
		} else {
			// It may pass: try again after a pause.
			showState(trouble);
			connection.socket?.close();
		}
	}
}

/** @param {string} trouble */
function showDoor(trouble) {
	isSignedIn = false;
	byId("app").hidden = true;
	byId("door").hidden = false;
	byId("door-error").textContent = trouble;
	byId(byId("name").value ? "password" : "name").focus();
}

/** @param {boolean} isNew */
function enter(isNew) {
	const name = byId("name").value.trim();
	const password = byId("password").value;
	if (!name) {
		byId("door-error").textContent = text("needName");
		byId("name").focus();
		return;
	}
	byId("password").autocomplete = isNew ? "new-password" : "current-password";
	// A server can run without passwords.
	credentials = { type: isNew ? "register" : "login", name, ...(password ? { password } : {}) };
	byId("door-error").textContent = text("signingIn");
	if (connection.isOpen) signIn();
	else connection.start();
}

submitted("sign-in", () => {
	enter(false);
});
clicked("create", () => enter(true));

async function signOut() {
	kept.dropToken();
	await session.ask({ type: "logout", forget: true });
	leave("");
}

/** Leave the session: nothing of it stays. @param {string} why */
function leave(why) {
	connection.stop();
	session.isReady = false;
	session.unsent = [];
	clear();
	model.open = "GLOBAL";
	endedWith = "";
	showDoor(why);
}

/** Drop every text from the memory and from the page. */
function clear() {
	model.clear();
	session.quotes.clear();
	composer.clear();
	log.clear();
	for (const id of ["chats", "people", "search-results", "notice-text", "member-list"]) byId(id).replaceChildren();
	showNotice("", false);
	for (const dialog of document.querySelectorAll("dialog")) dialog.close();
	document.title = "IRChat";
}

/** Open a chat, at its first unread message or at the message `seq`. @param {string} name @param {number} [seq] */
function open(name, seq) {
	const chat = model.visit(name);
	composer.show(name);
	showSide(false);
	drawLists();
	drawHead();
	log.show(chat, "end");
	session.load(chat, seq ?? "unread");
}

let listsFrame = 0;

/** Draw the lists, once for all changes of a frame. */
function drawLists() {
	showTitle(model);
	listsFrame ||= requestAnimationFrame(() => {
		listsFrame = 0;
		drawListsNow();
	});
}

function drawListsNow() {
	drawChats(byId("chats"), model, (name) => open(name));
	drawPeople(byId("people"), model, (name) => open(name));
	const here = model.chats.get(model.open);
	const elsewhere = model.unread() - (here && here.alert !== "none" ? here.unread : 0);
	byId("elsewhere").textContent = elsewhere ? String(elsewhere) : "";
	showAlert();
}

function showAlert() {
	const alert = alertOf(model, model.open);
	const button = byId("chat-alert");
	button.hidden = !model.features.includes("alert");
	button.dataset.alert = alert;
	button.ariaLabel = button.title = byId("alert-text").textContent = text(/** @type {"alertall"} */ (`alert${alert}`));
}

async function drawHead() {
	const name = model.open;
	byId("chat-name").textContent = name;
	byId("chat-members").hidden = !name.startsWith("*");
	byId("chat-about").textContent = name === "GLOBAL" ? text("everyone") : name.startsWith("@") ? text(model.online.has(name.slice(1)) ? "online" : "away") : "";
	showAlert();
	if (name.startsWith("*")) {
		const group = await session.ask({ type: "members", group: name });
		if (group.type !== "group") return;
		model.chat(name).owner = group.owner;
		if (model.open === name) byId("chat-about").textContent = text("members", group.members.length, group.owner);
	}
}

/** @param {string} shown */
function showState(shown) {
	byId("state").hidden = !shown;
	byId("state").textContent = shown;
}

/** @param {Line[]} all @param {(one: Line, index: number) => any[]} cells */
const rows = (all, cells) => all.map((one, index) => cells(one, index).filter(Boolean).join("  ")).join("\n");

/** Show a reply that is no message. @param {Line} shown @param {string} asked */
function notice(shown, asked) {
	const said = {
		error: () => [shown.text, shown.usage].filter(Boolean).join("\n"),
		help: () => shown.text,
		blocks: () => (shown.names.length ? text("blocked", shown.names.join(", ")) : text("blockedNone")),
		sessions: () => rows(shown.sessions, (one, index) => [index + 1, one.label, one.since?.slice(0, 10), text(one.this ? "thisSession" : one.online ? "online" : "away")]),
		keys: () => rows([...shown.keys, ...(shown.offered ?? [])], (key) => [key.number, key.fingerprint, key.comment]) || text("keysNone"),
		users: () => [...shown.online, ...shown.offline].join(", "),
		group: () => `${shown.group}: ${shown.members.join(", ")} (${text("owner")}: ${shown.owner})`,
		alert: () => `${shown.chat}: ${text(/** @type {"alertall"} */ (`alert${shown.alert}`))}`,
		added: () => `${shown.group}: ${text("added", shown.by, shown.name)}`,
		removed: () => `${shown.group}: ${shown.by === shown.name ? text("leftGroup", shown.name) : text("removedFrom", shown.by, shown.name)}${shown.owner ? "" : ` ${text("dissolved")}`}`,
		sent: () => `${shown.chat}: ${text("sent")}`,
		history: () => text("noMessages"),
	}[shown.type];
	if (said) showNotice(said(), shown.type === "error", shown.type === "help");
	if (shown.type === "found") showFound(shown);
	if (shown.type === "group" && asked) open(shown.group);
}

/** @param {Message} message @param {HTMLElement} at */
function messageMenu(message, at) {
	/** @type {[string, () => void][]} */
	const entries = [];
	if (message.seq) {
		entries.push([text("answer"), () => composer.set(`#${message.seq} `)]);
		if (model.features.includes("marks")) {
			for (const mark of MARKS) entries.push([mark, () => session.mark(message, mark, true)]);
			entries.push([text("mark"), () => composer.set(`#${message.seq}+`)]);
		}
		if (message.mine) entries.push([text("edit"), () => composer.set(`#${message.seq}= ${message.text}`)]);
		entries.push([text("copyText"), () => navigator.clipboard?.writeText(message.text)]);
		const label = message.chat.startsWith("@") ? `${message.chat} #${message.seq}` : `${message.chat}#${message.seq}`;
		entries.push([text("copyLink"), () => navigator.clipboard?.writeText(label)]);
		if (message.mine || model.chat(message.chat).owner === model.name) entries.push([text("remove"), () => session.remove(message)]);
	} else if (message.mine) entries.push([text("takeBack"), () => session.remove(message)]);
	if (entries.length) showMenu(at, entries);
}

/** @param {boolean} isOpen */
function showSide(isOpen) {
	byId("side").classList.toggle("shown", isOpen);
	byId("open-side").setAttribute("aria-expanded", String(isOpen));
}

clicked("open-side", (event) => {
	event.stopPropagation();
	showSide(!byId("side").classList.contains("shown"));
});
document.querySelector("main.chat")?.addEventListener("click", () => showSide(false));
clicked("sign-out", signOut);
clicked("side", () => showSide(false));
clicked("notice-close", () => showNotice("", false));
clicked("show-help", async () => {
	byId("settings").close();
	notice(await session.ask({ type: "help" }), "");
});
clicked("chat-alert", async () => {
	const order = ["all", "mentions", "none"];
	const reply = await session.ask({ type: "alert", chat: model.open, alert: order[(order.indexOf(alertOf(model, model.open)) + 1) % order.length] });
	if (reply.type === "alert") model.chat(model.open).alert = reply.alert;
	else notice(reply, "");
	drawLists();
});
clicked("chat-members", async () => refresh(session, await session.ask({ type: "members", group: model.open })));
submitted("add-form", async () => {
	const reply = await session.ask({ type: "add_member", group: model.open, name: byId("add-name").value.trim() });
	byId("add-name").value = "";
	refresh(session, reply);
});
clicked("leave-group", async () => {
	const group = model.open;
	byId("members").close();
	const reply = await session.ask({ type: "remove_member", group, name: model.name });
	if (reply.type !== "ok") return notice(reply, "");
	model.chats.delete(group);
	return open("GLOBAL");
});
clicked("timed", () => byId("time").showModal());
for (const button of byId("time").querySelectorAll("button[value]")) {
	button.addEventListener("click", () => {
		byId("time").close();
		const target = model.open === "GLOBAL" ? "*" : model.open;
		composer.set(`*${button.value}${target} ${byId("line").value.replace(/^\*\d+\S* /, "")}`);
	});
}

setInterval(() => {
	session.endTimed();
	log.tick();
}, 1000);
const look = () => {
	session.endTimed();
	log.scrolled();
};
document.addEventListener("visibilitychange", look);
window.addEventListener("focus", look);
window.addEventListener("pageshow", (event) => {
	look();
	if (event.persisted) location.reload();
});
// A file that is dropped would take the place of the page.
for (const type of ["dragover", "drop", "paste"]) {
	window.addEventListener(type, (event) => {
		const carried = /** @type {DragEvent} */ (event).dataTransfer ?? /** @type {ClipboardEvent} */ (event).clipboardData;
		if (!carried?.types.includes("Files") || carried.types.includes("text/plain")) return;
		event.preventDefault();
		if (type !== "dragover") showNotice(text("noFiles"), true);
	});
}
// Where the keyboard of a phone covers the page, the page ends above it. Zooming changes nothing.
window.visualViewport?.addEventListener("resize", () => {
	const { height, scale } = /** @type {VisualViewport} */ (window.visualViewport);
	if (scale === 1) byId("app").style.height = height < innerHeight ? `${height}px` : "";
});
window.addEventListener("pagehide", () => {
	clear();
	connection.stop();
});

if (kept.token()) {
	byId("app").hidden = false;
	showState(text("connecting"));
	connection.start();
} else showDoor("");
