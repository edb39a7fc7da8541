import type { Liar, Reply, Request } from "./network.ts";
import type { Move } from "./script.ts";
import type { World } from "./world.ts";

const dayMs = 86_400_000;

/** One way to lie, about one person at a time. */
interface Lie {
  readonly name: string;
  /** Makes the liar; what it needs to remember lives in it. */
  tell(world: World, who: string): Liar;
}

/** Lies that a server may take back: once it is honest again, everything must be as if it had always been (E-3). */
const passingLies: readonly Lie[] = [
  refuse("does not know the log", "open", "unknown_log"),
  refuse("does not know the epoch", "open", "unknown_epoch"),
  refuse("says that it was purged", "open", "purged"),
  refuse("refuses the access key", "open", "wrong_access_key"),
  refuse("is out of order", "open", "internal"),
  refuse("is full", "append", "storage_full"),
  refuse("limits", "append", "rate_limited"),
  refuse("limits changes", "commit", "rate_limited"),
  refuse("says stale", "append", "stale"),
  refuse("says conflict", "commit", "conflict"),
  refuse("does not take Welcomes", "post", "inbox_full"),
  refuse("knows nobody", "lookup_username", "not_found"),
  {
    name: "swallows acknowledgements",
    tell: (_world, who) => ({ reply: (to, _role, body) => (to === who && body.kind === "accepted" ? undefined : body) }),
  },
  {
    name: "keeps entries back",
    tell: (_world, who) => ({ reply: (to, _role, body) => (to === who && body.kind === "entry" ? undefined : body) }),
  },
  {
    name: "shows an older log",
    tell: (_world, who) => ({
      reply: (to, _role, body) =>
        to === who && body.kind === "opened" && body.lastSeq > 1 ? { ...body, lastSeq: body.lastSeq - 1 } : body,
    }),
  },
  {
    name: "is days ahead",
    tell: (_world, who) => ({
      reply: (to, _role, body) => (to === who && body.kind === "hello" ? { ...body, timeMs: body.timeMs + 40 * dayMs } : body),
    }),
  },
  {
    name: "shows no head",
    tell: (_world, who) => ({
      reply: (to, _role, body) => (to === who && body.kind === "head_proof" ? { ...body, proof: new Uint8Array(0) } : body),
    }),
  },
  {
    name: "answers nothing",
    tell: (_world, who) => ({ reply: (to) => (to === who ? undefined : undefined) }),
  },
];

/** Lies that leave a trace: what was lost by them is told, and there is a way on. */
const lastingLies: readonly Lie[] = [
  {
    name: "shows an entry as sealed",
    tell(world, who) {
      let left = 1;
      return {
        reply(to, _role, body): Reply {
          if (to !== who || body.kind !== "entry" || left === 0) return body;
          left--;
          return { ...body, kind: "sealed", blobHash: world.chance.bytes(32) };
        },
      };
    },
  },
  {
    name: "claims that all expired",
    tell: (world, who) => ({
      reply: (to, _role, body) =>
        to === who && body.kind === "opened" ? { ...body, firstSeq: body.lastSeq + 1, headBeforeFirst: world.chance.bytes(32) } : body,
    }),
  },
  {
    name: "alters an entry",
    tell(_world, who) {
      let left = 1;
      return {
        reply(to, _role, body): Reply {
          if (to !== who || body.kind !== "entry" || left === 0) return body;
          left--;
          const blob = body.blob.slice();
          blob[blob.length - 1] = (blob[blob.length - 1] ?? 0) ^ 1;
          return { ...body, blob };
        },
      };
    },
  },
  {
    name: "gives out another access hash",
    tell: (world, who) => ({
      reply: (to, _role, body) =>
        to === who && body.kind === "entry" && body.entryKind === "commit" ? { ...body, nextAccessHash: world.chance.bytes(32) } : body,
    }),
  },
];

function refuse(
  name: string,
  kind: Request["kind"],
  code:
    | "unknown_log"
    | "unknown_epoch"
    | "purged"
    | "wrong_access_key"
    | "internal"
    | "storage_full"
    | "rate_limited"
    | "stale"
    | "conflict"
    | "inbox_full"
    | "not_found",
): Lie {
  return {
    name,
    tell: (_world, who) => ({
      reply: (to, _role, body, request) =>
        to === who && request?.kind === kind && body.kind !== "hello" ? { kind: "error", code, retryAfterMs: 0 } : body,
    }),
  };
}

function movesOf(lies: readonly Lie[], weight: number): Move[] {
  return lies.map((lie) => ({
    name: `the server ${lie.name}`,
    weight,
    async run(world) {
      const who = world.chance.pick([...world.people.keys()]);
      world.network.liar = lie.tell(world, who);
      // What is asked when a connection begins is asked now.
      world.network.drop((connection) => connection.who === who);
      await world.timeline.run(world.chance.between(1000, 120_000));
      world.network.liar = undefined;
      if (world.chance.happens(0.5)) world.network.drop((connection) => connection.who === who);
    },
  }));
}

/** What a lying server does that passes. */
export const passing: readonly Move[] = movesOf(passingLies, 1);
/** What a lying server does that leaves a trace. */
export const lasting: readonly Move[] = movesOf(lastingLies, 1);
