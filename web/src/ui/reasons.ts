// Why something was done, as a code of a closed list: those of the list that people pick from.

import english from "../words/en.json";

export type ReasonsOf = "resolve" | "overbook" | "withdraw";

/** Codes, each worded under `why.LIST.CODE`; the device takes more, by the command line. */
export function reasonsOf(list: ReasonsOf): string[] {
  const prefix = `why.${list}.`;
  return Object.keys(english)
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length));
}
