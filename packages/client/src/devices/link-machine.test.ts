import { nodeCrypto } from "@latchkey/mls/node";
import { seededRandom } from "@latchkey/testkit";
import type { DeviceEntry } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { ClientError } from "../errors.ts";
import { formatLinkCode, linkPlace, linkWords, parseLinkCode } from "./link-code.ts";
import { beginExistingSide, beginNewSide, stepLink } from "./link-machine.ts";
import type { LinkContext, LinkEffect, LinkInput, LinkMachine, LinkTurn } from "./link-machine.ts";
import { openLinkMessage, sealLinkMessage } from "./link-messages.ts";

const place = linkPlace(new Uint8Array(16).fill(7));
const identity = { host: "chat.example", accountId: new Uint8Array(32).fill(1), username: "ann", deviceName: "Desk" };
const entry: DeviceEntry = {
  deviceId: new Uint8Array(16).fill(2),
  signatureAlgorithm: 0x0807,
  signatureKey: new Uint8Array(32).fill(3),
  addedMs: 5,
  ext: new Uint8Array(0),
};
const content = new Uint8Array([9, 9, 9]);

function contextOf(seed: string): LinkContext {
  return { random: seededRandom(seed), suite: nodeCrypto.suite(0xf001) };
}

/** One side with what became of it; what its effects ask for is given at once. */
class Side {
  readonly context: LinkContext;
  readonly shown: LinkEffect[] = [];
  readonly appended: Uint8Array[] = [];
  machine: LinkMachine;
  /** Whether its person says that the digits are the same; `undefined`: says nothing. */
  answer: boolean | undefined = true;

  constructor(context: LinkContext, machine: LinkMachine) {
    this.context = context;
    this.machine = machine;
  }

  static async offering(seed: string, at = place): Promise<Side> {
    const context = contextOf(seed);
    const begun = await beginNewSide(context, at, "Tablet");
    const side = new Side(context, begun.machine);
    await side.#carryOut(begun);
    return side;
  }

  static accepting(seed: string, at = place): Side {
    return new Side(contextOf(seed), beginExistingSide(at, identity));
  }

  async input(input: LinkInput): Promise<void> {
    const turn = await stepLink(this.context, this.machine, input);
    this.machine = turn.machine;
    await this.#carryOut(turn);
  }

  get kind(): string {
    return this.machine.phase.kind;
  }

  get digits(): string | undefined {
    for (const effect of this.shown) if (effect.kind === "compare") return effect.digits;
    return undefined;
  }

  count(kind: LinkEffect["kind"]): number {
    return this.shown.filter((effect) => effect.kind === kind).length;
  }

  async #carryOut(turn: LinkTurn): Promise<void> {
    this.machine = turn.machine;
    for (const effect of turn.effects) {
      this.shown.push(effect);
      if (effect.kind === "append") this.appended.push(effect.blob);
      if (effect.kind === "compare" && this.answer !== undefined) await this.input({ kind: "confirm", same: this.answer });
      if (effect.kind === "enroll") await this.input({ kind: "enrolment", device: entry, pop: content });
      if (effect.kind === "publish") await this.input({ kind: "published", message: { kind: "account", content } });
      if (effect.kind === "store") await this.input({ kind: "stored" });
    }
  }
}

/** A log that both sides read; what is appended is read by both, in one order. */
class Log {
  readonly entries: Uint8Array[] = [];
  readonly sides: readonly Side[];
  readonly #taken = new Map<Side, number>();
  readonly #read = new Map<Side, number>();

  constructor(...sides: Side[]) {
    this.sides = sides;
  }

  /** Moves everything until nobody has anything more to say; `deliver` decides what of an entry a side gets. */
  async run(deliver: (blob: Uint8Array, side: Side, at: number) => readonly Uint8Array[] = (blob) => [blob]): Promise<void> {
    for (let moved = true; moved;) {
      moved = false;
      for (const side of this.sides) {
        const from = this.#taken.get(side) ?? 0;
        this.entries.push(...side.appended.slice(from));
        moved ||= side.appended.length > from;
        this.#taken.set(side, side.appended.length);
      }
      for (const side of this.sides) {
        const at = this.#read.get(side) ?? 0;
        const blob = this.entries[at];
        if (blob === undefined) continue;
        this.#read.set(side, at + 1);
        moved = true;
        for (const given of deliver(blob, side, at)) await side.input({ kind: "entry", blob: given });
      }
    }
  }
}

/** What holds of a linking however it ended. */
function checkEnd(added: Side, existing: Side): void {
  for (const side of [added, existing]) {
    expect(side.count("failed") + side.count("linked")).toBeLessThanOrEqual(1);
    expect(side.count("store") + side.count("publish")).toBeLessThanOrEqual(1);
  }
  // Stored only after it was published, and taken back if and only if the existing side gave up after that.
  if (added.count("store") > 0) expect(existing.count("publish")).toBe(1);
  const gaveUp = existing.count("publish") > 0 && existing.kind === "failed";
  expect(existing.count("undo")).toBe(gaveUp ? 1 : 0);
  expect(added.count("undo")).toBe(0);
}

describe("[A-7] the code", () => {
  test("is the same secret in both forms", () => {
    const secret = seededRandom("code")(16);
    expect(parseLinkCode(formatLinkCode(secret, "chat.example:8443"))).toEqual({ secret, host: "chat.example:8443" });
    const words = linkWords(secret);
    expect(words).toHaveLength(12);
    expect(parseLinkCode(`  ${words.join(" ").toUpperCase()}\n`)).toEqual({ secret, host: undefined });
    expect(parseLinkCode(words.join(", "))).toEqual({ secret, host: undefined });
  });

  test.each([
    "",
    "hello",
    "latchkey:link:",
    "latchkey:link:%%%",
    "latchkey:link:AAAA",
    "latchkey:invite:AAAA",
    `${"zoo ".repeat(11)}zoo`,
    "zoo ".repeat(13),
    `latchkey:link:${"A".repeat(4000)}`,
  ])("%j is none", (code) => {
    expect(() => parseLinkCode(code)).toThrow(expect.objectContaining({ name: "ClientError", code: "invalid_code" }) as ClientError);
  });

  test("any damaged character of a code is refused or another code", () => {
    const secret = new Uint8Array(16).fill(5);
    const code = formatLinkCode(secret, "chat.example");
    for (let at = "latchkey:link:".length; at < code.length; at++) {
      const damaged = `${code.slice(0, at)}${code[at] === "A" ? "B" : "A"}${code.slice(at + 1)}`;
      try {
        expect(parseLinkCode(damaged)).not.toEqual({ secret, host: "chat.example" });
      } catch (error) {
        expect(error).toBeInstanceOf(ClientError);
      }
    }
  });
});

describe("[A-7] a linking", () => {
  test("shows the same six digits on both sides, and ends with the account on both", async () => {
    const added = await Side.offering("new");
    const existing = Side.accepting("old");
    const log = new Log(added, existing);
    await log.run();
    expect(added.digits).toMatch(/^\d{6}$/);
    expect(existing.digits).toBe(added.digits);
    expect([added.kind, existing.kind]).toEqual(["linked", "linked"]);
    expect(log.entries).toHaveLength(6);
    checkEnd(added, existing);
    // Padded: the server sees none of it, nor how long names are.
    // With the head of an entry that names no blobs in front of each.
    for (const blob of log.entries) expect([512, 1024, 4096, 16_384, 65_536]).toContain(1 + blob.length);
  });

  test("waits for both people: one yes does nothing", async () => {
    for (const silent of ["new", "existing"]) {
      const added = await Side.offering(`new ${silent}`);
      const existing = Side.accepting(`old ${silent}`);
      (silent === "new" ? added : existing).answer = undefined;
      const log = new Log(added, existing);
      await log.run();
      expect(existing.count("publish")).toBe(0);
      expect(added.count("store")).toBe(0);
      await (silent === "new" ? added : existing).input({ kind: "confirm", same: true });
      await log.run();
      expect([added.kind, existing.kind]).toEqual(["linked", "linked"]);
    }
  });

  test.each(["new", "existing"] as const)("the %s side's no ends it on both, with nothing published or stored", async (who) => {
    const added = await Side.offering("new");
    const existing = Side.accepting("old");
    (who === "new" ? added : existing).answer = false;
    await new Log(added, existing).run();
    expect([added.kind, existing.kind]).toEqual(["failed", "failed"]);
    expect([existing.count("publish"), added.count("store"), existing.count("undo")]).toEqual([0, 0, 0]);
  });

  test("somebody who knows the code and sits in between makes other digits on either side", async () => {
    let equal = 0;
    for (let seed = 0; seed < 8; seed++) {
      // Two linkings, each side with one of the attacker's devices.
      const victim = await Side.offering(`victim ${seed}`);
      const attackerOld = Side.accepting(`attacker old ${seed}`);
      const attackerNew = await Side.offering(`attacker new ${seed}`);
      const owner = Side.accepting(`owner ${seed}`);
      for (const side of [victim, attackerOld, attackerNew, owner]) side.answer = undefined;
      await new Log(victim, attackerOld).run();
      await new Log(attackerNew, owner).run();
      if (victim.digits === owner.digits) equal++;
      await victim.input({ kind: "confirm", same: false });
      await owner.input({ kind: "confirm", same: false });
      expect([victim.count("store"), owner.count("publish")]).toEqual([0, 0]);
    }
    expect(equal).toBe(0);
  });

  test("a nonce that is not the promised one ends it", async () => {
    const added = await Side.offering("new");
    const existing = Side.accepting("old");
    const log = new Log(added, existing);
    await log.run((blob, side) => {
      const message = openLinkMessage(place, blob);
      if (side !== existing || message?.body.kind !== "reveal") return [blob];
      const forged = { ...message, body: { kind: "reveal" as const, nonce: new Uint8Array(32).fill(8) } };
      return [sealLinkMessage(place, forged, side.context.random)];
    });
    expect(existing.machine.phase).toEqual({ kind: "failed", code: "server_lied" });
    expect(existing.count("compare")).toBe(0);
    checkEnd(added, existing);
  });

  test("the account is for the device that showed the digits: who knows the code reads nothing of it", async () => {
    const added = await Side.offering("new");
    const existing = Side.accepting("old");
    const log = new Log(added, existing);
    await log.run();
    const bodies = log.entries.map((blob) => openLinkMessage(place, blob)?.body);
    expect(bodies.map((body) => body?.kind)).toEqual(["offer", "answer", "reveal", "channel", "channel", "channel"]);
    for (const blob of log.entries) expect(Buffer.from(blob).includes(Buffer.from("Tablet"))).toBe(false);
    for (const body of bodies)
      if (body?.kind === "channel") expect(Buffer.from(body.ciphertext).includes(Buffer.from(content))).toBe(false);
    // Another place sees noise only.
    const other = linkPlace(new Uint8Array(16).fill(8));
    for (const blob of log.entries) expect(openLinkMessage(other, blob)).toBeUndefined();
  });

  test("a code that was used before is refused: what its log holds is no offer any more", async () => {
    const added = await Side.offering("new");
    const first = Side.accepting("first");
    added.answer = false;
    const log = new Log(added, first);
    await log.run();
    const second = Side.accepting("second");
    for (const blob of log.entries) await second.input({ kind: "entry", blob });
    expect(second.machine.phase).toEqual({ kind: "failed", code: "link_expired" });
    expect(second.count("compare")).toBe(0);
  });

  test("noise is passed over, and too much of it ends the linking", async () => {
    const added = await Side.offering("new");
    const existing = Side.accepting("old");
    const noise = seededRandom("noise");
    await new Log(added, existing).run((blob) => [noise(512), new Uint8Array(0), blob, noise(4096)]);
    expect([added.kind, existing.kind]).toEqual(["linked", "linked"]);
    const flooded = Side.accepting("flooded");
    for (let count = 0; count < 65; count++) await flooded.input({ kind: "entry", blob: noise(512) });
    expect(flooded.machine.phase).toEqual({ kind: "failed", code: "server_lied" });
  });

  test("cancelled or expired at any moment, it ends on both sides with nothing half done", async () => {
    for (const why of ["cancel", "expired"] as const) {
      for (const who of ["new", "existing"] as const) {
        for (let after = 0; after < 13; after++) {
          const added = await Side.offering(`new ${after}`);
          const existing = Side.accepting(`old ${after}`);
          const log = new Log(added, existing);
          let delivered = 0;
          await log.run((blob) => (delivered++ < after ? [blob] : []));
          const side = who === "new" ? added : existing;
          await side.input({ kind: why });
          checkEnd(added, existing);
          expect(["failed", "linked"]).toContain(side.kind);
          // Whoever stored an account has one that was published and not taken back by this.
          if (who === "new" && added.kind === "failed") expect(added.count("linked")).toBe(0);
        }
      }
    }
  });

  test.each(Array.from({ length: 60 }, (_, seed) => seed))("with entries lost, doubled, swapped and damaged (seed %i)", async (seed) => {
    const random = seededRandom(`faults ${seed}`);
    const chance = (percent: number): boolean => (random(1)[0] ?? 0) < (percent * 256) / 100;
    const added = await Side.offering(`new ${seed}`);
    const existing = Side.accepting(`old ${seed}`);
    const held = new Map<Side, Uint8Array>();
    await new Log(added, existing).run((blob, side) => {
      const late = held.get(side);
      held.delete(side);
      const rest = late === undefined ? [] : [late];
      if (chance(6)) return rest;
      if (chance(10)) return [blob, ...rest, blob];
      if (chance(6)) {
        held.set(side, blob);
        return rest;
      }
      if (chance(6)) {
        const damaged = blob.slice();
        const at = (random(1)[0] ?? 0) % damaged.length;
        damaged[at] = (damaged[at] ?? 0) ^ 1;
        return [damaged, ...rest];
      }
      return [blob, ...rest];
    });
    // Who still waits gives up when the time is over.
    for (const side of [added, existing]) await side.input({ kind: "expired" });
    checkEnd(added, existing);
    for (const side of [added, existing]) expect(["failed", "linked"]).toContain(side.kind);
    if (existing.kind === "linked") expect(added.kind).toBe("linked");
    if (added.digits !== undefined && existing.digits !== undefined) expect(added.digits).toBe(existing.digits);
  });

  test("what the rest of the client cannot do ends it, and is taken back once", async () => {
    const added = await Side.offering("new");
    const existing = Side.accepting("old");
    existing.answer = undefined;
    await new Log(added, existing).run();
    const confirmed = await stepLink(existing.context, existing.machine, { kind: "confirm", same: true });
    expect(confirmed.effects.map(({ kind }) => kind)).toEqual(["publish"]);
    const failed = await stepLink(existing.context, confirmed.machine, { kind: "failed", code: "offline" });
    expect(failed.effects.map(({ kind }) => kind)).toEqual(["append", "undo", "failed"]);
    const again = await stepLink(existing.context, failed.machine, { kind: "failed", code: "offline" });
    expect(again.effects).toEqual([]);
  });
});
