const HIDDEN = '***';
const PASSWORD_IN_URL = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):\S*@/giu;
const PASSWORD_SETTING = /\b((?:ssl)?password|pgpassword)(\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&'"]+)/giu;

/**
 * The text without any of the secrets, and without what looks like a password in a URL or a setting. For whatever comes
 * from a driver or a server and may be shown or logged.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const known = [...new Set(secrets.flatMap(spellings))].sort((a, b) => b.length - a.length);
  const hidden = known.reduce((shown, secret) => shown.replaceAll(secret, HIDDEN), text);
  return hidden.replaceAll(PASSWORD_IN_URL, `$1:${HIDDEN}@`).replaceAll(PASSWORD_SETTING, `$1$2${HIDDEN}`);
}

/** A secret as it may come back: as given, and percent-encoded. One or two characters would blot out all other words. */
function spellings(secret: string): readonly string[] {
  return secret.length < 3 ? [] : [secret, encodeURIComponent(secret)];
}
