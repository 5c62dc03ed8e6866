/** The storage of the browser: the token, for this tab or device, and settings. No texts. */

const TOKEN = "irchat-token";
const SETTINGS = "irchat-settings";

export function token() {
	return sessionStorage.getItem(TOKEN) ?? localStorage.getItem(TOKEN);
}

export function keepToken(/** @type {string} */ value, /** @type {boolean} */ stays) {
	sessionStorage.setItem(TOKEN, value);
	if (stays) localStorage.setItem(TOKEN, value);
}

export function dropToken() {
	sessionStorage.removeItem(TOKEN);
	localStorage.removeItem(TOKEN);
}

/** @returns {{theme: string, sound: boolean}} */
export function settings() {
	return { theme: "auto", sound: false, ...JSON.parse(localStorage.getItem(SETTINGS) ?? "{}") };
}

export function keepSettings(/** @type {{theme: string, sound: boolean}} */ changed) {
	localStorage.setItem(SETTINGS, JSON.stringify(changed));
}
