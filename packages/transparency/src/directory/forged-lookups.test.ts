import { utf8Bytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { decodeDirectoryProof, nobleSignatures, verifyAbsence, verifyLookup } from "../index.ts";
import type { LookupResult } from "../index.ts";
import { createMemoryDirectory } from "./memory-directory.testing.ts";
import type { MemoryDirectory } from "./memory-directory.testing.ts";
import { createPerson } from "./people.testing.ts";
import type { TestPerson } from "./people.testing.ts";

/** A directory whose operator signs and commits to whatever it likes: every proof here leads to its signed head. */
async function lyingDirectory(people: readonly TestPerson[]): Promise<MemoryDirectory> {
  const directory = await createMemoryDirectory({ witnesses: 1, threshold: 1 });
  for (const { changes } of people) await directory.publish(changes);
  return directory;
}

type Params = Parameters<typeof verifyLookup>[0];
type Query = Params["query"];

async function verify(
  directory: MemoryDirectory,
  answer: { proof: Uint8Array; states: readonly Uint8Array[]; bindings: readonly Uint8Array[] },
  query: Query,
  known?: Params["known"],
): Promise<LookupResult> {
  const { host, config } = directory;
  const { proof, ...record } = answer;
  const head = { host, view: undefined, config, nowMs: directory.nowMs(), signatures: nobleSignatures };
  return await verifyLookup({ ...head, proof: decodeDirectoryProof(proof), record, query, known });
}

const saying = (message: string): unknown =>
  expect.objectContaining({ name: "TransparencyError", message: expect.stringContaining(message) });

describe("a directory that lies with right proofs", () => {
  test("[C-3] an account of another host", async () => {
    const foreigner = await createPerson("bob", { host: "other.example" });
    const directory = await lyingDirectory([foreigner]);
    await expect(verify(directory, await directory.lookup(foreigner), { username: "bob" })).rejects.toEqual(
      saying("the account is of another host"),
    );
  });

  test("[D-1] an account that it does not have", async () => {
    const bob = await createPerson("bob");
    const nobody = await createPerson("nobody");
    const directory = await lyingDirectory([bob]);
    const proof = await directory.proof([directory.label("account", nobody.accountId)]);
    await expect(verify(directory, { proof, states: [], bindings: [] }, { accountId: nobody.accountId })).rejects.toEqual(
      saying("the directory has no such account"),
    );
  });

  test("[A-3] another person under the name that was asked for", async () => {
    const [alice, bob] = [await createPerson("alice"), await createPerson("bob")];
    const directory = await lyingDirectory([alice, bob]);
    const proof = await directory.proof([directory.label("account", bob.accountId), directory.label("username", utf8Bytes("alice"))]);
    await expect(verify(directory, { proof, states: bob.states, bindings: alice.bindings }, { username: "alice" })).rejects.toEqual(
      saying("the account has another name"),
    );
  });

  test("[A-2] a state that is not the next one, and a history that begins where nobody was", async () => {
    const bob = await createPerson("bob");
    const directory = await lyingDirectory([bob]);
    await directory.publish([{ type: "account", label: bob.accountId, values: [await bob.nextState({ version: 5 })] }]);
    const query = { username: "bob", accountId: bob.accountId };
    await expect(verify(directory, await directory.lookup(bob), query)).rejects.toEqual(saying("other states than are shown"));
    const honest = await lyingDirectory([bob]);
    const { labels } = await verify(honest, await honest.lookup(bob), query);
    await honest.publish([{ type: "account", label: bob.accountId, values: [await bob.nextState()] }]);
    const later = await honest.lookup(bob, { account: { fromVersion: 1 } });
    await expect(verify(honest, later, query, { account: labels.account })).resolves.toBeDefined();
    for (const version of [0, 2])
      await expect(verify(honest, later, query, { account: { ...labels.account, version } })).rejects.toEqual(
        saying("starts at a version that is not known"),
      );
  });

  test("[D-3] fewer values than were verified before, and another history than that", async () => {
    const bob = await createPerson("bob");
    const directory = await lyingDirectory([bob]);
    const query = { username: "bob", accountId: bob.accountId };
    const answer = await directory.lookup(bob);
    const { account } = (await verify(directory, answer, query)).labels;
    await expect(verify(directory, answer, query, { account: { ...account, version: 2 } })).rejects.toEqual(
      saying("fewer values than were verified before"),
    );
    await expect(verify(directory, answer, query, { account: { ...account, chain: new Uint8Array(32).fill(1) } })).rejects.toEqual(
      saying("another history than the one that was verified before"),
    );
    await expect(verify(directory, answer, query, { account: { ...account, index: new Uint8Array(32).fill(1) } })).rejects.toEqual(
      saying("the label stands at another place"),
    );
  });

  test("[A-3] a binding of another name under a name, and a bound name as a free one", async () => {
    const [bob, carol] = [await createPerson("bob"), await createPerson("carol")];
    const directory = await lyingDirectory([bob]);
    const bindings = [...bob.bindings, await carol.binding("released")];
    await directory.publish([{ type: "username", label: utf8Bytes("bob"), values: bindings.slice(1) }]);
    await expect(verify(directory, await directory.lookup(bob), { username: "bob" })).rejects.toEqual(
      saying("a binding is of another name"),
    );
    const { host, config } = directory;
    const head = { host, view: undefined, config, nowMs: directory.nowMs(), signatures: nobleSignatures };
    const proof = decodeDirectoryProof(await directory.nameProof("bob"));
    await expect(verifyAbsence({ ...head, proof, username: "bob", bindings })).rejects.toEqual(saying("a binding is of another name"));
  });

  test("[D-1] a newest value that is not shown, and a value more than the proof has", async () => {
    const bob = await createPerson("bob");
    const directory = await lyingDirectory([bob]);
    const query = { username: "bob", accountId: bob.accountId };
    await expect(verify(directory, await directory.lookup(bob, { name: { erased: [1] } }), query)).rejects.toEqual(
      saying("the newest value of a label is not shown"),
    );
    const answer = await directory.lookup(bob);
    await expect(verify(directory, { ...answer, states: [...bob.states, await bob.nextState()] }, query)).rejects.toEqual(
      saying("the record has more values than the proof"),
    );
    await expect(verify(directory, { ...answer, bindings: [...bob.bindings, ...bob.bindings] }, query)).rejects.toEqual(
      saying("the record has more values than the proof"),
    );
  });
});
