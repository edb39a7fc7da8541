import { maxLinkUses } from "../limits.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { ContentError } from "./errors.ts";
import { maxSentAtMs } from "./head.ts";
import { dispositions } from "./mimi.ts";
import type { NestedPart } from "./mimi.ts";

export const joinLinkType = "application/vnd.latchkey.join-link+cbor";

/** What is said in a group of a join link (spec X-14). */
export type JoinLinkWord =
  /** `linkHash`: what its seed hashes to. */
  | {
      readonly word: "open";
      readonly linkId: Uint8Array;
      readonly linkHash: Uint8Array;
      readonly notAfterMs: number;
      readonly maxUses: number;
    }
  | { readonly word: "close"; readonly linkId: Uint8Array }
  /** `tag` stands for the account, to those who have the link's seed. */
  | { readonly word: "admit" | "refuse"; readonly linkId: Uint8Array; readonly tag: Uint8Array };

const numbers: Readonly<Record<JoinLinkWord["word"], number>> = { open: 1, close: 2, admit: 3, refuse: 4 };

/** The body of a word about a join link. */
export function joinLinkPart(said: JoinLinkWord): NestedPart {
  const fields: (number | Uint8Array)[] = [numbers[said.word], said.linkId];
  if (said.word === "open") fields.push(said.linkHash, said.notAfterMs, said.maxUses);
  if (said.word === "admit" || said.word === "refuse") fields.push(said.tag);
  const { unspecified } = dispositions;
  return { kind: "single", disposition: unspecified, language: "", contentType: joinLinkType, content: encodeCbor(fields) };
}

/** What is said of a join link; `undefined` for what is no such word, or of a later version. */
export function joinLinkWordOf(content: Uint8Array): JoinLinkWord | undefined {
  let fields: unknown;
  try {
    fields = decodeCbor(content);
  } catch (error) {
    if (error instanceof ContentError) return undefined;
    throw error;
  }
  if (!Array.isArray(fields)) return undefined;
  const [number, linkId, ...rest]: unknown[] = fields;
  if (!isBytes(linkId, 32)) return undefined;
  if (number === numbers.close) return rest.length === 0 ? { word: "close", linkId } : undefined;
  if (number === numbers.admit || number === numbers.refuse) {
    const [tag] = rest;
    if (rest.length !== 1 || !isBytes(tag, 16)) return undefined;
    return { word: number === numbers.admit ? "admit" : "refuse", linkId, tag };
  }
  const [linkHash, notAfterMs, maxUses] = rest;
  if (number !== numbers.open || rest.length !== 3 || !isBytes(linkHash, 32)) return undefined;
  if (!isCount(notAfterMs, maxSentAtMs) || !isCount(maxUses, maxLinkUses) || maxUses === 0) return undefined;
  return { word: "open", linkId, linkHash, notAfterMs, maxUses };
}

function isBytes(value: unknown, size: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === size;
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most;
}
