import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { decode, toHex } from "@latchkey/codec";
import { tokenKeyId, tokenKeysCodec } from "@latchkey/protocol/tokens";
import { connectLookup } from "../directory/peer.ts";
import { hostileKinds } from "../hostile/kinds.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { appendFrame, connectPeer, createLog, entryBytes, frameKind, replyKinds } from "../wire.ts";
import type { BenchLog, Peer } from "../wire.ts";

const blobBytes = 512;
/** Between one message and the next, as of somebody in a great hurry: who asks more often than any person is treated as the crowd is. */
const pauseMs = 40;

/** How long an honest message waits for its acknowledgement, alone and beside hostile connections of each kind and of all; with the limits of every day. */
export const hostile: Scenario = {
  name: "server-hostile",
  summary: "an honest person beside 1,000 connections that send without end, read nothing, ask too much, show false tokens",
  async run({ isQuick }) {
    const connections = isQuick ? 100 : 1000;
    const messages = isQuick ? 50 : 400;
    const figures: Figure[] = [];
    for (const kinds of [...hostileKinds.map((kind) => [kind]), hostileKinds]) {
      await using server = await startServerProcess({ serverOptions: { hasLimits: true } });
      const peer = await connectPeer(server.url, "log");
      const log = await createLog(peer);
      await talk(peer, log, { from: 1, messages: 50 });
      const before = await talk(peer, log, { from: 51, messages });
      const script = fileURLToPath(new URL("../hostile/crowd.ts", import.meta.url));
      const keyId = toHex(await keyIdOf(server.url));
      const crowd = fork(script, [new URL(server.url).port, String(connections), kinds.join(","), keyId], { stdio: "inherit" });
      await once(crowd, "message");
      const beside = await talk(peer, log, { from: 51 + messages, messages });
      const exited = once(crowd, "exit");
      crowd.kill("SIGKILL");
      await exited;
      // What the machine does besides falls on both halves of what is compared.
      const after = await talk(peer, log, { from: 51 + 2 * messages, messages });
      const alone = summarize([...before, ...after]);
      const times = summarize(beside);
      const name = kinds.length > 1 ? "all of these" : (kinds[0] ?? "");
      figures.push(
        { name: `${name}: acknowledgement, alone`, unit: "ms", ...alone },
        { name: `${name}: acknowledgement, beside`, unit: "ms", ...times },
        { name: `${name}: worst, beside`, unit: "ms", ...summarize([Math.max(...beside)]) },
        { name: `${name}: median by median alone`, unit: "times", target: 2, ...summarize([times.median / alone.median]) },
        { name: `${name}: most memory of the process`, unit: "MiB", ...summarize([server.peakBytes() / 1_048_576]) },
      );
      await peer.close();
    }
    return { parameters: { connections, messages, blobBytes, addresses: 40 }, figures };
  },
};

/** One message after the other, each when the one before was acknowledged and a moment has passed. Resolves to the times in ms. */
async function talk(peer: Peer, log: BenchLog, { from, messages }: { from: number; messages: number }): Promise<number[]> {
  const times: number[] = [];
  for (let id = from; id < from + messages; id++) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    peer.onFrame = (frame) => {
      if (frameKind(frame) === replyKinds.accepted) resolve();
      else if (frameKind(frame) !== replyKinds.entry) reject(new Error("an honest message was refused"));
    };
    const startedMs = performance.now();
    peer.send(appendFrame(log, { id, blob: entryBytes(blobBytes) }));
    await promise;
    times.push(performance.now() - startedMs);
    await new Promise((resolve_) => {
      setTimeout(resolve_, pauseMs);
    });
  }
  return times;
}

/** Which key a token is to name, so that it is looked at. */
async function keyIdOf(url: string): Promise<Uint8Array> {
  const lookup = await connectLookup(url);
  for (;;) {
    const answer = await lookup.ask({ kind: "lookup_operator", name: "tokens", knownValues: 0, knownSize: 0 });
    const value = answer.kind === "operator_value" ? answer.value[0] : undefined;
    if (value === undefined) continue;
    lookup.close();
    const today = Math.floor(Date.now() / 86_400_000);
    return tokenKeyId(decode(tokenKeysCodec, value).days.find(({ day }) => day === today)?.publicKey ?? new Uint8Array(32));
  }
}
