import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { nodeCrypto } from "@latchkey/mls/node";
import { webCrypto } from "@latchkey/mls/web";
import { getCiphersuiteFromName, getCiphersuiteImpl } from "ts-mls";
import { LatchkeyParty } from "../parties/latchkey.ts";
import { TsMlsParty } from "../parties/ts-mls.ts";

// Messages of 100 bytes in a group of 256: ours, ts-mls 1.6.4, and the one Ed25519 operation that each message needs, taking turns in one
// run. Prints one row as JSON a line. Bundled by messages-bundle.ts it runs under Node 20 too.
// node interop/src/bench/messages-main.ts [--quick]

const isQuick = process.argv.includes("--quick");
const members = isQuick ? 8 : 256;
const [batch, rounds] = isQuick ? [5, 3] : [40, 25];
const plaintext = crypto.getRandomValues(new Uint8Array(100));

interface Contender {
  readonly name: string;
  encrypt(): Promise<unknown>;
  decrypt(message: Uint8Array): Promise<unknown>;
}

/** Both clocks of a batch, per operation, in milliseconds. CPU is of the whole process, its other threads included. */
async function timed(run: (i: number) => Promise<unknown>): Promise<{ wall: number; cpu: number }> {
  const [startedMs, startedCpu] = [performance.now(), process.cpuUsage()];
  for (let i = 0; i < batch; i++) await run(i);
  const { user, system } = process.cpuUsage(startedCpu);
  return { wall: (performance.now() - startedMs) / batch, cpu: (user + system) / 1000 / batch };
}

const founder = new LatchkeyParty(nodeCrypto.suite(1), "founder");
await founder.createGroup(crypto.getRandomValues(new Uint8Array(32)));
const theirs = await getCiphersuiteImpl(getCiphersuiteFromName("MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519"));
const peers = {
  "latchkey (node)": new LatchkeyParty(nodeCrypto.suite(1), "ours, node"),
  "latchkey (web)": new LatchkeyParty(webCrypto.suite(1), "ours, web"),
  "ts-mls 1.6.4": new TsMlsParty(theirs, "ts-mls"),
};
const adds: Uint8Array[] = [];
for (const peer of Object.values(peers)) adds.push(await peer.keyPackage());
while (adds.length + 1 < members) adds.push(await new LatchkeyParty(nodeCrypto.suite(1), `member ${adds.length}`).keyPackage());
const { welcomes } = await founder.commit({ adds, treeInWelcome: true });
for (const [i, peer] of Object.values(peers).entries()) {
  const welcome = welcomes[i];
  if (welcome === undefined) throw new Error("a Welcome for each member");
  await peer.join({ welcome, ratchetTree: undefined });
}

const pair = generateKeyPairSync("ed25519");
// As ours keeps them: imported once.
const [privateKey, publicKey] = [
  createPrivateKey(pair.privateKey.export({ format: "pem", type: "pkcs8" })),
  createPublicKey(pair.publicKey.export({ format: "pem", type: "spki" })),
];
// As long as what is signed of such a message.
const signed = crypto.getRandomValues(new Uint8Array(430));
const signature = sign(null, signed, privateKey);

const contenders: Contender[] = [
  ...Object.entries(peers).map(([name, peer]) => ({
    name,
    encrypt: () => peer.encrypt(plaintext),
    decrypt: (message: Uint8Array) => peer.receive(message),
  })),
  {
    name: "one native Ed25519 signature or verification",
    encrypt: async () => sign(null, signed, privateKey),
    decrypt: async () => verify(null, signed, publicKey, signature),
  },
];
const samples = new Map<string, number[]>();
const record = (what: string, name: string, { wall, cpu }: { wall: number; cpu: number }): void => {
  for (const [clock, value] of [
    ["wall", wall],
    ["CPU", cpu],
  ] as const) {
    const key = JSON.stringify([what, name, clock]);
    samples.set(key, [...(samples.get(key) ?? []), value]);
  }
};
// The first rounds warm up.
for (let round = -3; round < rounds; round++) {
  const messages: Uint8Array[] = [];
  for (let i = 0; i < batch; i++) messages.push(await founder.encrypt(plaintext));
  for (const { name, encrypt, decrypt } of contenders) {
    const took = { encrypt: await timed(encrypt), decrypt: await timed((i) => decrypt(messages[i] ?? plaintext)) };
    if (round < 0) continue;
    record("encrypt 100 B", name, took.encrypt);
    record("decrypt 100 B", name, took.decrypt);
  }
}
for (const [key, values] of samples) {
  const [scenario, implementation, clock] = JSON.parse(key) as [string, string, string];
  process.stdout.write(
    `${JSON.stringify({ runtime: process.version, scenario, members, implementation, clock, unit: "ms", samples: values })}\n`,
  );
}
