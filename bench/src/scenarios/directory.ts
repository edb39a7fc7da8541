import { createPublicKey, verify } from "node:crypto";
import { encode } from "@latchkey/codec";
import {
  decodeDirectoryProof,
  directoryProofCodec,
  labelProofCodec,
  memoryNodes,
  buildMap,
  emptyHash,
  encodeTransition,
  nextReplay,
  nobleSignatures,
  updateMap,
  verifyAccountChain,
  verifyLookup,
} from "@latchkey/transparency";
import type { DirectoryProof, MapChange, ReplayState, Signatures } from "@latchkey/transparency";
import { createMemoryDirectory, createPerson } from "@latchkey/transparency/testing";
import type { MemoryDirectory } from "@latchkey/transparency/testing";
import type { Figure, Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";
import { randomBytes } from "../wire.ts";

const kibibyte = 1024;
const ed25519Public = Buffer.from("302a300506032b6570032100", "hex");

/** Ed25519 as the client in Node has it. */
const nodeSignatures: Signatures = {
  sign: nobleSignatures.sign,
  verify: (publicKey, message, signature) =>
    verify(null, message, createPublicKey({ key: Buffer.concat([ed25519Public, publicKey]), format: "der", type: "spki" }), signature),
};

/** Sizes of proofs of the public log of accounts, and what it takes to verify and to replay it. */
export const directory: Scenario = {
  name: "directory",
  summary: "The public log of accounts: bytes of a first contact's proof, verification, replay of an audit, updates of the map",
  async run({ isQuick }) {
    const accounts = isQuick ? 1000 : 100_000;
    const figures = [...(await measureLookup(accounts, isQuick)), ...(await measureReplay(isQuick)), ...measureUpdate(accounts, isQuick)];
    return { parameters: { accounts, labels: 2 * accounts, witnesses: 3, quorum: "2 of 3, of the log and of the map" }, figures };
  },
};

/** A directory of so many accounts, each registered by an entry of its own as far as the log's size goes. */
async function largeDirectory(accounts: number): Promise<MemoryDirectory> {
  const made = await createMemoryDirectory({ witnesses: 3, threshold: 2 });
  for (let labels = 2 * accounts; labels > 0; labels -= 25_000) await made.publishFiller(Math.min(labels, 25_000));
  return made;
}

async function measureLookup(accounts: number, isQuick: boolean): Promise<Figure[]> {
  const made = await largeDirectory(accounts);
  const people = await Promise.all(Array.from({ length: isQuick ? 5 : 40 }, async (_, i) => await createPerson(`person${String(i)}`)));
  await made.publish(people.flatMap((person) => person.changes));
  while (made.size() < accounts) await made.publish([]);
  const sizes: number[] = [];
  const needed: number[] = [];
  const sizesOfOneLabel: number[] = [];
  const times: number[] = [];
  const withAccount: number[] = [];
  const structure: Structure[] = [];
  for (const person of people) {
    const answer = await made.lookup(person, { isTrimmed: true });
    const proof = decodeDirectoryProof(answer.proof);
    sizes.push(answer.proof.length);
    sizesOfOneLabel.push(encode(directoryProofCodec, { ...proof, labels: proof.labels.slice(0, 1) }).length);
    needed.push((await made.lookup(person, { log: [], map: [0, 1] })).proof.length);
    structure.push(structureOf(proof));
    const started = performance.now();
    const { relation } = await verifyLookup({
      proof: decodeDirectoryProof(answer.proof),
      host: made.host,
      view: undefined,
      config: made.config,
      query: { username: person.username },
      record: answer,
      nowMs: made.nowMs(),
      signatures: nodeSignatures,
    });
    times.push(performance.now() - started);
    await verifyAccountChain({ previous: undefined, signedStates: answer.states, pops: person.pops, signatures: nodeSignatures });
    withAccount.push(performance.now() - started);
    if (relation !== "first") throw new Error("a first contact was none");
  }
  const bytes = (name: string, values: readonly number[], target?: number): Figure => ({
    name,
    unit: "bytes",
    ...(target === undefined ? {} : { target }),
    ...summarize(values),
  });
  const label = `${accounts.toLocaleString("en")} accounts`;
  const extrapolated = [1e6, 1e9].flatMap((more) => {
    const target = more === 1e6 ? 2.5 * kibibyte : undefined;
    const name = `${more.toLocaleString("en")} accounts, extrapolated: proof of a first contact`;
    const factor = more / accounts;
    const oneLabel = structure.map((own, i) => extrapolate({ ...own, bytes: sizesOfOneLabel[i] ?? Number.NaN, labels: 1 }, factor));
    return [
      bytes(
        name,
        structure.map((own) => extrapolate(own, factor)),
        target,
      ),
      bytes(`${name}, one label`, oneLabel, target),
    ];
  });
  return [
    bytes(`${label}: proof of a first contact, account and name`, sizes),
    bytes(`${label}: the same with the cosignatures of two witnesses only`, needed),
    bytes(`${label}: the same for one label`, sizesOfOneLabel),
    bytes(
      `${label}: of it the signed head`,
      structure.map((own) => own.headBytes),
    ),
    bytes(
      `${label}: of it the paths in the map`,
      structure.map((own) => own.pathHashes * 32),
    ),
    ...extrapolated,
    { name: `${label}: verify a first contact in Node`, unit: "ms", target: 10, ...summarize(times) },
    { name: `${label}: the same with the account's chain`, unit: "ms", ...summarize(withAccount) },
  ];
}

interface Structure {
  readonly bytes: number;
  readonly headBytes: number;
  readonly pathHashes: number;
  readonly inclusionHashes: number;
  readonly labels: number;
}

function structureOf(proof: DirectoryProof): Structure {
  const bytes = encode(directoryProofCodec, proof).length;
  const labelBytes = proof.labels.reduce((sum, label) => sum + encode(labelProofCodec, label).length, 0);
  const pathHashes = proof.labels.reduce(
    (sum, { mapProof }) => sum + mapProof.siblings.filter((sibling) => sibling !== undefined).length,
    0,
  );
  return { bytes, headBytes: bytes - labelBytes, pathHashes, inclusionHashes: proof.head.inclusion.length, labels: proof.labels.length };
}

/** A map `factor` times as large has log2(factor) more siblings on each path, its log at most as many more in the inclusion proof. */
function extrapolate({ bytes, labels }: Structure, factor: number): number {
  const levels = Math.log2(factor);
  // Bits of the bitmaps, too; half the levels of a log have a sibling on the path of its newest entry.
  return bytes + labels * (levels * 32 + levels / 8) + (levels / 2) * 32;
}

/** An audit: entries of 1 and of 100 changed labels, in a map of 10,000. */
async function measureReplay(isQuick: boolean): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const batch of [1, 100]) {
    const made = await createMemoryDirectory({ witnesses: 0 });
    await made.publishFiller(10_000);
    const first = made.size();
    const count = isQuick ? 20 : batch === 1 ? 1000 : 50;
    for (let i = 0; i < count; i++) await made.publishFiller(batch);
    const entries = made.entries();
    const transitions = made.transitions();
    let state: ReplayState | undefined;
    const speeds: number[] = [];
    for (const [index, entry] of entries.entries()) {
      const started = performance.now();
      const step = nextReplay(state, { entry, transition: transitions[index] });
      if (index >= first) speeds.push((step.changed / (performance.now() - started)) * 1000);
      state = step.state;
    }
    figures.push({
      name: `replay, ${String(batch)} changed labels an entry`,
      unit: "changes/s",
      target: 5000,
      isFloor: true,
      ...summarize(speeds),
    });
  }
  return figures;
}

function measureUpdate(accounts: number, isQuick: boolean): Figure[] {
  const leaves = Array.from({ length: 2 * accounts }, () => ({ index: randomBytes(32), version: 1, chain: emptyHash }));
  const { root, added } = buildMap(leaves);
  const nodes = memoryNodes();
  nodes.add(added);
  const times: number[] = [];
  const sizes: number[] = [];
  for (let i = 0; i < (isQuick ? 3 : 15); i++) {
    const changes: MapChange[] = Array.from({ length: 1000 }, () => ({ index: randomBytes(32), commitments: [randomBytes(32)] }));
    const started = performance.now();
    const update = updateMap({ root, changes, read: nodes.read });
    times.push(performance.now() - started);
    if (update.newLeaves !== 1000) throw new Error("the update added other leaves");
    sizes.push(encodeTransition(update.transition).length);
  }
  const label = `1,000 labels into ${(2 * accounts).toLocaleString("en")}`;
  return [
    { name: `update of the map, ${label}`, unit: "ms", target: 1000, ...summarize(times) },
    { name: `its transition, ${label}`, unit: "bytes", ...summarize(sizes) },
  ];
}
