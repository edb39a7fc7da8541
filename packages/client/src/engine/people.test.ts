import { toBase64Url } from "@latchkey/codec";
import { expect, test } from "vitest";
import type { Contact } from "../account/contacts.ts";
import type { Directory } from "../account/directory.ts";
import type { OwnAccount } from "../account/own-account.ts";
import type { Person } from "../api.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { People } from "./people.ts";
import type { Standings } from "./standings.ts";

test("whoever is at hand before their name was read is shown by it once it is, and told of: also on a device that was just linked", async () => {
  const store = createMemoryStore();
  const accountId = new Uint8Array(32).fill(7);
  const own = { accountId: new Uint8Array(32), host: "chat.example", username: "ann", displayName: "Ann" };
  // Of a contact, names ask for no more than this.
  const contact = {
    accountId,
    host: "chat.example",
    username: "ben",
    checkedAtMs: 1,
    nameLookedUpAtMs: 1,
    account: { state: { version: 0 } },
  } as unknown as Contact;
  const create = (): People =>
    new People({
      store,
      directory: { cached: async () => undefined } as unknown as Directory,
      own: own as unknown as OwnAccount,
      standings: {} as unknown as Standings,
    });
  await store.transact("write", (tx) => create().setName(tx, accountId, "Ben Okafor"));

  const people = create();
  const renamed: Person[] = [];
  people.onRenamed((list) => renamed.push(...list));
  people.keep(contact);
  expect(people.person(accountId).displayName).toBe("ben");
  await people.load([accountId]);
  expect(people.person(accountId).displayName).toBe("Ben Okafor");
  expect(renamed).toMatchObject([{ accountId: toBase64Url(accountId), displayName: "Ben Okafor" }]);

  // A newer one is not replaced by what was read.
  await store.transact("write", (tx) => people.setName(tx, accountId, "Benjamin"));
  await people.load([accountId]);
  expect(people.person(accountId).displayName).toBe("Benjamin");
});
