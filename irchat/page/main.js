/** The page: it joins the connection, the model and the drawing. */

import { alertOf, alertsFor, alertUser, showTitle } from "./alerts.js";
import { Composer } from "./composer.js";
import { LEAVE, SECRET } from "./grammar.js";
import * as kept from "./kept.js";
import { Log } from "./log.js";
import { Model } from "./model.js";
import { byId, clicked, noticeOf, prepareDialogs, prepareSearch, prepareSettings, refresh, refuseFiles, showMenu, showNotice, submitted } from "./panels.js";
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
let warnedOf = "";
/** Why the server refuses the token for now. */
let refusedFor = "";

/** @type {Connection} */
const connection = new Connection({
	opened: () => signIn(),
	event: (line) => session.event(line),
	closed: (seconds, neverOpened) => {
		session.isReady = false;
		if (!isSignedIn && !credentials && !kept.token()) return connection.stop();
		const isUntrusted = location.protocol === "https:" && neverOpened >= UNTRUSTED_AFTER && !isSignedIn;
		const trouble = [refusedFor, text(isUntrusted ? "untrusted" : "again", seconds)].filter(Boolean).join(" ");
		showState(trouble);
		byId("door-error").textContent = isSignedIn ? "" : trouble;
	},
});

/** @type {Session} */
const session = new Session(connection, model, {
	signedIn: () => {
		isSignedIn = true;
		credentials = null;
		refusedFor = "";
		byId("door").hidden = true;
		byId("app").hidden = false;
		byId("me").textContent = model.name;
		byId("password").value = "";
		showState("");
		if (!log.chat) open(model.open);
		else if (!log.chat.loaded) session.load(log.chat, "end");
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
	// What is being typed stays where it is.
	opened: (chat, seq) => (chat.name === model.open || !composer.chat?.draft ? open(chat.name, seq) : showNotice(text("isLoaded", chat.name), false)),
	refused: (chat, line, error) => {
		const isSecret = SECRET.test(line);
		// A timed line comes back, a private key does not.
		const isBack = !(isSecret && /^\s*!/.test(line)) && composer.giveBack(chat, line);
		showNotice([error.text, error.usage ?? "", isBack || isSecret ? "" : text("refused", line)].filter(Boolean).join("\n"), true);
		drawLists();
	},
	other: () => clear(),
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
		if (!LEAVE.test(line)) warnedOf = "";
		if (LEAVE.test(line)) signOut();
		else session.say(line, chat);
	},
	find: (seq) => model.chats.get(model.open)?.items.find((item) => item.seq === seq),
	toLog: () => log.focusLast(),
});

const settings = prepareSettings(session);
prepareDialogs();
refuseFiles();
const showFound = prepareSearch(session, (chat, seq) => open(chat, seq));

/** Sign in on a new connection: with the typed name and password, or with the token. */
async function signIn() {
	const token = kept.token();
	// Without a token, another tab has signed out for this one too.
	if (!credentials && !token) return isSignedIn ? leave(endedWith) : connection.stop();
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
			refusedFor = trouble;
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

/** Return what is typed or waits and would be lost, for a text; empty if nothing is. */
function unsent() {
	composer.keep();
	const drafts = [...model.chats.values()].filter((chat) => chat.draft.trim()).map((chat) => chat.name);
	const waiting = session.unsent.map((said) => said.chat.name);
	return [...new Set([...waiting, ...drafts])].join(", ");
}

async function signOut() {
	const left = unsent();
	if (left && left !== warnedOf) {
		warnedOf = left;
		showNotice(text("leaving", left), true);
		return;
	}
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
	endedWith = warnedOf = refusedFor = "";
	showDoor(why);
}

/** Drop every text from the memory and from the page. */
function clear() {
	model.clear();
	model.open = "GLOBAL";
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
	for (const id of ["members", "time"]) byId(id).close(); // they are about the chat that was open
	composer.show(chat);
	showSide(false);
	drawLists();
	drawHead();
	log.show(chat, "end");
	session.load(chat, seq ?? "unread");
}

model.onReplaced = (/** @type {Chat} */ old) => {
	composer.keep();
	if (old.draft) showNotice(text("replaced", old.name, old.draft), true);
	if (composer.chat === old) open(old.name);
};

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

/** Show a reply that is no message. @param {Line} shown @param {string} asked */
function notice(shown, asked) {
	const said = noticeOf(shown);
	if (said) showNotice(said, shown.type === "error", shown.type === "help");
	if (shown.type === "found") showFound(shown);
	// What is being typed stays where it is.
	if (shown.type === "group" && asked.includes("->") && !composer.chat?.draft) open(shown.group);
}

/** @param {Message} message @param {HTMLElement} at */
function messageMenu(message, at) {
	/** @type {[string, () => void][]} */
	const entries = [];
	const begin = (/** @type {string} */ start, keeps = false) => composer.begin(`#${message.seq}${start}`, keeps) || showNotice(text("typedFirst"), true);
	if (message.seq) {
		entries.push([text("answer"), () => begin(" ", true)]);
		if (model.features.includes("marks")) {
			for (const mark of MARKS) entries.push([mark, () => session.mark(message, mark, true)]);
			entries.push([text("mark"), () => begin("+")]);
		}
		if (message.mine) entries.push([text("edit"), () => begin(`= ${message.text}`)]);
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
// Where the keyboard of a phone covers the page, the page ends above it. Zooming changes nothing.
window.visualViewport?.addEventListener("resize", () => {
	const { height, scale } = /** @type {VisualViewport} */ (window.visualViewport);
	if (scale === 1) byId("app").style.height = height < innerHeight ? `${height}px` : "";
});
window.addEventListener("beforeunload", (event) => {
	if (isSignedIn && unsent()) event.preventDefault();
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
