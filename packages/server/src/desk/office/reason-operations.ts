import { toBase64Url } from "@latchkey/codec";
import type { DecisionInput, SavedReason } from "@latchkey/protocol/desk";
import { randomBytes } from "node:crypto";
import type { Statements } from "../../store/sqlite/statements.ts";
import { readDecision } from "./decision-input.ts";
import { DeskError } from "./desk-error.ts";
import type { Input } from "./input.ts";
import type { Asker, Done, OfficeParts, Operations } from "./operations.ts";

const idLength = 16;
const maxReasons = 500;
const maxTitle = 100;

/** Texts of decisions, saved for the next like them. */
export function reasonOperations({ trail, transaction }: OfficeParts, sql: Statements): Operations {
  const shown = (row: { id: Uint8Array; title: string; decision: string }): SavedReason => ({
    id: toBase64Url(row.id),
    title: row.title,
    // As it was read when it was saved.
    decision: JSON.parse(row.decision) as DecisionInput,
  });
  return {
    "reason-list": {
      roles: ["moderator", "reviewer", "administrator"],
      run(input: Input): Done {
        input.end();
        return {
          body: {
            reasons: sql.all<Parameters<typeof shown>[0]>("SELECT id, title, decision FROM saved_reasons ORDER BY title, id").map(shown),
          },
        };
      },
    },
    "reason-save": {
      roles: ["moderator", "administrator"],
      run(input: Input, asker: Asker): Done {
        const known = input.has("id") ? input.bytes("id", { length: idLength }) : undefined;
        const title = input.text("title", { most: maxTitle });
        const decision = JSON.stringify(readDecision(input.object("decision")));
        input.end();
        const id = known ?? new Uint8Array(randomBytes(idLength));
        transaction(() => {
          if (known === undefined) {
            const count = sql.get<{ n: number }>("SELECT count(*) AS n FROM saved_reasons")?.n ?? 0;
            if (count >= maxReasons) throw new DeskError("limit");
            sql.run("INSERT INTO saved_reasons (id, title, decision) VALUES (?, ?, ?)", id, title, decision);
          } else {
            const { changes } = sql.run("UPDATE saved_reasons SET title = ?, decision = ? WHERE id = ?", title, decision, id);
            if (Number(changes) !== 1) throw new DeskError("not_found");
          }
          trail.append({ actor: asker.staff.name, act: "reason saved", details: { title } }, asker.nowMs);
        });
        return { body: { reason: shown({ id, title, decision }) } };
      },
    },
    "reason-remove": {
      roles: ["moderator", "administrator"],
      run(input: Input, asker: Asker): Done {
        const id = input.bytes("id", { length: idLength });
        input.end();
        transaction(() => {
          const { changes } = sql.run("DELETE FROM saved_reasons WHERE id = ?", id);
          if (Number(changes) !== 1) throw new DeskError("not_found");
          trail.append({ actor: asker.staff.name, act: "reason removed" }, asker.nowMs);
        });
        return { body: {} };
      },
    },
  };
}
