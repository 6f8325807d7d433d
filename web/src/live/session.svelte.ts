// Who is logged in. A ticket in the address begins a session, and is taken out of the address.

import { api, Refused, setCsrf, told, type SessionState } from "../api/client";

const TICKET = /^#ticket=([\w-]+)$/;

class Session {
  state = $state<SessionState | null>(null);
  known = $state(false);

  /** Whether the device lets whoever is logged in do something: a permission of its own table. */
  may(permission: string): boolean {
    return this.state?.permissions.includes(permission) ?? false;
  }

  /** Look whether somebody is logged in, by a ticket or from before. */
  async begin(): Promise<void> {
    const ticket = TICKET.exec(location.hash)?.[1];
    if (ticket) history.replaceState(null, "", location.pathname + location.search);
    try {
      this.#set(ticket ? await this.#log_in({ ticket }) : await told(api.GET("/api/v1/session")));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // A ticket works once: after a reload the session that it began is there.
      if (ticket) await this.#resume();
      else this.#set(null);
    }
  }

  /** Throws Refused: a wrong PIN, too many tries. */
  async logIn(who: { staff: string; pin: string } | { token: string }): Promise<void> {
    this.#set(await this.#log_in(who));
  }

  async logOut(): Promise<void> {
    await told(api.DELETE("/api/v1/session"));
    this.#set(null);
  }

  async #resume(): Promise<void> {
    try {
      this.#set(await told(api.GET("/api/v1/session")));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#set(null);
    }
  }

  #log_in(who: Record<string, string>): Promise<SessionState> {
    return told(api.POST("/api/v1/session", { body: who as never })) as Promise<SessionState>;
  }

  #set(state: SessionState | null): void {
    this.state = state;
    this.known = true;
    setCsrf(state?.csrf ?? null);
  }
}

export const session = new Session();
