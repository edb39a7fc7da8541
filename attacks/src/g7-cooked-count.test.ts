// G7 | an operator, or whoever has a hold on it, cooks the public count: cases left out, altered, added later, opened early, or never counted | D
// Source: orders with secrecy (Signal's filings of 2016 and 2021); transparency reports that nobody can check
// Counter-measure: constant slots in the public log at fixed hours, a constant number sealed, receipts (F-9, K-1 to K-5)
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClientError } from "@latchkey/client";
import {
  checkReceipt,
  countLogCodec,
  countsLabel,
  encodeOpening,
  encodeRecord,
  openPublicCounts,
  parseOpening,
} from "@latchkey/client/counts";
import type { CountLogItem, Opening, OpeningSlot, PublicCounts, VerifiedHalfYear } from "@latchkey/client/counts";
import { decode, encode, utf8Bytes } from "@latchkey/codec";
import { commitmentOf, operatorLabel } from "@latchkey/transparency";
import { createNodePlatform } from "@latchkey/client/node";
import { arrivalOf, outcomeOf, startCountedServer } from "@latchkey/server/testing";
import type { CountedServer } from "@latchkey/server/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shows } from "./testing/shown.ts";

let folder: string;
let counted: CountedServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-attack-"));
  const cases = [1, 2, 3].map((week) => ({ ref: `request:${week}`, week, count: arrivalOf({ country: "DE" }) }));
  const secret = { ref: "request:9", week: 4, count: arrivalOf({ secrecy: { kind: "open" } }) };
  counted = await startCountedServer({
    dataDirectory: join(folder, "server"),
    cases: [...cases, secret, { ref: "request:1", week: 5, count: outcomeOf() }],
  });
}, 400_000);

afterAll(async () => {
  await counted.server.close();
  rmSync(folder, { recursive: true, force: true });
});

type Lie = (path: string, honest: Uint8Array) => Uint8Array;

/** What somebody reads to whom other files are given in place of the honest ones. */
function countsWith(lie: Lie = (_, honest) => honest): PublicCounts {
  const platform = createNodePlatform();
  return openPublicCounts({
    serverUrl: counted.server.url,
    platform: {
      ...platform,
      async fetch(input, init) {
        const response = await platform.fetch(input, init);
        const { pathname } = new URL(input instanceof Request ? input.url : input);
        if (!pathname.startsWith("/v1/counts") || !response.ok) return response;
        return new Response(new Uint8Array(lie(pathname, new Uint8Array(await response.arrayBuffer()))));
      },
    },
  });
}

async function verify(lie?: Lie): Promise<VerifiedHalfYear> {
  const verified = await countsWith(lie).verify(counted.server.host, counted.text);
  if (verified === undefined) throw new Error("the half-year is counted");
  return verified;
}

function periodsOf(index: Uint8Array): readonly { readonly period: string }[] {
  return (JSON.parse(new TextDecoder().decode(index)) as { periods: readonly { period: string }[] }).periods;
}

/** A log in which one of its values is not shown. */
function withBare(bytes: Uint8Array, version: number): Uint8Array {
  const log = decode(countLogCodec, bytes);
  const items = log.items.map((item, of): CountLogItem => {
    if (log.firstVersion + of !== version || item.kind !== "shown") return item;
    return {
      kind: "bare",
      commitment: commitmentOf({ opening: item.opening, label: operatorLabel(countsLabel), version, value: item.value }),
    };
  });
  return encode(countLogCodec, { ...log, items });
}

/** Of the values that a log shows, the one before the last. */
function shownIn(bytes: Uint8Array): number {
  const { firstVersion, items } = decode(countLogCodec, bytes);
  const shown = items.flatMap(({ kind }, of) => (kind === "shown" ? [firstVersion + of] : []));
  return shown.at(-2) ?? 0;
}

type Change = (slots: readonly OpeningSlot[], batch: number) => readonly OpeningSlot[];

/** The opening with its slots changed. */
function opened(change: Change): (path: string, honest: Uint8Array) => Uint8Array {
  return (path, honest) => {
    if (!path.includes("/opening-")) return honest;
    const opening: Opening = parseOpening(honest);
    return encodeOpening({ ...opening, batches: opening.batches.map((slots, at) => (slots === undefined ? slots : change(slots, at))) });
  };
}

/** Puts a record into the first slot of a batch that has one of this length, or a shorter one. */
function put(batch: number, isWanted: (slot: OpeningSlot) => boolean, record: Uint8Array): Change {
  return (slots, at) => {
    const place = at === batch ? slots.findIndex(isWanted) : -1;
    return slots.map((slot, of) => (of === place && slot.kind === "opened" ? { kind: "opened", salt: slot.salt, record } : slot));
  };
}

const nothing = encodeRecord({ kind: "none" });
const isCase = (slot: OpeningSlot): boolean => slot.kind === "opened" && slot.record.length > 50;
const isDummy = (slot: OpeningSlot): boolean => slot.kind === "opened" && slot.record.length === nothing.length;

function kindsOf({ report }: VerifiedHalfYear): readonly string[] {
  return report.findings.map(({ kind, batch }) => (batch === undefined ? kind : `${kind} ${batch}`));
}

describe("G7 a public count that is cooked", () => {
  test("the honest one holds for everybody, as many slots sealed in each batch whatever is in them", async (context) => {
    const honest = await verify();
    expect(kindsOf(honest)).toEqual([]);
    expect(honest.report.sealed).toBe(2 * honest.report.batches);
    expect(honest.report.arrivals).toHaveLength(3);
    shows(context, "all of it stands in the public record, unchanged");
  });

  test("a case altered, left out or added after its batch was published: the batch is named, and nothing of it counts", async (context) => {
    const other = parseOther(await honestRecord());
    for (const change of [put(1, isCase, other), put(1, isCase, nothing), put(6, isDummy, await honestRecord())]) {
      const found = await verify(opened(change));
      expect(kindsOf(found)).toContain("opening_unannounced");
      expect(kindsOf(found).some((kind) => kind.startsWith("batch_differs"))).toBe(true);
    }
    shows(context, "what was opened is not what was counted, and in which batch");
  });

  test("a case that may be told is kept sealed, or one more is sealed: the number of sealed slots gives it away", async (context) => {
    const found = await verify(
      opened((slots, batch) =>
        batch === 1 ? slots.map((slot) => (isCase(slot) ? { kind: "sealed", hash: new Uint8Array(32) } : slot)) : slots,
      ),
    );
    expect(kindsOf(found)).toContain("batch_differs 1");
    shows(context, "the batch is not the one that was published");
  });

  test("a half-year that is left out, or a second batch of one number that nobody is shown: the record has more than all of it together", async (context) => {
    const all = (lie?: Lie): ReturnType<PublicCounts["verifyAll"]> => countsWith(lie).verifyAll(counted.server.host);
    const honest = await all();
    expect(honest.hidden).toBe(0);
    const leftOut = await all((path, bytes) =>
      path === "/v1/counts"
        ? utf8Bytes(JSON.stringify({ periods: periodsOf(bytes).filter(({ period }) => period !== counted.text) }))
        : bytes,
    );
    expect(leftOut.halfYears).toHaveLength(honest.halfYears.length - 1);
    expect(leftOut.hidden).toBeGreaterThan(0);
    // Every log has one of the values as a commitment alone.
    let version = 0;
    const bare = await all((path, bytes) => {
      if (!path.endsWith("/log")) return bytes;
      if (path.endsWith(`${counted.text}/log`)) version = shownIn(bytes);
      return withBare(bytes, version);
    });
    expect(bare.hidden).toBe(1);
    shows(context, "values that no half-year shows");
  });

  test("batches that were never in the public record, or only some of them: nothing of it is verified", async (context) => {
    const cut = verify((path, honest) => (path.endsWith("/log") ? honest.slice(0, -40) : honest));
    await expect(cut).rejects.toThrow(ClientError);
    const changed = verify((path, honest) => (path.endsWith("/log") ? honest.map((byte, at) => (at === 300 ? byte ^ 1 : byte)) : honest));
    await expect(changed).rejects.toMatchObject({ code: expect.stringMatching(/directory_unproven|server_lied/) as string });
    shows(context, "what the server says that it counted is not in its public record");
  });

  test("a case that was never counted: whoever was given its receipt finds that it is missing", async (context) => {
    const honest = await verify();
    const [receipt, , , secret] = counted.receipts;
    if (receipt === undefined || secret === undefined) throw new Error("there are receipts");
    expect([receipt, secret].map((one) => checkReceipt(one, honest.report))).toEqual(["open", "sealed"]);
    expect(checkReceipt({ ...receipt, salt: new Uint8Array(32).fill(7) }, honest.report)).toBe("missing");
    shows(context, "this case is not in the count");
  });
});

async function honestRecord(): Promise<Uint8Array> {
  return Promise.resolve(counted.receipts[0]?.record ?? nothing);
}

/** The same case with another byte. */
function parseOther(record: Uint8Array): Uint8Array {
  return record.map((byte, at) => (at === 5 ? byte ^ 1 : byte));
}
