import { deskPageSize } from "@latchkey/protocol/desk";
import type { Input } from "./input.ts";
import type { Asker, Done, OfficeParts, Operations } from "./operations.ts";

/** What the auditor does: reading the trail, and going over it. Both stand in it too. */
export function trailOperations({ trail, transaction }: OfficeParts): Operations {
  return {
    "trail-list": {
      roles: ["auditor"],
      run(input: Input, asker: Asker): Done {
        const after = input.whole("after", { least: 0, most: Number.MAX_SAFE_INTEGER });
        input.end();
        // Once for a reading, not for each page.
        if (after === 0) transaction(() => trail.append({ actor: asker.staff.name, act: "trail read" }, asker.nowMs));
        const entries = trail.list({ after, most: deskPageSize });
        const last = entries.at(-1);
        return { body: { entries, ...(entries.length === deskPageSize && last !== undefined ? { next: last.number } : {}) } };
      },
    },
    "trail-verify": {
      roles: ["auditor"],
      run(input: Input, asker: Asker): Done {
        input.end();
        const check = trail.verify();
        const details = { entries: check.entries, isWhole: check.brokenAt === undefined };
        transaction(() => trail.append({ actor: asker.staff.name, act: "trail verified", details }, asker.nowMs));
        return { body: check };
      },
    },
  };
}
