import type { CipherSuite } from "@latchkey/mls";
import { LatchkeyParty } from "../parties/latchkey.ts";
import { alternate, alternateRepeated, timed } from "./measure.ts";
import type { Peer, Row } from "./measure.ts";

/** What the scenarios run on. */
export interface BenchParams {
  readonly environment: Row["environment"];
  /** The suite of the founder and of everybody who only fills the group. */
  readonly suite: CipherSuite;
  /** A fresh client of each contender. */
  readonly contenders: readonly (() => Promise<Peer>)[];
  readonly members: number;
  /** How often each thing is measured. */
  readonly rounds: number;
  readonly messages: { readonly sizes: readonly number[]; readonly batch: number; readonly rounds: number };
  readonly withCommits: boolean;
  readonly backlog?: number;
  readonly say: (text: string) => void;
  /** What an identity looks like; core-crypto wants its own form. */
  readonly identity: (i: number) => string;
}

/** CPU time of this process so far, in ms: where there is one. */
function cpuMs(): number | undefined {
  if (typeof process === "undefined") return undefined;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Lets the engine clean up: a task for finalisers, and a collection where the process may ask for one. */
async function settle(): Promise<void> {
  const { gc } = globalThis;
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (gc !== undefined) await gc();
  await new Promise((resolve) => setTimeout(resolve, 20));
}

const warmCommitters = 16;
const capabilities = { versions: [1], cipherSuites: [1, 0xf001], extensions: [], proposals: [], credentials: [1, 2] };

/**
 * Measures all contenders as members of one and the same group: founded and filled by ours in one commit (a cold tree), and then
 * again once members spread over it have committed (a warm one). Nobody adopts what is measured: each starts from the same state.
 */
export async function benchGroup(params: BenchParams): Promise<Row[]> {
  const { suite, members, rounds, say } = params;
  const rows: Row[] = [];
  const record = (scenario: string, samples: ReadonlyMap<string, readonly number[]>, unit: Row["unit"] = "ms"): void => {
    for (const [implementation, values] of samples) {
      rows.push({ environment: params.environment, scenario, members, implementation, unit, samples: values });
    }
  };
  say(`${members} members: founding`);
  const founder = new LatchkeyParty(suite, params.identity(0), { capabilities });
  await founder.createGroup(crypto.getRandomValues(new Uint8Array(32)));
  const peers: Peer[] = [];
  for (const create of params.contenders) peers.push(await create());
  const fillers: LatchkeyParty[] = [];
  const adds: Uint8Array[] = [];
  for (const peer of peers) adds.push(await peer.keyPackage());
  while (adds.length + 1 < members) {
    const filler = new LatchkeyParty(suite, params.identity(adds.length + 1), { capabilities });
    fillers.push(filler);
    adds.push(await filler.keyPackage());
  }
  const founding = await founder.commit({ adds, treeInWelcome: true });
  const welcomeOf = (i: number): { welcome: Uint8Array; ratchetTree: undefined } => {
    const welcome = founding.welcomes[i];
    if (welcome === undefined) throw new Error("a Welcome for each member");
    return { welcome, ratchetTree: undefined };
  };

  say(`${members} members: join`);
  const joinRounds = Math.min(rounds, members >= 1000 ? 3 : rounds);
  record(
    "join by Welcome",
    await alternateRepeated(peers, joinRounds, async (peer) => await timed(1, () => peer.join(welcomeOf(peers.indexOf(peer))))),
  );
  rows.push({
    environment: params.environment,
    scenario: "Welcome with tree",
    members,
    implementation: "all",
    unit: "bytes",
    samples: [founding.welcomes[0]?.length ?? 0],
  });

  for (const size of params.messages.sizes) {
    say(`${members} members: messages of ${size} bytes`);
    const { batch, rounds: messageRounds } = params.messages;
    const plaintext = crypto.getRandomValues(new Uint8Array(size));
    record(`encrypt ${size} B`, await alternate(peers, messageRounds, async (peer) => await timed(batch, () => peer.encrypt(plaintext))));
    const sent: Uint8Array[] = [];
    for (let i = 0; i < batch * (messageRounds + 1); i++) sent.push(await founder.encrypt(plaintext));
    record(
      `decrypt ${size} B`,
      await alternate(
        peers,
        messageRounds,
        async (peer, round) => await timed(batch, (i) => peer.receive(sent[round * batch + i] ?? plaintext)),
      ),
    );
    const wire = new Map<string, number[]>();
    for (const peer of peers) wire.set(peer.implementation, [(await peer.encrypt(plaintext)).length]);
    record(`message of ${size} B on the wire`, wire, "bytes");
  }
  if (params.backlog !== undefined) {
    const { backlog } = params;
    say(`${members} members: backlog of ${backlog}`);
    const plaintext = crypto.getRandomValues(new Uint8Array(100));
    const sent: Uint8Array[] = [];
    for (let i = 0; i < backlog; i++) sent.push(await founder.encrypt(plaintext));
    const samples = new Map<string, number[]>();
    const cpu = new Map<string, number[]>();
    for (const peer of peers) {
      // Nobody pays for what others left to be collected.
      await settle();
      const startedMs = cpuMs();
      samples.set(peer.implementation, [(await timed(backlog, (i) => peer.receive(sent[i] ?? plaintext))) * backlog]);
      if (startedMs !== undefined) cpu.set(peer.implementation, [(cpuMs() ?? 0) - startedMs]);
    }
    record(`backlog of ${backlog} messages`, samples);
    record(`backlog of ${backlog} messages, CPU`, cpu);
  }
  say(`${members} members: serialise`);
  record("serialise the state", await alternate(peers, 5, async (peer) => await timed(1, async () => peer.serialise())));
  record(
    "stored state",
    new Map(peers.map((peer) => [peer.implementation, [peer.serialise().reduce((sum, part) => sum + part.length, 0)]])),
    "bytes",
  );
  if (!params.withCommits) return rows;

  const newcomer = new LatchkeyParty(suite, params.identity(members + 1), { capabilities });
  const newcomerPackage = await newcomer.keyPackage();
  // The last leaf: neither a contender nor one of those who warm the tree.
  const last = members - 1;
  const measureCommits = async (tree: "cold" | "warm"): Promise<void> => {
    const requests = [
      ["add", { adds: [newcomerPackage] }],
      ["add without path", { adds: [newcomerPackage], withoutPath: true }],
      ["remove", { removes: [last] }],
      ["update", {}],
    ] as const;
    for (const [what, request] of requests) {
      say(`${members} members, ${tree} tree: ${what}`);
      const sizes = new Map<string, number[]>();
      record(
        `${what}, ${tree} tree: commit`,
        await alternateRepeated(peers, rounds, async (peer) => {
          const before = peer.state;
          let size = 0;
          const took = await timed(1, async () => {
            size = (await peer.commit(request)).message.length;
          });
          peer.state = before;
          sizes.set(peer.implementation, [size]);
          return took;
        }),
      );
      record(`${what}, ${tree} tree: commit on the wire`, sizes, "bytes");
      const before = founder.state;
      const { message } = await founder.commit(request);
      founder.state = before;
      record(
        `${what}, ${tree} tree: receive`,
        await alternateRepeated(peers, rounds, async (peer) => {
          const start = peer.state;
          const took = await timed(1, () => peer.receive(message));
          peer.state = start;
          return took;
        }),
      );
    }
  };
  await measureCommits("cold");

  say(`${members} members: warming the tree`);
  const spread = Math.max(1, Math.floor((fillers.length - 1) / warmCommitters));
  const warming: LatchkeyParty[] = [];
  for (let i = 0; i < fillers.length - 1 && warming.length < warmCommitters; i += spread) {
    const filler = fillers[i];
    if (filler === undefined) break;
    await filler.join(welcomeOf(peers.length + i));
    warming.push(filler);
  }
  for (const committer of [founder, ...warming]) {
    const { message } = await committer.commit({});
    for (const other of [founder, ...warming, ...peers]) if (other !== committer) await other.receive(message);
  }
  await measureCommits("warm");
  return rows;
}
