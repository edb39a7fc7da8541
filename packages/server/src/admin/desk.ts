import { deskLinkMs, deskSessionMs } from "../desk/access.ts";
import type { DeskAccess } from "../desk/access.ts";
import { AdminError } from "./errors.ts";
import type { AdminCommands, Params } from "./params.ts";

/** `desk-open`, `desk-list` and `desk-revoke`: who may read the page `/desk` is decided here, on the machine. */
export function deskCommands({ access, publicUrl }: { access: DeskAccess; publicUrl: string }): AdminCommands {
  return {
    async "desk-open"(params: Params) {
      params.end();
      const link = access.createLink();
      if (link === undefined) throw new AdminError("limit", "There are as many links and sessions as there may be: revoke some first.");
      return Promise.resolve({
        id: link.id,
        // In the fragment: no server and no proxy gets to see it with the page.
        link: `${publicUrl}/desk#open=${link.secret}`,
        linkSeconds: deskLinkMs / 1000,
        sessionSeconds: deskSessionMs / 1000,
      });
    },
    async "desk-list"(params: Params) {
      params.end();
      const doors = access.list().map(({ id, kind, leftMs }) => ({ id, kind, leftSeconds: Math.ceil(leftMs / 1000) }));
      return Promise.resolve({ doors });
    },
    async "desk-revoke"(params: Params) {
      const id = params.text("id", { maxLength: 64 }) ?? "";
      params.end();
      const revoked = access.revoke(id === "all" ? undefined : id);
      if (revoked === 0 && id !== "all") {
        throw new AdminError("not_found", "There is no such link or session: `desk list` shows those that count.");
      }
      return Promise.resolve({ revoked });
    },
  };
}
