import { decode, equalBytes, fromHex, toHex, utf8Bytes } from "@latchkey/codec";
import { httpPaths } from "@latchkey/protocol";
import { accountIdOf, accountStateCodec, deviceCardCodec, nobleSignatures, signedCodec, signStructure } from "@latchkey/transparency";
import { createMemoryDirectory } from "@latchkey/transparency/testing";
import type { MemoryChange, MemoryDirectory } from "@latchkey/transparency/testing";
import type { OwnAccount } from "./own-account.ts";
import type { FakeBody, FakeConnection, FakeServer } from "../transport/fake-server.testing.ts";

/** What the fake directory holds of one account; tests change it to make the server lie. */
export interface FakeAccount {
  username: string;
  states: Uint8Array[];
  pops: Uint8Array[];
  bindings: Uint8Array[];
  /** How many of the first states are shown by their commitment alone. Default none. */
  erased?: number;
}

/** The directory's side of `device` and `lookup`, over a fake server, without any check that a test does not need. */
export interface FakeDirectory {
  readonly accounts: Map<string, FakeAccount>;
  readonly cards: Map<string, Uint8Array>;
  readonly oneTime: Uint8Array[];
  lastResort: { message: Uint8Array; notAfterMs: number } | undefined;
  /** Requests in order. */
  readonly log: string[];
  /** Kinds of requests that are carried out but whose answer is lost with the connection, once each. */
  readonly loseAnswer: Set<string>;
  /** Kinds of requests that are lost before they are carried out, once each. */
  readonly loseRequest: Set<string>;
  /** Refusals by kind of request. */
  readonly refuse: Map<string, string>;
  /** The public record behind it; tests replace it to make the server lie. */
  record: Promise<MemoryDirectory>;
  /** Puts values into the record, at the server's time. */
  publish(changes: readonly MemoryChange[]): Promise<void>;
  /** All values of the operator's labels, by name. */
  readonly operator: Map<string, Uint8Array[]>;
  /** Publishes one more value of a label of the operator's. */
  publishOperator(name: string, value: Uint8Array): Promise<void>;
  /** Whether answers carry proofs. */
  proves: boolean;
}

// The protocol fixes the types of these fields; the fake reads them from a loose record.
const bytes = (value: unknown): Uint8Array => value as Uint8Array;
const list = (value: unknown): Uint8Array[] => [...(value as readonly Uint8Array[])];

/** Makes `server` answer as a directory. */
export function createFakeDirectory(server: FakeServer): FakeDirectory {
  const reserved = new Map<FakeConnection, string>();
  /** All bindings that a name ever had. */
  const bound = new Map<string, Uint8Array[]>();
  const directory: FakeDirectory = {
    accounts: new Map(),
    cards: new Map(),
    oneTime: [],
    lastResort: undefined,
    log: [],
    loseAnswer: new Set(),
    loseRequest: new Set(),
    refuse: new Map(),
    record: createMemoryDirectory({ host: server.host, witnesses: 0, nowMs: server.clock.now() }),
    async publish(changes) {
      const record = await directory.record;
      record.setTime(Math.max(record.nowMs(), server.clock.now()));
      await record.publish(changes);
    },
    operator: new Map(),
    async publishOperator(name, value) {
      directory.operator.set(name, [...(directory.operator.get(name) ?? []), value]);
      await directory.publish([{ type: "operator", label: utf8Bytes(name), values: [value] }]);
    },
    proves: true,
  };
  const error = (code: string): FakeBody => ({ kind: "error", code, retryAfterMs: 0 });
  const taken = (username: unknown): boolean => [...directory.accounts.values()].some((account) => account.username === username);
  const counts = (): FakeBody => ({
    kind: "key_packages",
    oneTime: directory.oneTime.length,
    lastResortNotAfterMs: directory.lastResort?.notAfterMs ?? 0,
  });
  const nothing = new Uint8Array(0);
  const proofOf = async (accountId: Uint8Array, username: string, knownSize: unknown): Promise<Uint8Array> => {
    if (!directory.proves) return nothing;
    const record = await directory.record;
    const erased = Array.from({ length: directory.accounts.get(toHex(accountId))?.erased ?? 0 }, (_, i) => i + 1);
    const labels = [record.label("account", accountId, { erased }), record.label("username", utf8Bytes(username))];
    return await record.proof(labels, { knownSize: Number(knownSize) });
  };
  const record = async (found: [string, FakeAccount] | undefined, body: FakeBody): Promise<FakeBody> => {
    if (found === undefined) {
      if (body.kind !== "lookup_username" || !directory.proves) return error("not_found");
      const proof = await (await directory.record).nameProof(String(body["username"]), { knownSize: Number(body["knownSize"]) });
      return { kind: "absent", bindings: [], proof };
    }
    const [id, account] = found;
    return {
      kind: "account",
      states: account.states.slice(Math.max(account.erased ?? 0, Number(body["fromVersion"]))),
      pops: account.pops,
      bindings: account.bindings,
      proof: await proofOf(fromHex(id), account.username, body["knownSize"]),
    };
  };

  async function publish(connection: FakeConnection, body: FakeBody): Promise<FakeBody> {
    const state = bytes(body["state"]);
    const decoded = decode(signedCodec, state);
    const { username, version, accountId } = decode(accountStateCodec, decoded.body);
    const id = toHex(version === 0 ? accountIdOf(decoded.body) : accountId);
    const known = directory.accounts.get(id);
    if (known === undefined) {
      if (reserved.get(connection) !== username) return error("no_reservation");
      const bindings = [...(bound.get(username) ?? []), ...list(body["bindings"])];
      bound.set(username, bindings);
      directory.accounts.set(id, { username, states: [state], pops: list(body["pops"]), bindings });
      await directory.publish([
        { type: "account", label: fromHex(id), values: [state] },
        { type: "username", label: utf8Bytes(username), values: list(body["bindings"]) },
      ]);
    } else if (version === known.states.length) {
      known.states.push(state);
      known.pops = [...known.pops, ...list(body["pops"])];
      await directory.publish([{ type: "account", label: fromHex(id), values: [state] }]);
    } else if (!known.states.some((stored) => equalBytes(stored, state))) return error("account_conflict");
    return { kind: "published", version: 0, proof: await proofOf(fromHex(id), username, 0) };
  }

  async function answer(connection: FakeConnection, body: FakeBody): Promise<FakeBody> {
    switch (body.kind) {
      case "reserve":
        if (taken(body["username"])) return error("username_taken");
        reserved.set(connection, String(body["username"]));
        return { kind: "reserved", untilMs: server.clock.now() + 600_000 };
      case "publish":
        return await publish(connection, body);
      case "card": {
        const card = bytes(body["card"]);
        directory.cards.set(toHex(decode(deviceCardCodec, decode(signedCodec, card).body).deviceId), card);
        return { kind: "done" };
      }
      case "publish_key_packages": {
        const messages = list(body["keyPackages"]);
        const [first] = messages;
        if (body["lastResort"] === true && first !== undefined)
          directory.lastResort = { message: first, notAfterMs: Number(body["notAfterMs"]) };
        else
          for (const message of messages)
            if (!directory.oneTime.some((known) => equalBytes(known, message))) directory.oneTime.push(message);
        return counts();
      }
      case "count_key_packages":
        return counts();
      case "connect":
        return { kind: "done" };
      // Nothing costs a token here, and no backups are kept.
      case "issue_tokens":
      case "read_history_manifest":
        return error("unsupported");
      case "lookup_username":
        return await record(
          [...directory.accounts].findLast(([, account]) => account.username === body["username"]),
          body,
        );
      case "lookup_account":
        return await record(
          [...directory.accounts].find(([id]) => id === toHex(bytes(body["accountId"]))),
          body,
        );
      case "lookup_operator": {
        const label = utf8Bytes(String(body["name"]));
        const value = directory.operator.get(String(body["name"])) ?? [];
        const fromVersion = Math.min(Number(body["knownValues"]), value.length);
        const erased = Array.from({ length: Math.max(0, value.length - 1) }, (_, i) => i + 1);
        const record = await directory.record;
        const proof = record.label("operator", label, { fromVersion, withVrf: fromVersion === 0, erased });
        return {
          kind: "operator_value",
          value: fromVersion === value.length ? [] : value.slice(-1),
          proof: await record.proof([proof], { knownSize: Number(body["knownSize"]) }),
        };
      }
      case "check_username":
        return { kind: "availability", reason: taken(body["username"]) ? 1 : 0 };
      case "take_key_package": {
        const card = directory.cards.get(toHex(bytes(body["deviceId"])));
        const oneTime = directory.oneTime.shift();
        const keyPackage = oneTime ?? directory.lastResort?.message;
        if (card === undefined || keyPackage === undefined) return error("no_key_package");
        return { kind: "key_package", card, keyPackage, lastResort: oneTime === undefined };
      }
      default:
        throw new Error(`the fake directory has no ${body.kind}`);
    }
  }

  server.respondHttp = async (url) => {
    const path = new URL(url).pathname;
    const prefix = `${httpPaths.directory}/`;
    if (!path.startsWith(prefix)) return Response.json({ host: server.host, name: "Fake", registration: "open", retentionDays: 30 });
    const record = await directory.record;
    return await served(record, path.slice(prefix.length));
  };
  const lost = new WeakSet<object>();
  server.respond = async (connection, body) => {
    // What was sent behind a lost request is lost with it.
    if (lost.has(connection)) return undefined;
    directory.log.push(body.kind);
    if (directory.loseRequest.delete(body.kind)) {
      lost.add(connection);
      connection.end();
      return undefined;
    }
    const refusal = directory.refuse.get(body.kind);
    const result = refusal === undefined ? await answer(connection, body) : error(refusal);
    if (directory.loseAnswer.delete(body.kind)) {
      connection.end();
      return undefined;
    }
    return result;
  };
  return directory;
}

/** The static files of a public record. */
export async function served(record: MemoryDirectory, path: string): Promise<Response> {
  const file = async (): Promise<Uint8Array | undefined> => {
    if (path === "config") return record.config;
    if (path === "checkpoint") return (await record.head()).checkpoint;
    if (path.startsWith("transition/")) return record.transitions()[Number(path.slice("transition/".length))];
    return path.startsWith("tile/") ? await record.fetchTile(path) : undefined;
  };
  try {
    const found = await file();
    return found === undefined ? new Response(undefined, { status: 404 }) : new Response(new Uint8Array(found));
  } catch {
    // A tile that the log does not have.
    return new Response(undefined, { status: 404 });
  }
}

/** A device's card as it signs it, with another key of its inbox. */
export function cardWith(by: Pick<OwnAccount, "signatureKeyPair">, card: Uint8Array, inboxKey: Uint8Array): Promise<Uint8Array> {
  return signStructure({
    codec: deviceCardCodec,
    value: { ...decode(deviceCardCodec, decode(signedCodec, card).body), inboxKey },
    label: "DeviceCard",
    secretKey: by.signatureKeyPair.secretKey,
    signatures: nobleSignatures,
  });
}
