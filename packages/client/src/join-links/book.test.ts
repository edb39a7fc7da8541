import type { JoinLinkWord } from "@latchkey/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBook, encodeBook, find, isAdmitted, maxOpenLinks, nextBook, refusals, refusalsThatBlock, withShare } from "./book.ts";
import type { LinkBook, LinkEvent } from "./book.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const tag = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
const by = (said: JoinLinkWord, account = 1): LinkEvent => ({ kind: "said", accountId: id(account), said });
const open = (link: number, maxUses = 2): LinkEvent =>
  by({ word: "open", linkId: id(link), linkHash: id(100 + link), notAfterMs: 1_767_225_600_000, maxUses });
const word = (kind: "admit" | "refuse", link: number, account: number): LinkEvent =>
  by({ word: kind, linkId: id(link), tag: tag(account) }, 2);
const close = (link: number): LinkEvent => by({ word: "close", linkId: id(link) }, 2);
const after = (...events: readonly LinkEvent[]): LinkBook => events.reduce(nextBook, []);
const ends = (book: LinkBook): readonly string[] => book.map(({ end }) => end);

describe("[X-14] what the log says of join links", () => {
  test("a link is open from its first word to its close; what is said of it before and behind, or again, is nothing", () => {
    const book = after(close(1), word("admit", 1, 5), open(1), open(1, 1000), word("admit", 1, 5), word("admit", 1, 5), close(1));
    expect(book).toEqual([
      {
        linkId: id(1),
        linkHash: id(101),
        accountId: id(1),
        notAfterMs: 1_767_225_600_000,
        maxUses: 2,
        end: "revoked",
        admitted: [tag(5)],
        refused: [],
      },
    ]);
    expect(nextBook(nextBook(book, open(1)), word("admit", 1, 6))).toEqual(book);
  });

  test("as many are let in as it is for, each once, in the order of the log; three refusals block, on this link alone", () => {
    const events = [open(1), open(2), ...[5, 6, 5, 7].map((account) => word("admit", 1, account))];
    const book = after(...events, ...Array.from({ length: 5 }, () => word("refuse", 1, 9)));
    const link = find(book, id(1));
    if (link === undefined) throw new Error("it is there");
    expect(link.admitted).toEqual([tag(5), tag(6)]);
    expect([isAdmitted(link, tag(6)), isAdmitted(link, tag(7))]).toEqual([true, false]);
    expect([refusals(link, tag(9)), refusals(link, tag(8))]).toEqual([refusalsThatBlock, 0]);
    expect(find(book, id(2))?.refused).toEqual([]);
  });

  test("[E-115] whoever had the right and is gone closes all that are open, and nothing that is opened later", () => {
    const book = after(open(1), close(1), open(2), { kind: "inviter_gone" }, open(3));
    expect(ends(book)).toEqual(["revoked", "inviter_gone", "open"]);
  });

  test("[E-115] of too many open ones the oldest closes, and of too many known ones the oldest closed is forgotten", () => {
    const many = Array.from({ length: 40 }, (_, at) => open(at + 1));
    const book = after(...many);
    expect(book).toHaveLength(16);
    expect(ends(book).filter((end) => end === "open")).toHaveLength(maxOpenLinks);
    expect(find(book, id(40))?.end).toBe("open");
    expect(find(book, id(32))?.end).toBe("replaced");
    const refused = after(open(1), ...Array.from({ length: 1200 }, (_, at) => by({ word: "refuse", linkId: id(1), tag: wide(at) })));
    expect(refused[0]?.refused).toHaveLength(1000);
    const admitted = after(open(1, 1000), ...Array.from({ length: 1200 }, (_, at) => by({ word: "admit", linkId: id(1), tag: wide(at) })));
    expect(decodeBook(encodeBook([...refused, ...admitted]))).toEqual([...refused, ...admitted]);
  });

  test("[E-115] a link that was opened before this device came is taken from a share; what the log said of one stands", () => {
    const share = {
      format: 1 as const,
      host: "a.example",
      logId: id(9),
      seed: id(8),
      accountId: id(3),
      notAfterMs: 5,
      maxUses: 1,
      admitted: [tag(1), tag(2)],
      refused: [{ tag: tag(4), times: 2 }],
      name: "",
      ext: new Uint8Array(0),
    };
    const book = withShare([], share, { linkId: id(1), linkHash: id(2) });
    expect(book).toMatchObject([{ accountId: id(3), maxUses: 1, admitted: [tag(1)], end: "open" }]);
    const known = after(open(1));
    expect(withShare(known, share, { linkId: id(1), linkHash: id(101) })).toBe(known);
  });

  test("read in parts it is the same as read at once, through the store too", () => {
    const link = fc.integer({ min: 1, max: 12 });
    const account = fc.integer({ min: 1, max: 6 });
    const event: fc.Arbitrary<LinkEvent> = fc.oneof(
      link.map((at) => open(at)),
      link.map(close),
      fc.tuple(fc.constantFrom("admit" as const, "refuse" as const), link, account).map(([kind, at, who]) => word(kind, at, who)),
      fc.constant<LinkEvent>({ kind: "inviter_gone" }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.nat(60), (events, at) => {
        const first = decodeBook(encodeBook(after(...events.slice(0, at))));
        expect(events.slice(at).reduce(nextBook, first)).toEqual(after(...events));
      }),
    );
  });
});

function wide(at: number): Uint8Array {
  const bytes = tag(0);
  new DataView(bytes.buffer).setUint32(0, at);
  return bytes;
}
