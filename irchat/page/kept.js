/** The storage of the browser: the token, for this tab or device, and settings. No texts. */

const TOKEN = "irchat-token";
const SETTINGS = "irchat-settings";

/** @type {Map<string, string>} */
const forNow = new Map();

/** Return a storage. Where the browser forbids it, things are kept until the page is left. @param {"sessionStorage"|"localStorage"} name */
function storage(name) {
	try {
		return window[name];
	} catch {
		return {
			getItem: (/** @type {string} */ key) => forNow.get(name + key) ?? null,
			setItem: (/** @type {string} */ key, /** @type {string} */ value) => forNow.set(name + key, value),
			removeItem: (/** @type {string} */ key) => forNow.delete(name + key),
		};
	}
}

const [tab, device] = [storage("sessionStorage"), storage("localStorage")];

export function token() {
	return tab.getItem(TOKEN) ?? device.getItem(TOKEN);
}

export function keepToken(/** @type {string} */ value, /** @type {boolean} */ stays) {
	tab.setItem(TOKEN, value);
	if (stays) device.setItem(TOKEN, value);
}

/** Drop the token of this tab. That of another user of the device stays. */
export function dropToken() {
	if (device.getItem(TOKEN) === token()) device.removeItem(TOKEN);
	tab.removeItem(TOKEN);
}

/** @returns {{theme: string, sound: boolean}} */
export function settings() {
	return { theme: "auto", sound: false, ...JSON.parse(device.getItem(SETTINGS) ?? "{}") };
}

export function keepSettings(/** @type {{theme: string, sound: boolean}} */ changed) {
	device.setItem(SETTINGS, JSON.stringify(changed));
}
