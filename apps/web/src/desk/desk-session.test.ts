import { expect, test } from "vitest";
import { DeskSession } from "./desk-session.ts";
import type { DeskWindow } from "./desk-session.ts";

const secret = "s".repeat(43);

function windowWith(
  hash: string,
  answers: readonly (readonly [status: number, body: unknown])[],
): {
  window: DeskWindow;
  sent: { url: string; body: unknown; headers: unknown; hash: string }[];
  stored: Map<string, string>;
} {
  const stored = new Map<string, string>();
  const sent: { url: string; body: unknown; headers: unknown; hash: string }[] = [];
  const location = { hash, pathname: "/desk" };
  const left = [...answers];
  return {
    stored,
    sent,
    window: {
      fetch: (url, init) => {
        sent.push({ url: String(url), body: init?.body, headers: init?.headers, hash: location.hash });
        const [status, body] = left.shift() ?? [0, ""];
        if (status === 0) return Promise.reject(new TypeError("offline"));
        return Promise.resolve(new Response(JSON.stringify(body), { status }));
      },
      sessionStorage: {
        getItem: (name) => stored.get(name) ?? null,
        setItem: (name, value) => void stored.set(name, value),
        removeItem: (name) => void stored.delete(name),
      },
      location,
      history: { replaceState: () => void (location.hash = "") },
    },
  };
}

test("the secret leaves the address before it is sent, and the token is this tab's, in a header", async () => {
  const { window, sent, stored } = windowWith(`#open=${secret}`, [
    [200, { token: "t" }],
    [200, { accounts: 3 }],
  ]);
  const session = new DeskSession(window);
  expect(await session.open()).toMatchObject({ kind: "answer" });
  expect(sent).toEqual([{ url: "/v1/desk/open", body: secret, headers: {}, hash: "" }]);
  expect([...stored.values()]).toEqual(["t"]);
  expect(await session.read("status")).toEqual({ kind: "answer", value: { accounts: 3 } });
  expect(sent[1]).toMatchObject({ url: "/v1/desk/read/status", headers: { authorization: "Bearer t" } });
  // A reload goes on with what the tab has.
  expect(await new DeskSession(window).open()).toMatchObject({ kind: "answer" });
  expect(sent).toHaveLength(2);
});

test.each([
  ["", [], { kind: "closed", why: "closed" }],
  ["#open=short", [], { kind: "closed", why: "closed" }],
  [`#open=${secret}`, [[404, {}]], { kind: "closed", why: "closed" }],
  [`#open=${secret}`, [[409, { code: "link_used" }]], { kind: "closed", why: "used" }],
  [`#open=${secret}`, [[429, {}]], { kind: "busy" }],
  [`#open=${secret}`, [[502, "<html>"]], { kind: "failed" }],
  [`#open=${secret}`, [[200, { other: 1 }]], { kind: "failed" }],
  [`#open=${secret}`, [], { kind: "failed" }],
] as const)("opening %s, answered %j, is %j", async (hash, answers, outcome) => {
  expect(await new DeskSession(windowWith(hash, answers).window).open()).toEqual(outcome);
});

test("a session that is gone is forgotten, and closing forgets it whatever the server says", async () => {
  const { window, stored, sent } = windowWith("", [[404, {}]]);
  stored.set("latchkey.desk", "t");
  expect(await new DeskSession(window).read("status")).toEqual({ kind: "closed", why: "ended" });
  expect(stored.size).toBe(0);
  stored.set("latchkey.desk", "t");
  await new DeskSession(window).close();
  expect(stored.size).toBe(0);
  expect(sent[1]).toMatchObject({ url: "/v1/desk/close", headers: { authorization: "Bearer t" } });
});
