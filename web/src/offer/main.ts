// A guest opens the address of an offer. Its secret stands behind the `#`, which no server is sent,
// and goes into the body of what this page asks.

import { mount } from "svelte";
import "../look/look.css";
import { homeLanguage, speak } from "../words/index.svelte";
import Offer from "./Offer.svelte";

// Another address in the same tab changes nothing but what is behind the `#`.
window.addEventListener("hashchange", () => location.reload());
void speak(homeLanguage()).finally(() =>
  mount(Offer, { target: document.getElementById("page")!, props: { secret: location.hash.slice(1) } }),
);
