import { toBase64Url, utf8Bytes } from "@latchkey/codec";
import type { DeskRole, RequestDetail, RequestIntake } from "@latchkey/protocol/desk";
import { random } from "../../../../testing/fixtures.ts";
import { TestDesk } from "../../office.testing.ts";
import type { Colleague } from "../../office.testing.ts";
import { intakeOf } from "../requests.testing.ts";

/** A desk at which requests are released, and who works there. */
export interface ReleasingDesk {
  readonly desk: TestDesk;
  /** Intake and administrator; approves nothing. */
  readonly ines: Colleague;
  readonly ana: Colleague;
  readonly ben: Colleague;
}

/** @param reviewers names of whoever may approve, besides Ines */
export async function beginReleasing(reviewers: readonly string[] = ["Ana", "Ben"]): Promise<ReleasingDesk> {
  const desk = await TestDesk.begin();
  const ines = await desk.colleague("Ines", []);
  const { staff } = await ines.ask("staff-list", {});
  const roles: readonly DeskRole[] = ["administrator", "intake", "auditor"];
  await ines.ask("staff-set", { id: staff[0]?.id ?? "", roles, isActive: true });
  const all = new Map<string, Colleague>();
  for (const name of reviewers) all.set(name, await desk.colleague(name, ["reviewer"]));
  return { desk, ines, ana: all.get("Ana") ?? ines, ben: all.get("Ben") ?? ines };
}

/** What a server holds about an account, with a mark in every field by which it is known again. */
export function holdingsWith(accountId: string, mark: string): Uint8Array {
  return utf8Bytes(
    JSON.stringify({
      format: 2,
      host: "chat.example",
      account_id: accountId,
      version: 1,
      usernames: [{ username: `name-${mark}`, status: "bound", reserved_until: null, binding: `binding-${mark}` }],
      updates: { day: "2026-11-10", count: 1 },
      devices: [{ row: 1, device_id: `device-${mark}`, card: `card-${mark}`, inbox_last_seq: 4 }],
      explanations: {},
    }),
  );
}

/** An account that can be asked for by its name. */
export function addAccount(desk: TestDesk, name: string): string {
  const accountId = random(32);
  const id = toBase64Url(accountId);
  desk.world.accounts.set(name, accountId);
  desk.world.holdings.set(id, holdingsWith(id, name));
  return id;
}

/** A request that was verified, and of which each account was looked up. */
export async function verifiedRequest(
  { desk, ines }: Pick<ReleasingDesk, "desk" | "ines">,
  parts: Partial<RequestIntake> = {},
): Promise<RequestDetail> {
  const intake = intakeOf({ receivedAtMs: desk.nowMs, secrecy: { kind: "none" }, ...parts });
  let { request } = await ines.ask("request-open", { intake });
  await desk.idle();
  ({ request } = await ines.ask("request-get", { number: request.number }));
  const verification = { how: "call-back", contact: "+49 30 12345678", foundIn: "The court's page", answeredBy: "Registry" } as const;
  ({ request } = await ines.ask("request-verify", { number: request.number, revision: request.revision, verification }));
  for (const [at] of intake.identifiers.entries()) {
    ({ request } = await ines.ask("request-identify", { number: request.number, revision: request.revision, place: at + 1 }));
  }
  return request;
}

/** Its newest state, as somebody reads it. */
export async function reread(who: Colleague, { number }: { number: number }): Promise<RequestDetail> {
  return (await who.ask("request-get", { number })).request;
}

/** A package of it, made by intake. */
export async function packaged(who: Colleague, { number, revision }: RequestDetail): Promise<RequestDetail> {
  return (await who.ask("request-package", { number, revision })).request;
}

/** Approves it with a touch of somebody's passkey. */
export async function approved(who: Colleague, request: { number: number }): Promise<RequestDetail> {
  const { number, revision } = await reread(who, request);
  const { options } = await who.ask("request-approve-begin", { number, revision });
  return (await who.ask("request-approve-finish", { number, revision, response: who.touch(options) })).request;
}
