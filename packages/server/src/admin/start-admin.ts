import type { ServerOptions } from "../config.ts";
import { DeskAccess } from "../desk/access.ts";
import { createDesk } from "../desk/desk.ts";
import type { Desk } from "../desk/desk.ts";
import { ServerError } from "../errors.ts";
import type { DeskSeat } from "../desk/desk-seat.ts";
import { OfficeKeeper } from "../desk/office/office-keeper.ts";
import { worldOfDesk } from "../desk/world-of-desk.ts";
import { accountCommands } from "./accounts.ts";
import { listenForAdmin } from "./admin-socket.ts";
import { deskCommands } from "./desk.ts";
import { doctorCommands } from "./doctor.ts";
import { invitationCommands } from "./invitations.ts";
import { announcementCommands } from "./announcement.ts";
import { maintenanceCommands } from "./maintenance.ts";
import type { Maintenance } from "./maintenance.ts";
import { nameCommands } from "./names.ts";
import { quotaCommands } from "./quotas.ts";
import { suspensionCommands } from "./suspensions.ts";
import type { AdminCommands } from "./params.ts";
import { answerAdmin } from "./router.ts";
import type { Rules } from "./rules.ts";
import { statusCommands } from "./status.ts";
import type { StatusSources } from "./status.ts";

/** What the operator's commands reach. */
export interface AdminParts extends Omit<StatusSources, "waitingAtDesk">, Maintenance {
  readonly options: ServerOptions;
  readonly rules: Rules;
  readonly store: StatusSources["store"] & Parameters<typeof worldOfDesk>[0]["store"];
  readonly inboxes: Parameters<typeof worldOfDesk>[0]["inboxes"];
  readonly operatorLabels: Parameters<typeof worldOfDesk>[0]["operatorLabels"];
  /** Which of several servers has the desk; `undefined` where there is one server. */
  readonly deskSeat: DeskSeat | undefined;
  readonly warn: (message: string) => void;
  /** Time that passed, in milliseconds, by a clock that never jumps. */
  readonly passedMs: () => number;
  reportBug(error: unknown): void;
}

/** The operator's commands, each concern in a file of its own. */
function adminCommands(parts: AdminParts, access: DeskAccess, office: OfficeKeeper): AdminCommands {
  const { context, publicUrl, store } = parts;
  const commands: AdminCommands = {
    ...statusCommands({ ...parts, waitingAtDesk: () => office.waiting() }),
    ...accountCommands({ store: store.admin }),
    ...invitationCommands({ store: store.admin, context, publicUrl }),
    ...nameCommands(parts),
    ...suspensionCommands({ rules: parts.rules, store: store.admin, nowMs: context.nowMs }),
    ...quotaCommands(parts),
    ...announcementCommands(parts),
    ...maintenanceCommands(parts),
    ...deskCommands({ access, office, publicUrl, service: context.serverName, nowMs: context.nowMs }),
    ...doctorCommands({
      options: parts.options,
      host: context.host,
      running: async () => ({
        healthReasons: await parts.healthReasons(),
        quorum: parts.quorum(),
        refusals: parts.refusals,
        upMs: context.elapsedMs() - parts.startedAtMs,
      }),
    }),
  };
  return {
    ...commands,
    commands(params) {
      params.end();
      return Promise.resolve({ names: Object.keys(commands) });
    },
  };
}

/** What the operator reaches a running server by. */
export interface Admin {
  /** The page `/desk`, for whom the socket gives a link. */
  readonly desk: Desk;
  close(): Promise<void>;
}

/** Opens the admin socket of a running server; where it cannot be opened the log says so, and nobody can open the desk either. */
export async function startAdmin(parts: AdminParts): Promise<Admin> {
  const { passedMs, warn, reportBug } = parts;
  const { host } = parts.context;
  const access = new DeskAccess(passedMs);
  const office = new OfficeKeeper(
    {
      directory: parts.dataDirectory,
      host,
      publicUrl: parts.publicUrl,
      maxSealedBytes: parts.context.limits.maxSealedReportBytes,
      maxCaseBytes: parts.context.limits.maxCaseBytes,
      reportsPerDay: parts.context.limits.reportsPerDay,
    },
    { world: worldOfDesk({ ...parts, host }), seat: parts.deskSeat, reportBug },
  );
  try {
    await office.open();
    // What was decided before a stop, and is not done yet, need not wait for the next minute.
    await office.tick({ nowMs: parts.context.nowMs(), passedMs: parts.context.elapsedMs(), isDoubted: true }).catch(reportBug);
  } catch (error) {
    // People go on writing to each other without a desk.
    if (!(error instanceof ServerError)) throw error;
    warn(`the desk is closed: ${error.message}`);
  }
  const commands = adminCommands(parts, access, office);
  const socket = await listenForAdmin({
    dataDirectory: parts.dataDirectory,
    answer: (request) => answerAdmin(commands, request, reportBug),
    warn,
  });
  return {
    desk: createDesk({ access, office, commands, passedMs, warn, reportBug }),
    async close() {
      await socket?.close();
      await office.close();
    },
  };
}
