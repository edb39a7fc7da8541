import { CodecError, decode, encode } from "@latchkey/codec";
import type { BlobReference } from "@latchkey/protocol";
import type { ClientErrorCode, ClientFailure, LinkState } from "../api.ts";
import { ClientError, failureOf, offlineError } from "../errors.ts";
import { encryptBlob, getBlob, putBlob } from "../group/blobs.ts";
import { inboxSuite } from "../group/inbox-seal.ts";
import type { Platform } from "../platform/platform.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { linkLifeMs } from "./link-code.ts";
import type { LinkPlace } from "./link-code.ts";
import { stepLink } from "./link-machine.ts";
import type { LinkContext, LinkEffect, LinkInput, LinkMachine, LinkTurn } from "./link-machine.ts";
import { maxChannelBytes } from "./link-messages.ts";
import type { ChannelMessage } from "./link-messages.ts";
import { linkedAccountCodec } from "./linked-account.ts";
import type { LinkedAccount } from "./linked-account.ts";
import { openRendezvous } from "./rendezvous.ts";
import type { Rendezvous } from "./rendezvous.ts";

/** How long an offer may take to reach the server, in milliseconds. */
const offerTimeoutMs = 10_000;

/** What an effect of the machine needs of the rest of the client; inputs that follow are given back. */
export type LinkHandler = (
  effect: Exclude<LinkEffect, { kind: "append" | "compare" | "failed" }>,
) => Promise<LinkInput | undefined> | LinkInput | undefined;

const sentences: Readonly<Partial<Record<ClientErrorCode, string>>> = {
  link_refused: "The linking was broken off, or the digits differed.",
  link_expired: "The linking took too long. Start again with a new code.",
  invalid_code: "No device waits under this code. Check it, or start again with a new one.",
  server_full: "The server has no space left to link a device. Tell who runs it, and start again later.",
  server_lied: "Something came between the two devices. Nothing was linked.",
};

/** The failure of a linking, in words of a linking where there are some. */
function linkFailure(code: ClientErrorCode, cause: ClientFailure | undefined): ClientError {
  const words = cause?.code === code ? cause.message : "The device could not be linked.";
  return new ClientError(code, sentences[code] ?? words);
}

/** Where the machine meets the server: carries entries and effects, one after the other. */
export class LinkSession {
  readonly #platform: Platform;
  readonly #rendezvous: Rendezvous;
  readonly #handle: LinkHandler;
  readonly #emit: (state: LinkState) => void;
  #machine: LinkMachine;
  #work: Promise<void> = Promise.resolve();
  readonly #cancelExpiry: () => void;
  #over = false;
  /** What went wrong first. */
  #cause: ClientFailure | undefined;
  /** Settles with the first of: digits are shown, or it failed. */
  readonly compared: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(params: {
    platform: Platform;
    connections: Connections;
    host: string;
    place: LinkPlace;
    first: LinkTurn;
    handle: LinkHandler;
    emit: (state: LinkState) => void;
  }) {
    const { platform, connections, host, place, first } = params;
    this.#platform = platform;
    this.#handle = params.handle;
    this.#emit = params.emit;
    this.#machine = first.machine;
    this.compared.promise.catch(() => undefined);
    this.#rendezvous = openRendezvous({
      platform,
      connections,
      host,
      place,
      creates: first.machine.role === "new",
      onEntry: (blob) => this.input({ kind: "entry", blob }),
      onRefused: (failure) => this.input(this.#failedBy(failure)),
      onFailed: (error) => this.input(this.#failedBy(error)),
    });
    this.#cancelExpiry = platform.setTimer(linkLifeMs, () => this.input({ kind: "expired" }));
    this.#work = this.#carryOut(first.effects);
  }

  get machine(): LinkMachine {
    return this.#machine;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Takes an input after those before it. */
  input(input: LinkInput): void {
    this.#work = this.#work.then(async () => {
      if (this.#over) return;
      let turn: LinkTurn;
      try {
        turn = await stepLink(this.#context(), this.#machine, input);
      } catch (error) {
        turn = await stepLink(this.#context(), this.#machine, this.#failedBy(error));
      }
      this.#machine = turn.machine;
      await this.#carryOut(turn.effects);
    });
  }

  /** Waits until what was said is on the server. @throws ClientError why the linking is over, `offline` after ten seconds */
  async said(): Promise<void> {
    // Nobody compares anything before it is there.
    const over = this.compared.promise.then(() => true);
    if (await Promise.race([this.#rendezvous.drained(offerTimeoutMs), over])) return;
    this.close();
    throw offlineError();
  }

  /** Nobody answered in time: the code is an old one; or, where this device reaches no server, it is not known, and the code may hold still. */
  unanswered(): void {
    const { kind } = this.#machine.phase;
    if (kind !== "joining" && kind !== "answered") return;
    if (this.#rendezvous.isOpen) return this.input({ kind: "expired" });
    this.compared.reject(offlineError());
    this.close();
  }

  /** Resolves when everything taken so far was carried out. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Leaves without a word: the profile is closing. */
  close(): void {
    this.#over = true;
    this.#cancelExpiry();
    this.#rendezvous.close();
    this.compared.reject(new ClientError("closed", "The client is closed."));
  }

  #failedBy(error: unknown): Extract<LinkInput, { kind: "failed" }> {
    const failure = failureOf(error);
    this.#cause ??= failure;
    return { kind: "failed", code: failure.code };
  }

  #context(): LinkContext {
    return { random: this.#platform.random, suite: this.#platform.crypto.suite(inboxSuite) };
  }

  async #carryOut(effects: readonly LinkEffect[]): Promise<void> {
    for (const effect of effects) {
      switch (effect.kind) {
        case "append":
          this.#rendezvous.append(effect.blob);
          break;
        case "compare": {
          const { digits, deviceName, identity } = effect;
          this.#emit({ kind: "compare", digits, deviceName: deviceName === "" ? (identity?.username ?? "") : deviceName });
          this.compared.resolve();
          break;
        }
        case "failed": {
          const failure = linkFailure(effect.code, this.#cause);
          this.#end({ kind: "failed", failure: failureOf(failure) });
          this.compared.reject(failure);
          break;
        }
        default:
          await this.#askFor(effect);
      }
    }
    if (this.#machine.phase.kind === "linked") this.#end(undefined);
  }

  async #askFor(effect: Exclude<LinkEffect, { kind: "append" | "compare" | "failed" }>): Promise<void> {
    try {
      const answer = await this.#handle(effect);
      if (answer !== undefined) this.input(answer);
    } catch (error) {
      this.input(this.#failedBy(error));
    }
  }

  #end(state: LinkState | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelExpiry();
    // The last word, if the server takes it soon.
    void this.#rendezvous.drained(5000).then(() => this.#rendezvous.close());
    if (state !== undefined) this.#emit(state);
  }
}

/** The account for the new device: in an entry, or above its size in a blob. @throws ClientError `offline` and the like */
export async function packLinked(
  params: { platform: Platform; baseUrl: string },
  linked: LinkedAccount,
): Promise<Extract<ChannelMessage, { kind: "account" | "account_blob" }>> {
  const { platform, baseUrl } = params;
  const content = encode(linkedAccountCodec, linked);
  if (content.length <= maxChannelBytes) return { kind: "account", content };
  const { reference, ciphertext } = encryptBlob({ plaintext: content, random: platform.random, sha256: platform.sha256 });
  await putBlob({ platform, baseUrl }, reference.blobId, ciphertext);
  return { kind: "account_blob", reference };
}

/** @throws ClientError `server_lied` for anything but an account */
export async function unpackLinked(
  params: { platform: Platform; baseUrl: string },
  message: Extract<ChannelMessage, { kind: "account" | "account_blob" }>,
): Promise<LinkedAccount> {
  const content = message.kind === "account" ? message.content : await getBlob(params, message.reference satisfies BlobReference);
  try {
    return decode(linkedAccountCodec, content);
  } catch (cause) {
    if (cause instanceof CodecError) throw new ClientError("server_lied", "The other device sent no account.", { cause });
    throw cause;
  }
}
