import { decode, encode, enumeration, equalBytes, opaque, safeUint64, struct, uint16, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxLinkUses, maxRefusedTags } from "@latchkey/protocol";
import type { JoinLinkWord, LinkShare, RefusedTag } from "@latchkey/protocol";

/** Links of a group that are open at once: another one closes the oldest (spec X-14). */
export const maxOpenLinks = 8;
/** Links of a group of which anything is kept: closed ones go first. */
const maxLinks = 16;
/** Refusals of one account after which its knocks at a link are passed over. */
export const refusalsThatBlock = 3;

/** Why a link is closed: taken back, since somebody who had it manages no more, or since there were too many. */
export type LinkEnd = "revoked" | "inviter_gone" | "replaced";

/** A join link as its group knows it, by its log. */
export interface LinkRecord {
  readonly linkId: Uint8Array;
  readonly linkHash: Uint8Array;
  /** Whoever opened it. */
  readonly accountId: Uint8Array;
  readonly notAfterMs: number;
  readonly maxUses: number;
  readonly end: LinkEnd | "open";
  /** Tags of the accounts that were let in, in the order of the log: no more than `maxUses`. */
  readonly admitted: readonly Uint8Array[];
  readonly refused: readonly RefusedTag[];
}

/** The links of one group, oldest first. */
export type LinkBook = readonly LinkRecord[];

/** What the log does to links. */
export type LinkEvent =
  /** Said by somebody who had the right `invite` at that place. */
  | { readonly kind: "said"; readonly accountId: Uint8Array; readonly said: JoinLinkWord }
  /** Somebody who had the right, or a device of theirs, is out of the group or lost it. */
  | { readonly kind: "inviter_gone" };

/** What became of the links: a function of the words and their places alone (spec X-14). */
export function nextBook(book: LinkBook, event: LinkEvent): LinkBook {
  if (event.kind === "inviter_gone") return book.map((link) => (link.end === "open" ? { ...link, end: "inviter_gone" } : link));
  const { said, accountId } = event;
  if (said.word === "open") return opened(book, said, accountId);
  const link = find(book, said.linkId);
  if (link?.end !== "open") return book;
  if (said.word === "close") return changed(book, said.linkId, { end: "revoked" });
  if (said.word === "refuse") return changed(book, said.linkId, { refused: refusedOnce(link.refused, said.tag) });
  if (isAdmitted(link, said.tag) || link.admitted.length >= link.maxUses) return book;
  return changed(book, said.linkId, { admitted: [...link.admitted, said.tag.slice()] });
}

function opened(book: LinkBook, said: Extract<JoinLinkWord, { word: "open" }>, accountId: Uint8Array): LinkBook {
  if (find(book, said.linkId) !== undefined) return book;
  return withRecord(book, {
    linkId: said.linkId.slice(),
    linkHash: said.linkHash.slice(),
    accountId: accountId.slice(),
    notAfterMs: said.notAfterMs,
    maxUses: said.maxUses,
    end: "open",
    admitted: [],
    refused: [],
  });
}

function withRecord(book: LinkBook, record: LinkRecord): LinkBook {
  let next: LinkBook = [...book, record];
  const open = next.filter(({ end }) => end === "open");
  if (open.length > maxOpenLinks && open[0] !== undefined) next = changed(next, open[0].linkId, { end: "replaced" });
  while (next.length > maxLinks) {
    const oldest = next.find(({ end }) => end !== "open") ?? next[0];
    next = next.filter((link) => link !== oldest);
  }
  return next;
}

function refusedOnce(refused: readonly RefusedTag[], tag: Uint8Array): readonly RefusedTag[] {
  const known = refused.find((one) => equalBytes(one.tag, tag));
  if (known === undefined) return refused.length < maxRefusedTags ? [...refused, { tag: tag.slice(), times: 1 }] : refused;
  return refused.map((one) => (one === known ? { tag: one.tag, times: Math.min(refusalsThatBlock, one.times + 1) } : one));
}

/** A link that was opened before this device came, with what somebody who has the right `invite` says became of it. */
export function withShare(book: LinkBook, share: LinkShare, names: { linkId: Uint8Array; linkHash: Uint8Array }): LinkBook {
  if (find(book, names.linkId) !== undefined) return book;
  const { accountId, notAfterMs, maxUses, admitted, refused } = share;
  return withRecord(book, {
    ...names,
    accountId: accountId.slice(),
    notAfterMs,
    maxUses,
    end: "open",
    admitted: admitted.slice(0, maxUses).map((tag) => tag.slice()),
    refused: refused.map(({ tag, times }) => ({ tag: tag.slice(), times })),
  });
}

/** The book with fields of one link replaced. */
export function changed(book: LinkBook, linkId: Uint8Array, fields: Partial<LinkRecord>): LinkBook {
  return book.map((link) => (equalBytes(link.linkId, linkId) ? { ...link, ...fields } : link));
}

/** A link by its id. */
export function find(book: LinkBook, linkId: Uint8Array): LinkRecord | undefined {
  return book.find((link) => equalBytes(link.linkId, linkId));
}

/** Whether the account with this tag was let in by the link. */
export function isAdmitted({ admitted }: Pick<LinkRecord, "admitted">, tag: Uint8Array): boolean {
  return admitted.some((known) => equalBytes(known, tag));
}

/** How often the account with this tag was refused at the link. */
export function refusals({ refused }: Pick<LinkRecord, "refused">, tag: Uint8Array): number {
  return refused.find((one) => equalBytes(one.tag, tag))?.times ?? 0;
}

const recordCodec: Codec<LinkRecord> = struct<LinkRecord>({
  linkId: opaque(32),
  linkHash: opaque(32),
  accountId: opaque(32),
  notAfterMs: safeUint64,
  maxUses: uint16,
  end: enumeration<LinkRecord["end"]>(uint8, { open: 1, revoked: 2, inviter_gone: 3, replaced: 4 }),
  admitted: vector(opaque(16), { maxBytes: 16 * maxLinkUses }),
  refused: vector(struct<RefusedTag>({ tag: opaque(16), times: uint16 }), { maxBytes: 18 * maxRefusedTags }),
});

const bookCodec: Codec<LinkBook> = vector(recordCodec, { maxBytes: 1 << 21, maxItems: maxLinks });

/** As it is stored. */
export function encodeBook(book: LinkBook): Uint8Array {
  return encode(bookCodec, book);
}

/** @throws CodecError */
export function decodeBook(bytes: Uint8Array): LinkBook {
  return decode(bookCodec, bytes);
}
