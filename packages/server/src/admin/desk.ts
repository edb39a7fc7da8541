import { deskLinkMs, deskSessionMs } from "../desk/access.ts";
import type { DeskAccess } from "../desk/access.ts";
import { DeskError } from "../desk/office/desk-error.ts";
import type { OfficeKeeper } from "../desk/office/office-keeper.ts";
import { codeHours } from "../desk/office/staff.ts";
import { ServerError } from "../errors.ts";
import { AdminError } from "./errors.ts";
import type { AdminCommands, Params } from "./params.ts";

/** What the desk of reports does not do by itself, for the operator to read when it begins. */
const beginning = {
  next: "Whoever has the code opens the link and makes a passkey. From then on people can report messages to this server, and the page /desk has their cases.",
} as const;

/**
 * Who may come to the page `/desk` is decided here, on the machine: `desk-start`, `desk-staff` and `desk-code` for those who work on
 * cases, `desk-open`, `desk-list` and `desk-revoke` for whoever is to read what the other commands answer.
 */
export function deskCommands(parts: {
  access: DeskAccess;
  office: OfficeKeeper;
  publicUrl: string;
  service: string;
  nowMs: () => number;
}): AdminCommands {
  const { access, office, publicUrl, service, nowMs } = parts;
  const shown = (name: string, code: string): object => ({
    name,
    code,
    // In the fragment: no server and no proxy gets to see it with the page.
    link: `${publicUrl}/desk#enrol=${code}`,
    hours: codeHours,
  });
  /** Whether there is one; opened, where its files were put right meanwhile. @throws AdminError with what keeps it closed */
  const isThere = async (): Promise<boolean> => {
    await orAdminError(() => office.open());
    return office.isBegun;
  };
  return {
    async "desk-start"(params: Params) {
      const name = readStaffName(params);
      const code = await orAdminError(() => office.begin({ name, nowMs: nowMs() }));
      return { ...shown(name, code), ...beginning };
    },
    async "desk-code"(params: Params) {
      const name = readStaffName(params);
      return shown(name, await orAdminError(() => office.code({ name, nowMs: nowMs() })));
    },
    async "desk-staff"(params: Params) {
      params.end();
      return { staff: (await isThere()) ? await office.staff() : [] };
    },
    async "desk-export"(params: Params) {
      const year = params.whole("year", { least: 2020, most: 2200 }) ?? 0;
      params.end();
      if (!(await isThere())) throw new AdminError("not_found", "There is no desk here: `desk start NAME` begins one.");
      return await office.exportYear({ year, service, nowMs: nowMs() });
    },
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

function readStaffName(params: Params): string {
  const name = params.text("name", { maxLength: 60 }) ?? "";
  params.end();
  return name;
}

/** What the desk does not do, in the operator's words. @throws AdminError */
async function orAdminError<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    // Its files have to be looked at: what is wrong with them stands there.
    if (error instanceof ServerError) throw new AdminError("not_now", error.message);
    if (!(error instanceof DeskError)) throw error;
    if (error.code === "limit") {
      throw new AdminError("limit", "The desk has an administrator: they name others there, and `desk code NAME` is for a lost passkey.");
    }
    if (error.code === "not_found") throw new AdminError("not_found", "Nobody at the desk is called so: `desk staff` lists them.");
    throw new AdminError("usage", "A name at the desk is 1 to 60 characters, and not operator, desk or somebody.");
  }
}
