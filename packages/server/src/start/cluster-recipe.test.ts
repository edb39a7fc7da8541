// The recipes of ops/cluster: what they set is what a server asks for, and their parts agree. They are run in apps/cli.
import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { httpPaths } from "@latchkey/protocol";
import { deskPaths } from "../http/app.ts";
import { settingFaults } from "../store/postgres/settings.ts";

const folder = new URL("../../../../ops/cluster/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");

/** The settings of `postgresql.conf`, without what stands around their values. */
const settings = Object.fromEntries(
  [...read("postgresql.conf").matchAll(/^([a-z_]+) = '?(.*?)'?$/gm)].map(([, name = "", value = ""]) => [name, value]),
);
/** What the standby is called. */
const standbyName = /cluster_name=(\S+)/.exec(read("standby.sh"))?.[1] ?? "";

test("the settings pass what a server asks of its database, with a standby, and each of them is needed", () => {
  const known = { server_version_num: "180000", server_encoding: "UTF8", ...settings };
  const faults = (given: Readonly<Record<string, string>>): string[] =>
    settingFaults(
      Object.entries(given).map(([name, setting]) => ({ name, setting })),
      { acceptLoss: false },
    );
  expect(faults(known)).toEqual([]);
  expect(faults({ ...known, synchronous_standby_names: "" })).toHaveLength(1);
  // The file says what would be so by itself, too: whoever reads it sees all of it.
  for (const name of Object.keys(settings).filter((each) => each.startsWith("log_") || each.startsWith("track_")))
    expect(faults({ ...known, [name]: "something else" }), name).toHaveLength(1);
});

test("the standby has the name that the primary waits for, and the proxy passes on what the other recipe does", () => {
  expect(settings["synchronous_standby_names"]).toBe(`ANY 1 (${standbyName})`);
  expect(read("primary.sh")).toContain(`pg_create_physical_replication_slot('${standbyName}')`);
  expect(read("standby.sh")).toContain(`--slot ${standbyName} `);
  const inside = (text: string): string => text.slice(text.indexOf("reverse_proxy")).replace(/^reverse_proxy \S+/, "");
  expect(inside(read("Caddyfile"))).toBe(inside(read("../Caddyfile")));
  const lines = (text: string): string[] => text.split("\n").map((line) => line.trim());
  expect(lines(read("nodes.Caddyfile"))).toEqual(expect.arrayContaining(lines(inside(read("../Caddyfile"))).slice(1)));
  // What the containers are given is there.
  const mounted = [...read("compose.yaml").matchAll(/^ +- \.\/([\w.]+):/gm)].map(([, name]) => name);
  expect(readdirSync(folder)).toEqual(expect.arrayContaining([...new Set(mounted), "compose.yaml"]));
  expect(new Set(mounted).size).toBe(4);
});

test("the proxy of several servers leads to the desk what its server alone answers", () => {
  const [, paths = ""] = /@desk path (.*)/.exec(read("nodes.Caddyfile")) ?? [];
  for (const path of [...deskPaths, httpPaths.desk]) expect(paths.split(" ")).toContain(`${path}/*`);
});
