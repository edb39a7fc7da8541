import { hash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { World } from "./world.ts";
import type { Beginning } from "./world.ts";

const minuteMs = 60_000;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

let beginning: Beginning;
beforeAll(async () => {
  beginning = await World.begin(["ada", "ben", "cyd"]);
});
afterAll(() => beginning.remove());

/** Ada has written with both; what the server is asked is seen. */
async function friends(
  seed: string,
): Promise<{ world: World; accountIdOf: (name: string) => Promise<string>; fits: (name: string) => Promise<boolean> }> {
  const world = await World.open(beginning, seed);
  /** Of Ada's inbox, as its device set it last, and what was shown for it last. */
  const seen = { hash: "", shown: new Map<string, string>() };
  world.network.liar = {
    request(who, _role, body) {
      if (body.kind === "set_inbox_capability" && who === "ada") seen.hash = hex(body.hash);
      if (body.kind === "post") seen.shown.set(who, hash("sha256", body.capability, "hex"));
      return body;
    },
  };
  const run = (ms: number): Promise<unknown> => world.timeline.run(ms);
  // With each connection it is set anew.
  world.network.drop(({ who }) => who === "ada");
  await run(minuteMs);
  for (const name of ["ben", "cyd"]) {
    const started = world.named("ada").act("start", (client) => client.startConversation({ to: [name] }));
    await run(minuteMs);
    const direct = await started;
    if (direct === undefined) throw new Error("it was refused");
    void world.named("ada").say(direct.id, `ada ${world.number()}`);
    await run(minuteMs);
    const friend = world.named(name);
    const [request] = (await friend.client.requests()).list;
    if (request === undefined) throw new Error("she asks");
    void friend.act("accept", (client) => client.acceptRequest(request.id));
    await run(minuteMs);
    void friend.say(direct.id, `${name} ${world.number()}`);
    await run(minuteMs);
  }
  return {
    world,
    async accountIdOf(name) {
      return (await world.named(name).client.account())?.accountId ?? "";
    },
    /** Whether what somebody shows for Ada's inbox lets into it now. */
    async fits(name) {
      seen.shown.delete(name);
      void world.named(name).act("found", (client) => client.startConversation({ to: ["ada"], name: `group ${world.number()}` }));
      await run(2 * minuteMs);
      const shown = seen.shown.get(name);
      if (shown === undefined) throw new Error("nothing was posted");
      return shown === seen.hash;
    },
  };
}

describe("[E-44] [E-48] a block whose power or network fails in the middle", () => {
  const faults: readonly { readonly name: string; begin(world: World): void }[] = [
    { name: "nothing fails", begin: () => undefined },
    ...[1, 2, 3, 4, 5, 6].flatMap((afterWrites) =>
      [true, false].map((isKept) => ({
        name: `power fails at write ${afterWrites}, which is ${isKept ? "kept" : "lost"}`,
        begin: (world: World): void => world.named("ada").crash({ afterWrites, isKept }),
      })),
    ),
    { name: "no network for ten minutes", begin: (world) => world.network.cut("ada", 10 * minuteMs) },
    {
      name: "every connection is lost, with what was on its way",
      begin: (world) => void world.timeline.schedule(30, () => world.network.drop()),
    },
  ];

  for (const { name, begin } of faults) {
    test(`${name}: blocked and another secret, or neither; whoever stays a friend knows the one that counts`, async () => {
      const { world, accountIdOf, fits } = await friends(name);
      try {
        const ben = await accountIdOf("ben");
        expect([await fits("ben"), await fits("cyd")]).toEqual([true, true]);
        begin(world);
        void world.named("ada").act("block", (client) => client.block(ben));
        await world.timeline.run(15 * minuteMs);
        world.named("ada").crash();
        await world.timeline.run(1000);
        await world.named("ada").open();
        await world.timeline.run(5 * minuteMs);
        const isBlocked = (await world.named("ada").client.blocked()).length === 1;
        expect({ ben: await fits("ben"), cyd: await fits("cyd") }).toEqual({ ben: !isBlocked, cyd: true });
        for (const person of world.people.values()) expect(person.faults).toEqual([]);
      } finally {
        await world.close();
      }
    });
  }
});
