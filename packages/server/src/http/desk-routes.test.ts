import { expect, test } from "vitest";
import { register, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { answer, ask } from "../testing/ask-admin.ts";

interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

async function post(url: string, body = "", headers: Record<string, string> = {}): Promise<Answered> {
  const response = await fetch(url, { method: "POST", body, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown>, headers: response.headers };
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

async function running(): Promise<{
  dataDirectory: string;
  url: string;
  open: (secret: string, headers?: Record<string, string>) => Promise<Answered>;
  read: (token: string, command?: string, body?: string, headers?: Record<string, string>) => Promise<Answered>;
  link: () => Promise<{ id: string; secret: string }>;
  session: () => Promise<string>;
  server: Awaited<ReturnType<typeof runServer>>;
}> {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ dataDirectory });
  const { url } = server;
  const open = (secret: string, headers?: Record<string, string>): Promise<Answered> => post(`${url}/v1/desk/open`, secret, headers);
  const link = async (): Promise<{ id: string; secret: string }> => {
    const made = await answer(dataDirectory, "desk-open");
    return { id: String(made["id"]), secret: String(made["link"]).split("#open=")[1] ?? "" };
  };
  return {
    dataDirectory,
    server,
    url,
    open,
    read: (token, command = "status", body = "{}", headers = {}) =>
      post(`${url}/v1/desk/read/${command}`, body, { ...bearer(token), ...headers }),
    link,
    session: async () => String((await open((await link()).secret)).body["token"]),
  };
}

const other = "A".repeat(43);

test("[E-96] until it is opened on the machine, and for whoever has no session, it is a path that there is not", async () => {
  const { url, dataDirectory, open, read, session, server } = await running();
  const missing = await post(`${url}/v1/desk/nothing-of-this-name`, "{}");
  expect(missing).toMatchObject({ status: 404, body: { code: "not_found" } });
  const strip = ({ status, body }: Answered): object => ({ status, body });
  const tries = async (): Promise<Answered[]> => [await open(other), await read(other), await post(`${url}/v1/desk/close`)];
  for (const closed of await tries()) expect(strip(closed)).toEqual(strip(missing));
  await session();
  for (const wrong of await tries()) expect(strip(wrong)).toEqual(strip(missing));
  // Nor is an account something there, whatever it is called.
  const { account } = await register(server, "oscar");
  expect(strip(await read(Buffer.from(account.accountId).toString("base64url")))).toEqual(strip(missing));
  expect(strip(await open(Buffer.from(account.accountId).toString("base64url")))).toEqual(strip(missing));
  expect(await answer(dataDirectory, "desk-list")).toMatchObject({ doors: [{ kind: "session" }] });
});

test("a link made on the machine opens it once, and the session reads what the socket says", async () => {
  const { dataDirectory, open, read, link } = await running();
  const { id, secret } = await link();
  const opened = await open(secret);
  expect(opened).toMatchObject({ status: 200, body: { token: expect.stringMatching(/^[\w-]{43}$/), leftSeconds: 14_400 } });
  expect(opened.headers.get("cache-control")).toBe("no-store");
  expect(opened.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(opened.headers.get("set-cookie")).toBeNull();
  expect(opened.headers.get("access-control-allow-origin")).toBeNull();
  expect(await answer(dataDirectory, "desk-list")).toMatchObject({ doors: [{ id, kind: "session" }] });
  const token = String(opened.body["token"]);
  for (const command of ["accounts", "invite-list", "reserved", "suspended", "quota", "announce", "doctor"]) {
    const { status, body, headers } = await read(token, command);
    expect([command, status, headers.get("cache-control")]).toEqual([command, 200, "no-store"]);
    const said = await answer(dataDirectory, command);
    if (command !== "doctor") expect(body).toEqual(said);
    else expect(Object.keys(body)).toEqual(Object.keys(said));
  }
  const { body } = await read(token);
  expect(body).toMatchObject({ backup: { lastMs: null }, limitsReached: {}, health: { isHealthy: true } });
  expect(Object.keys(body)).toEqual(Object.keys(await answer(dataDirectory, "status")));
});

test("it changes nothing: neither commands that do, nor parameters that make one do so", async () => {
  const { dataDirectory, read, session, server } = await running();
  const { account } = await register(server, "alice");
  expect(account).toBeDefined();
  const token = await session();
  const writing = (await answer(dataDirectory, "commands"))["names"] as string[];
  const readable = new Set(["status", "accounts", "invite-list", "reserved", "suspended", "quota", "announce", "doctor"]);
  for (const command of writing.filter((name) => !readable.has(name))) {
    expect([command, (await read(token, command, '{"name":"alice","id":"all"}')).status]).toEqual([command, 404]);
  }
  for (const [command, params] of [
    ["quota", { name: "max-accounts", value: 1 }],
    ["announce", { text: "hello" }],
    ["accounts", { name: "alice" }],
  ] as const) {
    expect([command, (await read(token, command, JSON.stringify(params))).status]).toEqual([command, 400]);
  }
  expect(await answer(dataDirectory, "announce")).toEqual({ text: "" });
  expect(await read(token, "accounts", '{"limit":1}')).toMatchObject({ status: 200, body: { count: 1 } });
  expect(await read(token, "status", "x".repeat(5000))).toMatchObject({ status: 413 });
  expect(await read(token, "constructor")).toMatchObject({ status: 404 });
  const { status } = await fetch(`${server.url}/v1/desk/read/status`, { headers: bearer(token) });
  expect(status).toBe(404);
});

test("[E-96] a link used twice closes what it opened, and says so to the second and in the log", async () => {
  const { open, read, link } = await running();
  const { secret } = await link();
  const token = String((await open(secret)).body["token"]);
  expect(await open(secret)).toMatchObject({ status: 409, body: { code: "link_used" } });
  expect(await read(token)).toMatchObject({ status: 404 });
  expect(await open(secret)).toMatchObject({ status: 404 });
});

test("[E-96] another site's page reads nothing and uses up no link", async () => {
  const { open, read, link, session } = await running();
  const token = await session();
  const { secret } = await link();
  for (const headers of [
    { origin: "https://evil.example" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ]) {
    expect(await open(secret, headers)).toMatchObject({ status: 404 });
    expect(await read(token, "status", "{}", headers)).toMatchObject({ status: 404 });
  }
  expect(await open(secret)).toMatchObject({ status: 200 });
  expect(await read(token)).toMatchObject({ status: 200 });
});

test("sessions end by revoking one or all, by their own page, and with the server; a revoked link opens nothing", async () => {
  const { dataDirectory, url, open, read, link, session } = await running();
  const { id, secret } = await link();
  expect(await answer(dataDirectory, "desk-revoke", { id })).toEqual({ revoked: 1 });
  expect(await open(secret)).toMatchObject({ status: 404 });
  expect(await ask(dataDirectory, "desk-revoke", { id })).toMatchObject({ status: 404, body: { code: "not_found" } });
  const [first, second, third] = [await session(), await session(), await session()];
  expect(await post(`${url}/v1/desk/close`, "", bearer(first))).toMatchObject({ status: 200 });
  expect(await read(first)).toMatchObject({ status: 404 });
  expect(await read(second)).toMatchObject({ status: 200 });
  expect(await answer(dataDirectory, "desk-revoke", { id: "all" })).toEqual({ revoked: 2 });
  for (const token of [second, third]) expect(await read(token)).toMatchObject({ status: 404 });
  expect(await answer(dataDirectory, "desk-list")).toEqual({ doors: [] });
  for (let made = 0; made < 16; made += 1) await link();
  expect(await ask(dataDirectory, "desk-open")).toMatchObject({ status: 409, body: { code: "limit" } });
});

test("who guesses is slowed down by address, and who has a session is not", async () => {
  const { open, read, session } = await running();
  const token = await session();
  const statuses: number[] = [];
  for (let guess = 0; guess < 70; guess += 1) statuses.push((await open(other)).status);
  expect(new Set(statuses)).toEqual(new Set([404, 429]));
  expect(await read(token)).toMatchObject({ status: 200 });
});
