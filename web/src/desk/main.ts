import { start } from "../ui/start";
import Desk from "./Desk.svelte";

void start(Desk);
