/** The title, the sound and the notifications, without timed texts. */

import { text } from "./strings.js";

/** @param {import("./model.js").Model} model */
export function showTitle(model) {
	const unread = model.unread();
	document.title = [unread ? `(${unread})` : "", "IRChat", model.name].join(" ").trim();
}

/** When a chat alerts: all, mentions or none. */
export function alertOf(/** @type {import("./model.js").Model} */ model, /** @type {string} */ chat) {
	return model.chats.get(chat)?.alert || (chat.startsWith("@") ? "all" : "mentions");
}

/** Whether a message alerts the user, by the setting of its chat. */
export function alertsFor(/** @type {import("./model.js").Model} */ model, /** @type {import("./model.js").Message} */ message) {
	const alert = alertOf(model, message.chat);
	return !message.mine && (alert === "all" || (alert === "mentions" && !!message.to?.includes(model.name)));
}

/** @param {import("./model.js").Message} message @param {boolean} hasSound @param {() => void} open */
export function alertUser(message, hasSound, open) {
	if (document.visibilityState === "visible" && document.hasFocus()) return;
	if (hasSound) beep();
	if (!("Notification" in window) || Notification.permission !== "granted") return;
	const title = message.chat.startsWith("@") ? text("message", message.from) : text("messageIn", message.from, message.chat);
	try {
		const shown = new Notification(title, { body: message.id ? text("isTimed") : message.text, tag: message.chat });
		shown.onclick = () => {
			window.focus();
			shown.close();
			open();
		};
	} catch {
		// Chromium on Android has the class, and refuses to make one without a service worker.
	}
}

/** Play a short tone. A page that was not used yet may not play: its tones would all come at the first click. */
export function beep() {
	if (navigator.userActivation?.hasBeenActive === false) return;
	const audio = new AudioContext();
	const tone = audio.createOscillator();
	const volume = audio.createGain();
	tone.frequency.value = 660;
	volume.gain.setValueAtTime(0.08, audio.currentTime);
	volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.25);
	tone.connect(volume).connect(audio.destination);
	tone.start();
	tone.stop(audio.currentTime + 0.25);
	tone.onended = () => audio.close();
}
