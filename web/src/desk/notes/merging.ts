// What somebody types goes on while others' words come in. Nothing of either is lost.

/** One replaced stretch: what stood from `from` to `to` became `text`. */
type Stretch = { from: number; to: number; text: string };

/** The one stretch in which two texts differ. */
function stretch(before: string, after: string): Stretch {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from += 1;
  let tail = 0;
  while (tail < shorter - from && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return { from, to: before.length - tail, text: after.slice(from, after.length - tail) };
}

/**
 * A text that was typed on `base`, on what the device has now. Where both changed the same words, those
 * of the device stand, and what was typed comes after them.
 */
export function carried(base: string, typed: string, now: string): string {
  if (typed === base) return now;
  if (now === base) return typed;
  const mine = stretch(base, typed);
  const theirs = stretch(base, now);
  const grown = theirs.text.length - (theirs.to - theirs.from);
  if (mine.to <= theirs.from) return now.slice(0, mine.from) + mine.text + now.slice(mine.to);
  if (mine.from >= theirs.to) return now.slice(0, mine.from + grown) + mine.text + now.slice(mine.to + grown);
  const end = theirs.from + theirs.text.length;
  return now.slice(0, end) + mine.text + now.slice(end);
}

/** Where a place in a text is after it became another. */
export function placeAfter(place: number, before: string, after: string): number {
  const { from, to, text } = stretch(before, after);
  if (place <= from) return place;
  return place >= to ? place + text.length - (to - from) : from + text.length;
}
