import type { Conversation, FoundMessage, Message, MessageBody, Person as Shown } from "@latchkey/client";
import { describe, expect, test } from "vitest";
import { brokenPromises } from "./promises.ts";
import type { Person, Said } from "./person.ts";
import type { World } from "./world.ts";

function shown(name: string): Shown {
  return { accountId: name, username: name, host: "sim", address: name, displayName: name, isSelf: false } as Shown;
}

function line(order: number, author: string, body: MessageBody, delivery?: Message["delivery"]): Message {
  return { id: `${author} ${order}`, conversationId: "one", order, author: shown(author), body, sentAtMs: 0, delivery };
}

function text(order: number, author: string, said: string, delivery?: Message["delivery"]): Message {
  return line(order, author, { kind: "text", text: said }, delivery);
}

const accepted = { kind: "accepted", atMs: 1 } as const;

const saysIt = ({ body }: Message, query: string): boolean => body.kind === "text" && body.text.includes(query);
const asFound = ({ id, conversationId }: Message): Partial<FoundMessage> => ({ messageId: id, conversationId });

/** What one person has at the end, made up. */
interface Had {
  readonly lines: readonly Message[];
  /** What a search looks through, where that is not what is there. */
  readonly found?: readonly Message[];
  readonly status?: Conversation["status"];
  readonly said?: readonly Said[];
  readonly faults?: readonly string[];
  readonly isHonest?: boolean;
}

/** Only what the check looks at: the client's answers. */
function worldOf(people: Readonly<Record<string, Had>>): World {
  const entries = Object.entries(people).map(([name, had]): [string, Person] => [
    name,
    {
      name,
      isHonest: had.isHonest ?? true,
      faults: had.faults ?? [],
      lastTold: new Map(),
      said: had.said ?? [],
      files: new Map(),
      client: {
        conversations: async () => [{ id: "one", title: "one", status: had.status ?? "active", kind: "group" }],
        messages: async () => had.lines,
        search: async (query: string) => ({
          found: (had.found ?? had.lines).filter((one) => saysIt(one, query)).map(asFound),
          cursor: undefined,
        }),
        alarms: async () => [],
        verification: async () => ({ members: [], hold: undefined }),
      },
    } as unknown as Person,
  ]);
  return { people: new Map(entries) } as unknown as World;
}

const came = [line(1, "ada", { kind: "added", people: [shown("ada"), shown("ben")] })];
const both = [...came, text(2, "ada", "ada 1"), text(3, "ben", "ben 1")];

function broken(people: Readonly<Record<string, Had>>, mayLose = false): Promise<string[]> {
  return brokenPromises(worldOf(people), { mayLose });
}

describe("the check of promises", () => {
  test("two people who have the same broke none", async () => {
    expect(await broken({ ada: { lines: both }, ben: { lines: both } })).toEqual([]);
  });

  test("tells a text that stands twice, one under another name, another order, one that is missing", async () => {
    const [added, first, second] = both;
    if (added === undefined || first === undefined || second === undefined) throw new Error("three lines");
    const twice = await broken({ ada: { lines: [...both, text(4, "ada", "ada 1")] }, ben: { lines: both } });
    expect(twice.join()).toMatch(/ada sees "ada 1" twice/);
    const forged = await broken({ ada: { lines: [added, text(2, "ben", "ada 1"), second] }, ben: { lines: both } });
    expect(forged.join()).toMatch(/ben as the author of "ada 1"/);
    const turned = await broken({ ada: { lines: both }, ben: { lines: [added, second, first] } });
    expect(turned.join()).toMatch(/in another order/);
    const lacking = await broken({ ada: { lines: both }, ben: { lines: [added, first] } });
    expect(lacking.join()).toMatch(/ben lacks "ben 1"/);
  });

  test("a text of before an edit is lacked by nobody who has the edit; who lost the edit was told so", async () => {
    const [added, first, second] = both;
    if (added === undefined || first === undefined || second === undefined) throw new Error("three lines");
    const edited = [added, first, { ...text(3, "ben", "ben 1 edited"), id: second.id, edited: { count: 1, atMs: 0 } } as Message];
    const lost = [...both, line(4, "ben", { kind: "unreadable", reason: "It is damaged." })];
    expect(await broken({ ada: { lines: edited }, ben: { lines: lost } }, true)).toEqual([]);
    expect((await broken({ ada: { lines: edited }, ben: { lines: both } }, true)).join()).toMatch(/ada sees .* where ben sees/);
  });

  test("tells what was said and is gone, what waits, what stands still, and what a client threw", async () => {
    const said = [{ conversationId: "one", text: "ada 9", messageId: "m" }];
    expect((await broken({ ada: { lines: both, said }, ben: { lines: both } })).join()).toMatch(/ada said "ada 9" and has it no more/);
    const waits = [...both, text(4, "ada", "ada 2", { kind: "pending" })];
    expect((await broken({ ada: { lines: waits }, ben: { lines: both } })).join()).toMatch(/"ada 2" of ada waits/);
    expect((await broken({ ada: { lines: both, status: "paused" }, ben: { lines: both } })).join()).toMatch(/is paused/);
    expect((await broken({ ada: { lines: both, faults: ["TypeError"] }, ben: { lines: both } })).join()).toMatch(/client failed/);
  });

  test("[X-22] tells what a search does not find, and what it finds and is not there", async () => {
    const [added, first] = both;
    if (added === undefined || first === undefined) throw new Error("lines");
    const lacking = await broken({ ada: { lines: both, found: [added, first] }, ben: { lines: both } });
    expect(lacking.join()).toMatch(/ada does not find 1 texts of one by "ben", and 0/);
    const kept = await broken({ ada: { lines: both, found: [...both, text(9, "ada", "ada 9")] }, ben: { lines: both } });
    expect(kept.join()).toMatch(/ada does not find 0 texts of one by "ada", and 1/);
  });

  test("a line that cannot be read breaks a promise where nothing may get lost; a hostile device is promised nothing", async () => {
    const lost = [...both, line(4, "ada", { kind: "unreadable", reason: "It is damaged." })];
    expect((await broken({ ada: { lines: lost }, ben: { lines: both } })).join()).toMatch(/cannot read 1/);
    expect(await broken({ ada: { lines: lost }, ben: { lines: both } }, true)).toEqual([]);
    expect(await broken({ ada: { lines: both }, mal: { lines: [], isHonest: false, status: "paused" } })).toEqual([]);
    const sent = [...both, text(4, "ada", "ada 3", accepted)];
    expect((await broken({ ada: { lines: sent }, ben: { lines: both } })).join()).toMatch(/ben lacks "ada 3"/);
  });
});
