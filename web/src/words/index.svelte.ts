// The language of the page. A language is one plain file beside this one; what it lacks is English.

import english from "./en.json";

export type Word = keyof typeof english;
type Words = Record<string, string>;

// English is part of the page: it stands in for whatever another language lacks.
const FILES = import.meta.glob<{ default: Words }>(["./*.json", "!./en.json"]);

/** The languages that there are, by their own names. */
export const LANGUAGES: Record<string, string> = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  pt: "Português",
  nl: "Nederlands",
};
const FROM_RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);

let words = $state.raw<Words>(english);
let language = $state("en");
let plurals = new Intl.PluralRules("en");
let wished = "en";

/** The language's code, such as `de`. */
export const speaks = () => language;

/** The language that a page opens in: by its address, else by its browser. */
export function homeLanguage(): string {
  const wished = [new URLSearchParams(location.search).get("lang") ?? "", ...navigator.languages];
  return wished.map((one) => one.slice(0, 2)).find((one) => one in LANGUAGES) ?? "en";
}

/** Speak another language; one that there is not leaves the present one. */
export async function speak(code: string): Promise<void> {
  const file = FILES[`./${code}.json`];
  if (!file && code !== "en") return;
  wished = code;
  const read = file ? (await file()).default : {};
  if (wished !== code) return; // Somebody chose yet another one meanwhile.
  words = { ...english, ...read };
  language = code;
  plurals = new Intl.PluralRules(code);
  document.documentElement.lang = code;
  document.documentElement.dir = FROM_RIGHT_TO_LEFT.has(code) ? "rtl" : "ltr";
}

/** The words under a key, `{name}` replaced. With `n`, `key.one` and `key.other` are two forms. */
export function t(key: Word | `${string}.${string}`, values: Record<string, string | number> = {}): string {
  const counted = typeof values.n === "number" ? words[`${key}.${plurals.select(values.n)}`] ?? words[`${key}.other`] : undefined;
  const text = counted ?? words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** `19:30`, as the answer's own offset has it: times are the venue's, wherever the screen stands. */
export const timeOf = (at: string) => at.slice(11, 16);

/** A date in words, such as `Thu 26 Nov`. */
export function dateWords(date: string, style: Intl.DateTimeFormatOptions = { weekday: "short", day: "numeric", month: "short" }): string {
  return new Intl.DateTimeFormat(language, { ...style, timeZone: "UTC" }).format(new Date(`${date.slice(0, 10)}T00:00:00Z`));
}

/** `19:30`, or `Thu 26 Nov, 19:30` where that is of another date than the one that is looked at. */
export const whenOf = (at: string, date: string) => (at.slice(0, 10) === date.slice(0, 10) ? timeOf(at) : `${dateWords(at)}, ${timeOf(at)}`);

/** How long ago in words, such as `2 minutes ago`. */
export function agoWords(from: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - from) / 1000));
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  if (seconds < 60) return format.format(-seconds, "second");
  if (seconds < 3600) return format.format(-Math.round(seconds / 60), "minute");
  if (seconds < 86_400) return format.format(-Math.round(seconds / 3600), "hour");
  return format.format(-Math.round(seconds / 86_400), "day");
}
