import { equalBytes } from "@latchkey/codec";
import { deskRoles, isWeighty, weightyGain } from "@latchkey/protocol/desk";
import { keyOf } from "../../keys.ts";
import { DeskError } from "./desk-error.ts";
import type { Input } from "./input.ts";
import type { Asker, Done, OfficeParts, Operations } from "./operations.ts";
import { approvesFromMs, codeHours, maxPasskeys, maxStaffName, passkeysHashOf } from "./staff.ts";
import type { Staff } from "./staff.ts";
import { readProof } from "./staff-grants.ts";
import type { ProvedGrant, StaffGrants } from "./staff-grants.ts";

const staffIdLength = 16;

/** Who is staff, and signing out. */
export function staffOperations(parts: OfficeParts, grants: StaffGrants): Operations {
  const { staff, trail, sessions, transaction } = parts;
  const read = (input: Input): Staff => required(input.bytes("id", { length: staffIdLength }));
  const required = (id: Uint8Array): Staff => {
    const found = staff.byId(id);
    if (found === undefined) throw new DeskError("not_found");
    return found;
  };
  /** Remembers the use of a passkey, after the library was waited for: it counts if nobody used it meanwhile. Answers what the trail has of it. */
  const spent = (proved: ProvedGrant | undefined): { readonly signed?: string } => {
    if (proved === undefined) return {};
    if (!staff.countPasskey(proved.passkey, proved.counter)) throw new DeskError("passkey_refused");
    return { signed: proved.digest };
  };
  return {
    "sign-out": {
      roles: "any",
      run(input: Input, asker: Asker): Done {
        input.end();
        sessions.end(asker.session);
        transaction(() => trail.append({ actor: asker.staff.name, act: "signed out" }, asker.nowMs));
        return { body: {}, session: "" };
      },
    },
    "staff-list": {
      roles: ["administrator"],
      run(input: Input): Done {
        input.end();
        return { body: { staff: staff.list() } };
      },
    },
    "staff-grant-begin": {
      roles: ["administrator"],
      async run(input: Input, asker: Asker): Promise<Done> {
        const act = input.choice("act", ["grant", "confirm"]);
        const name = input.text("name", { most: maxStaffName });
        const roles = input.choices("roles", deskRoles, { least: 1 });
        const ofPasskeys = input.has("passkeysHash")
          ? { passkeys: input.whole("passkeys", { least: 0, most: maxPasskeys }), passkeysHash: input.text("passkeysHash", { most: 64 }) }
          : {};
        input.end();
        return { body: await grants.begin({ act, name, roles, ...ofPasskeys }, asker) };
      },
    },
    "staff-invite": {
      roles: ["administrator"],
      async run(input: Input, asker: Asker): Promise<Done> {
        const { nowMs } = asker;
        const proof = readProof(input);
        const known = input.has("id") ? read(input) : undefined;
        const name = known?.name ?? input.text("name", { most: maxStaffName });
        const roles = known?.roles ?? input.choices("roles", deskRoles, { least: 1 });
        input.end();
        // Also of each code for somebody who is known: it makes a passkey under their name, which counts for roles that they get later.
        const proved =
          known !== undefined || isWeighty(roles) ? await grants.proved({ act: "grant", name, roles }, proof, asker) : undefined;
        return transaction(() => {
          const signed = spent(proved);
          const granted = isWeighty(roles) ? { atMs: nowMs, by: asker.staff.id } : undefined;
          const person = known === undefined ? staff.add(name, roles, granted) : required(known.id);
          // What they may do is what was signed.
          if (!person.isActive) throw new DeskError("not_found");
          if (person.roles.join(" ") !== deskRoles.filter((role) => roles.includes(role)).join(" ")) throw new DeskError("changed");
          const code = staff.createCode(person, nowMs, asker.staff.id);
          const details = { staff: person.name, ...(known === undefined ? { roles: person.roles } : {}), ...signed };
          trail.append({ actor: asker.staff.name, act: known === undefined ? "staff named" : "code made", details }, nowMs);
          return { body: { staff: staff.shown(person), code, hours: codeHours } };
        });
      },
    },
    "staff-set": {
      roles: ["administrator"],
      async run(input: Input, asker: Asker): Promise<Done> {
        const { nowMs } = asker;
        const proof = readProof(input);
        const before = read(input);
        const roles = input.choices("roles", deskRoles);
        const isActive = input.flag("isActive");
        const forgetPasskeys = input.has("forgetPasskeys") && input.flag("forgetPasskeys");
        input.end();
        // Who is let in again gets all that they have then.
        const gain = isActive ? weightyGain(before.isActive ? before.roles : [], roles) : [];
        const proved = gain.length > 0 ? await grants.proved({ act: "grant", name: before.name, roles }, proof, asker) : undefined;
        const after = transaction(() => {
          const now = required(before.id);
          if (now.isActive !== before.isActive || now.roles.join(" ") !== before.roles.join(" ")) throw new DeskError("changed");
          const signed = spent(proved);
          const granted = gain.length > 0 ? { atMs: nowMs, by: asker.staff.id } : now.granted;
          const changed = staff.set(now, { roles, isActive, forgetPasskeys, granted });
          const details = { staff: before.name, roles, isActive, forgetPasskeys, ...signed };
          trail.append({ actor: asker.staff.name, act: "staff changed", details }, nowMs);
          return changed;
        });
        // What they may do is asked with each request; signing in anew shows them so. Whoever forgets their own passkeys wants nobody in by them.
        if (keyOf(after.id) !== keyOf(asker.staff.id) || !isActive || forgetPasskeys) sessions.endOf(after.id);
        return { body: { staff: staff.shown(after) } };
      },
    },
    "staff-confirm": {
      roles: ["administrator"],
      async run(input: Input, asker: Asker): Promise<Done> {
        const { nowMs } = asker;
        const proof = readProof(input);
        const { id, name, roles } = read(input);
        const { passkeys: number, passkeysHash } = staff.shown(required(id));
        input.end();
        const proved = await grants.proved({ act: "confirm", name, roles, passkeys: number, passkeysHash }, proof, asker);
        return transaction(() => {
          const person = required(id);
          const passkeys = staff.passkeysOf(id);
          if (!person.isActive || passkeys.length === 0 || person.roles.join(" ") !== roles.join(" ")) throw new DeskError("changed");
          if (passkeysHashOf(passkeys) !== passkeysHash) throw new DeskError("changed");
          // The second one is neither the person themself nor whoever let them in, and was not let in by one alone just now.
          const givers = [person.granted, ...passkeys.map(({ made }) => made)].flatMap((given) => (given === undefined ? [] : [given.by]));
          const isOther = ![id, ...givers].some((one) => equalBytes(one, asker.staff.id));
          const me = required(asker.staff.id);
          if (!isOther || approvesFromMs(me, proved.passkey) > nowMs) throw new DeskError("other_person");
          const signed = spent(proved);
          staff.confirm(id);
          trail.append({ actor: asker.staff.name, act: "staff confirmed", details: { staff: name, roles, ...signed } }, nowMs);
          return { body: { staff: staff.shown(required(id)) } };
        });
      },
    },
  };
}
