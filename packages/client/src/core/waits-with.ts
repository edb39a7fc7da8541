import { toBase64Url } from "@latchkey/codec";
import { decodeContent } from "@latchkey/protocol";
import { targetOf } from "../timeline/said.ts";
import type { SaidBody } from "../timeline/said.ts";
import { isSpeech, saidBodyOf } from "./speak.ts";
import type { ConversationState, Outgoing } from "./types.ts";

type Waiting = Pick<ConversationState, "outgoing">;

/** Whether it can go out now: what could not be sent waits for the person, and so does what was done to it (spec L-4). */
export function isToSend({ outgoing }: Waiting, item: Outgoing): boolean {
  if (item.failure !== undefined) return false;
  const target = outgoing.some(({ failure }) => failure !== undefined) ? aboutOf(item) : undefined;
  return !outgoing.some(({ id, failure }) => failure !== undefined && id === target);
}

/** What waits and was done to this message, or to what was done to it, in the order in which it was asked for. */
export function changesOf({ outgoing }: Waiting, { id }: Pick<Outgoing, "id">): readonly Outgoing[] {
  const ids = new Set([id]);
  return outgoing.filter((item) => {
    const target = aboutOf(item);
    if (target === undefined || !ids.has(target)) return false;
    ids.add(item.id);
    return true;
  });
}

/** What a message that waits says as it is shown: by the newest of its texts that waits with it. */
export function newestTextOf(state: Waiting, item: Outgoing): string {
  const edit = changesOf(state, item)
    .map(bodyOf)
    .findLast((body) => body?.kind === "edit");
  return edit?.kind === "edit" ? edit.text : item.text;
}

/** Whether it brings words: a message, or another text in the place of one. */
export function hasWords(item: Outgoing): boolean {
  return item.purpose === "text" || bodyOf(item)?.kind === "edit";
}

/** The id of what it was done to, of what waits and is no message of its own. */
export function aboutOf(item: Outgoing): string | undefined {
  const body = bodyOf(item);
  const target = body === undefined ? undefined : targetOf(body);
  return target === undefined ? undefined : toBase64Url(target);
}

function bodyOf({ purpose, content }: Outgoing): SaidBody | undefined {
  if (purpose !== "change") return undefined;
  const decoded = decodeContent(content);
  return decoded.kind !== "malformed" && isSpeech(decoded) ? saidBodyOf(decoded) : undefined;
}
