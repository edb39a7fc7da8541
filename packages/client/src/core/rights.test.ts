import { describe, expect, it } from "vitest";
import { rightsOf } from "./rights.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

const leads = { post: true, pin: true, mentionAll: true, deleteOthers: true, invite: true };

function rightsIn(reader: SimDevice, author: SimDevice): ReturnType<typeof rightsOf> | undefined {
  const { state } = reader;
  const leaf = state?.roster?.accounts.get(author.self.account)?.[0];
  return state === undefined || leaf === undefined ? undefined : rightsOf(state, leaf);
}

describe("what the author of a message may do at its place", () => {
  it("is by the role of its account, alike for all members", async () => {
    const world = await SimWorld.create("rights", ["ada", "ben"]);
    const [ada, ben] = world.devices;
    if (ada === undefined || ben === undefined) throw new Error("nobody");
    await ada.found([ben]);
    await world.settle();
    for (const reader of [ada, ben]) {
      expect(rightsIn(reader, ada)).toEqual({ ...leads, role: "owner" });
      expect(rightsIn(reader, ben)).toEqual({
        role: "member",
        post: true,
        pin: false,
        mentionAll: false,
        deleteOthers: false,
        invite: false,
      });
    }
  });
});
