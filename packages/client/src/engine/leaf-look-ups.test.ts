import { toBase64Url } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import type { UnverifiedLeaf } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { LeafLookUps } from "./leaf-look-ups.ts";
import type { World } from "./world.ts";

function leafOf(at: number): UnverifiedLeaf {
  const id = new Uint8Array(32).fill(at);
  // Of a leaf's place nothing is asked here.
  const leafIndex = at as UnverifiedLeaf["leafIndex"];
  const judged = { refused: false, tries: 0, askedAtMs: 0 };
  return { leafIndex, host: "chat.example", accountId: id, deviceId: id.slice(0, 16), signaturePublicKey: id, ...judged };
}

/** A directory that answers when it is told to; who is `known` is vouched for by what is at hand. */
function worldOf(known: readonly number[] = []): {
  world: World;
  asked: string[];
  answer: (code: "directory_unproven" | "unknown_user") => void;
} {
  const asked: string[] = [];
  let waiting: ((error: ClientError) => void)[] = [];
  const world = {
    own: { accountId: new Uint8Array(32).fill(255) },
    people: {
      vouches: ({ accountId }: UnverifiedLeaf) => known.includes(accountId[0] ?? 0),
      departed: () => false,
      keep: () => undefined,
    },
    directory: {
      account: (_host: string, accountId: Uint8Array) => {
        asked.push(toBase64Url(accountId));
        return new Promise((_resolve, reject) => {
          waiting.push(reject);
        });
      },
    },
  };
  const answer = (code: "directory_unproven" | "unknown_user"): void => {
    for (const reject of waiting) reject(new ClientError(code, "told"));
    waiting = [];
  };
  // Of the world nothing else is used.
  return { world: world as unknown as World, asked, answer };
}

const nothing = new Uint8Array(0);

describe("[E-69] [E-2] leaves of accounts that nobody has", () => {
  it("are asked about a few at a time, each account once, whoever asks", async () => {
    const { world, asked, answer } = worldOf();
    const lookUps = new LeafLookUps(world);
    const leaves = Array.from({ length: 12 }, (_, at) => leafOf(at));
    const [first, second] = [[...leaves.slice(0, 5), ...leaves.slice(0, 5)], leaves].map((some) => lookUps.verdicts(some, nothing));
    expect(asked).toHaveLength(8);
    expect(await lookUps.verdicts(leaves, nothing)).toEqual([]);
    answer("directory_unproven");
    expect((await first)?.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 10 }, () => "unknown"));
    expect((await second)?.map(({ leafIndex }) => leafIndex)).toEqual([5, 6, 7]);
    const third = lookUps.verdicts(leaves.slice(8), nothing);
    answer("unknown_user");
    expect((await third).map(({ leafIndex, verdict }) => [leafIndex, verdict])).toEqual([8, 9, 10, 11].map((at) => [at, "refused"]));
    expect([asked.length, new Set(asked).size]).toEqual([12, 12]);
  });

  it("keep nobody waiting who is vouched for by what is at hand", async () => {
    const { world, asked } = worldOf([20]);
    const lookUps = new LeafLookUps(world);
    void lookUps.verdicts(
      Array.from({ length: 12 }, (_, at) => leafOf(at)),
      nothing,
    );
    expect(await lookUps.verdicts([leafOf(20)], nothing)).toMatchObject([{ verdict: "vouched" }]);
    expect(asked).toHaveLength(8);
  });
});
