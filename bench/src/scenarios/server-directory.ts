import { decodeDirectoryProof, directoryProofCodec, labelProofCodec, verifyLookup } from "@latchkey/transparency";
import type { DirectoryProof } from "@latchkey/transparency";
import { encode, equalBytes } from "@latchkey/codec";
import { httpPaths } from "@latchkey/protocol";
import type { LookupReply } from "@latchkey/protocol";
import { createAccount, signatures } from "../directory/accounts.ts";
import type { BenchAccount } from "../directory/accounts.ts";
import { connectDevice, connectLookup } from "../directory/peer.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import type { ServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";

const host = "latchkey.example";
const batch = 1000;
const fillConnections = 250;
const lookupConnections = 8;
const lookupsInFlight = 16;

type Found = Extract<LookupReply, { kind: "account" }>;

/** The directory: registrations in one batch, lookups with proofs, proof sizes, verification and audit. */
export const serverDirectory: Scenario = {
  name: "server-directory",
  summary: "1,000 registrations at once; lookups with proofs among 100,000 accounts; their size and verification",
  async run({ isQuick }) {
    const accounts = isQuick ? 500 : 100_000;
    const figures: Figure[] = [];
    figures.push(...(await measureBatch(isQuick ? 200 : batch, isQuick ? 1 : 5)));
    // As fast as it goes: the second between two publications is for the batch above.
    await using server = await startServerProcess({ serverOptions: { host, limits: { publicationIntervalMs: 0 } } });
    const known: BenchAccount[] = [];
    const fillSeconds = await fill(server, accounts, known);
    figures.push({ name: "registrations, 250 at a time", unit: "accounts / s", ...summarize([accounts / fillSeconds]) });
    const lookups = await measureLookups(server, known, isQuick ? 2000 : 10_000, isQuick ? 2 : 7);
    figures.push(...lookups.figures);
    figures.push(...(await measureVerification(server, lookups.sample, accounts)));
    return { parameters: { accounts, batch, fillConnections, lookupConnections, lookupsInFlight }, figures };
  },
};

/** All registrations are sent at once to an idle server with the usual second between publications. */
async function measureBatch(count: number, rounds: number): Promise<Figure[]> {
  const seconds: number[] = [];
  const cpu: number[] = [];
  await using server = await startServerProcess({ serverOptions: { host }, isPinned: false });
  for (let round = 0; round <= rounds; round++) {
    const names = Array.from({ length: count }, (_, at) => `r${String(round)}-${String(at)}`);
    const accounts = await Promise.all(names.map((name) => createAccount(name, host)));
    const peers = await Promise.all(
      accounts.map(async (account) => {
        const peer = await connectDevice(server.url);
        await peer.ask({ kind: "reserve", username: account.username, invitation: "", token: new Uint8Array() });
        return { account, peer };
      }),
    );
    const cpuBefore = server.cpuSeconds();
    const startedMs = performance.now();
    await Promise.all(peers.map(({ account, peer }) => peer.ask({ kind: "publish", ...account })));
    const elapsed = (performance.now() - startedMs) / 1000;
    for (const { peer } of peers) peer.close();
    // The first round starts the VRF's thread and warms the compiler.
    if (round === 0) continue;
    seconds.push(elapsed);
    cpu.push(((server.cpuSeconds() - cpuBefore) / count) * 1000);
  }
  return [
    { name: `${String(count)} registrations at once, all proved`, unit: "s", target: 2, ...summarize(seconds) },
    { name: "server CPU of them", unit: "CPU s / 1,000 registrations", ...summarize(cpu) },
  ];
}

/** Registers accounts through many connections; every hundredth is kept to be looked up. Answers the seconds. */
async function fill(server: ServerProcess, count: number, known: BenchAccount[]): Promise<number> {
  let next = 0;
  const startedMs = performance.now();
  const work = async (): Promise<void> => {
    const peer = await connectDevice(server.url);
    for (let at = next++; at < count; at = next++) {
      const account = await createAccount(`user-${String(at)}`, host);
      await peer.ask({ kind: "reserve", username: account.username, invitation: "", token: new Uint8Array() });
      await peer.ask({ kind: "publish", ...account });
      if (at % 20 === 0) known.push(account);
    }
    peer.close();
  };
  await Promise.all(Array.from({ length: Math.min(fillConnections, count) }, work));
  return (performance.now() - startedMs) / 1000;
}

async function measureLookups(server: ServerProcess, known: readonly BenchAccount[], count: number, rounds: number) {
  const peers = await Promise.all(Array.from({ length: lookupConnections }, () => connectLookup(server.url)));
  const rates: number[] = [];
  const cpu: number[] = [];
  const sample: { account: BenchAccount; found: Found }[] = [];
  for (let round = 0; round <= rounds; round++) {
    let next = 0;
    const found: { account: BenchAccount; reply: LookupReply }[] = [];
    const cpuBefore = server.cpuSeconds();
    const startedMs = performance.now();
    const work = async (peer: (typeof peers)[number]): Promise<void> => {
      for (let at = next++; at < count; at = next++) {
        const account = known[Math.floor(Math.random() * known.length)];
        if (account === undefined) throw new Error("nobody to look up");
        found.push({
          account,
          reply: await peer.ask({ kind: "lookup_username", username: account.username, fromVersion: 0, knownSize: 0 }),
        });
      }
    };
    await Promise.all(peers.flatMap((peer) => Array.from({ length: lookupsInFlight }, () => work(peer))));
    const seconds = (performance.now() - startedMs) / 1000;
    const used = server.cpuSeconds() - cpuBefore;
    for (const { account, reply } of found) {
      if (reply.kind !== "account" || reply.states[0] === undefined || !equalBytes(reply.states[0], account.state))
        throw new Error("a wrong answer");
      if (sample.length < 200) sample.push({ account, found: reply });
    }
    if (round === 0) continue;
    rates.push(count / seconds);
    cpu.push(count / used);
  }
  for (const peer of peers) peer.close();
  const figures: Figure[] = [
    { name: "lookups a core", unit: "lookups / CPU s of the server", target: 2000, isFloor: true, ...summarize(cpu) },
    { name: "lookups", unit: "lookups / s", ...summarize(rates) },
  ];
  return { figures, sample };
}

/** Sizes of first-contact proofs, and what a client does with them. Larger directories are reckoned from the structure: each doubling adds a level. */
async function measureVerification(
  server: ServerProcess,
  sample: readonly { account: BenchAccount; found: Found }[],
  accounts: number,
): Promise<Figure[]> {
  const config = await fetchBytes(server, "config");
  const proofs = sample.map(({ found }) => decodeDirectoryProof(found.proof));
  const sizes = sample.map(({ found }) => found.proof.length);
  const times: number[] = [];
  for (const [at, { account, found }] of sample.entries()) {
    const proof = proofs[at];
    if (proof === undefined) throw new Error("a proof for each answer");
    const startedMs = performance.now();
    await verifyLookup({
      host,
      view: undefined,
      config,
      nowMs: Date.now(),
      signatures,
      proof,
      query: { username: account.username },
      record: found,
    });
    if (at >= 20 || sample.length < 40) times.push(performance.now() - startedMs);
  }
  const grown = (to: number): number[] =>
    proofs.map((proof) => encode(directoryProofCodec, proof).length + 2 * 32 * Math.log2(to / accounts));
  const labels = proofs.map((proof: DirectoryProof) => proof.labels.reduce((sum, label) => sum + encode(labelProofCodec, label).length, 0));
  return [
    { name: "proof of a first contact", unit: "bytes", ...summarize(sizes) },
    { name: "of it both labels", unit: "bytes", ...summarize(labels) },
    { name: "the same at 10^6 accounts, reckoned", unit: "bytes", target: 2500, ...summarize(grown(1e6)) },
    { name: "the same at 10^9 accounts, reckoned", unit: "bytes", ...summarize(grown(1e9)) },
    { name: "verification of it in Node", unit: "ms", target: 10, ...summarize(times) },
  ];
}

async function fetchBytes(server: ServerProcess, path: string): Promise<Uint8Array> {
  const response = await fetch(`${server.url.replace(/^ws/, "http")}${httpPaths.directory}/${path}`);
  if (!response.ok) throw new Error(`${path}: ${String(response.status)}`);
  return new Uint8Array(await response.arrayBuffer());
}
