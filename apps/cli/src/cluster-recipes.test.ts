// The recipes of ops/cluster together: two servers on PostgreSQL under Patroni, behind HAProxy, with NATS and a bucket, and Caddy in front.
// What people say goes on, once and in order, when the primary changes and when a server is killed. By itself the primary changes in order,
// which takes seconds; with LATCHKEY_CLUSTER_RUNS (`npm run test:cluster`) it is lost, with its machine or with its Patroni alone.
import { openNodeClient } from "@latchkey/client/node";
import type { Client, Message } from "@latchkey/client";
import { findNats, startFakeS3, startNats } from "@latchkey/server/testing";
import { freePort } from "@latchkey/testkit";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { PatroniCluster, clusterFolder, missingPrograms, startCaddy, startHaproxy, statusOf } from "./cluster.testing.ts";
import { fileOf, messageOf, read } from "./files.testing.ts";
import { ServerNode, launcher } from "./server-node.testing.ts";

/** How often the primary is lost, of so many runs of `npm run test:cluster`. */
const losses = Math.ceil(Number(process.env["LATCHKEY_CLUSTER_RUNS"] ?? "0") / 10);
/** Everything goes on within so long: Patroni waits for twenty seconds before there is another primary. */
const againMs = 90_000;

const missing = [...missingPrograms(), ...(findNats() === undefined ? ["nats-server"] : [])];
if (missing.length > 0) process.stdout.write(`ops/cluster: its recipes are not run: ${missing.join(", ")} not installed here\n`);

const textsOf = (messages: readonly Message[]): string[] => messages.flatMap(({ body }) => (body.kind === "text" ? [body.text] : []));

/** All that a device has of what was said. */
async function allOf(client: Client): Promise<Message[]> {
  const all: Message[] = [];
  for (let cursor: string | undefined; ;) {
    const part = await client.since(cursor, { limit: 500 });
    all.push(...part.messages);
    if (!part.hasMore) return all;
    cursor = part.cursor;
  }
}

describe.skipIf(missing.length > 0)("the recipes of ops/cluster", () => {
  test(
    "[L-7] [L-6] lead to the primary and to a server that runs, whichever is lost: what is said arrives once and in order",
    async () => {
      const folder = clusterFolder();
      const [cluster, nats, bucket] = await Promise.all([PatroniCluster.start(folder), startNats(), startFakeS3()]);
      onTestFinished(() => nats.kill());
      onTestFinished(() => bucket.close());
      const database = await startHaproxy(folder, cluster);
      const port = await freePort();
      const environment = { ...bucket.environment, LATCHKEY_DATABASE: database, LATCHKEY_NATS: nats.url };
      const options = ["--host", `localhost:${String(port)}`, "--trust-proxy", "yes", "--blobs", "s3://copies/chat"];
      const node = async (name: string): Promise<ServerNode> =>
        new ServerNode({ data: join(folder, name), port: await freePort(), options, environment });
      const [first, second] = [await node("first"), await node("second")];
      await first.start();
      mkdirSync(join(second.data, "directory"), { recursive: true });
      for (const key of ["log.key", "vrf.key"]) cpSync(join(first.data, "directory", key), join(second.data, "directory", key));
      await second.start();
      await startCaddy(folder, port, [first.port, second.port]);
      const front = `http://localhost:${String(port)}`;

      const open = async (name: string, serverUrl: string): Promise<Client> => {
        const client = await openNodeClient({ home: join(folder, name), serverUrl, requests: "accept" });
        onTestFinished(() => client.close());
        await client.register({ username: name });
        return client;
      };
      // What the one says behind Caddy the other one hears at the second server, by NATS where they are at two.
      const [ann, ben] = [await open("ann", front), await open("ben", second.url)];
      const { id } = await ann.startConversation({ to: ["ben"] });
      const said: string[] = [];
      let isTalking = true;
      const talking = (async () => {
        for (; isTalking; await pause(100)) {
          const text = String(said.length);
          said.push(text);
          await ann.send(id, text);
        }
      })();
      /** Something that is said from now on is acknowledged, and is heard where `by` says so. */
      const goesOn = async (what: string, by: Client = ann): Promise<void> => {
        const next = said.length;
        const isThere = async (): Promise<boolean> => {
          const there = (await allOf(by)).filter(({ delivery }) => delivery === undefined || delivery.kind === "accepted");
          return textsOf(there).some((text) => Number(text) >= next);
        };
        await expect.poll(isThere, { message: what, timeout: againMs }).toBe(true);
      };
      await goesOn("nothing is lost", ben);

      if (losses === 0) await switchOver(cluster);
      for (let at = 0; at < losses; at++) await losePrimary(cluster, { isMachine: at % 2 === 0, goesOn });
      await goesOn("the primary has changed", ben);
      for (const [lost, name] of [
        [first, "the first"],
        [second, "the second"],
      ] as const) {
        await lost.kill();
        await goesOn(`${name} server is lost`);
        await lost.start();
        await goesOn(`${name} server is back`, ben);
      }

      const bytes = randomBytes(300_000);
      await ann.send(id, "a file", { files: [fileOf("file.bin", bytes)] });
      isTalking = false;
      await talking;
      const got = await messageOf(ben, id, "a file");
      const [file] = got.files ?? [];
      if (file === undefined) throw new Error("no file came");
      expect((await read(ben, got, file)).equals(bytes)).toBe(true);
      await ann.settle();
      await expect.poll(async () => (await allOf(ben)).length, { timeout: againMs }).toBeGreaterThan(said.length);
      const heard = textsOf(await allOf(ben));
      expect(heard.filter((text) => text !== "a file")).toEqual(said);
      expect(heard.filter((text) => text === "a file")).toHaveLength(1);
      for (const { url } of [first, second])
        await expect.poll(async () => await (await fetch(`${url}/healthz`)).text()).toContain('"status":"ok"');

      // The desk is at the first server, and Caddy leads there what it answers.
      const begun = spawnSync(process.execPath, [launcher, "admin", "desk", "start", "Dora", "--data", first.data], { encoding: "utf8" });
      expect(begun.status, begun.stderr).toBe(0);
      for (const path of ["/v1/counts", "/v1/reports", "/desk/api/me"]) {
        await expect.poll(() => statusOf(`${second.url}${path}`), { message: path }).toBe(503);
        expect(await statusOf(`${front}${path}`), path).toBe(await statusOf(`${first.url}${path}`));
        expect(await statusOf(`${front}${path}`), path).not.toBe(503);
      }
    },
    300_000 + losses * 120_000,
  );
});

/** The standby takes the primary's place in order. */
async function switchOver(cluster: PatroniCluster): Promise<void> {
  const { primary, standby } = await cluster.settled();
  await primary.switchOver(standby);
  await expect.poll(() => standby.is("primary"), { timeout: againMs }).toBe(true);
}

/** The primary is lost; everything goes on with the other two, and it follows them when it comes back. */
async function losePrimary(
  cluster: PatroniCluster,
  params: { isMachine: boolean; goesOn: (what: string) => Promise<void> },
): Promise<void> {
  const { primary, standby } = await cluster.settled();
  await (params.isMachine ? primary.kill() : primary.killPatroni());
  await expect.poll(() => standby.is("primary"), { timeout: againMs }).toBe(true);
  await params.goesOn(params.isMachine ? "the primary's machine is lost" : "the primary's Patroni is lost");
  primary.start();
  await expect.poll(() => primary.is("replica"), { timeout: againMs }).toBe(true);
}
