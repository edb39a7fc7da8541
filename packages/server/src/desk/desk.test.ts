import { expect, test } from "vitest";
import type { AdminCommands } from "../admin/params.ts";
import { DeskAccess } from "./access.ts";
import { createDesk } from "./desk.ts";
import { OfficeKeeper } from "./office/office-keeper.ts";
import { testWorld } from "./office/office.testing.ts";

test("what doctor finds is found once a minute, whoever asks how often; a failure is not kept", async () => {
  let nowMs = 0;
  let examined = 0;
  const warnings: string[] = [];
  const names = ["status", "accounts", "invite-list", "reserved", "suspended", "quota", "announce"];
  const commands: AdminCommands = {
    ...Object.fromEntries(names.map((name) => [name, () => Promise.resolve({})])),
    doctor: async () => {
      examined += 1;
      if (examined === 1) throw new Error("no network");
      return Promise.resolve({ findings: [examined] });
    },
  };
  const bugs: unknown[] = [];
  const office = new OfficeKeeper(
    { directory: "", host: "chat.example", publicUrl: "https://chat.example", maxSealedBytes: 0, maxCaseBytes: 0, reportsPerDay: 0 },
    { world: testWorld(), reportBug: () => undefined },
  );
  const parts = { access: new DeskAccess(() => nowMs), office, passedMs: () => nowMs, reportBug: (error: unknown) => bugs.push(error) };
  const desk = createDesk({ ...parts, commands, warn: (message) => warnings.push(message) });
  expect(await desk.read("doctor", "{}")).toMatchObject({ status: 500, body: { code: "failed" } });
  expect(bugs).toHaveLength(1);
  const answers = await Promise.all([desk.read("doctor", "{}"), desk.read("doctor", "")]);
  for (const answer of answers) expect(answer).toEqual({ status: 200, body: { findings: [2] } });
  nowMs += 59_999;
  expect(await desk.read("doctor", "{}")).toMatchObject({ body: { findings: [2] } });
  nowMs += 1;
  expect(await desk.read("doctor", "{}")).toMatchObject({ body: { findings: [3] } });
  desk.warnOfSecondUse();
  expect(warnings).toEqual(["a link to the desk was used twice: its session is closed, and latchkey admin desk open makes another"]);
});
