import { CodecError, concatBytes, decode, encode, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { Change, Fact } from "./line.ts";

/*
 * Facts as they are stored, packed by hand: a popular message has hundreds, and each reading of a page reads all of them. A fact is its order,
 * claimed time (all ones for none) and time of arrival, 8 bytes each, its id and author, 32 bytes each, and its change: a byte for
 * the kind, and what the kind has.
 */
const idBytes = 32;
const headBytes = 24 + 2 * idBytes + 1;
const kinds = { edit: 1, reaction: 2, unreaction: 3, vote: 4, poll_end: 5, deletion: 6 } as const;
const noTime = 0xffff_ffff;
const high = 2 ** 32;

const utf8 = new TextDecoder("utf-8", { fatal: true });

type Edit = Extract<Change, { readonly kind: "edit" }>;
/** What an edit has beside its kind. */
export type EditCodec = Codec<Omit<Edit, "kind">>;

/** Packs facts. @throws RangeError for an emoji of more than 255 bytes */
export function packFacts(facts: readonly Fact[], editCodec: EditCodec): Uint8Array {
  const bodies = facts.map(({ change }) => bodyBytes(change, editCodec));
  const bytes = new Uint8Array(bodies.reduce((sum, body) => sum + headBytes + body.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [index, fact] of facts.entries()) {
    putTime(view, at, fact.order);
    if (fact.claimedAtMs === undefined) view.setUint32(at + 8, noTime);
    else putTime(view, at + 8, fact.claimedAtMs);
    putTime(view, at + 16, fact.arrivedAtMs);
    bytes.set(fact.id, at + 24);
    bytes.set(fact.author, at + 24 + idBytes);
    bytes[at + headBytes - 1] = kinds[fact.change.kind];
    const body = bodies[index] ?? new Uint8Array(0);
    bytes.set(body, at + headBytes);
    at += headBytes + body.length;
  }
  return bytes;
}

/** Unpacks facts; ids and accounts are views of `bytes`. @throws CodecError for anything that `packFacts` does not make */
export function unpackFacts(bytes: Uint8Array, editCodec: EditCodec): Fact[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const facts: Fact[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < headBytes) throw malformed();
    const { change, size } = changeAt(bytes, view, at + headBytes, editCodec, bytes[at + headBytes - 1] ?? 0);
    facts.push({
      order: timeAt(view, at),
      claimedAtMs: view.getUint32(at + 8) === noTime ? undefined : timeAt(view, at + 8),
      arrivedAtMs: timeAt(view, at + 16),
      id: bytes.subarray(at + 24, at + 24 + idBytes),
      author: bytes.subarray(at + 24 + idBytes, at + 24 + 2 * idBytes),
      change,
    });
    at += headBytes + size;
  }
  return facts;
}

function bodyBytes(change: Change, editCodec: EditCodec): Uint8Array {
  switch (change.kind) {
    case "edit": {
      const edit = encode(editCodec, change);
      const bytes = new Uint8Array(4 + edit.length);
      new DataView(bytes.buffer).setUint32(0, edit.length);
      bytes.set(edit, 4);
      return bytes;
    }
    case "reaction": {
      const emoji = change.emoji.map((one) => utf8Bytes(one));
      const long = emoji.find(({ length }) => length > 255);
      if (long !== undefined || emoji.length > 255) throw new RangeError("an emoji is short");
      return concatBytes(Uint8Array.of(emoji.length), ...emoji.flatMap((one) => [Uint8Array.of(one.length), one]));
    }
    case "unreaction":
      return change.reaction;
    case "vote":
      return Uint8Array.from([change.options.length, ...change.options]);
    case "poll_end":
    case "deletion":
      return new Uint8Array(0);
  }
}

interface Unpacked {
  readonly change: Change;
  readonly size: number;
}

function changeAt(bytes: Uint8Array, view: DataView, at: number, editCodec: EditCodec, kind: number): Unpacked {
  const take = (from: number, length: number): Uint8Array => {
    if (from + length > bytes.length) throw malformed();
    return bytes.subarray(from, from + length);
  };
  const byteAt = (from: number): number => {
    const byte = bytes[from];
    if (byte === undefined) throw malformed();
    return byte;
  };
  switch (kind) {
    case kinds.edit: {
      take(at, 4);
      const length = view.getUint32(at);
      return { change: { kind: "edit", ...decode(editCodec, take(at + 4, length)) }, size: 4 + length };
    }
    case kinds.reaction:
      return reactionAt(take, byteAt, at);
    case kinds.unreaction:
      return { change: { kind: "unreaction", reaction: take(at, idBytes) }, size: idBytes };
    case kinds.vote: {
      const count = byteAt(at);
      return { change: { kind: "vote", options: [...take(at + 1, count)] }, size: 1 + count };
    }
    case kinds.poll_end:
      return { change: { kind: "poll_end" }, size: 0 };
    case kinds.deletion:
      return { change: { kind: "deletion" }, size: 0 };
    default:
      throw malformed();
  }
}

function reactionAt(take: (from: number, length: number) => Uint8Array, byteAt: (from: number) => number, at: number): Unpacked {
  const count = byteAt(at);
  const emoji: string[] = [];
  let end = at + 1;
  for (let one = 0; one < count; one++) {
    const length = byteAt(end);
    emoji.push(textOf(take(end + 1, length)));
    end += 1 + length;
  }
  return { change: { kind: "reaction", emoji }, size: end - at };
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed();
  }
}

function putTime(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / high));
  view.setUint32(at + 4, value % high);
}

function timeAt(view: DataView, at: number): number {
  const value = view.getUint32(at) * high + view.getUint32(at + 4);
  if (!Number.isSafeInteger(value)) throw malformed();
  return value;
}

function malformed(): CodecError {
  return new CodecError("invalid", "no facts");
}
