import { createHash } from "node:crypto";
import { describeCodec } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import { admissionCodec, joinLinkCodeCodec, knockCodec, knockMac, linkShareCodec } from "./join-link.ts";
import type { Admission, JoinLinkCode, Knock, KnockScope, LinkShare } from "./join-link.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const short = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
const ext = new Uint8Array(0);
const sha256 = (data: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(data).digest());
const code: JoinLinkCode = { host: "a.example", linkId: id(1), keyHash: id(2), secret: short(3), directory: id(4), name: "Club" };
const share: LinkShare = {
  format: 1,
  host: "a.example",
  logId: id(1),
  seed: id(2),
  accountId: id(3),
  notAfterMs: 1_767_225_600_000,
  maxUses: 50,
  admitted: [short(5)],
  refused: [{ tag: short(6), times: 2 }],
  name: "Club",
  ext,
};

describe("[X-14] structures of join links", () => {
  describeCodec<JoinLinkCode>("joinLinkCodeCodec", joinLinkCodeCodec, {
    samples: [code, { ...code, name: "" }],
    frozen: `09612e6578616d706c65${"01".repeat(32)}${"02".repeat(32)}${"03".repeat(16)}${"04".repeat(32)}04436c7562`,
    overLimit: { "a name of 129 bytes": { ...code, name: "a".repeat(129) }, "a host that is none": { ...code, host: "A.example" } },
  });
  describeCodec<Knock>("knockCodec", knockCodec, {
    samples: [{ format: 1, mac: id(1), answer: id(2), ext }],
    frozen: `0001${"01".repeat(32)}${"02".repeat(32)}00`,
    overLimit: { "a short answer": { format: 1, mac: id(1), answer: short(2), ext } },
  });
  describeCodec<Admission>("admissionCodec", admissionCodec, {
    samples: [{ format: 1, linkId: id(1), answer: id(2), ext }],
    frozen: `0001${"01".repeat(32)}${"02".repeat(32)}00`,
    overLimit: { "a short id": { format: 1, linkId: short(1), answer: id(2), ext } },
  });
  describeCodec<LinkShare>("linkShareCodec", linkShareCodec, {
    samples: [share, { ...share, admitted: [], refused: [], name: "" }],
    frozen: `000109612e6578616d706c65${"01".repeat(32)}${"02".repeat(32)}${"03".repeat(32)}0000019b76daa800003210${"05".repeat(16)}12${"06".repeat(16)}000204436c756200`,
    overLimit: {
      "1,001 who were let in": { ...share, admitted: Array.from({ length: 1001 }, () => short(1)) },
      "for nobody": { ...share, maxUses: 0 },
      "for 1,001 people": { ...share, maxUses: 1001 },
      "until the year 2100": { ...share, notAfterMs: 4_102_444_800_001 },
      "1,001 who were refused": { ...share, refused: Array.from({ length: 1001 }, () => ({ tag: short(1), times: 1 })) },
    },
  });

  test("the MAC of a knock hangs on who knocks, where, with which answer, and on the secret", () => {
    const scope: KnockScope = { host: "a.example", accountId: id(1), deviceId: short(2), linkId: id(3), answer: id(4) };
    const mac = knockMac(sha256, short(9), scope);
    expect(mac).toEqual(knockMac(sha256, short(9), { ...scope }));
    const others = [
      knockMac(sha256, short(8), scope),
      ...[{ host: "b.example" }, { accountId: id(7) }, { deviceId: short(7) }, { linkId: id(7) }, { answer: id(7) }].map((other) =>
        knockMac(sha256, short(9), { ...scope, ...other }),
      ),
    ];
    for (const other of others) expect(other).not.toEqual(mac);
  });
});
