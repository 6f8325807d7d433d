import { mount } from "svelte";
import "../look/look.css";
import { session } from "../live/session.svelte";
import Enter from "./Enter.svelte";

void session.begin().finally(() => mount(Enter, { target: document.getElementById("page")! }));
