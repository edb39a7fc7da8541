import { encode, toBase64Url } from "@latchkey/codec";
import { encodeRatchetTree, encryptApplicationMessage, joinGroup, nextGeneration, ownLeafIndex } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import { authenticatedDataCodec, createLeaveContent, createTextContent, viewTagOf, zeroHash } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { sealEnvelope } from "../group/envelope.ts";
import { HostileMember } from "./hostile.testing.ts";
import { epochKeys } from "./keys.ts";
import { leafMark } from "./leaving.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { Line } from "../timeline/line.ts";
import type { ConversationState, Input } from "./types.ts";

const nothing = new Uint8Array(0);
const times = { sentAtMs: 1_700_000_000_000 };

/** What a device reads without anything else happening: no timer fires, and the directory does not answer. */
async function read(...devices: readonly SimDevice[]): Promise<void> {
  for (const device of devices) {
    for (;;) {
      const isBusy = device.serve() || device.stream() || (await device.receive());
      if (!isBusy) break;
    }
  }
}

/** A leaf under Cyd's name, by somebody who may add, and what it says. */
class Ghost {
  readonly world: SimWorld;
  readonly ben: SimDevice;
  readonly cyd: SimDevice;
  readonly #seq: number;
  #group: GroupState;
  #said = 0;

  private constructor(world: SimWorld, people: { ben: SimDevice; cyd: SimDevice }, { group, seq }: { group: GroupState; seq: number }) {
    this.world = world;
    this.ben = people.ben;
    this.cyd = people.cyd;
    this.#group = group;
    this.#seq = seq;
  }

  static async create(seed: string): Promise<Ghost> {
    const world = await SimWorld.create(seed, ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
    await ada.found([ben, cyd]);
    await world.settle();
    const hostile = new HostileMember(world, ada);
    const { host, accountId } = cyd.self;
    const key = await hostile.createKeyPackage({ host, accountId, deviceId: world.random(16) });
    const created = await hostile.forge({ adds: [key.keyPackage] });
    world.isSilent = true;
    const seq = hostile.post(created);
    await read(ben, cyd);
    const [welcome] = created.welcomes;
    if (welcome === undefined) throw new Error("a Welcome");
    const { suite } = hostile.state.group;
    const { keyPackage, privateKeys } = key;
    const joined = await joinGroup({ suite, welcome, keyPackage, privateKeys, ratchetTree: encodeRatchetTree(created.next) });
    return new Ghost(world, { ben, cyd }, { group: joined.state, seq });
  }

  async say(plaintext: Uint8Array, sawHead?: Uint8Array): Promise<void> {
    const { log, logId, random } = this.world;
    const last = log.entries.at(-1);
    if (last === undefined) throw new Error("a log");
    const keys = epochKeys(this.#group, logId, this.#seq);
    const own = { generation: nextGeneration(this.#group), ownNumber: ++this.#said, previousOwn: zeroHash, seen: zeroHash };
    const account = { accountVersion: 0, accountChain: zeroHash, gossip: nothing, ext: nothing };
    const authenticatedData = encode(authenticatedDataCodec, {
      format: 3,
      viewTag: viewTagOf(sha256, keys.view, { seq: last.seq, head: sawHead ?? last.head }),
      ...own,
      ...account,
    });
    const made = await encryptApplicationMessage(this.#group, { plaintext, authenticatedData, random });
    this.#group = made.state;
    const beside = { directoryProofs: nothing, settings: nothing, complaint: nothing, leaves: nothing };
    const body = { seq: last.seq, mlsMessage: made.message, ...beside };
    const { blob } = sealEnvelope({ key: keys.envelope, logId, epochId: this.#seq, kind: "message", body, random, sha256 });
    const reader = { cursor: 0, opened: new Set<number>() };
    log.open(reader, { epochId: this.#seq, access: keys.access, afterSeq: 0 });
    const answer = log.append(reader, { entryKind: "message", epochId: this.#seq, blob });
    if (answer.kind === "error") throw new Error(answer.code);
  }

  async text(text: string, sawHead?: Uint8Array): Promise<void> {
    await this.say(createTextContent({ text, salt: this.world.random(16), ...times }), sawHead);
  }

  async leave(): Promise<void> {
    const leaf = leafMark(sha256, this.#group, ownLeafIndex(this.#group));
    if (leaf === undefined) throw new Error("a leaf");
    await this.say(createLeaveContent({ leaf, salt: this.world.random(16), ...times }));
  }

  /** The directory answers them. */
  async judge(verdict: "vouched" | "refused" | "departed", devices = [this.ben, this.cyd]): Promise<void> {
    for (const device of devices) {
      const verdicts = (device.state?.unverified ?? []).map(({ leafIndex, signaturePublicKey }) => ({
        leafIndex,
        signaturePublicKey,
        verdict,
      }));
      const input: Input = { kind: "verified", verdicts };
      await device.input(input);
    }
  }
}

function stateOf({ state }: SimDevice): ConversationState {
  if (state === undefined) throw new Error("a conversation");
  return state;
}
const linesOf = (device: SimDevice): Line[] => [...device.lines.values()].toSorted((a, b) => a.order - b.order);
const bodies = (device: SimDevice): unknown[] =>
  [...device.lines.values()]
    .filter(({ body }) => body.kind !== "misnumbered")
    .map(({ body, author }) => ({ ...body, author: author === undefined ? undefined : toBase64Url(author) }));
const refused = { kind: "unreadable", reason: "It is by a device that does not belong to the account that it names.", author: undefined };

describe("[G-8] a leaf that its account does not have", () => {
  it("[E-28] says nothing in its account's name once it was refused: no text, no number, and nobody leaves by it", async () => {
    const ghost = await Ghost.create("refused ghost");
    const { world, ben, cyd } = ghost;
    await ghost.judge("refused", [ben]);
    await ghost.text("I owe Ada a thousand. Cyd");
    await ghost.leave();
    await read(ben, cyd);
    expect(bodies(ben).slice(-2)).toEqual([refused, refused]);
    expect([...ben.texts().values()]).toEqual([]);
    expect(stateOf(ben)).toMatchObject({ leavers: [], spoken: new Map() });
    expect(stateOf(ben).phase.kind).toBe("active");
    // Whom Ben may not remove he does not try to.
    expect([stateOf(ben).changes, ben.outcomes]).toEqual([[], []]);
    // It was no device of Cyd's account: Cyd's own takes it out, whoever may remove others, and stays.
    await ghost.judge("refused", [cyd]);
    await world.settle([ben, cyd]);
    for (const device of [ben, cyd]) {
      expect(stateOf(device)).toMatchObject({ memberCount: 3, unverified: [] });
      expect(stateOf(device).roster?.leaves.size).toBe(3);
    }
  });

  it("[E-28] is not believed before it was judged: its text says so, and its leave waits; refused, nothing comes of either", async () => {
    const ghost = await Ghost.create("open ghost");
    const { world, ben, cyd } = ghost;
    await ghost.text("I owe Ada a thousand. Cyd");
    await ghost.leave();
    await read(ben, cyd);
    for (const device of [ben, cyd]) {
      expect(linesOf(device).at(-1)?.message?.device).toMatchObject({ isDeparted: false });
      expect(stateOf(device).phase.kind).toBe("active");
      await device.input({ kind: "timer", name: "remove_leavers" });
      expect(stateOf(device)).toMatchObject({ changes: [], staged: undefined });
    }
    await ghost.judge("refused");
    for (const device of [ben, cyd]) expect(stateOf(device).leavers).toEqual([]);
    await world.settle([ben]);
    expect(stateOf(ben).memberCount).toBe(3);
    // Its numbers fitted nothing: nobody was named for that.
    expect([...ben.lines.values()].map(({ body }) => body.kind)).not.toContain("misnumbered");
    expect(bodies(ben)).not.toContainEqual(expect.objectContaining({ kind: "left" }));
  });

  it("[E-28] speaks of another log for nobody before it was judged: Cyd is named once the device is known to be theirs, and not before", async () => {
    for (const verdict of ["refused", "vouched"] as const) {
      const ghost = await Ghost.create(`another log ${verdict}`);
      const { world, ben, cyd } = ghost;
      await ghost.text("look here", new Uint8Array(32).fill(9));
      await read(ben, cyd);
      expect(stateOf(ben).doubts).toMatchObject([{ isNamed: false }]);
      const named = (): number => [...ben.lines.values()].filter(({ body }) => body.kind === "other_view").length;
      const look = async (): Promise<void> => {
        const last = world.log.entries.at(-1);
        if (last === undefined) throw new Error("a log");
        await ben.input({ kind: "published_head", published: { seq: last.seq, head: last.head } });
      };
      await look();
      expect(named()).toBe(0);
      await ghost.judge(verdict, [ben]);
      await look();
      expect(named()).toBe(verdict === "vouched" ? 1 : 0);
    }
  });

  it("[E-28] counts with what it said once it is vouched for: it leaves with its whole account", async () => {
    const ghost = await Ghost.create("true device");
    const { ben, cyd } = ghost;
    await ghost.leave();
    await read(ben, cyd);
    await ghost.judge("vouched");
    expect(bodies(ben).at(-1)).toEqual({ kind: "left", author: cyd.self.account });
    expect(ben.timers.has("remove_leavers")).toBe(true);
    expect(stateOf(cyd).phase.kind).toBe("left");
  });
});

describe("[M-3] a device that its account threw out", () => {
  it("[E-28] takes nobody with it: its leave counts for nothing, and its text says whose it is not any more", async () => {
    const ghost = await Ghost.create("thrown out");
    const { ben, cyd } = ghost;
    await ghost.judge("departed");
    await ghost.text("still me");
    await ghost.leave();
    await read(ben, cyd);
    for (const device of [ben, cyd]) {
      expect(bodies(device).slice(-2)).toMatchObject([{ kind: "text", text: "still me" }, { kind: "unsupported" }]);
      expect(linesOf(device).findLast(({ message }) => message !== undefined)?.message?.device).toMatchObject({ isDeparted: true });
      expect(stateOf(device)).toMatchObject({ leavers: [], phase: { kind: "active" } });
    }
  });
});
