// The kiosk begins: a screen at which anybody stands. Whoever is not logged in is led nowhere else:
// the page itself says to the staff what to do.

import { mount } from "svelte";
import { api, told, wordsOf, type Answered, type Venue } from "../api/client";
import { session } from "../live/session.svelte";
import "../look/look.css";
import { homeLanguage, speak } from "../words/index.svelte";
import Kiosk from "./Kiosk.svelte";

const AGAIN_MS = 5_000;

async function readVenue(): Promise<Venue | null> {
  if (session.state?.role !== "kiosk") return null;
  const named = new URLSearchParams(location.search).get("venue") ?? session.state.venue;
  const id = named ?? (await told(api.GET("/api/v1/venues"))).items[0]?.venue;
  if (!id) throw new Error("There is no venue yet: `holdfast venue import FILE` brings one in.");
  return told(api.GET("/api/v1/venues/{venue}", { params: { path: { venue: id } } }) as Promise<Answered<Venue>>);
}

async function begin(): Promise<void> {
  const target = document.getElementById("page")!;
  try {
    const home = homeLanguage();
    await speak(home);
    await session.begin();
    const venue = await readVenue();
    target.replaceChildren();
    mount(Kiosk, { target, props: { home, first: venue, readVenue } });
  } catch (error) {
    // Its device is not up yet, perhaps: a screen on a wall has nobody who would load it again.
    target.textContent = wordsOf(error);
    setTimeout(() => void begin(), AGAIN_MS);
  }
}

void begin();
