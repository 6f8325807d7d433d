// The guests' page begins: in the language that they chose, or else that of their browser.

import { mount } from "svelte";
import { wordsOf } from "../api/client";
import "../look/look.css";
import { LANGUAGES, speak } from "../words/index.svelte";
import Book from "./Book.svelte";
import { guest } from "./guest.svelte";
import { keepPage, keptLanguage } from "./kept";

async function begin(): Promise<void> {
  const target = document.getElementById("page")!;
  try {
    const wished = [keptLanguage(), new URLSearchParams(location.search).get("lang") ?? "", ...navigator.languages];
    await speak(wished.map((one) => one.slice(0, 2)).find((one) => one in LANGUAGES) ?? "en");
    await guest.begin();
    keepPage();
    mount(Book, { target });
  } catch (error) {
    target.textContent = wordsOf(error);
  }
}

void begin();
