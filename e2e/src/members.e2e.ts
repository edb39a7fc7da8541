import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { Client } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, joinedConversation, receiveText, sendAndWait } from "./testing/people.ts";
import { isNightly } from "./testing/profile.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

// Who is in a group, by the public record of a real server: proven, and asked about by nobody.

let folder: TemporaryFolder;
let server: ServerProcess;
let open: Client[];
let closers: (() => Promise<void>)[];

beforeEach(async () => {
  folder = createFolder();
  open = [];
  closers = [];
  server = await startServerProcess({ data: folder.at("data") });
});

afterEach(async () => {
  for (const client of open) await client.close();
  for (const close of closers) await close();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function register(username: string, serverUrl: string = server.url): Promise<Client> {
  const client = await openNodeClient({ home: folder.at(username), serverUrl, requests: "accept" });
  open.push(client);
  await client.register({ username });
  return client;
}

/** A door in front of the server that sees which paths one person's client asks for. */
async function door(): Promise<{ url: string; paths: string[] }> {
  const paths: string[] = [];
  const proxy = createServer((socket) => {
    const inner = connect(server.port, "localhost");
    socket.on("data", (data) => {
      for (const [, path = ""] of data.toString("latin1").matchAll(/^(?:GET|PUT|POST|HEAD) (\/[^ ]*) HTTP\/1\.1\r$/gm)) paths.push(path);
    });
    socket.pipe(inner).pipe(socket);
    for (const end of [socket, inner]) {
      end.on("error", () => {
        socket.destroy();
        inner.destroy();
      });
    }
  });
  proxy.listen(0, "localhost");
  await once(proxy, "listening");
  closers.push(async () => {
    proxy.close();
  });
  // A TCP server's address is always AddressInfo.
  const { port } = proxy.address() as AddressInfo;
  return { url: `http://localhost:${String(port)}`, paths };
}

describe("who is in a group", () => {
  test("[D-5] [I-2] who joins a large group asks the server about nobody but who invites, and has everybody proven", async () => {
    const size = isNightly ? 100 : 30;
    const founder = await register("founder");
    const names = Array.from({ length: size - 2 }, (_, at) => `member-${String(at)}`);
    for (let at = 0; at < names.length; at += 14) {
      await Promise.all(
        names.slice(at, at + 14).map(async (username) => {
          const client = await openNodeClient({ home: folder.at(username), serverUrl: server.url, requests: "accept" });
          await client.register({ username });
          await client.close();
        }),
      );
    }
    const { url, paths } = await door();
    const last = await register("last", url);
    const { id } = await founder.startConversation({ to: names, name: "Village" });
    await founder.settle({ timeoutMs: 60_000 });
    // Its own account it looks up once at the start.
    await eventually(last, async () => (paths.some((path) => path.includes("/lookup")) ? true : undefined), "its own account is watched");
    paths.splice(0);
    await founder.addMembers(id, ["last"]);
    const joined = await joinedConversation(last, "Village");
    expect(joined.memberCount).toBe(size);
    await sendAndWait(last, id, "asked nobody");
    await receiveText(founder, id, "asked nobody");
    const { members, hold } = await last.verification(id);
    expect(hold).toBeUndefined();
    expect(members.filter(({ record }) => record.status === "unchecked")).toEqual([]);
    expect(members).toHaveLength(size);
    // Before the founder was known, nothing of the Welcome was read that could have proven who it is.
    expect(paths.filter((path) => path.includes("/lookup"))).toHaveLength(1);
    expect(paths.some((path) => path.startsWith("/v1/blobs/"))).toBe(true);
  });

  test("verification shows what was checked; a safety number is the same on both sides, and a scanned one marks it", async () => {
    const [ann, bob] = [await register("ann"), await register("bob")];
    const { id } = await ann.startConversation({ to: ["bob"] });
    await sendAndWait(ann, id, "hello");
    await receiveText(bob, id, "hello");
    const { members } = await ann.verification(id);
    const shown = members.find(({ person }) => person.username === "bob");
    expect(shown).toMatchObject({
      mark: "none",
      // Without witnesses nobody but this device watches, however much it followed by itself.
      record: { witnesses: 0, required: 0, status: "unwatched" },
      devices: [{ inAccount: true, inConversation: true }],
    });
    expect(await ann.directoryStatus()).toMatchObject({ witnesses: 0, required: 0, status: "unwatched" });
    const annId = (await ann.account())?.accountId ?? "";
    const bobId = (await bob.account())?.accountId ?? "";
    const [mine, theirs] = [await ann.safetyNumber(bobId), await bob.safetyNumber(annId)];
    expect(mine.groups).toEqual(theirs.groups);
    expect(await ann.scanSafetyNumber(bobId, theirs.code)).toBe("match");
    expect(await ann.scanSafetyNumber(bobId, mine.code)).toBe("other_account");
    expect((await ann.verification(id)).members.find(({ person }) => person.username === "bob")?.mark).toBe("verified");
    await ann.markVerified(bobId, false);
    expect((await ann.verification(id)).members.find(({ person }) => person.username === "bob")?.mark).toBe("none");
    expect(await ann.directoryStatus()).toMatchObject({ host: `localhost:${String(server.port)}` });
    expect((await ann.directoryStatus()).size).toBeGreaterThanOrEqual(3);
    expect(await ann.alarms()).toEqual([]);
  });

  test("[D-1] a name that nobody has is proven to be nobody's", async () => {
    const ann = await register("ann");
    await expect(ann.resolve("nobody")).rejects.toMatchObject({ code: "unknown_user" });
    const known = await eventually(
      ann,
      async () => {
        const { size } = await ann.directoryStatus();
        return size > 0 ? size : undefined;
      },
      "the record is known",
    );
    expect(known).toBeGreaterThan(1);
  });
});
