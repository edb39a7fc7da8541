import { decodeCbor, encodeCbor } from "./cbor.ts";
import { ContentError } from "./errors.ts";
import { maxSentAtMs } from "./head.ts";
import { dispositions } from "./mimi.ts";
import type { NestedPart } from "./mimi.ts";

export const pinType = "application/vnd.latchkey.pin+cbor";

/** What is pinned, and how long (spec X-10). */
export interface Pin {
  readonly messageId: Uint8Array;
  /** Milliseconds since 1970; `forever` without an end; `never` takes a pin back. */
  readonly until: number | "forever" | "never";
}

/** The body of a pin. */
export function pinPart({ messageId, until }: Pin): NestedPart {
  const end = until === "forever" ? null : until === "never" ? 0 : until;
  const { unspecified } = dispositions;
  return { kind: "single", disposition: unspecified, language: "", contentType: pinType, content: encodeCbor([messageId, end]) };
}

/** What a pin says; `undefined` for what is none. */
export function pinOf(content: Uint8Array): Pin | undefined {
  let fields: unknown;
  try {
    fields = decodeCbor(content);
  } catch (error) {
    if (error instanceof ContentError) return undefined;
    throw error;
  }
  if (!Array.isArray(fields) || fields.length !== 2) return undefined;
  const [messageId, end]: unknown[] = fields;
  if (!(messageId instanceof Uint8Array) || messageId.length !== 32 || messageId[0] !== 1) return undefined;
  if (end === null) return { messageId, until: "forever" };
  if (typeof end !== "number" || !Number.isSafeInteger(end) || end < 0 || end > maxSentAtMs) return undefined;
  return { messageId, until: end === 0 ? "never" : end };
}
