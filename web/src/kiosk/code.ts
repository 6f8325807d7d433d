// What a guest types or shows as a code, read as forgivingly as the device does: it has no I, L, O, U.

export const KEYS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** Characters of a code behind its year: six, of a device that was cut off for long eight. */
export const SHORTEST = 6;
export const LONGEST = 8;

const MISREAD: Record<string, string> = { I: "1", L: "1", O: "0" };

/** The character of a code that somebody means; empty: none. */
export function characterOf(typed: string): string {
  const upper = typed.toUpperCase();
  const meant = MISREAD[upper] ?? upper;
  return meant.length === 1 && KEYS.includes(meant) ? meant : "";
}

/** The codes that the characters may stand for, the likeliest first: one is made before it is used, in
 * this year or in the one before. */
export function codesOf(characters: string, today: string): string[] {
  const year = Number(today.slice(0, 4));
  return [year, year - 1].map((one) => `RES-${one}-${characters}`);
}

/** The code in what was scanned, which may be an address; empty: there is none. */
export function codeIn(scanned: string): string {
  return /RES-\d{4}-(?:[0-9A-Z]{8}|[0-9A-Z]{6})(?![0-9A-Z])/i.exec(scanned)?.[0].toUpperCase() ?? "";
}
