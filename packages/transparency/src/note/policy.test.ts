import { utf8Bytes } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import {
  createVerifier,
  formatPolicy,
  formatVkey,
  isQuorumMet,
  noteSignatureTypes,
  parsePolicy,
  quorumSize,
  quorumTime,
  thresholdPolicy,
  TransparencyError,
} from "../index.ts";
import type { Policy, PolicyWitness } from "../index.ts";

const logVkey = formatVkey({ name: "chat.example/latchkey", type: noteSignatureTypes.ed25519, publicKey: new Uint8Array(32).fill(200) });
const vkey = (fill: number): string =>
  formatVkey({ name: `w${fill}.example`, type: noteSignatureTypes.cosignatureV1, publicKey: new Uint8Array(32).fill(fill) });
const witness = (fill: number): PolicyWitness => ({
  name: `w${fill}`,
  key: createVerifier({ name: `w${fill}.example`, type: noteSignatureTypes.cosignatureV1, publicKey: new Uint8Array(32).fill(fill) }),
});

/** The example of C2SP tlog-policy, with keys. */
const example = `log ${logVkey} https://chat.example/v1/directory

witness X1 ${vkey(1)}
witness X2 ${vkey(2)} https://x2.example
witness X3 ${vkey(3)}
group X-witnesses 2 X1 X2 X3

# a comment
\t# another
witness Y1 ${vkey(4)}
 witness\tY2   ${vkey(5)}\u0020
witness Y3 ${vkey(6)}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;

describe("C2SP tlog-policy", () => {
  const policy = parsePolicy(example);

  it("the example of the specification is read and written", () => {
    expect(policy.logs.map(({ url }) => url)).toEqual(["https://chat.example/v1/directory"]);
    expect(policy.witnesses.map(({ name, url }) => [name, url])).toEqual([
      ["X1", undefined],
      ["X2", "https://x2.example"],
      ["X3", undefined],
      ["Y1", undefined],
      ["Y2", undefined],
      ["Y3", undefined],
    ]);
    expect(policy.groups).toEqual([
      { name: "X-witnesses", threshold: 2, members: ["X1", "X2", "X3"] },
      { name: "Y-witnesses", threshold: 1, members: ["Y1", "Y2", "Y3"] },
      { name: "X-and-Y", threshold: 2, members: ["X-witnesses", "Y-witnesses"] },
    ]);
    expect(parsePolicy(utf8Bytes(example))).toEqual(policy);
    expect(parsePolicy(formatPolicy(policy))).toEqual(policy);
    expect(formatPolicy(parsePolicy(formatPolicy(policy)))).toBe(formatPolicy(policy));
  });

  it("its quorum is two of X and one of Y", () => {
    expect(quorumSize(policy)).toBe(3);
    expect(isQuorumMet(policy, ["X1", "X3", "Y2"])).toBe(true);
    for (const few of [[], ["X1", "X2", "X3"], ["X1", "Y1", "Y2", "Y3"], ["X1", "Y2", "nobody"]])
      expect(isQuorumMet(policy, few)).toBe(false);
  });

  it("the quorum's time is the oldest of the best choice", () => {
    const times = new Map([
      ["X1", 50],
      ["X2", 10],
      ["X3", 40],
      ["Y1", 5],
      ["Y2", 45],
    ]);
    expect(quorumTime(policy, times)).toBe(40);
    times.delete("X3");
    expect(quorumTime(policy, times)).toBe(10);
    times.delete("X2");
    expect(quorumTime(policy, times)).toBeUndefined();
  });

  it("k of n, one witness, and none", () => {
    const three = [1, 2, 3].map(witness);
    const twoOfThree = thresholdPolicy(2, three);
    expect(parsePolicy(formatPolicy(twoOfThree))).toEqual(twoOfThree);
    expect(quorumSize(twoOfThree)).toBe(2);
    expect(isQuorumMet(twoOfThree, ["w1", "w3"])).toBe(true);
    expect(isQuorumMet(twoOfThree, ["w1"])).toBe(false);
    expect(isQuorumMet(twoOfThree, ["w1", "w1"])).toBe(false);
    const single = parsePolicy(`witness a ${vkey(1)}\nquorum a\n`);
    expect([quorumSize(single), isQuorumMet(single, []), isQuorumMet(single, ["a"])]).toEqual([1, false, true]);
    const open = thresholdPolicy(0, []);
    expect(formatPolicy(open)).toBe("quorum none\n");
    expect([quorumSize(open), isQuorumMet(open, []), quorumTime(open, new Map())]).toEqual([0, true, Number.POSITIVE_INFINITY]);
    for (const k of [0, 4, 1.5, -1]) expect(() => thresholdPolicy(k, three)).toThrow(TransparencyError);
  });

  const base = `witness a ${vkey(1)}\nwitness b ${vkey(2)}\n`;
  it.each([
    ["nothing", ""],
    ["no quorum", base],
    ["two quorums", `${base}quorum a\nquorum a\n`],
    ["a quorum of two names", `${base}quorum a b\n`],
    ["an undefined quorum", `${base}quorum c\n`],
    ["a quorum before its witness", `quorum a\n${base}`],
    ["no last newline", `${base}quorum a`],
    ["an unknown line", `${base}mirror a\nquorum a\n`],
    ["a name twice", `${base}witness a ${vkey(3)}\nquorum a\n`],
    ["a group with a witness's name", `${base}group a any b\nquorum a\n`],
    ["a witness with an earlier group's name", `${base}group c any b\nwitness c ${vkey(3)}\nquorum a\n`],
    ["a witness called none", `witness none ${vkey(1)}\nquorum none\n`],
    ["a key twice", `${base}witness c ${vkey(1)}\nquorum a\n`],
    ["a key twice under two key names", `${base}witness c ${formatVkey({ ...witness(1).key, name: "other.example" })}\nquorum a\n`],
    ["a log twice", `log ${logVkey}\nlog ${logVkey}\nquorum none\n`],
    ["a log with a witness's key", `log ${vkey(1)}\nquorum none\n`],
    ["a witness with a log's key", `witness a ${logVkey}\nquorum a\n`],
    ["a group without members", `${base}group c any\nquorum a\n`],
    ["a member not yet defined", `${base}group c any d\nwitness d ${vkey(3)}\nquorum a\n`],
    ["a member not yet defined, after the quorum", `${base}quorum a\ngroup c any d\nwitness d ${vkey(3)}\n`],
    ["a group in itself", `${base}group c any c\nquorum c\n`],
    ["none as a member", `${base}group c any none\nquorum c\n`],
    ["a member twice", `${base}group c 2 a a\nquorum c\n`],
    ["a member of two groups", `${base}group c any a\ngroup d any a\nquorum c\n`],
    ["a threshold of 0", `${base}group c 0 a b\nquorum c\n`],
    ["a threshold of 3 of 2", `${base}group c 3 a b\nquorum c\n`],
    ["a threshold in words", `${base}group c two a b\nquorum c\n`],
    ["no vkey", "witness a\nquorum a\n"],
    ["four items", `witness a ${vkey(1)} url more\nquorum a\n`],
    ["a carriage return", `${base}quorum a\r\n`],
    ["65 witnesses", `${Array.from({ length: 65 }, (_, i) => `witness w${i} ${vkey(i)}\n`).join("")}quorum none\n`],
    ["too long a file", `${base}quorum a\n#${"x".repeat(65_536)}\n`],
  ])("%s is refused", (_, text) => {
    expect(() => parsePolicy(text)).toThrow(TransparencyError);
  });

  it("what cannot be written is refused", () => {
    const bad: Partial<Policy>[] = [
      { quorum: "c" },
      { witnesses: [{ ...witness(1), name: "a b" }] },
      { witnesses: [{ ...witness(1), name: "" }] },
      { witnesses: [{ ...witness(1), url: "https://a\nquorum none" }] },
      { logs: [{ key: witness(1).key }] },
    ];
    for (const change of bad) expect(() => formatPolicy({ ...thresholdPolicy(0, []), ...change })).toThrow(TransparencyError);
  });
});
