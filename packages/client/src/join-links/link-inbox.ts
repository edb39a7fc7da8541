import type { WaitingKnock } from "@latchkey/protocol";
import { requireClock } from "../account/clock.ts";
import type { World } from "../engine/world.ts";
import { ClientError, refusal } from "../errors.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { LinkKeys } from "./link-keys.ts";

type Ways = Pick<World, "connections" | "platform" | "directory">;

/** Opens the inbox of a link (spec I-5). @throws ClientError */
export async function open(
  { connections, platform, directory }: Ways,
  host: string,
  { keys, notAfterMs }: { readonly keys: LinkKeys; readonly notAfterMs: number },
): Promise<void> {
  const { linkId, readKey, keyPair } = keys;
  const request = {
    kind: "open_link_inbox",
    linkId,
    readHash: platform.sha256(readKey),
    key: keyPair.publicKey,
    notAfterMs,
  } as const;
  await connections.once("post", host, async (connection) => {
    requireClock(connection);
    const what = { host, operation: "link_inbox", target: linkId } as const;
    expectAnswer(await directory.tokens.spend(what, (token) => connection.request({ ...request, token })), "done");
  });
}

/** What knocks at a link are sealed to, by the server's word; `undefined` where there is no such link. @throws ClientError */
export async function keyOf({ connections }: Ways, host: string, linkId: Uint8Array): Promise<Uint8Array | undefined> {
  return await connections.once("post", host, async (connection) => {
    const answer = await connection.request({ kind: "take_link_key", linkId });
    if (answer.kind === "error" && answer.code === "not_found") return undefined;
    return expectAnswer(answer, "link_key").key.slice();
  });
}

/** Puts a knock down. @throws ClientError `join_link_gone`, `waiting_room_full`, `clock_skew`, and what the way there throws */
export async function knock(
  { connections, directory }: Ways,
  host: string,
  { linkId, blob }: { readonly linkId: Uint8Array; readonly blob: Uint8Array },
): Promise<void> {
  await connections.once("post", host, async (connection) => {
    // By a clock that is days off it would be dated so that nobody takes it.
    requireClock(connection);
    const what = { host, operation: "knock", target: linkId } as const;
    const answer = await directory.tokens.spend(what, (token) => connection.request({ kind: "knock", linkId, blob, token }));
    if (answer.kind !== "error") return;
    if (answer.code === "not_found") throw linkGone();
    if (answer.code === "inbox_full")
      throw new ClientError("waiting_room_full", "Too many people wait to be let in there. Try again later.", { canRetry: true });
    throw refusal(answer);
  });
}

/** There is no such link any more, or it is one that somebody else opened in its place: what they made up of a seed is nobody's to read. */
function isGone(answer: { readonly kind: string; readonly code?: string }): boolean {
  return answer.kind === "error" && (answer.code === "not_found" || answer.code === "wrong_access_key");
}

/** All that waits at a link; `undefined` where the server has no such link any more. @throws ClientError */
export async function read(
  { connections }: Ways,
  host: string,
  { linkId, readKey }: LinkKeys,
): Promise<readonly WaitingKnock[] | undefined> {
  return await connections.once("post", host, async (connection) => {
    // By a clock that is days off those that hold would be too old, and be taken away from everybody.
    requireClock(connection);
    const knocks: WaitingKnock[] = [];
    for (;;) {
      const answer = await connection.request({ kind: "read_knocks", linkId, readKey, afterSeq: knocks.at(-1)?.seq ?? 0 });
      if (isGone(answer)) return undefined;
      const { knocks: page, isMore } = expectAnswer(answer, "knocks");
      const before = knocks.length;
      for (const { seq, blob } of page) if (seq > (knocks.at(-1)?.seq ?? 0)) knocks.push({ seq, blob: blob.slice() });
      // A server that goes on for ever, or says the same again, is not listened to for ever.
      if (!isMore || knocks.length === before || knocks.length >= maxRead) return knocks;
    }
  });
}

const maxRead = 512;

/** Takes these away. @throws ClientError */
export async function erase({ connections }: Ways, host: string, { linkId, readKey }: LinkKeys, seqs: readonly number[]): Promise<void> {
  if (seqs.length === 0) return;
  await connections.once("post", host, async (connection) => {
    const answer = await connection.request({ kind: "erase_knocks", linkId, readKey, seqs: seqs.slice(0, 256) });
    if (!isGone(answer)) expectAnswer(answer, "done");
  });
}

/**
 * Closes the inbox, with all that waits; that it is closed already is as good. Whether it is closed.
 * @param endMs when its time is over, where nothing else closes it: by the server's clock too, else it stays for those whose clocks are right
 * @throws ClientError
 */
export async function close(
  { connections }: Ways,
  host: string,
  { keys: { linkId, readKey }, endMs = 0 }: { readonly keys: LinkKeys; readonly endMs?: number },
): Promise<boolean> {
  return await connections.once("post", host, async (connection) => {
    if (connection.hello.timeMs < endMs) return false;
    const answer = await connection.request({ kind: "close_link_inbox", linkId, readKey });
    if (!isGone(answer)) expectAnswer(answer, "done");
    return true;
  });
}

/** The link is closed, or its time is over. */
export function linkGone(): ClientError {
  return new ClientError("join_link_gone", "This link does not hold any more. Ask for another one.");
}
