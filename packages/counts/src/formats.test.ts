import { encode, toHex, utf8Bytes } from "@latchkey/codec";
import { describeCodec } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import {
  batchRoot,
  countLogCodec,
  countPolicyCodec,
  countReceiptCodec,
  countRecordCodec,
  countryHash,
  countValueCodec,
  dayBucket,
  decodeReceipts,
  defaultPolicy,
  derivedSalt,
  encodeReceipts,
  encodeRecord,
  parseReceipt,
  receiptText,
  slotHash,
} from "./index.ts";
import type { CountLog, CountReceipt, CountRecord } from "./index.ts";
import { recordOf } from "./testing/index.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const none = new Uint8Array();
const policy = defaultPolicy({ period: 4053, firstBatch: 12 });
const arrival = recordOf(1, { code: "DE", secrecy: { kind: "until", period: 4055 } });
const outcome: CountRecord = {
  kind: "outcome",
  caseId: arrival.caseId,
  of: "request",
  period: 4053,
  result: "released",
  given: ["subscriber"],
  days: "4-10",
  notice: "by us",
  approvals: "two",
  secrecy: { kind: "open" },
};
const trail: CountRecord = { kind: "trail", entries: 70_000, head: id(9) };
const receipt: CountReceipt = {
  format: 1,
  host: "chat.example",
  period: 4053,
  batch: 12,
  salt: id(1),
  record: encodeRecord(arrival),
  country: { salt: new Uint8Array(16).fill(7), code: "DE" },
  place: { batch: 12, slot: 3, slots: 8, path: [id(2), id(3), id(4)] },
  ext: none,
};
const shown: CountLog["items"][number] = {
  kind: "shown",
  value: encode(countValueCodec, { kind: "policy", policy }),
  opening: id(7),
  index: 40,
  entry: id(8),
  mapProof: { siblings: [id(9), undefined], terminal: { kind: "leaf" } },
};
const log: CountLog = {
  format: 1,
  firstVersion: 2,
  chainBefore: id(5),
  items: [{ kind: "bare", commitment: id(6) }, shown],
  ext: none,
};

describeCodec("CountPolicy", countPolicyCodec, {
  samples: [policy],
  frozen: "00010fd5000c01040802001e00050000",
  overLimit: { "an extension of 257 bytes": { ...policy, ext: new Uint8Array(257) } },
});
describeCodec("CountRecord", countRecordCodec, {
  samples: [arrival, outcome, trail, { kind: "none" }],
  frozen:
    "01c60f415da240c4f496cccf63b961b20b010765752d65706f6320c4ec1c309195408f363767d60823d67f91d725d127ba8bb31b18076219e89af50fd500010b0a7375627363726962657200010fd7",
  overLimit: { "nine categories": recordOf(1, { categories: Array.from({ length: 9 }, (_, at) => `c${at}`) }) },
});
describeCodec("CountValue", countValueCodec, {
  samples: [
    { kind: "policy", policy },
    { kind: "batch", period: 4053, batch: 12, root: id(3) },
    { kind: "opening", period: 4053, number: 1, hash: id(4) },
  ],
  frozen: "00010100010fd5000c01040802001e0005000000",
  overLimit: { "a root of 31 bytes": { kind: "batch", period: 1, batch: 1, root: new Uint8Array(31) } },
});
describeCodec("CountLog", countLogCodec, {
  samples: [log],
  frozen: "sha256:00f5e5d1599fdb8df4ad10fc1d5723a3b6f5fafaab3547a6a5383ec769a77221",
  overLimit: { "a value of 2,049 bytes": { ...log, items: [{ ...shown, value: new Uint8Array(2049) }] } },
});
describeCodec("CountReceipt", countReceiptCodec, {
  samples: [receipt],
  frozen: "sha256:917d7b4489cf2c616a87403c52741bffe5390845574960bdd8213bc650431e62",
  overLimit: { "a path of seven": { ...receipt, place: { batch: 12, slot: 3, slots: 8, path: [1, 2, 3, 4, 5, 6, 7].map(id) } } },
});

describe("what is counted", () => {
  test("[K-2] hashes and encodings are frozen", () => {
    const salt = derivedSalt(id(1), 12, 3);
    expect(toHex(salt)).toMatchInlineSnapshot(`"7a400eaf1980d008ac0e6e69553ba6142e701ef59fce719ea6bbb8cab39c3739"`);
    expect(toHex(slotHash(salt, encodeRecord(arrival)))).toMatchInlineSnapshot(
      `"8b36981ff2eca5c46eb44c9000cf25347d77cc10b8a951a195d3926fe722bd6c"`,
    );
    expect(toHex(slotHash(salt, encodeRecord({ kind: "none" })))).toMatchInlineSnapshot(
      `"f53abc929cd707059620fa7c48bb219887cc24ad318d336293c62c932a6f823d"`,
    );
    expect(toHex(batchRoot([1, 2, 3, 4].map(id)))).toMatchInlineSnapshot(
      `"3b3c0ce45d11517a54300a196b61497c4165150d72b7782a4548e3984da771b2"`,
    );
    expect(toHex(countryHash(new Uint8Array(16).fill(7), "DE"))).toMatchInlineSnapshot(
      `"c4ec1c309195408f363767d60823d67f91d725d127ba8bb31b18076219e89af5"`,
    );
    expect(toHex(encode(countPolicyCodec, policy))).toMatchInlineSnapshot(`"00010fd5000c01040802001e00050000"`);
    expect(toHex(encodeRecord(arrival))).toMatchInlineSnapshot(
      `"01c60f415da240c4f496cccf63b961b20b010765752d65706f6320c4ec1c309195408f363767d60823d67f91d725d127ba8bb31b18076219e89af50fd500010b0a7375627363726962657200010fd7"`,
    );
    expect(toHex(encodeRecord(outcome))).toMatchInlineSnapshot(
      `"02c60f415da240c4f496cccf63b961b20b010fd50872656c65617365640b0a7375627363726962657202010102"`,
    );
    expect(toHex(encode(countValueCodec, { kind: "batch", period: 4053, batch: 12, root: id(3) }))).toMatchInlineSnapshot(
      `"0001020fd5000c030303030303030303030303030303030303030303030303030303030303030300"`,
    );
    expect(toHex(encode(countReceiptCodec, receipt)).length).toMatchInlineSnapshot(`512`);
  });

  test("[K-2] a record that would show by its length does not go into a slot, and words are those of tables", () => {
    const long = Array.from({ length: 8 }, (_, at) => `${"category-of-data".repeat(2)}-${at}`);
    expect(() => encodeRecord(recordOf(1, { categories: long }))).toThrow();
    expect(() => encodeRecord(recordOf(1, { type: "two words" }))).toThrow();
    expect(() => slotHash(id(1), new Uint8Array(251).fill(1))).toThrow();
    // A record and the same with a zero behind it are two.
    expect(toHex(slotHash(id(1), Uint8Array.of(0)))).not.toBe(toHex(slotHash(id(1), Uint8Array.of(0, 0))));
  });

  test("[K-1] a policy that leaves no room for a case, or cannot be kept, is none", () => {
    const refused = [{ sealed: 7 }, { hour: 24 }, { openingDays: 0 }, { openingDays: 181 }, { delayPeriods: 11 }, { smallNumber: 101 }];
    for (const change of refused) expect(() => encode(countPolicyCodec, { ...policy, ...change })).toThrow();
    expect(() => encode(countPolicyCodec, { ...policy, sealed: 6 })).not.toThrow();
  });

  test("[K-2] days are told in buckets", () => {
    expect([0, 1, 2, 3, 4, 10, 11, 30, 31, 90, 91, 4000].map(dayBucket)).toEqual([
      "0-1",
      "0-1",
      "2-3",
      "2-3",
      "4-10",
      "4-10",
      "11-30",
      "11-30",
      "31-90",
      "31-90",
      "91 or more",
      "91 or more",
    ]);
  });

  test("[K-5] a receipt is a line of text", () => {
    expect(parseReceipt(` ${receiptText(receipt)}\n`)).toEqual(receipt);
    for (const text of [
      "",
      "latchkey-receipt-1.",
      `${receiptText(receipt)}A`,
      `latchkey-receipt-1.${"A".repeat(9000)}`,
      toHex(utf8Bytes("x")),
    ])
      expect(() => parseReceipt(text)).toThrow("no receipt");
  });
});

describe("receipts that come along", () => {
  const receipt = (at: number): CountReceipt => ({
    format: 1,
    host: "chat.example",
    period: 4053,
    batch: at,
    salt: new Uint8Array(32).fill(at),
    record: encodeRecord({ kind: "none" }),
    country: undefined,
    place: undefined,
    ext: new Uint8Array(),
  });

  test("[K-5] the newest three come along with what is told, and what is none there is no receipt and no fault", () => {
    const all = [1, 2, 3, 4].map(receipt);
    expect(decodeReceipts(encodeReceipts(all))).toEqual(all.slice(1));
    expect(encodeReceipts([])).toEqual(new Uint8Array());
    for (const bad of [new Uint8Array(), Uint8Array.of(1), new Uint8Array(300).fill(7), encodeReceipts(all).subarray(0, 40)]) {
      expect(decodeReceipts(bad)).toEqual([]);
    }
  });

  test("[K-5] a receipt that a letter has broken into lines is read as one", () => {
    const text = receiptText(receipt(9));
    const broken = text.replaceAll(/.{20}/gu, "$&\r\n  ");
    expect(parseReceipt(broken)).toEqual(receipt(9));
  });
});
