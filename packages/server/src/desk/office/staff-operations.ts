import { deskRoles } from "@latchkey/protocol/desk";
import { keyOf } from "../../keys.ts";
import { DeskError } from "./desk-error.ts";
import type { Input } from "./input.ts";
import type { Asker, Done, OfficeParts, Operations } from "./operations.ts";
import { codeHours, maxStaffName } from "./staff.ts";
import type { Staff } from "./staff.ts";

const staffIdLength = 16;

/** Who is staff, and signing out. */
export function staffOperations(parts: OfficeParts): Operations {
  const { staff, trail, sessions, transaction } = parts;
  const read = (input: Input): Staff => {
    const found = staff.byId(input.bytes("id", { length: staffIdLength }));
    if (found === undefined) throw new DeskError("not_found");
    return found;
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
    "staff-invite": {
      roles: ["administrator"],
      run(input: Input, asker: Asker): Done {
        return transaction(() => {
          const isNew = !input.has("id");
          const person = isNew ? named(input) : read(input);
          input.end();
          if (!person.isActive) throw new DeskError("not_found");
          const code = staff.createCode(person, asker.nowMs);
          const details = { staff: person.name, ...(isNew ? { roles: person.roles } : {}) };
          trail.append({ actor: asker.staff.name, act: isNew ? "staff named" : "code made", details }, asker.nowMs);
          return { body: { staff: staff.shown(person), code, hours: codeHours } };
        });
      },
    },
    "staff-set": {
      roles: ["administrator"],
      run(input: Input, asker: Asker): Done {
        const before = read(input);
        const roles = input.choices("roles", deskRoles);
        const isActive = input.flag("isActive");
        const forgetPasskeys = input.has("forgetPasskeys") && input.flag("forgetPasskeys");
        input.end();
        const after = transaction(() => {
          const changed = staff.set(before, { roles, isActive, forgetPasskeys });
          const details = { staff: before.name, roles, isActive, forgetPasskeys };
          trail.append({ actor: asker.staff.name, act: "staff changed", details }, asker.nowMs);
          return changed;
        });
        // What they may do is asked with each request; signing in anew shows them so. Whoever forgets their own passkeys wants nobody in by them.
        if (keyOf(after.id) !== keyOf(asker.staff.id) || !isActive || forgetPasskeys) sessions.endOf(after.id);
        return { body: { staff: staff.shown(after) } };
      },
    },
  };

  function named(input: Input): Staff {
    const name = input.text("name", { most: maxStaffName });
    const roles = input.choices("roles", deskRoles, { least: 1 });
    return staff.add(name, roles);
  }
}
