import { toBase64Url } from "@latchkey/codec";
import { epoch } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import {
  createDeletionContent,
  createEditContent,
  createReactionContent,
  createStatusContent,
  createTextContent,
} from "@latchkey/protocol";
import type { FilePart, GroupRights, HistoryPolicy } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { loadHead } from "../core/load-records.ts";
import { foundingRights } from "../core/rights.ts";
import { SimWorld, suiteId } from "../core/sim.testing.ts";
import type { SimDevice } from "../core/sim.testing.ts";
import type { ConversationState } from "../core/types.ts";
import { putEvidence } from "../engine/evidence.ts";
import { loadLines, putLine } from "../timeline/history.ts";
import type { Line } from "../timeline/line.ts";
import { Timeline } from "../timeline/timeline.ts";
import type { HistoryArchive } from "./archive.ts";
import { putPast } from "./keeping.ts";
import { verifyArchive } from "./verify.ts";
import type { AuthorStanding, JoinedAt, VerifiedArchive } from "./verify.ts";
import { writeArchive } from "./write.ts";
import type { WritingParams } from "./write.ts";

/** The conversation of a device that is in one. */
export function stateOf({ state }: SimDevice): ConversationState {
  if (state === undefined) throw new Error("in a conversation");
  return state;
}

/** Something that a member of the sim says. */
export type Words =
  | { readonly kind: "text"; readonly text: string; readonly expires?: number; readonly files?: readonly FilePart[] }
  | { readonly kind: "edit"; readonly of: Uint8Array; readonly text: string }
  | { readonly kind: "deletion" | "receipt"; readonly of: Uint8Array }
  | { readonly kind: "reaction"; readonly of: Uint8Array; readonly emoji: string };

/** A group of which `history` is set, in which things are said before somebody joins. */
export class JoinerWorld {
  readonly sim: SimWorld;
  readonly names: ReadonlyMap<string, SimDevice>;
  #said = 0;

  private constructor(sim: SimWorld) {
    this.sim = sim;
    this.names = new Map(sim.devices.map((device) => [device.name, device]));
  }

  static async create(
    seed: string,
    params: { readonly history: HistoryPolicy; readonly rights?: Partial<GroupRights>; readonly names?: readonly string[] },
  ): Promise<JoinerWorld> {
    const sim = await SimWorld.create(seed, ["ada", "ben", "cyd", ...(params.names ?? [])]);
    const world = new JoinerWorld(sim);
    const rights = { ...foundingRights(3), history: params.history, ...params.rights };
    await world.device("ada").found([world.device("ben")], { rights });
    await sim.settle();
    return world;
  }

  device(name: string): SimDevice {
    const found = this.names.get(name);
    if (found === undefined) throw new Error(name);
    return found;
  }

  /** Says something, and gives the id by which it is known. */
  async say(name: string, words: Words): Promise<Uint8Array> {
    const device = this.device(name);
    this.#said += 1;
    const head = { salt: this.sim.random(16), sentAtMs: 1_700_000_000_000 + this.#said * 1000 };
    const content = contentOf(head, words);
    const before = device.said.length;
    const purpose = words.kind === "text" ? "text" : words.kind === "receipt" ? "receipt" : "change";
    await device.input({ kind: "compose", id: toBase64Url(head.salt), purpose, text: "", content });
    await this.sim.settle();
    return device.said.at(before)?.id ?? new Uint8Array(32);
  }

  async text(name: string, text: string): Promise<Uint8Array> {
    return await this.say(name, { kind: "text", text });
  }

  /** Lets `by` add `name`. */
  async join(by: string, name: string): Promise<void> {
    await this.device(by).change([this.device(name)], []);
    await this.sim.settle();
  }

  /** Puts what a device keeps where its engine would, and writes the archive of the newest joining. */
  async archive(name: string, params: Partial<WritingParams> = {}): Promise<HistoryArchive> {
    const device = this.device(name);
    const state = stateOf(device);
    const { id, host, logId, groupId } = state;
    const nowMs = 1_700_000_500_000;
    const giving = device.past.findLast((effect) => effect.kind === "give_history");
    if (giving?.kind !== "give_history") throw new Error("nobody is given anything");
    await device.store.transact("write", async (tx) => {
      for (const [order, kept] of device.evidence) await putEvidence(tx, id, { order, ...kept });
      const timeline = new Timeline({
        tx,
        conversationId: id,
        self: device.self.accountId,
        nowMs,
        onSegment: () => undefined,
        onFilesGone: () => undefined,
      });
      for (const line of device.lines.values()) if (line.message === undefined) putLine(tx, id, line);
      for (const said of device.said) await timeline.take(said);
      await timeline.flush();
      for (const effect of device.past) await putPast(tx, id, effect, nowMs);
    });
    const policy = state.roster?.settings.rights.history ?? "off";
    const isBlocked = (): boolean => false;
    const written = await device.store.transact("read", (tx) =>
      writeArchive(tx, {
        conversationId: id,
        host,
        logId,
        groupId,
        joinedSeq: giving.joinedSeq,
        policy,
        nowMs,
        sha256,
        isBlocked,
        ...params,
      }),
    );
    if (written === undefined) throw new Error("nothing to give");
    return { ...written, records: new Uint8Array(0) };
  }

  /** Where a device joined, as it knows itself. */
  async joinedAt(name: string): Promise<JoinedAt> {
    const device = this.device(name);
    const { id, host, logId, groupId, joinedSeq: seq, group } = stateOf(device);
    const head = await device.store.transact("read", (tx) => loadHead(tx, id, seq));
    if (head === undefined || group === undefined) throw new Error("joined");
    return { host, logId, groupId, seq, head, epoch: Number(epoch(group)) };
  }

  /** Verifies as the device that joined does; of everybody in the world the keys are known. */
  async verify(
    name: string,
    archive: HistoryArchive,
    { standing, ...joined }: { readonly standing?: AuthorStanding } & Partial<JoinedAt> = {},
  ): Promise<VerifiedArchive> {
    return await verifyArchive(
      archive,
      { ...(await this.joinedAt(name)), ...joined },
      {
        suite: nodeCrypto.suite(suiteId),
        sha256,
        rest: () => Promise.resolve(),
        standingOf: ({ accountId, deviceId, signaturePublicKey }) => {
          const known = this.sim.devices.find(({ self }) => toBase64Url(self.accountId) === toBase64Url(accountId));
          const isTheirs =
            known !== undefined &&
            toBase64Url(known.self.deviceId) === toBase64Url(deviceId) &&
            toBase64Url(known.self.signatureKeyPair.publicKey) === toBase64Url(signaturePublicKey);
          return isTheirs ? (standing ?? "proven") : "unknown";
        },
      },
    );
  }

  /** The lines of a device's store. */
  async lines(name: string): Promise<Line[]> {
    const device = this.device(name);
    return await device.store.transact("read", (tx) => loadLines(tx, stateOf(device).id, { limit: 1000 }));
  }
}

function contentOf(head: { salt: Uint8Array; sentAtMs: number }, words: Words): Uint8Array {
  switch (words.kind) {
    case "text":
      return createTextContent({
        ...head,
        text: words.text,
        ...(words.files === undefined ? {} : { files: words.files, isOnce: true }),
        expires: words.expires === undefined ? undefined : { relative: true, seconds: words.expires },
      });
    case "edit":
      return createEditContent({ ...head, replaces: words.of, text: words.text });
    case "deletion":
      return createDeletionContent({ ...head, replaces: words.of });
    case "receipt":
      return createStatusContent({ ...head, statuses: [{ messageId: words.of, status: "read" }] });
    case "reaction":
      return createReactionContent({ ...head, inReplyTo: words.of, emoji: words.emoji });
  }
}
