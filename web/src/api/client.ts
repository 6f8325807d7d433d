// The API as the pages use it: typed by its own OpenAPI document, every refusal an exception.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Reservation = Schemas["Reservation"];
export type Block = Schemas["Block"];
export type Hold = Schemas["Hold"];
export type WaitingParty = Schemas["WaitingParty"];
export type Venue = Schemas["Venue"];
export type Resource = Schemas["Resource"];
export type SyncStatus = Schemas["SyncStatus"];
export type ClockStatus = Schemas["ClockStatus"];
export type SessionState = Schemas["SessionState"];
export type NeedsPerson = Schemas["NeedsPerson"];

/** What the API refused: `name` is the end of its `type`, `message` is for people. */
export class Refused extends Error {
  readonly status: number;
  readonly body: Partial<Schemas["Problem"]>;

  constructor(status: number, body: Partial<Schemas["Problem"]>) {
    super(body.detail ?? `The device answered ${status}.`);
    this.status = status;
    this.body = body;
    this.name = (body.type ?? "").split(":").pop() ?? "";
  }
}

/** Nobody answered: the page has lost the device that it came from. */
export class NoAnswer extends Error {}

const TRIES = 3;
const PAUSE_MS = 400;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

let csrf = "";
let signedOut: (() => void) | null = null;

/** What to do when the session is over: nobody can go on from here but by logging in. */
export function whenSignedOut(act: () => void): void {
  signedOut = act;
}

/** What a session's writes carry; from `GET /session` or `POST /session`. */
export function setCsrf(secret: string | null): void {
  csrf = secret ?? "";
}

// What was sent and not answered is sent again under the same key: the device does it once.
async function steady(request: Request): Promise<Response> {
  if (request.method !== "GET") {
    if (csrf) request.headers.set("X-CSRF-Token", csrf);
    if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
      request.headers.set("Idempotency-Key", newKey());
    }
  }
  for (let tried = 1; ; tried += 1) {
    try {
      return await fetch(request.clone());
    } catch (error) {
      if (request.signal.aborted) throw error;
      if (tried >= TRIES) throw new NoAnswer("This screen has lost its device. It tries again by itself.");
      await pause(PAUSE_MS * tried);
    }
  }
}

/** 128 random bits. `crypto.randomUUID` is missing where a page is not served from loopback. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
}

export const api = createClient<paths>({ fetch: steady });

export type Answered<T> = { data?: T; error?: unknown; response: Response };

/** The document of an answer. Throws Refused, NoAnswer. */
export async function told<T>(asking: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await asking;
  if (response.status === 401) signedOut?.();
  if (!response.ok) throw new Refused(response.status, (error ?? {}) as Partial<Schemas["Problem"]>);
  return data as T;
}

/** The same with its version, for `If-Match`. */
export async function tagged<T>(asking: Promise<Answered<T>>): Promise<{ told: T; tag: string }> {
  const answered = await asking;
  return { told: await told(Promise.resolve(answered)), tag: answered.response.headers.get("ETag") ?? "" };
}

/** What to show for whatever went wrong. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
