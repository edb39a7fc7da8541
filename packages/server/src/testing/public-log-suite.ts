import { decode, encode, utf8Bytes } from "@latchkey/codec";
import { maxDirectoryProofBytes, maxFrameBytes } from "@latchkey/protocol";
import {
  decodeEntryBundle,
  directoryConfigCodec,
  directoryProofCodec,
  nextReplay,
  parseCheckpoint,
  parseNote,
  replayRoot,
  verifyConsistency,
} from "@latchkey/transparency";
import type { ReplayState } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import type { AccountQuery } from "../store/directory-store.ts";
import type { Store } from "../store/store.ts";
import { random, temporaryDirectory } from "./fixtures.ts";
import { newLabel, newPublication, newQuery, newState, publishState, today } from "./store-inputs.ts";
import { dayMs } from "../days.ts";

const byName = (username: string): AccountQuery["by"] => ({ kind: "username", username });

/** The part of the store's suite that is about the directory's log and map. */
export function describePublicLog(name: string, open: (directory: string) => Promise<Store>): void {
  const opened = async (directory: string = temporaryDirectory()): Promise<Store> => open(directory);

  describe(`${name}: the public log`, () => {
    const nothing = { bind: undefined, release: undefined };
    const note = (text: string): { size: number; root: Uint8Array } => parseCheckpoint(parseNote(text).text);

    test("what is published is there at once, what is served only when it is said; lookups are answered from what is served", async () => {
      const store = await opened();
      expect(await store.directoryStatus()).toMatchObject({ size: 0, servedSize: 0, headsAtMs: 0 });
      expect(await store.servedCheckpoint()).toBeUndefined();
      const [alice, bobby] = [newState(), newState({ names: { bind: { username: "bobby", binding: random(80) }, release: undefined } })];
      expect(await store.publishDirectory(newPublication())).toEqual({ outcomes: [], head: undefined });
      await store.publishDirectory(newPublication({ changes: [alice] }));
      const { head } = await store.publishDirectory(newPublication({ changes: [bobby], isServed: false }));
      expect(await store.directoryStatus()).toMatchObject({ size: 2, servedSize: 1 });
      expect(await store.newestCheckpoint()).toEqual({ ...head, isServed: false });
      // Not served yet: no name of that kind, no such account.
      expect(await store.lookup(newQuery(byName("bobby")))).toMatchObject({ kind: "absent", bindings: [] });
      expect(await store.lookup(newQuery({ kind: "account", accountId: bobby.accountId }))).toEqual({ kind: "refused", code: "not_found" });
      expect(await store.proveAccounts({ accountIds: [alice.accountId, bobby.accountId] })).toMatchObject([{}, new Uint8Array()]);
      await store.serveHead({ size: 2 });
      expect(await store.servedCheckpoint()).toMatchObject({ size: 2, note: head?.note });
      expect(await store.lookup(newQuery(byName("bobby")))).toMatchObject({ kind: "account", states: [bobby.state] });
      await store.close();
    });

    test("entries, transitions and hashes are as the checkpoint says, and lead from every size to every later one", async () => {
      const directory = temporaryDirectory();
      let store = await opened(directory);
      const heads: { size: number; root: Uint8Array }[] = [];
      let state: ReplayState | undefined;
      const config = encode(directoryConfigCodec, {
        format: 1,
        origin: "latchkey.example/latchkey",
        logKey: "none",
        vrfPublicKey: random(32),
        logPolicy: "",
        mapPolicy: "",
        formats: [1],
        ext: new Uint8Array(),
      });
      await store.publishDirectory(newPublication({ config }));
      for (let i = 0; i < 11; i++) {
        const changes = Array.from({ length: 1 + (i % 3) }, (_, at) =>
          newState({ names: { bind: { username: `user${i}-${at}`, binding: random(80) }, release: undefined } }),
        );
        const { head } = await store.publishDirectory(newPublication({ changes, nowMs: i % 2 === 0 ? today * dayMs : 0 }));
        if (head === undefined) throw new Error("published");
        heads.push(note(head.note));
        if (i === 5) {
          await store.close();
          store = await opened(directory);
        }
      }
      const tile = await store.entryTile({ index: 0, width: 12 });
      const entries = decodeEntryBundle(tile ?? new Uint8Array(), 12);
      for (const [index, entry] of entries.entries()) {
        ({ state } = nextReplay(state, { entry, transition: await store.transition({ index }) }));
        const head = heads.find(({ size }) => size === index + 1);
        if (head !== undefined) expect(replayRoot(state)).toEqual(head.root);
      }
      for (const from of heads) {
        for (const to of heads) {
          if (from.size > to.size) continue;
          const proof = await store.proveConsistency({ from: from.size, to: to.size });
          verifyConsistency({ from: from.size, to: to.size, fromRoot: from.root, toRoot: to.root, proof });
        }
      }
      expect(await store.hashTile({ level: 0, index: 0, width: 12 })).toHaveLength(12 * 32);
      expect(await store.hashTile({ level: 0, index: 0, width: 13 })).toBeUndefined();
      expect(await store.hashTile({ level: 1, index: 0, width: 1 })).toBeUndefined();
      expect(await store.entryTile({ index: 0, width: 13 })).toBeUndefined();
      expect(await store.transition({ index: 12 })).toBeUndefined();
      expect(await store.proveConsistency({ from: 5, to: 13 })).toEqual([]);
      await store.close();
    });

    test("cosignatures are added to their checkpoint; of each key the newest stays, and older checkpoints go", async () => {
      const store = await opened();
      const { head } = await store.publishDirectory(newPublication({ changes: [newState()] }));
      const line = (text: string): string => `\u2014 w.example ${Buffer.from(text.padEnd(76, ".")).toString("base64")}\n`;
      const cosignature = (text: string, timeMs: number) => ({ keyName: "w.example", keyId: 7, line: line(text), timeMs });
      await store.addCosignatures({ size: 1, cosignatures: [cosignature("first", 1000)] });
      await store.addCosignatures({ size: 1, cosignatures: [cosignature("second", 2000), { ...cosignature("other", 1), keyId: 8 }] });
      await store.addCosignatures({ size: 1, cosignatures: [cosignature("late", 500)] });
      expect((await store.servedCheckpoint())?.note).toBe(`${head?.note ?? ""}${line("second")}${line("other")}`);
      await store.addCosignatures({ size: 9, cosignatures: [cosignature("nowhere", 1)] });
      for (let version = 1; version < 9; version++)
        await publishState(store, newState({ names: { bind: { username: `n${version}`, binding: random(9) }, release: undefined } }));
      expect(note((await store.servedCheckpoint())?.note ?? "").size).toBe(9);
      await store.close();
    });

    test("[D-8] of what the operator publishes the newest value is shown, with the commitments of those before it, as far as it is served", async () => {
      const directory = temporaryDirectory();
      let store = await opened(directory);
      const label = newLabel("operator", utf8Bytes("tokens"));
      const shown = async (knownValues = 0) => {
        const { value, proof } = await store.lookupOperator({ label, knownValues, knownSize: 0 });
        const [found, ...others] = decode(directoryProofCodec, proof).labels;
        expect(others).toEqual([]);
        return {
          value,
          kinds: found?.items.map(({ kind }) => kind),
          fromVersion: found?.fromVersion,
          hasVrf: found?.vrfProof.length === 80,
        };
      };
      const values = [random(40), random(50), random(60)];
      const publish = async (at: number, isServed = true) =>
        store.publishDirectory(newPublication({ operator: [{ label, value: values[at] ?? random(1) }], isServed }));
      await publishState(store, newState());
      expect(await shown()).toEqual({ value: [], kinds: [], fromVersion: 0, hasVrf: true });
      await publish(0);
      await publish(1);
      // What it has already is no value of its own.
      expect(await publish(1)).toEqual({ outcomes: [], head: undefined });
      const { head } = await publish(2, false);
      expect(await store.newestOperatorValue({ name: label.value })).toEqual(values[2]);
      expect(await shown()).toEqual({ value: [values[1]], kinds: ["commitment", "opening"], fromVersion: 0, hasVrf: true });
      await store.serveHead({ size: head?.size ?? 0 });
      await store.close();
      store = await opened(directory);
      expect(await shown()).toEqual({ value: [values[2]], kinds: ["commitment", "commitment", "opening"], fromVersion: 0, hasVrf: true });
      expect(await shown(2)).toEqual({ value: [values[2]], kinds: ["opening"], fromVersion: 2, hasVrf: false });
      expect(await shown(3)).toEqual({ value: [], kinds: [], fromVersion: 3, hasVrf: false });
      // Whoever says that they know more is shown all of it.
      expect(await shown(4)).toMatchObject({ value: [values[2]], fromVersion: 0, hasVrf: true });
      expect(await store.newestOperatorValue({ name: utf8Bytes("desk") })).toBeUndefined();
      await store.close();
    });

    test("[A-1] deleted: with the head that says so everything else is erased; a name that was not released is free again after its time", async () => {
      const store = await opened();
      const account = newState({ deviceIds: [random(16)] });
      const { accountId } = account;
      await publishState(store, account);
      const second = newState({ accountId, version: 1, names: nothing });
      await publishState(store, second);
      const last = newState({ accountId, version: 2, names: nothing, deviceIds: [], deletion: { reservedUntilDay: today + 180 } });
      const { head } = await store.publishDirectory(newPublication({ changes: [last], isServed: false }));
      // Until it is served, what is served can still be shown.
      expect(await store.lookup(newQuery({ kind: "account", accountId }))).toMatchObject({ states: [account.state, second.state] });
      await store.serveHead({ size: head?.size ?? 0 });
      const found = await store.lookup(newQuery(byName("alice")));
      expect(found).toMatchObject({ kind: "account", states: [last.state], pops: [], bindings: [account.names.bind?.binding] });
      if (found.kind !== "account") throw new Error(found.kind);
      const [label] = decode(directoryProofCodec, found.proof).labels;
      expect(label?.items.map(({ kind }) => kind)).toEqual(["commitment", "commitment", "opening"]);
      expect(await store.holdings({ accountId })).toMatchObject({
        account: { version: 2, historyBytes: last.state.length, updatesThatDay: 0 },
        devices: [],
        labels: [{ values: [{ opening: undefined }, { opening: undefined }, { version: 3 }] }, { type: "username" }],
      });
      expect(await store.heldStates({ accountId, fromVersion: 0, maxBytes: 1_000_000 })).toMatchObject([{ version: 2, pops: [] }]);
      expect(await publishState(store, account)).toEqual({ kind: "refused", code: "account_conflict" });
      expect(await publishState(store, newState({ day: today + 180 }))).toEqual({ kind: "refused", code: "username_taken" });
      const next = newState({ day: today + 181 });
      expect(await publishState(store, next)).toEqual({ kind: "published" });
      expect(await store.lookup(newQuery(byName("alice")))).toMatchObject({ states: [next.state] });
      expect(await store.lookup(newQuery({ kind: "account", accountId }))).toMatchObject({ states: [last.state] });
      await store.close();
    });

    test("[A-6] the longest history and the most changed name still fit one answer of the wire", async () => {
      const store = await opened();
      const first = newState({ maxUpdatesPerDay: 9999, state: random(330) });
      const { accountId } = first;
      const history = Array.from({ length: 3000 }, (_, version) =>
        newState({ ...first, accountId, version, state: random(330), pops: [], names: version === 0 ? first.names : nothing }),
      );
      await store.publishDirectory(newPublication({ changes: history }));
      const last = await store.lookup(newQuery({ kind: "account", accountId }, { fromVersion: 2800, maxBytes: 80_000 }));
      if (last.kind !== "account" || last.proof.length === 0) throw new Error("the last part has the proof");
      expect(last.proof.length).toBeLessThan(maxDirectoryProofBytes);
      const [own] = await store.proveAccounts({ accountIds: [accountId] });
      expect(own?.length).toBeLessThan(maxDirectoryProofBytes);
      // One name back and forth between two accounts.
      const outcomes: string[] = [];
      const [one, two] = [random(32), random(32)];
      for (let turn = 0; turn < 110; turn++) {
        const [holder, version] = [turn % 2 === 0 ? one : two, Math.floor(turn / 2) * 2];
        const bind = { bind: { username: "shared", binding: random(220) }, release: undefined };
        const release = { bind: undefined, release: { username: "shared", binding: random(220), reservedUntilDay: 0 } };
        const turns = [bind, release].map((names, at) =>
          newState({ accountId: holder, version: version + at, names, maxUpdatesPerDay: 9999 }),
        );
        const result = await store.publishDirectory(newPublication({ changes: turns }));
        outcomes.push(...result.outcomes.map((outcome) => (outcome.kind === "refused" ? outcome.code : outcome.kind)));
      }
      expect(outcomes.slice(0, 200)).toEqual(Array.from({ length: 200 }, () => "published"));
      expect(outcomes[200]).toBe("too_many_updates");
      const gone = await store.lookup(newQuery(byName("shared")));
      if (gone.kind !== "absent") throw new Error(gone.kind);
      const bindings = gone.bindings.reduce((sum, binding) => sum + binding.length, 0);
      expect(80_000 + 400 + bindings + maxDirectoryProofBytes).toBeLessThan(maxFrameBytes);
      await store.close();
    });
  });
}
