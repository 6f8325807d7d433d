// What every page for staff begins with: who is logged in, and what the page needs to know first.

import { mount, type Component } from "svelte";
import { api, told, whenSignedOut, wordsOf, type Answered, type Venue } from "../api/client";
import "../look/look.css";
import { session } from "../live/session.svelte";
import { LANGUAGES, speak } from "../words/index.svelte";

/** Show a page of a venue; whoever is not logged in is asked at the entrance, and led back. */
export async function start(page: Component<{ venue: Venue }>): Promise<void> {
  await begin(page, async () => ({ venue: await venueOf(session.state?.venue ?? null) }));
}

/** The same for a page that begins with something else. */
export async function begin<Props extends Record<string, unknown>>(page: Component<Props>, read: () => Promise<Props>): Promise<void> {
  const target = document.getElementById("page")!;
  try {
    const wished = navigator.languages.map((one) => one.slice(0, 2)).find((one) => one in LANGUAGES);
    if (wished && wished !== "en") await speak(wished);
    await session.begin();
    if (!session.state || session.state.role === "guest") return toEntrance();
    whenSignedOut(toEntrance);
    mount(page, { target, props: await read() });
  } catch (error) {
    target.textContent = wordsOf(error);
  }
}

// With which venue and which view it was, so that whoever logs in goes on there.
function toEntrance(): void {
  location.replace(`/?to=${encodeURIComponent(location.pathname + location.search + location.hash)}`);
}

async function venueOf(own: string | null): Promise<Venue> {
  const named = new URLSearchParams(location.search).get("venue") ?? own;
  // The client's own types lose that a place on a floor is two numbers; the document says so.
  if (named) return told(api.GET("/api/v1/venues/{venue}", { params: { path: { venue: named } } }) as Promise<Answered<Venue>>);
  const all = await told(api.GET("/api/v1/venues"));
  const first = all.items[0];
  if (!first) throw new Error("There is no venue yet: `holdfast venue import FILE` brings one in.");
  return first as Venue;
}
