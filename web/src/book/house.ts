// Where a house is and how to reach it, as links and lines.

import type { Venue } from "../api/client";
import type { Chosen } from "./Details.svelte";

/** As one writes it in one line; empty: the house says nothing. */
export function addressOf(venue: Venue): string {
  const at = venue.profile?.address;
  if (!at) return "";
  const town = [at.postal_code, at.city].filter(Boolean).join(" ");
  return [at.street, town, at.country].filter(Boolean).join(", ");
}

/** What a telephone opens in its own map (RFC 5870); empty: nobody said where. */
export function mapOf(venue: Venue): string {
  const geo = venue.profile?.geo;
  return geo ? `geo:${geo[0]},${geo[1]}?q=${encodeURIComponent([venue.name, addressOf(venue)].filter(Boolean).join(", "))}` : "";
}

export const callTo = (phone: string) => `tel:${phone.replaceAll(" ", "")}`;

/** The areas in which guests can have a place, in the venue's order. */
export function areasOf(venue: Venue, kind: string): string[] {
  const had = venue.resources.filter((one) => one.active !== false && one.online !== false && (!kind || one.kind === kind));
  return [...new Set(had.flatMap((one) => one.area ?? []))];
}

/** What was picked, with another slot that is offered instead of it: of another kind, or of another area
    than the one that was asked for, it is asked for as such. */
export function otherOf(venue: Venue, chosen: Chosen, slot: Chosen["slot"]): Chosen {
  const there = slot.resources.every((id) => venue.resources.find((one) => one.id === id)?.area === chosen.area);
  return { ...chosen, slot, kind: slot.resource_kind ?? chosen.kind, area: there ? chosen.area : "" };
}
