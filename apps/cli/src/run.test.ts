import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ClientError, productVersion } from "@latchkey/client";
import type { Client } from "@latchkey/client";
import { noProgress } from "./progress.ts";
import { describe, expect, test } from "vitest";
import type { Environment } from "./commands/command.ts";
import type { StopSignal } from "./errors.ts";
import { runServer, serverOptions } from "./commands/serve.ts";
import { formatDay, formatMessage, printable } from "./output.ts";
import { parseServerUrl } from "./profile.ts";
import { ann, ben, conversation, createFake, groupId, isIn, ownsIt, profileOfEachTest, textMessage } from "./run.testing.ts";
import type { Fake } from "./run.testing.ts";

const profile = profileOfEachTest();
const { run } = profile;

describe("the command line", () => {
  test("tells its commands, and wants one", async () => {
    const none = await run([]);
    expect(none).toMatchObject({ status: 2, stdout: "", stderr: 'latchkey: usage: which command? "latchkey --help" lists them\n' });
    const listed = await run(["--help"]);
    expect([listed.status, listed.stdout]).toEqual([0, expect.stringContaining("conversations")]);
    expect((await run(["help"])).stdout).toBe(listed.stdout);
    expect((await run(["help", "send"])).stdout).toMatch(/^latchkey send TO/);
  });

  test("says which version it is", async () => {
    expect(await run(["--version"])).toMatchObject({ status: 0, stdout: `latchkey ${productVersion}\n`, stderr: "" });
    expect((await run(["--json", "--version"])).stdout).toBe(`{"version":"${productVersion}"}\n`);
  });

  test.each([
    [["dance"], 'there is no command "dance"'],
    [["send", "ben"], "usage: latchkey send TO [TEXT]"],
    [["send", "ben", "-h"], '--help stands alone ("latchkey send --help"); text that begins with "-" comes after "--"'],
    [["send", "ben", "hi", "--help"], "--help stands alone"],
    [["--help", "send", "ben", "hi"], "--help stands alone"],
    [["send", "ben", "hi", "--version"], "--version stands alone"],
    [["group", "create", "-h", "ben"], "--help stands alone"],
    [["send", "ben", "-5"], "Unknown option '-5'"],
    [["--nonsense"], "Unknown option '--nonsense'"],
    [["--home", "folder"], "which command?"],
    [["--", "send"], "a command's name comes first"],
    [["help", "dance"], 'there is no command "dance"'],
    [["send", "ben", "gr\uFFFD\uFFFDe"], "an argument is not valid UTF-8"],
    [["whoami", "--colour"], "Unknown option '--colour'"],
    [["read", "--limit", "many"], "--limit takes a whole number"],
    [["group", "dissolve", "x"], '"group dissolve"'],
    [["group", "let-back", groupId, "ben", "eve"], "one member at a time"],
    [["send", "ben", "hi", "--timeout", "soon"], "--timeout takes a number"],
    [["whoami", "--server", "http://"], "--server takes an address"],
  ])("answers wrong usage of %j with one line and exit status 2", async (args, line) => {
    const { status, stderr } = await run(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^latchkey: (?:usage|invalid_option): (?!usage:).*\n$/);
    expect(stderr.split("\n")).toHaveLength(2);
    expect(stderr).toContain(line);
  });

  test("gives every command a help that names its usage", async () => {
    for (const name of [
      "serve",
      "admin",
      "doctor",
      "healthcheck",
      "register",
      "whoami",
      "send",
      "read",
      "group",
      "conversations",
      "continue",
      "invitation",
      "alarms",
      "inspect",
      "devices",
      "link",
      "recover",
      "recovery",
      "phrase",
      "account",
    ]) {
      const { status, stdout } = await run([name, "--help"]);
      expect(status).toBe(0);
      expect(stdout).toMatch(new RegExp(`^latchkey ${name}`));
    }
  });

  test("alarms: lists those that stand with their ids, and handles one by its id", async () => {
    const failure = { code: "log_fork", message: "A member was shown another version.", canRetry: false } as const;
    const standing = [{ id: "alarm-1", failure, conversationId: groupId, atMs: 0 }];
    const fake = createFake({ alarms: () => Promise.resolve(standing), acknowledgeAlarm: () => Promise.resolve() });
    const listed = await run(["alarms"], fake);
    expect([listed.status, listed.stdout]).toEqual([0, expect.stringMatching(/^alarm-1 {2}\[.*\] \| Picnic {2}log_fork: A member/)]);
    const unknown = await run(["alarms", "handle", "alarm-2"], fake);
    expect([unknown.status, unknown.stderr]).toEqual([1, 'latchkey: unknown_alarm: no alarm alarm-2 stands: see "latchkey alarms"\n']);
    expect(fake.calls.map(([name]) => name)).not.toContain("acknowledgeAlarm");
    expect((await run(["alarms", "handle", "alarm-1"], fake)).status).toBe(0);
    expect(fake.calls).toContainEqual(["acknowledgeAlarm", "alarm-1"]);
  });

  test("invitation: accepts and declines by the name of who asks, and the list says how", async () => {
    const removed = { ...conversation(groupId, "group", "Picnic"), status: "removed" as const };
    const invited = {
      ...removed,
      invitations: [{ from: ben, wasMember: false, missing: [], instead: undefined, replaced: undefined, atMs: 0 }],
    };
    const fake = createFake({
      conversations: () => Promise.resolve([invited]),
      acceptInvitation: () => Promise.resolve(),
      declineInvitation: () => Promise.resolve(),
    });
    const listed = await run(["conversations"], fake);
    expect(listed.stdout).toContain(`who was not in it when you were, asks you to go on here: latchkey invitation accept ${groupId} ben`);
    const elsewhere = { ...removed, invitations: invited.invitations.map((invitation) => ({ ...invitation, replaced: ben })) };
    const other = await run(["conversations"], createFake({ conversations: () => Promise.resolve([elsewhere]) }));
    expect(other.stdout).toMatch(
      /The group here is .*ben.*’s word alone: the server has not confirmed it.*into another, which takes its place if you accept/,
    );
    expect((await run(["invitation", "accept", groupId, "eve"], fake)).stderr).toMatch(/^latchkey: no_invitation: /);
    expect((await run(["invitation", "accept", groupId, "ben"], fake)).status).toBe(0);
    expect((await run(["invitation", "decline", groupId, "Ben"], fake)).status).toBe(0);
    expect(fake.calls).toContainEqual(["acceptInvitation", groupId, ben.accountId]);
    expect(fake.calls).toContainEqual(["declineInvitation", groupId, ben.accountId]);
    expect((await run(["invitation", "ask", groupId, "ben"], fake)).status).toBe(2);
  });

  test("continue: goes where a member goes on, or on one's own way without somebody, and the list says how", async () => {
    const stop = { failure: { code: "change_unreadable" as const, message: "A change stops it.", canRetry: true }, by: ben, removable: [] };
    const offers = [{ conversationId: "new", from: ben, missing: [ben] }];
    const found = { ...conversation(groupId, "group", "Picnic"), stop, offers };
    const fake = createFake({
      conversations: () => Promise.resolve([found]),
      continueConversation: () => Promise.resolve({ conversation: found, unreachable: [] }),
      details: () =>
        Promise.resolve({
          conversation: found,
          members: [{ person: ben, role: "member", deviceCount: 1 }],
          epoch: 1,
          cipherSuite: "X25519 (classical)",
          ...isIn,
        }),
    });
    const { stdout } = await run(["conversations"], fake);
    expect(stdout).toMatch(/goes on in a new conversation \(without [^)]*\): latchkey continue \S+ --with ben\n/u);
    expect(stdout).toContain(`latchkey continue ${groupId} [--without ben]`);
    expect((await run(["continue", groupId, "--with", "ben"], fake)).status).toBe(0);
    expect((await run(["continue", groupId, "--without", "ben"], fake)).status).toBe(0);
    expect(fake.calls).toContainEqual(["continueConversation", groupId, { into: "new", without: [] }]);
    expect(fake.calls).toContainEqual(["continueConversation", groupId, { into: undefined, without: [ben.accountId] }]);
  });

  test("takes global options before and after the command, and the home of the environment", async () => {
    const server = "https://chat.example.org";
    const before = await run(["--home", "one", "--json", "--server", server, "whoami"]);
    const after = await run(["whoami", "--json", `--server=${server}`, "--home", "one"]);
    expect(before.opened).toEqual([{ home: join(profile.home, "one"), serverUrl: server }]);
    expect(after.opened).toEqual(before.opened);
    expect(JSON.parse(after.stdout)).toMatchObject({ username: "ann", deviceId: "device" });
    expect((await run(["whoami"])).opened).toEqual([{ home: profile.home, serverUrl: "http://localhost:8080" }]);
  });

  test("tells a failure of the client in one line and closes the client", async () => {
    const fake = createFake({ account: () => Promise.reject(new ClientError("storage_newer", "Written by a newer version.")) });
    const { status, stdout, stderr } = await run(["whoami"], fake);
    expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: "", stderr: "latchkey: storage_newer: Written by a newer version.\n" });
    expect(fake.calls.at(-1)).toEqual(["close"]);
  });

  test("tells errors to programs as JSON, those of a line that it does not understand too", async () => {
    const failing = createFake({ account: () => Promise.reject(new ClientError("offline", "There is no such host name.")) });
    const failed = await run(["whoami", "--json"], failing);
    expect(failed).toMatchObject({ status: 1, stdout: "" });
    expect(JSON.parse(failed.stderr)).toEqual({
      error: { code: "offline", message: "There is no such host name.", exitCode: 1, server: "http://localhost:8080" },
    });
    const wrong = await run(["send", "--json", "ben", "--colour"]);
    expect(wrong.status).toBe(2);
    expect(JSON.parse(wrong.stderr)).toMatchObject({ error: { code: "usage", exitCode: 2 } });
    const sent = await run(["whoami", "--colour", "--", "--json"]);
    expect(sent.stderr).toMatch(/^latchkey: usage: /);
  });

  test("tells a failure in which the server has a part with its address", async () => {
    const fake = createFake({ account: () => Promise.reject(new ClientError("offline", "There is no such host name.")) });
    const { stderr } = await run(["whoami", "--server", "https://chat.example.org"], fake);
    expect(stderr).toBe("latchkey: offline: https://chat.example.org: There is no such host name.\n");
  });

  test("waits for a profile that another command is finishing with", async () => {
    const fake = createFake();
    let tries = 0;
    const { status } = await run(["whoami"], fake, {
      openClient: () => (++tries < 3 ? Promise.reject(new ClientError("storage_in_use", "In use.")) : Promise.resolve(fake.client)),
    });
    expect([status, tries]).toEqual([0, 3]);
  });

  test("whoami of an empty profile fails", async () => {
    const empty = { account: () => Promise.resolve(undefined), pendingAccount: () => Promise.resolve(undefined) };
    const { status, stderr } = await run(["whoami"], createFake(empty));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^latchkey: no_account: /);
  });
});

describe("register", () => {
  const words = Array.from({ length: 24 }, (_, index) => `word${String(index + 1)}`);

  function registeringFake(): Fake {
    return createFake({
      register: () => Promise.resolve({ ...ann, deviceId: "device", createdAtMs: 0, hasRecoveryPhrase: true, isRecovered: false }),
      recoveryPhrase: () => Promise.resolve(words),
      forgetRecoveryPhrase: () => Promise.resolve(),
    });
  }

  test("[A-4] shows the recovery phrase once, to programs as well; --no-phrase keeps it for later", async () => {
    const { stdout } = await run(["register", "ann", "--json"], registeringFake());
    expect(JSON.parse(stdout)).toMatchObject({ username: "ann", recoveryPhrase: words.join(" ") });
    const fake = registeringFake();
    const kept = await run(["register", "ann", "--no-phrase"], fake);
    expect(kept.stdout).toBe("Registered ann on localhost:8080\n");
    expect(fake.calls.map(([name]) => name)).not.toContain("forgetRecoveryPhrase");
    const later = await run(["phrase", "--forget", "--json"], fake);
    expect(JSON.parse(later.stdout)).toEqual({ recoveryPhrase: words.join(" ") });
    expect(fake.calls.map(([name]) => name)).toContain("forgetRecoveryPhrase");
    const gone = await run(["phrase"], createFake({ recoveryPhrase: () => Promise.resolve(undefined) }));
    expect([gone.status, gone.stderr]).toEqual([1, expect.stringMatching(/^latchkey: no_phrase: /)]);
  });

  test("passes on the names and remembers the server for later commands", async () => {
    const fake = registeringFake();
    const { status, stdout } = await run(["register", "ann", "--display-name", "Ann B", "--server", "localhost:9090"], fake);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Registered ann on localhost:8080\n\nThis is your recovery phrase[^]* 1 word1 [^]*24 word24\n$/);
    expect(fake.calls.map(([name]) => name)).toEqual(["register", "settle", "recoveryPhrase", "forgetRecoveryPhrase", "close"]);
    expect(fake.calls[0]).toEqual(["register", { username: "ann", displayName: "Ann B" }]);
    expect((await run(["whoami"])).opened).toEqual([{ home: profile.home, serverUrl: "http://localhost:9090" }]);
  });

  test("does not remember a server that refused", async () => {
    const fake = createFake({ register: () => Promise.reject(new ClientError("username_taken", "Taken.")) });
    const { status, stderr } = await run(["register", "ann", "--server", "localhost:9090"], fake);
    expect([status, stderr]).toEqual([1, "latchkey: username_taken: Taken.\n"]);
    expect((await run(["whoami"])).opened[0]?.serverUrl).toBe("http://localhost:8080");
  });

  test("says so when the remembered server is damaged", async () => {
    writeFileSync(join(profile.home, "cli.json"), "{");
    expect((await run(["whoami"])).stderr).toMatch(/^latchkey: profile_damaged: /);
  });
});

describe("group", () => {
  const details = {
    conversation: conversation(groupId, "group", "Picnic"),
    members: [
      { person: ann, role: "owner", deviceCount: 1 },
      { person: ben, role: "member", deviceCount: 1 },
    ],
    epoch: 1,
    cipherSuite: "X-Wing hybrid (post-quantum)",
    ...ownsIt,
  } as const;
  const answers: Partial<Client> = {
    details: () => Promise.resolve(details),
    addMembers: () => Promise.resolve(),
    removeMembers: () => Promise.resolve(),
    startConversation: () => Promise.resolve(details.conversation),
  };

  test("creates one and waits until the invitations are out", async () => {
    const fake = createFake(answers);
    const { status, stdout } = await run(["group", "create", "Picnic", "ben", "eve"], fake);
    expect([status, stdout]).toEqual([0, `${groupId}  group   Picnic  2 members\n`]);
    expect(fake.calls.map(([name]) => name)).toEqual(["startConversation", "settle", "conversations", "close"]);
    expect(fake.calls[0]).toEqual(["startConversation", { to: ["ben", "eve"], name: "Picnic" }]);
  });

  test("adds members", async () => {
    const fake = createFake(answers);
    expect((await run(["group", "add", groupId, "eve", "ben@other.example"], fake)).status).toBe(0);
    expect(fake.calls).toContainEqual(["addMembers", groupId, ["eve", "ben@other.example"], { again: false }]);
  });

  test.each(["ben", "@Ben", "ben@localhost:8080"])("removes a member called %s", async (name) => {
    const fake = createFake(answers);
    expect((await run(["group", "remove", groupId, name], fake)).status).toBe(0);
    expect(fake.calls).toContainEqual(["removeMembers", groupId, ["account-ben"], { keepOut: false }]);
  });

  test("removes nobody who is not there, and knows its conversations", async () => {
    const fake = createFake(answers);
    expect((await run(["group", "remove", groupId, "eve"], fake)).stderr).toMatch(/^latchkey: not_a_member: /);
    expect(fake.calls.map(([name]) => name)).not.toContain("removeMembers");
    expect((await run(["group", "add", "nothing", "eve"], fake)).stderr).toMatch(/^latchkey: unknown_conversation: /);
  });
});

describe("inspect", () => {
  /** A server that has a package for one ticket. */
  async function serving(answer: string, work: (url: string) => Promise<void>): Promise<void> {
    const http = createServer((request, response) => {
      void text(request).then((ticket) =>
        response.writeHead(ticket === "abc" ? 200 : 404).end(ticket === "abc" ? answer : '{"code":"not_found"}'),
      );
    });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const { port } = http.address() as AddressInfo;
    try {
      await work(`http://127.0.0.1:${String(port)}/`);
    } finally {
      http.close();
    }
  }

  const ticketOf = (url: string, ticket = "YWJj") => createFake({ inspect: () => Promise.resolve({ url, ticket }) });

  test("prints what the server sent", async () => {
    await serving('{"username":"ann"}', async (url) => {
      expect((await run(["inspect", "--json"], ticketOf(url))).stdout).toBe('{"username":"ann"}\n');
      expect((await run(["inspect"], ticketOf(url))).stdout).toBe('{\n  "username": "ann"\n}\n');
      expect((await run(["inspect"], ticketOf(url, "YWJk"))).stderr).toMatch(/^latchkey: server_refused: /);
    });
  });

  test("saves it as it came, and overwrites nothing", async () => {
    await serving('{ "username":\n"ann" }', async (url) => {
      const path = join(profile.home, "held.json");
      expect((await run(["inspect", "--out", path], ticketOf(url))).stdout).toBe(`${path}\n`);
      expect(readFileSync(path, "utf8")).toBe('{ "username":\n"ann" }');
      expect((await run(["inspect", "--out", path], ticketOf(url))).stderr).toMatch(/^latchkey: file_exists: /);
    });
  });
});

describe("serve", () => {
  function optionsOf(values: Record<string, string | string[]>, variables: Record<string, string> = {}) {
    const environment = { variables, workingDirectory: profile.home } as Environment;
    return serverOptions({ environment, values });
  }

  test("has sound defaults", () => {
    expect(optionsOf({})).toMatchObject({ address: "127.0.0.1", port: 8080, dataDirectory: join(profile.home, "data") });
  });

  test("lets an option outweigh a variable, and a variable the file", () => {
    writeFileSync(
      join(profile.home, "latchkey.config.json"),
      '{"port": 1, "name": "File", "retention-days": 7, "host": "Chat.Example.org"}',
    );
    const options = optionsOf({ port: "3" }, { LATCHKEY_PORT: "2", LATCHKEY_NAME: "Variable" });
    expect(options).toMatchObject({ port: 3, serverName: "Variable", retentionDays: 7, host: "chat.example.org" });
  });

  test("takes several invitation codes from anywhere", () => {
    const open = { registration: "invitation" };
    expect(optionsOf({ ...open, "invitation-code": ["oak", "elm"] }).invitationCodes).toEqual(["oak", "elm"]);
    expect(optionsOf(open, { LATCHKEY_INVITATION_CODE: "oak, elm" }).invitationCodes).toEqual(["oak", "elm"]);
    writeFileSync(join(profile.home, "other.json"), '{"invitation-code": ["oak", "elm"], "registration": "invitation"}');
    expect(optionsOf({ config: "other.json" }).invitationCodes).toEqual(["oak", "elm"]);
  });

  test("names the files of a certificate", () => {
    const tls = { certFile: join(profile.home, "cert.pem"), keyFile: join(profile.home, "key.pem") };
    expect(optionsOf({ "tls-cert": "cert.pem", "tls-key": "key.pem" }).tls).toEqual(tls);
  });

  test.each<[Record<string, string>, string]>([
    [{ port: "70000" }, "--port"],
    [{ port: "1e3" }, "--port"],
    [{ "retention-days": "6" }, "--retention-days"],
    [{ registration: "sometimes" }, "--registration"],
    [{ "log-level": "loud" }, "--log-level"],
    [{ "tls-cert": "cert.pem" }, "--tls-key"],
    [{ config: "missing.json" }, "missing.json"],
  ])("refuses %j", (values, reason) => {
    expect(() => optionsOf(values)).toThrow(reason);
  });

  test("refuses a member of the file that it does not know", () => {
    writeFileSync(join(profile.home, "latchkey.config.json"), '{"prot": 1}');
    expect(() => optionsOf({})).toThrow('"prot"');
  });

  test("prints where it runs, and stops when asked", async () => {
    const done: string[] = [];
    const started = Promise.withResolvers<StopSignal>();
    let stdout = "";
    const close = (): Promise<void> => {
      done.push("closed");
      return Promise.resolve();
    };
    const environment = {
      variables: {},
      workingDirectory: profile.home,
      stdout: { write: (text: string) => (stdout += text) },
      stopRequested: () => started.promise,
      onReloadRequested: (reload: () => void) => reload(),
    };
    const running = runServer(
      {
        environment: environment as unknown as Environment,
        output: { result: (_value, text) => (stdout += text), notice: () => undefined, progress: () => noProgress },
        home: profile.home,
        serverUrl: undefined,
        positionals: [],
        values: {},
        withClient: () => Promise.reject(new Error("no client here")),
      },
      () =>
        Promise.resolve({
          url: "http://localhost:8080",
          host: "localhost:8080",
          port: 8080,
          metricsUrl: undefined,
          failed: new Promise<Error>(() => undefined),
          reload: () => {
            done.push("read again");
            return Promise.resolve();
          },
          close,
          [Symbol.asyncDispose]: close,
        }),
    );
    await new Promise((tick) => setImmediate(tick));
    expect(stdout).toBe("Latchkey is running on http://localhost:8080");
    expect(done).toEqual(["read again"]);
    started.resolve("SIGTERM");
    await running;
    expect(done).toEqual(["read again", "closed"]);
  });
});

describe("output", () => {
  test("shows no control characters of others", () => {
    expect(printable("a\u001B[2Jb\rc\u0000d\u202Ee\tf\n")).toBe("a\uFFFD[2Jb\nc\uFFFDd\uFFFDe\tf\n");
    const line = formatMessage(
      textMessage({ id: "a", order: 1, text: "x\u001B]0;title\u0007", author: { ...ben, displayName: "b\u009Bn\nen" } }),
    );
    expect([...line].some((character) => /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/.test(character))).toBe(false);
    expect(line).toContain("b\uFFFDn en: ");
  });

  test("shows a day that no calendar has as that", () => {
    expect([0, 20_786, 4_294_967_295].map(formatDay)).toEqual(["1970-01-01", "2026-11-29", "an unknown day"]);
  });

  test("marks own messages that wait or failed", () => {
    const own = textMessage({ id: "a", order: 1, text: "x", author: ann });
    expect(formatMessage({ ...own, delivery: { kind: "pending" } })).toMatch(/me: x {2}\(waiting\)$/);
    const failure = { code: "offline", message: "No.", canRetry: true } as const;
    expect(formatMessage({ ...own, delivery: { kind: "failed", failure } })).toMatch(/\(not sent: offline: No\.\)$/);
  });

  test.each([
    ["localhost:8080", "http://localhost:8080"],
    ["127.0.0.1:1/", "http://127.0.0.1:1"],
    ["chat.example.org", "https://chat.example.org"],
    ["http://chat.example.org/x", "http://chat.example.org"],
  ])("reads the server %s as %s", (typed, url) => {
    expect(parseServerUrl(typed)).toBe(url);
  });
});
