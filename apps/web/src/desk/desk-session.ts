/** Why the page shows nothing. `used`: the link had been used before, so that its session is closed now. */
export type DeskClosed = "closed" | "used" | "ended";

/** What came of asking the server. */
export type DeskAnswer =
  | { readonly kind: "answer"; readonly value: unknown }
  | { readonly kind: "closed"; readonly why: DeskClosed }
  | { readonly kind: "busy" }
  | { readonly kind: "failed" };

/** What the page needs of the window around it. */
export interface DeskWindow {
  readonly fetch: typeof globalThis.fetch;
  readonly sessionStorage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  readonly location: Pick<Location, "hash" | "pathname">;
  readonly history: Pick<History, "replaceState">;
}

const tokenName = "latchkey.desk";
const base = "/v1/desk";
/** Doctor asks witnesses, and gives up on each after a while. */
const timeoutMs = 60_000;

/**
 * The operator's session. Its token is this tab's alone: other tabs, other origins and other ports of this machine get nothing of it, and
 * it is gone with the tab.
 */
export class DeskSession {
  readonly #window: DeskWindow;

  constructor(window: DeskWindow) {
    this.#window = window;
  }

  /** Whether this tab has a session, or a link to one in its address. */
  get hasDoor(): boolean {
    return this.#token !== undefined || this.#window.location.hash.startsWith("#open=");
  }

  /** Opens the desk by the link in the address, if there is one, else by the session that this tab has. Takes the secret out of the address first. */
  async open(): Promise<DeskAnswer> {
    const { location, history } = this.#window;
    const [, secret] = /^#open=([\w-]{43})$/.exec(location.hash) ?? [];
    if (secret === undefined) {
      return this.#token === undefined ? { kind: "closed", why: "closed" } : { kind: "answer", value: undefined };
    }
    history.replaceState(undefined, "", location.pathname);
    const answer = await this.#post("open", secret);
    if (answer.kind !== "answer") return answer;
    const { value } = answer;
    if (typeof value !== "object" || value === null || !("token" in value) || typeof value.token !== "string") return { kind: "failed" };
    this.#window.sessionStorage.setItem(tokenName, value.token);
    return answer;
  }

  /** Asks one of the commands that the desk reads. */
  async read(command: string, params: object = {}): Promise<DeskAnswer> {
    const token = this.#token;
    if (token === undefined) return { kind: "closed", why: "ended" };
    const answer = await this.#post(`read/${command}`, JSON.stringify(params), token);
    if (answer.kind !== "closed") return answer;
    this.#forget();
    return { kind: "closed", why: "ended" };
  }

  /** Ends the session, here and on the server. */
  async close(): Promise<void> {
    const token = this.#token;
    this.#forget();
    if (token !== undefined) await this.#post("close", "", token);
  }

  get #token(): string | undefined {
    return this.#window.sessionStorage.getItem(tokenName) ?? undefined;
  }

  #forget(): void {
    this.#window.sessionStorage.removeItem(tokenName);
  }

  async #post(path: string, body: string, token?: string): Promise<DeskAnswer> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    try {
      const init = { method: "POST", body, headers, cache: "no-store", signal: AbortSignal.timeout(timeoutMs) } as const;
      const response = await this.#window.fetch(`${base}/${path}`, init);
      if (response.ok) return { kind: "answer", value: (await response.json()) as unknown };
      if (response.status === 409) return { kind: "closed", why: "used" };
      if (response.status === 404) return { kind: "closed", why: "closed" };
      return { kind: response.status === 429 ? "busy" : "failed" };
    } catch {
      // Offline, too late, or no JSON: nothing that the person could tell apart.
      return { kind: "failed" };
    }
  }
}
