// F4 | the operator is the agency: the app sends a copy of everything elsewhere, or to somebody whom nobody sees | D
// Source: ANOM, 2021: each message went to the FBI as a hidden recipient
// Counter-measure: bytes out are bytes expected: a message is one entry of its step's size, however many read it; no place of the code but those named here connects to anything, and nothing said, answered or redirected makes a client go elsewhere
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { encode } from "@latchkey/codec";
import { httpPaths, roleCodecs } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import type { Request } from "./testing/operator.ts";
import { begun, eventually, foundTrio, hear, say, Scene, settle, withFile } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** Somewhere else: counts who comes. */
async function elsewhere(): Promise<{ url: string; port: number; visits: string[] } & AsyncDisposable> {
  const visits: string[] = [];
  const server = createServer((request, response) => {
    visits.push(request.url ?? "");
    response.end("seen");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // It listens on TCP.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    port,
    visits,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Every connection that anything in this process opens from now on, people and server alike, as the port it went to. */
function connections(): { ports: () => Promise<ReadonlySet<number | undefined>> } & Disposable {
  const sockets: Socket[] = [];
  const note = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  subscribe("net.client.socket", note);
  const ports = new Set<number | undefined>();
  const watch = setInterval(() => {
    for (const { remotePort } of sockets) if (remotePort !== undefined) ports.add(remotePort);
  }, 5);
  return {
    async ports() {
      await delay(20);
      return ports;
    },
    [Symbol.dispose]() {
      clearInterval(watch);
      unsubscribe("net.client.socket", note);
    },
  };
}

/** What somebody's client sent since the mark that carries anything sealed: kind, and bytes of the whole frame. */
function sealedOut(scene: Scene, person: Person, since: number): readonly (readonly [kind: string, bytes: number])[] {
  return scene.operator.seen
    .slice(since)
    .filter((seen) => seen.person === person.name && ["append", "commit", "post", "blob"].includes(seen.kind))
    .map(({ role, kind, body }) => [kind, body === undefined ? 0 : frameBytes(role, body)]);
}

function frameBytes(role: "device" | "log" | "lookup" | "post", body: Request): number {
  // The role is the one that it came by.
  return encode(roleCodecs[role].request as typeof roleCodecs.log.request, { id: 1, body } as never).length;
}

// One after the other: connections of the whole process are counted.
describe("F4 the operator is the agency", { concurrent: false }, () => {
  test("a message leaves as one entry and nothing beside it, of the same size to the byte for two readers and for three, whatever was written within a step", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id: group } = await foundTrio(scene);
    const direct = await begun([ada, ben]);
    await settle(ada, ben, mal);
    const sizes = new Set<number>();
    for (const id of [direct, group]) {
      for (const text of ["a", "where the key lies", "under the third pot from the left, as always"]) {
        const since = scene.mark;
        await say(ada, id, text);
        await hear(ben, id, text);
        await settle(ada);
        const out = sealedOut(scene, ada, since);
        expect(out.map(([kind]) => kind)).toEqual(["append"]);
        sizes.add(out[0]?.[1] ?? 0);
      }
    }
    expect(sizes.size).toBe(1);
    shows(context, `each of six messages: one frame of ${String([...sizes][0])} bytes, and nothing else sealed`);
  });

  test("nothing that is said, answered or redirected takes people's apps, or the server, to another place", async (context) => {
    await using scene = await Scene.open();
    await using other = await elsewhere();
    using opened = connections();
    const { ada, ben, id } = await foundTrio(scene);
    // Whoever reads a link has not been there.
    for (const text of [`${other.url}/pixel.png`, `![](${other.url}/picture.png)`, `[here](${other.url}/link)`]) {
      await say(ada, id, text);
      await hear(ben, id, text);
    }
    let asked = 0;
    scene.operator.override({
      get(person, path) {
        if (person !== "ben" || !path.startsWith(httpPaths.blobs)) return undefined;
        asked += 1;
        return new Response(undefined, { status: 302, headers: { location: `${other.url}${path}` } });
      },
    });
    const content = new Blob([new Uint8Array(70_000).fill(7)]);
    await ada.client.send(id, "a file", { files: [{ name: "plan.bin", mediaType: "text/plain", sizeBytes: content.size, content }] });
    const { message, file } = await withFile(ben, id, "a file");
    // It is asked for again and again: nobody waits for that here.
    ben.client.fetchFile(id, message.id, file.id).catch(() => undefined);
    await eventually(async () => asked > 1, "the file is asked for, and sent elsewhere");
    await settle(ada);
    expect(other.visits).toEqual([]);
    const own = [scene.operator.url("ada"), scene.server.url].map((url) => Number(new URL(url).port));
    const ports = await opened.ports();
    expect([...ports].filter((port) => port === undefined || !own.includes(port))).toEqual([]);
    expect(ports.size).toBeGreaterThan(0);
    // What counts connections sees one to elsewhere.
    const socket = connect(other.port, "127.0.0.1");
    await once(socket, "connect");
    expect(await opened.ports()).toContain(other.port);
    socket.destroy();
    shows(context, "connections to its own server, and to nothing else");
  });

  test("the code has no other way out: these places connect to anything, each to what its operator or person named", () => {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    // A call by its bare name, a client that is made, or a module that has one; methods of our own that are called so are not it.
    const way =
      /(?:await|return|=>|(?<!#fetch )=|\?\?) (?:globalThis\.)?(?:fetch\b(?! =)|connect\(|createConnection\()|new (?:WebSocket|EventSource|XMLHttpRequest|AwsClient|pg\.Pool|pg\.Client)\(|sendBeacon\(|from "(?:node:)?(?:dgram|dns|http2|https)(?:\/promises)?"|from "(?:undici|nodemailer|aws4fetch)"/;
    const places = ["packages", "apps"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .map((path) => join(folder, path).replaceAll("\\", "/"))
        .filter(
          (path) =>
            /\/src\/.*\.tsx?$/.test(path) && !/node_modules|\/(?:dist|\.tsbuild)\/|\.test\.tsx?$|\.testing\.tsx?$|\/testing\//.test(path),
        )
        .filter((path) => way.test(readFileSync(join(root, path), "utf8"))),
    );
    expect(places.toSorted()).toEqual([
      // The command that asks whether this machine's own server is well.
      "apps/cli/src/commands/healthcheck.ts",
      // Pages, from the place that they came from: their policy allows no other.
      "apps/web/src/desk/office/Attachments.tsx",
      "apps/web/src/desk/office/OfficeApp.tsx",
      "apps/web/src/desk/office/desk-api.ts",
      "apps/web/src/desk/requests/OutsidePage.tsx",
      "apps/web/src/desk/requests/file-upload.ts",
      "apps/web/src/desk/start-desk.tsx",
      "apps/web/src/files/file-source.ts",
      "apps/web/src/media-worker/pieces.ts",
      "apps/web/src/service-worker/service-worker.ts",
      // Clients, to their server; and to another program of the same person, by a socket of their own folder.
      "packages/client/src/api/holdings.ts",
      "packages/client/src/platform/node-platform.ts",
      "packages/client/src/platform/web-platform.ts",
      "packages/client/src/shared/join-profile.ts",
      // The server, to the database, the NATS and the witnesses that the operator named, to itself when he asks whether it can be reached, to a bucket of his, to who issues its certificate, and to the push services that he lets it speak to.
      "packages/server/src/bus/nats-line.ts",
      "packages/server/src/bus/notify-line.ts",
      "packages/server/src/directory/witnesses.ts",
      "packages/server/src/doctor/network.ts",
      "packages/server/src/s3/bucket.ts",
      "packages/server/src/store/postgres/database.ts",
      "packages/server/src/tls/acme/directory.ts",
      "packages/server/src/wakes/push-door.ts",
      // A witness, to the servers that it was told to watch.
      "packages/witness/src/log-source.ts",
      "packages/witness/src/look-up.ts",
    ]);
  });
});
