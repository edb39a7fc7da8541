import { fromBase64Url } from "@latchkey/codec";
import { holdingsText } from "@latchkey/client/testing";
import { expect, test } from "vitest";
import { joinedConversation, receiveText, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, latchkey, startServerProcess } from "./testing/processes.ts";
import { search } from "./testing/search.ts";

// Twenty people of one server: in touch in twos and in groups of four, so that whatever could tie one to another is there.
const howMany = 20;
const nameOf = (index: number): string =>
  `zq${String(index).padStart(2, "0")}-${["quillon", "farrago", "wimble", "dovecot"][index % 4] ?? ""}`;
const displayNameOf = (index: number): string => `Person No. ${String(index).padStart(2, "0")} of the Skerries`;

interface Package {
  readonly account_id: string;
  readonly row: number;
  readonly usernames: readonly { readonly username: string; readonly binding: string }[];
  readonly states: readonly { readonly state: string }[];
  readonly devices: readonly {
    readonly row: number;
    readonly device_id: string;
    readonly inbox_id: string;
    readonly inbox_row: number;
    readonly card: string;
    readonly inbox_capability: { readonly sha256: string } | null;
    readonly key_packages: readonly { readonly row: number; readonly sha256: string }[];
  }[];
  readonly directory: readonly {
    readonly row: number;
    readonly index: string;
    readonly values: readonly { readonly commitment: string }[];
  }[];
}

/** Everything in a package that stands for its person, by what it is. */
function identifiersOf(held: Package): [string, Buffer][] {
  const bytes = (text: string): Buffer => Buffer.from(fromBase64Url(text));
  const number = (value: number): Buffer => Buffer.from(String(value));
  return [
    ["account", bytes(held.account_id)],
    ["row", number(held.row)],
    ...held.usernames.map(({ binding }): [string, Buffer] => ["binding", bytes(binding).subarray(-64)]),
    ...held.states.map(({ state }): [string, Buffer] => ["state", bytes(state).subarray(-64)]),
    ...held.devices.flatMap((device): [string, Buffer][] => [
      ["device", bytes(device.device_id)],
      ["device's row", number(device.row)],
      ["inbox", bytes(device.inbox_id)],
      ["inbox's row", number(device.inbox_row)],
      ["card", bytes(device.card).subarray(-64)],
      ...(device.inbox_capability === null ? [] : [["capability", bytes(device.inbox_capability.sha256)] as [string, Buffer]]),
      ...device.key_packages.flatMap(({ row, sha256 }): [string, Buffer][] => [
        ["key package's row", number(row)],
        ["key package", bytes(sha256)],
      ]),
    ]),
    ...held.directory.flatMap(({ row, index, values }): [string, Buffer][] => [
      ["label's row", number(row)],
      ["place", bytes(index)],
      ...values.map(({ commitment }): [string, Buffer] => ["commitment", bytes(commitment)]),
    ]),
  ];
}

test("[P6] [F-20] the package of each of twenty people has everything of theirs, and nothing of any other or of any conversation", async () => {
  using folder = createFolder();
  await using server = await startServerProcess({ data: folder.at("data") });
  const people: TestPerson[] = [];
  try {
    for (let index = 0; index < howMany; index++)
      people.push(
        await registerPerson({
          home: folder.at("homes", nameOf(index)),
          server: server.url,
          username: nameOf(index),
          displayName: displayNameOf(index),
        }),
      );
    const logs: [string, Buffer][] = [];
    const said = (first: number): string => `the lamps of quay ${String(first)} are out`;
    for (let first = 0; first < howMany; first += 4) {
      const [one, ...others] = people.slice(first, first + 4);
      if (one === undefined) throw new Error("nobody");
      const title = `Keepers of quay ${String(first)}`;
      const group = await one.client.startConversation({ to: others.map(({ username }) => username), name: title });
      const direct = await one.client.startConversation({ to: [people[(first + 5) % howMany]?.username ?? ""] });
      for (const { client } of others) await joinedConversation(client, title);
      await sendAndWait(one.client, group.id, said(first));
      for (const { client } of others) await receiveText(client, group.id, said(first));
      await sendAndWait(one.client, direct.id, said(first));
      logs.push(...[group, direct].map(({ id }): [string, Buffer] => [`log of quay ${String(first)}`, Buffer.from(fromBase64Url(id))]));
      logs.push([title, Buffer.from(title)], [said(first), Buffer.from(said(first))]);
    }
    // What the operator takes from one is in that one's package alone.
    expect((await latchkey(["admin", "suspend", nameOf(3), "--data", folder.at("data")])).status).toBe(0);

    const packages = new Map<string, Buffer>();
    const identifiers = new Map<string, [string, Buffer][]>();
    for (const [index, { username, client }] of people.entries()) {
      const text = await holdingsText(client);
      const held = JSON.parse(text) as Package & { readonly suspended_since: string | null };
      expect(held.usernames.map((name) => name.username)).toEqual([username]);
      expect(held.devices).toHaveLength(1);
      expect(held.suspended_since === null).toBe(index !== 3);
      packages.set(username, Buffer.from(text));
      identifiers.set(username, [
        ...identifiersOf(held),
        ["name", Buffer.from(username)],
        ["display name", Buffer.from(displayNameOf(index))],
      ]);
    }
    for (const [username, own] of identifiers) {
      // What is looked for is found where it belongs: but for what the server never has.
      const mine = new Map([[username, packages.get(username) ?? Buffer.alloc(0)]]);
      const found = new Set(search(mine, new Map(own)).map(({ needle }) => needle));
      expect([username, [...new Set(own.map(([what]) => what))].filter((what) => !found.has(what))]).toEqual([username, ["display name"]]);
      const others = new Map([...packages].filter(([name]) => name !== username));
      for (const [what, bytes] of own) expect([what, search(others, new Map([[username, bytes]]))]).toEqual([what, []]);
    }
    expect(search(packages, new Map(logs))).toEqual([]);
  } finally {
    for (const { client } of people) await client.close();
  }
}, 600_000);
