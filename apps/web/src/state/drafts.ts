import type { ClientEvent } from "@latchkey/client";
import type { ClientHost } from "../worker/remote-client.ts";

/** A page that ends without notice loses no more than was written in it. */
const delayMs = 200;

/** What is written in conversations and not sent: here at once, in the client a moment later. */
export class Drafts {
  readonly #client: Pick<ClientHost["client"], "saveDraft">;
  readonly #drafts = new Map<string, string>();
  readonly #unsaved = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What was handed to the client last: what it tells of another draft is from another device. */
  readonly #handed = new Map<string, string>();
  readonly #saving = new Map<string, number>();
  #saved: Promise<unknown> = Promise.resolve();

  constructor(client: Pick<ClientHost["client"], "saveDraft">) {
    this.#client = client;
  }

  /** `undefined` where the client's counts. */
  get(conversationId: string): string | undefined {
    return this.#drafts.get(conversationId);
  }

  set(conversationId: string, text: string): void {
    this.#drafts.set(conversationId, text);
    this.#unsaved.add(conversationId);
    this.#timer ??= setTimeout(() => void this.flush(), delayMs);
  }

  /** What is written there and was not handed over yet. */
  unsaved(conversationId: string): string | undefined {
    return this.#unsaved.has(conversationId) ? this.#drafts.get(conversationId) : undefined;
  }

  /** Hands all to the client; resolves when it has them. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const saves = [...this.#unsaved].map((id) => this.#save(id, this.#drafts.get(id) ?? ""));
    this.#unsaved.clear();
    this.#saved = Promise.all([this.#saved, ...saves]);
    await this.#saved;
  }

  /**
   * The client has another draft, as one's other device or the person who decided between two: it stands in the field from now on, unless
   * somebody types there. What the client tells of what was just handed to it is none.
   */
  take(events: readonly ClientEvent[]): void {
    const newest = new Map(
      events.flatMap((event) => (event.kind === "conversation" ? [[event.conversation.id, event.conversation] as const] : [])),
    );
    for (const [id, { draft }] of newest) {
      if (this.#unsaved.has(id) || (this.#saving.get(id) ?? 0) > 0 || this.#handed.get(id) === draft) continue;
      this.#handed.delete(id);
      this.#drafts.delete(id);
    }
  }

  async #save(id: string, text: string): Promise<void> {
    this.#handed.set(id, text);
    this.#saving.set(id, (this.#saving.get(id) ?? 0) + 1);
    await this.#client.saveDraft(id, text).catch(() => undefined);
    this.#saving.set(id, (this.#saving.get(id) ?? 1) - 1);
  }
}
