import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { decodeContent } from "@latchkey/protocol";
import { isSpeech, mayOf, mentionsOf, saidBodyOf } from "../core/speak.ts";
import type { ConversationState, Outgoing } from "../core/types.ts";
import type { Line } from "../timeline/line.ts";
import { isMessage } from "../timeline/said.ts";
import type { Said } from "../timeline/said.ts";
import { stayOf } from "../timeline/timer.ts";
import type { People } from "./people.ts";

/** What of a message of one's own its line is made of. */
export type Composed = Pick<Outgoing, "id" | "order" | "purpose" | "text" | "composedAtMs" | "content">;

/** What one said oneself and is not in the log yet, as if it stood at its end; `undefined` for what is not for the timeline. */
export function pendingSaid(
  state: ConversationState,
  own: { readonly account: string; readonly accountId: Uint8Array },
  item: Composed,
): Said | undefined {
  if (item.purpose !== "text" && item.purpose !== "change") return undefined;
  const content = decodeContent(item.content);
  if (content.kind === "malformed" || !isSpeech(content)) return undefined;
  const { order, composedAtMs } = item;
  const stay = isMessage(content) ? stayOf(content.expires, 0) : undefined;
  return {
    order,
    id: bytesOf(item.id),
    author: own.accountId,
    device: undefined,
    claimedAtMs: content.sentAtMs,
    sentAtMs: composedAtMs,
    arrivedAtMs: composedAtMs,
    acceptedAtMs: 0,
    body: saidBodyOf(content),
    inReplyTo: content.inReplyTo,
    forwardedHops: content.forwardedHops,
    mentions: mentionsOf(state, own, content),
    may: mayOf(state, own),
    timer: stay === undefined ? undefined : { ...stay, sentMs: composedAtMs, sinceMs: 0 },
  };
}

/** The line of a message that waits. */
export function pendingLine(said: Said, { id, text }: Pick<Outgoing, "id" | "text">): Line {
  const { order, author, sentAtMs, claimedAtMs, arrivedAtMs, device, inReplyTo, forwardedHops, mentions, body, timer } = said;
  return {
    id,
    order,
    author,
    sentAtMs,
    acceptedAtMs: 0,
    body: body.kind === "poll" ? body : { ...(body.kind === "text" ? body : undefined), kind: "text", text },
    message: { claimedAtMs, arrivedAtMs, device, inReplyTo, forwardedHops, mentions, facts: [], refused: [], timer },
  };
}

const idBytes = 32;

function bytesOf(id: string): Uint8Array {
  const bytes = /^[\w-]{43}$/u.test(id) ? fromBase64Url(id) : new Uint8Array(0);
  return bytes.length === idBytes ? bytes : new Uint8Array(idBytes);
}

/** What is known now of the device that said something (spec G-8). */
export function standingOfSaid(people: Pick<People, "vouches">, state: ConversationState, said: Said): "proven" | "open" | "refused" {
  const { device, author } = said;
  if (device === undefined) return "proven";
  const { deviceId, signaturePublicKey } = device;
  const leaf = { host: state.host, accountId: author, account: toBase64Url(author), deviceId, signaturePublicKey };
  if (people.vouches(leaf)) return "proven";
  return state.unverified.some((open) => !open.refused && equalBytes(open.signaturePublicKey, signaturePublicKey)) ? "open" : "refused";
}
