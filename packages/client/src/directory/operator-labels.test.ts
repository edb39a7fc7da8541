import { encode, utf8Bytes } from "@latchkey/codec";
import { directoryProofCodec } from "@latchkey/transparency";
import { expect, test } from "vitest";
import { createDirectory } from "../account/directory.ts";
import { createFakeDirectory } from "../account/fake-directory.testing.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { createConnections } from "../transport/connection-manager.ts";
import { createFakeServer } from "../transport/fake-server.testing.ts";
import type { RecordAlarm } from "./log.ts";
import { createOperatorLabels } from "./operator-labels.ts";

const value = (text: string): Uint8Array => utf8Bytes(text);

async function setUp(name: string) {
  const server = createFakeServer(name);
  const fake = createFakeDirectory(server);
  const { platform } = server;
  const store = createMemoryStore();
  const connections = createConnections({ platform, serverUrl: "https://chat.example" });
  const host = await connections.ownHost();
  const { log } = createDirectory({ store, platform, connections });
  const alarms: RecordAlarm[] = [];
  log.onAlarm((alarm) => alarms.push(alarm));
  const open = () => createOperatorLabels({ store, platform, connections, log });
  return { server, fake, host, alarms, open, labels: open(), connections };
}

test("[D-8] what the operator publishes is found with its proof, and each value after it by what it adds to those before", async () => {
  const { server, fake, host, labels, open, connections } = await setUp("operator labels");
  await fake.publish([]);
  expect(await labels.newest(host, "tokens")).toBeUndefined();
  for (const text of ["one", "two"]) await fake.publishOperator("tokens", value(text));
  expect(await labels.newest(host, "tokens")).toEqual(value("two"));
  const asked: unknown[] = [];
  const { respond } = server;
  server.respond = (connection, body) => {
    if (body.kind === "lookup_operator") asked.push(body["knownValues"]);
    return respond(connection, body);
  };
  // Another run of the same profile goes on from what is stored, also where nothing is new.
  expect(await open().newest(host, "tokens")).toEqual(value("two"));
  await fake.publishOperator("tokens", value("three"));
  expect(await open().newest(host, "tokens")).toEqual(value("three"));
  expect(asked).toEqual([2, 2]);
  await connections.close();
});

test("[D-8] a label that lost a value, or was given another history, is an alarm as that of an account", async () => {
  for (const lie of ["lost", "other"] as const) {
    const { fake, host, labels, alarms, connections } = await setUp(`operator label ${lie}`);
    await fake.publish([]);
    const honest = await fake.record;
    const forked = honest.fork();
    for (const text of ["one", "two"]) await fake.publishOperator("desk", value(text));
    expect(await labels.newest(host, "desk")).toEqual(value("two"));
    // The log goes on, and its map has the label as it never was.
    fake.record = Promise.resolve(forked);
    fake.operator.delete("desk");
    for (let i = 0; i < 4; i++) await fake.publish([]);
    for (const text of lie === "lost" ? ["one"] : ["one", "TWO", "three"]) await fake.publishOperator("desk", value(text));
    await expect(labels.newest(host, "desk")).rejects.toMatchObject({ code: "directory_fork" });
    expect(alarms).toHaveLength(1);
    await connections.close();
  }
});

test("[D-8] [E-150] a value that the record does not commit to, one of another name, and none where there is one are not believed", async () => {
  const { server, fake, host, labels, connections } = await setUp("operator lies");
  await fake.publish([]);
  await fake.publishOperator("tokens", value("tokens"));
  await fake.publishOperator("desk", value("desk"));
  const { respond } = server;
  const record = await fake.record;
  const proofOf = (name: string): Promise<Uint8Array> => record.proof([record.label("operator", value(name))]);
  const lies = [
    { value: [value("own key")], proof: await proofOf("tokens") },
    { value: [value("desk")], proof: await proofOf("desk") },
    { value: [], proof: await proofOf("tokens") },
    { value: [value("tokens")], proof: await record.proof([record.label("username", value("tokens"))]) },
    { value: [value("tokens")], proof: encode(directoryProofCodec, await twice(record)) },
    { value: [value("tokens")], proof: new Uint8Array(9) },
  ];
  for (const lie of lies) {
    server.respond = (connection, body) =>
      body.kind === "lookup_operator" ? { kind: "operator_value", ...lie } : respond(connection, body);
    await expect(labels.newest(host, "tokens")).rejects.toMatchObject({ code: "directory_unproven" });
  }
  server.respond = respond;
  expect(await labels.newest(host, "tokens")).toEqual(value("tokens"));
  await connections.close();
});

async function twice(record: Awaited<ReturnType<typeof createFakeDirectory>["record"]>) {
  const label = record.label("operator", value("tokens"));
  return { format: 1 as const, head: await record.head(), labels: [label, label], consistency: [], ext: new Uint8Array() };
}
