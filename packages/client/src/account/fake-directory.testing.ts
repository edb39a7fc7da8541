import { decode, equalBytes, toHex } from "@latchkey/codec";
import { accountIdOf, accountStateCodec, deviceCardCodec, signedCodec } from "@latchkey/transparency";
import type { FakeBody, FakeConnection, FakeServer } from "../transport/fake-server.testing.ts";

/** What the fake directory holds of one account; tests change it to make the server lie. */
export interface FakeAccount {
  username: string;
  states: Uint8Array[];
  pops: Uint8Array[];
  bindings: Uint8Array[];
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
}

// The protocol fixes the types of these fields; the fake reads them from a loose record.
const bytes = (value: unknown): Uint8Array => value as Uint8Array;
const list = (value: unknown): Uint8Array[] => [...(value as readonly Uint8Array[])];

/** Makes `server` answer as a directory. */
export function createFakeDirectory(server: FakeServer): FakeDirectory {
  const reserved = new Map<FakeConnection, string>();
  const directory: FakeDirectory = {
    accounts: new Map(),
    cards: new Map(),
    oneTime: [],
    lastResort: undefined,
    log: [],
    loseAnswer: new Set(),
    loseRequest: new Set(),
    refuse: new Map(),
  };
  const error = (code: string): FakeBody => ({ kind: "error", code, retryAfterMs: 0 });
  const taken = (username: unknown): boolean => [...directory.accounts.values()].some((account) => account.username === username);
  const counts = (): FakeBody => ({
    kind: "key_packages",
    oneTime: directory.oneTime.length,
    lastResortNotAfterMs: directory.lastResort?.notAfterMs ?? 0,
  });
  const record = (account: FakeAccount | undefined, fromVersion: unknown): FakeBody =>
    account === undefined
      ? error("not_found")
      : {
          kind: "account",
          states: account.states.slice(Number(fromVersion)),
          pops: account.pops,
          bindings: account.bindings,
          proof: new Uint8Array(0),
        };

  function publish(connection: FakeConnection, body: FakeBody): FakeBody {
    const state = bytes(body["state"]);
    const decoded = decode(signedCodec, state);
    const id = toHex(accountIdOf(decoded.body));
    const known = directory.accounts.get(id);
    const { username } = decode(accountStateCodec, decoded.body);
    if (known === undefined) {
      if (reserved.get(connection) !== username) return error("no_reservation");
      directory.accounts.set(id, { username, states: [state], pops: list(body["pops"]), bindings: list(body["bindings"]) });
    } else if (!known.states.some((stored) => equalBytes(stored, state))) return error("account_conflict");
    return { kind: "published", version: 0, proof: new Uint8Array(0) };
  }

  function answer(connection: FakeConnection, body: FakeBody): FakeBody {
    switch (body.kind) {
      case "reserve":
        if (taken(body["username"])) return error("username_taken");
        reserved.set(connection, String(body["username"]));
        return { kind: "reserved", untilMs: server.clock.now() + 600_000 };
      case "publish":
        return publish(connection, body);
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
      case "lookup_username":
        return record(
          [...directory.accounts.values()].find((account) => account.username === body["username"]),
          body["fromVersion"],
        );
      case "lookup_account":
        return record(directory.accounts.get(toHex(bytes(body["accountId"]))), body["fromVersion"]);
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

  server.respond = (connection, body) => {
    directory.log.push(body.kind);
    if (directory.loseRequest.delete(body.kind)) {
      connection.end();
      return undefined;
    }
    const refusal = directory.refuse.get(body.kind);
    const result = refusal === undefined ? answer(connection, body) : error(refusal);
    if (directory.loseAnswer.delete(body.kind)) {
      connection.end();
      return undefined;
    }
    return result;
  };
  return directory;
}
