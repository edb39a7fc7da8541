import { startServerProcess } from "../server-process.ts";
import { appendFrame, connectPeer, createLog, entryBytes, frameKind, openLog, replyKinds } from "../wire.ts";
import type { BenchLog, Peer } from "../wire.ts";
import { messageBytes } from "./contender.ts";
import type { Channel, Contender } from "./contender.ts";

/** Latchkey: every message is on disk before it is acknowledged. */
export async function startOurs(): Promise<Contender> {
  const server = await startServerProcess();
  const open = new Set<Peer>();
  const newPeer = async (): Promise<Peer> => {
    const peer = await connectPeer(server.url, "log");
    open.add(peer);
    return peer;
  };
  return {
    label: "latchkey (durable)",
    cpuSeconds: () => server.cpuSeconds(),
    openPairs: async (count) =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const [sender, receiver] = [await newPeer(), await newPeer()];
          const log = await createLog(sender);
          await openLog(receiver, log);
          return channelOf(log, sender, [receiver]);
        }),
      ),
    async openRoom(members) {
      const peers = await Promise.all(Array.from({ length: members }, newPeer));
      const [sender] = peers;
      if (sender === undefined) throw new Error("no members");
      const log = await createLog(sender);
      await Promise.all(peers.slice(1).map((peer) => openLog(peer, log)));
      return channelOf(log, sender, peers.slice(1));
    },
    hangUp() {
      for (const peer of open) void peer.close();
      open.clear();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function channelOf(log: BenchLog, sender: Peer, receivers: readonly Peer[]): Channel {
  // Each message comes to every receiver, and is acknowledged to its sender.
  const arrivals = new Map<number, number>();
  const counts = new Map<Peer, number>();
  let sent = 0;
  const channel: Channel = {
    send: () => sender.send(appendFrame(log, { id: ++sent, blob: entryBytes(messageBytes) })),
    onDelivered: () => undefined,
  };
  for (const peer of [sender, ...receivers]) {
    peer.onFrame = (frame) => {
      const kind = frameKind(frame);
      if (peer === sender && kind === replyKinds.entry) return;
      if (kind !== replyKinds.entry && kind !== replyKinds.accepted) throw new Error(`a frame of kind ${String(kind)} came`);
      const index = counts.get(peer) ?? 0;
      counts.set(peer, index + 1);
      const arrived = (arrivals.get(index) ?? 0) + 1;
      if (arrived <= receivers.length) arrivals.set(index, arrived);
      else {
        arrivals.delete(index);
        channel.onDelivered();
      }
    };
  }
  return channel;
}
