import { deskRoles, grantText } from "@latchkey/protocol/desk";
import type { DeskRole, DeskStaff } from "@latchkey/protocol/desk";
import { describe, expect, test } from "vitest";
import { TestDesk } from "./office.testing.ts";
import type { Colleague } from "./office.testing.ts";
import { addAccount, packaged, reread, verifiedRequest } from "./requests/release/release.testing.ts";

const hourMs = 3_600_000;
const reviewer = ["reviewer"] as const;

async function begin(): Promise<{ desk: TestDesk; ada: Colleague }> {
  const desk = await TestDesk.begin();
  return { desk, ada: await desk.colleague("Ada", []) };
}

async function personOf(who: Colleague, name: string): Promise<DeskStaff> {
  const found = (await who.ask("staff-list", {})).staff.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is a ${name}`);
  return found;
}

/** Somebody whom one administrator alone lets in, with a passkey of their own. */
async function letIn(desk: TestDesk, by: Colleague, name: string, roles: readonly DeskRole[]): Promise<Colleague> {
  const { code } = await by.ask("staff-invite", { name, roles, proof: await by.proof({ act: "grant", name, roles }) });
  return desk.enrol(code);
}

/** What shows that somebody stands for a colleague, as they are now. */
async function standing(by: Colleague, name: string): ReturnType<Colleague["proof"]> {
  const { roles, passkeys, passkeysHash } = await personOf(by, name);
  return by.proof({ act: "confirm", name, roles, passkeys, passkeysHash });
}

async function confirm(by: Colleague, name: string): Promise<DeskStaff> {
  const { id } = await personOf(by, name);
  return (await by.ask("staff-confirm", { id, proof: await standing(by, name) })).staff;
}

describe("a role that weighs", () => {
  test("[F-19] is given by the administrator's own passkey over exactly that name and those roles, once", async () => {
    const { desk, ada } = await begin();
    const roles = reviewer;
    expect(await ada.refusal("staff-invite", { name: "Eve", roles })).toBe("passkey_refused");
    const wrong = [
      await ada.proof({ act: "grant", name: "Eva", roles }),
      await ada.proof({ act: "grant", name: "Eve", roles: ["moderator"] }),
      await ada.proof({ act: "grant", name: "Eve", roles: ["reviewer", "administrator"] }),
      await ada.proof({ act: "confirm", name: "Eve", roles }),
      { ...(await ada.proof({ act: "grant", name: "Eve", roles })), nonce: (await ada.proof({ act: "grant", name: "Eve", roles })).nonce },
      { nonce: "AAAA", response: (await ada.proof({ act: "grant", name: "Eve", roles })).response },
      { nonce: (await ada.proof({ act: "grant", name: "Eve", roles })).nonce, response: {} },
    ];
    for (const proof of wrong) expect(await ada.refusal("staff-invite", { name: "Eve", roles, proof })).toBe("passkey_refused");
    // Of another administrator, however much they may say so themselves.
    const bo = await desk.colleague("Bo", ["administrator"]);
    const bos = await bo.proof({ act: "grant", name: "Eve", roles });
    expect(await ada.refusal("staff-invite", { name: "Eve", roles, proof: bos })).toBe("passkey_refused");
    const proof = await ada.proof({ act: "grant", name: "Eve", roles });
    const { staff } = await ada.ask("staff-invite", { name: "Eve", roles, proof });
    expect(staff).toMatchObject({ name: "Eve", roles, passkeys: 0 });
    expect(await ada.refusal("staff-invite", { name: "Eva", roles, proof })).toBe("passkey_refused");
    expect(await ada.refusal("staff-invite", { id: staff.id, proof })).toBe("passkey_refused");
    const { entries } = await ada.ask("trail-list", { after: 0 });
    const named = entries.filter(({ act }) => act === "staff named").map(({ details }) => JSON.parse(details) as object);
    expect(named.at(-1)).toMatchObject({ staff: "Eve", roles, signed: expect.stringMatching(/^[\w-]{43}$/u) });
  });

  test("[F-19] is none of intake's and auditors', who are named by a session alone", async () => {
    const { ada } = await begin();
    const { staff } = await ada.ask("staff-invite", { name: "Ines", roles: ["intake", "auditor"] });
    await ada.ask("staff-set", { id: staff.id, roles: ["intake"], isActive: true });
    // A code for whoever is known makes a passkey under their name, which counts for what they get later.
    expect(await ada.refusal("staff-invite", { id: staff.id })).toBe("passkey_refused");
    for (const roles of deskRoles.filter((role) => role !== "intake" && role !== "auditor").map((role) => [role])) {
      expect(await ada.refusal("staff-set", { id: staff.id, roles, isActive: true })).toBe("passkey_refused");
    }
    expect(grantText({ act: "grant", name: "Ines", roles: ["reviewer", "intake"] }, { host: "a.example", nonce: "n" })).toBe(
      'latchkey/desk/staff-grant/1\0["a.example","grant","Ines",["intake","reviewer"],0,"","n"]',
    );
  });

  test("[F-19] [E-245] whoever one administrator alone let in approves nothing for a day, nor by a passkey that is younger", async () => {
    const { desk, ada } = await begin();
    addAccount(desk, "oscar");
    const eve = await letIn(desk, ada, "Eve", reviewer);
    const fromMs = desk.nowMs + 24 * hourMs;
    expect(await personOf(ada, "Eve")).toMatchObject({ approvesFromMs: fromMs });
    const request = await packaged(ada, await verifiedRequest({ desk, ines: ada }));
    const at = { number: request.number, revision: request.revision };
    expect((await reread(eve, request)).may).not.toContain("request-approve-begin");
    expect(await eve.refusal("request-approve-begin", at)).toBe("too_early");
    desk.nowMs = fromMs - 1;
    expect(await eve.refusal("request-approve-begin", at)).toBe("too_early");
    // Set back the clock is no earlier than it was, and set ahead by nobody: at its time, and not before.
    desk.nowMs = fromMs;
    const { options } = await eve.ask("request-approve-begin", at);
    // A second passkey, by a code of the same administrator, is younger.
    const { id, roles } = await personOf(ada, "Eve");
    const again = await ada.ask("staff-invite", { id, proof: await ada.proof({ act: "grant", name: "Eve", roles }) });
    const other = await desk.enrol(again.code);
    expect(await other.refusal("request-approve-finish", { ...at, response: other.touch(options) })).toBe("too_early");
    const { request: approved } = await eve.ask("request-approve-finish", { ...at, response: eve.touch(options) });
    expect(approved.release?.approvals).toMatchObject([{ by: "Eve" }]);
  });

  test("[F-19] what was approved does not go out by somebody who was raised anew since, and nobody makes room by that for somebody outside", async () => {
    const { desk, ada } = await begin();
    addAccount(desk, "oscar");
    const ben = await desk.colleague("Ben", reviewer);
    const { id } = await personOf(ada, "Ben");
    const made = await packaged(ben, await verifiedRequest({ desk, ines: ada }));
    const at = { number: made.number, revision: made.revision };
    const { options } = await ben.ask("request-approve-begin", at);
    const { request: once } = await ben.ask("request-approve-finish", { ...at, response: ben.touch(options) });
    const mine = { number: once.number, revision: once.revision };
    const begun = await ada.ask("request-approve-begin", mine);
    const { request: both } = await ada.ask("request-approve-finish", { ...mine, response: ada.touch(begun.options) });
    expect(both.state).toBe("approved");
    await ada.ask("staff-set", { id, roles: ["intake"], isActive: true });
    const proof = await ada.proof({ act: "grant", name: "Ben", roles: reviewer });
    await ada.ask("staff-set", { id, roles: reviewer, isActive: true, proof });
    const now = { number: both.number, revision: both.revision };
    expect(await ada.refusal("request-release", now)).toBe("other_person");
    expect((await reread(ada, both)).may).not.toContain("request-outside-invite");
    desk.nowMs += 24 * hourMs;
    expect((await ada.ask("request-release", now)).request.state).toBe("released");
  });

  test("[F-19] [E-245] a second administrator who stands for them ends the wait: not whoever let them in, not themselves, and none who is as new", async () => {
    const { desk, ada } = await begin();
    await desk.colleague("Carl", ["administrator"]);
    const carl = await desk.again("Carl");
    const eve = await letIn(desk, ada, "Eve", ["reviewer", "administrator"]);
    const dan = await letIn(desk, ada, "Dan", ["administrator"]);
    const eveId = (await personOf(ada, "Eve")).id;
    for (const who of [ada, eve, dan])
      expect(await who.refusal("staff-confirm", { id: eveId, proof: await standing(who, "Eve") })).toBe("other_person");
    // A grant is no confirmation, and nobody's signature is somebody else's.
    const grant = await carl.proof({ act: "grant", name: "Eve", roles: ["reviewer", "administrator"] });
    expect(await carl.refusal("staff-confirm", { id: eveId, proof: grant })).toBe("passkey_refused");
    expect(await carl.refusal("staff-confirm", { id: eveId, proof: await standing(ada, "Eve") })).toBe("passkey_refused");
    // Nor is it one of a passkey that came since somebody looked: whoever let her in may have made it.
    const before = await standing(carl, "Eve");
    const more = await ada.proof({ act: "grant", name: "Eve", roles: ["reviewer", "administrator"] });
    await desk.enrol((await ada.ask("staff-invite", { id: eveId, proof: more })).code);
    expect(await carl.refusal("staff-confirm", { id: eveId, proof: before })).toBe("passkey_refused");
    expect(await confirm(carl, "Eve")).not.toHaveProperty("approvesFromMs");
    const { entries } = await ada.ask("trail-list", { after: 0 });
    const said = entries.filter(({ act, details }) => act.startsWith("staff ") && details.includes('"Eve"'));
    expect(said.map(({ actor, act }) => `${actor}: ${act}`)).toEqual(["Ada: staff named", "Carl: staff confirmed"]);
    expect(said.every(({ details }) => "signed" in (JSON.parse(details) as object))).toBe(true);
    // What is made afterwards is confirmed by nobody.
    const proof = await ada.proof({ act: "grant", name: "Eve", roles: ["reviewer", "administrator"] });
    const { code } = await ada.ask("staff-invite", { id: eveId, proof });
    await desk.enrol(code);
    expect(await personOf(ada, "Eve")).not.toHaveProperty("approvesFromMs");
  });

  test("[F-19] a code that was given for less counts for no more once its person is raised", async () => {
    const { desk, ada } = await begin();
    const { staff, code } = await ada.ask("staff-invite", { name: "Zed", roles: ["intake"] });
    const proof = await ada.proof({ act: "grant", name: "Zed", roles: reviewer });
    await ada.ask("staff-set", { id: staff.id, roles: reviewer, isActive: true, proof });
    await expect(desk.enrol(code)).rejects.toThrow();
    expect(await personOf(ada, "Zed")).toMatchObject({ passkeys: 0, roles: reviewer });
  });

  test("[F-19] nobody stands for a passkey that is not there yet: whoever has the code could make it", async () => {
    const { desk, ada } = await begin();
    const carl = await desk.colleague("Carl", ["administrator"]);
    const { staff } = await ada.ask("staff-invite", {
      name: "Eve",
      roles: reviewer,
      proof: await ada.proof({ act: "grant", name: "Eve", roles: reviewer }),
    });
    expect(await carl.refusal("staff-confirm", { id: staff.id, proof: await standing(carl, "Eve") })).toBe("changed");
  });

  test("[F-19] who was there before the rule was, and who has a code from the machine, has no day to wait", async () => {
    const { desk, ada } = await begin();
    addAccount(desk, "oscar");
    const first = await letIn(desk, ada, "Eve", reviewer);
    expect(await personOf(ada, "Eve")).toHaveProperty("approvesFromMs");
    const eve = await desk.again("Eve");
    expect(await personOf(ada, "Eve")).not.toHaveProperty("approvesFromMs");
    expect(await personOf(ada, "Ada")).not.toHaveProperty("approvesFromMs");
    // For the passkey that was there before nobody stands by that.
    const request = await packaged(ada, await verifiedRequest({ desk, ines: ada }));
    const at = { number: request.number, revision: request.revision };
    const { options } = await eve.ask("request-approve-begin", at);
    expect(await eve.refusal("request-approve-finish", { ...at, response: first.touch(options) })).toBe("too_early");
    expect((await eve.ask("request-approve-finish", { ...at, response: eve.touch(options) })).request.state).toBe("verified");
  });
});
