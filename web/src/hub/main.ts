import { begin } from "../ui/start";
import Hub from "./Hub.svelte";

void begin(Hub, async () => ({}));
