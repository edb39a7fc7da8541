import { nodeCrypto } from "@latchkey/mls/node";
import { webCrypto } from "@latchkey/mls/web";
import { getCiphersuiteFromName, getCiphersuiteImpl } from "ts-mls";
import { getCiphersuiteImpl as getNextImpl } from "ts-mls-next";
import { LatchkeyParty } from "../parties/latchkey.ts";
import { TsMlsNextParty } from "../parties/ts-mls-next.ts";
import { TsMlsParty } from "../parties/ts-mls.ts";
import { benchChromium } from "./chromium-bench.ts";
import { benchLibsignal } from "./libsignal.ts";
import type { Peer, Row } from "./measure.ts";
import { benchGroup } from "./scenarios.ts";
import { bundleSizes } from "./sizes.ts";

// Prints the rows as JSON on standard output, one a line; what it is doing on standard error.
// node interop/src/bench/node-main.ts [--quick] [--only node|chromium|sizes|ours]: "ours" is 1,000 members in Node without the foreign ones.

const isQuick = process.argv.includes("--quick");
const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const emit = (rows: readonly Row[]): void => {
  for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
};

const suiteName = "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519";
const theirs = await getCiphersuiteImpl(getCiphersuiteFromName(suiteName));
const next = await getNextImpl(suiteName);

/** The same party under the name by which the tables tell providers apart. */
function named(party: LatchkeyParty, implementation: string): Peer {
  return Object.defineProperty(party, "implementation", { value: implementation });
}

const latchkeyNode = async (): Promise<Peer> => named(new LatchkeyParty(nodeCrypto.suite(1), "ours, node"), "latchkey (node)");
const latchkeyWeb = async (): Promise<Peer> => named(new LatchkeyParty(webCrypto.suite(1), "ours, web"), "latchkey (web)");
const tsMls = async (): Promise<Peer> => new TsMlsParty(theirs, "ts-mls");
const tsMlsNext = async (): Promise<Peer> => new TsMlsNextParty(next, "ts-mls next");
const latchkeyHybrid = async (): Promise<Peer> =>
  named(new LatchkeyParty(nodeCrypto.suite(0xf001), "ours, hybrid"), "latchkey (node, X-Wing)");

async function benchNode(): Promise<void> {
  const sizes = isQuick ? [2, 10] : [2, 10, 100, 256, 1000];
  for (const members of sizes) {
    const common = {
      environment: "node",
      members,
      say,
      identity: (i: number) => `member ${i}`,
      withCommits: members !== 2 && members !== 256,
      ...(members === 256 && !isQuick ? { backlog: 1000 } : {}),
      messages: {
        sizes: isQuick ? [100] : members === 10 || members === 100 ? [100] : [100, 4096],
        batch: isQuick ? 3 : 20,
        rounds: isQuick ? 2 : 9,
      },
    } as const;
    // In a group of two there is room for one contender besides the founder: each in a group of its own.
    const classical = [latchkeyNode, latchkeyWeb, tsMls, tsMlsNext];
    const groups = members === 2 ? classical.map((one) => [one]) : [classical];
    for (const contenders of groups) {
      emit(await benchGroup({ ...common, suite: nodeCrypto.suite(1), contenders, rounds: isQuick ? 1 : members >= 1000 ? 3 : 7 }));
    }
    emit(await benchGroup({ ...common, suite: nodeCrypto.suite(0xf001), contenders: [latchkeyHybrid], rounds: isQuick ? 1 : 7 }));
  }
  say("libsignal");
  emit(await benchLibsignal({ sizes: [100, 4096], batch: isQuick ? 3 : 20, rounds: isQuick ? 2 : 9 }));
  if (!isQuick) emit(await memory());
}

/** What a group of 1,000 members costs on the heap: just joined, and with five epochs retained. Needs --expose-gc. */
async function memory(): Promise<Row[]> {
  const { gc } = globalThis;
  if (gc === undefined) return [];
  const collect = (): void => {
    gc();
  };
  const members = 1000;
  const rows: Row[] = [];
  say("memory");
  for (const create of [latchkeyNode, tsMls]) {
    const founder = new LatchkeyParty(nodeCrypto.suite(1), "founder");
    await founder.createGroup(crypto.getRandomValues(new Uint8Array(32)));
    const peer = await create();
    const adds = [await peer.keyPackage()];
    while (adds.length + 1 < members) adds.push(await new LatchkeyParty(nodeCrypto.suite(1), `member ${adds.length}`).keyPackage());
    const { welcomes } = await founder.commit({ adds, treeInWelcome: true });
    const welcome = welcomes[0] ?? new Uint8Array(0);
    const commits: Uint8Array[] = [];
    for (let i = 0; i < 5; i++) commits.push((await founder.commit({})).message);
    const used = async (): Promise<number> => {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 20));
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return (heapUsed + arrayBuffers) / 1024;
    };
    const before = await used();
    await peer.join({ welcome, ratchetTree: undefined });
    const joined = await used();
    const retained: unknown[] = [];
    for (const commit of commits) {
      retained.push(peer.state);
      await peer.receive(commit);
    }
    const five = await used();
    const row = (scenario: string, value: number): Row => ({
      environment: "node",
      scenario,
      members,
      implementation: peer.implementation,
      unit: "KiB",
      samples: [value],
    });
    rows.push(row("memory of a group just joined", joined - before), row("memory of five more epochs", five - joined));
    if (retained.length !== 5) throw new Error("five epochs are retained");
  }
  return rows;
}

if (only === "ours") {
  const messages = { sizes: [100], batch: 20, rounds: 9 };
  const common = {
    environment: "node",
    members: 1000,
    rounds: 9,
    messages,
    withCommits: true,
    say,
    identity: (i: number) => `member ${i}`,
  } as const;
  emit(await benchGroup({ ...common, suite: nodeCrypto.suite(1), contenders: [latchkeyNode, latchkeyWeb] }));
}
if (only === undefined || only === "sizes") emit(await bundleSizes());
if (only === undefined || only === "node") await benchNode();
if (only === undefined || only === "chromium") emit(await benchChromium({ isQuick, say }));
