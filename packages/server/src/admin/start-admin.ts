import type { ServerOptions } from "../config.ts";
import { accountCommands } from "./accounts.ts";
import { listenForAdmin } from "./admin-socket.ts";
import type { AdminSocket } from "./admin-socket.ts";
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
export interface AdminParts extends StatusSources, Maintenance {
  readonly options: ServerOptions;
  readonly refusals: ReadonlyMap<string, number>;
  readonly rules: Rules;
  readonly warn: (message: string) => void;
  reportBug(error: unknown): void;
}

/** The operator's commands, each concern in a file of its own. */
function adminCommands(parts: AdminParts): AdminCommands {
  const { context, publicUrl, store } = parts;
  const commands: AdminCommands = {
    ...statusCommands(parts),
    ...accountCommands({ store: store.admin }),
    ...invitationCommands({ store: store.admin, nowMs: context.nowMs, publicUrl }),
    ...nameCommands(parts),
    ...suspensionCommands({ rules: parts.rules, nowMs: context.nowMs }),
    ...quotaCommands(parts),
    ...announcementCommands(parts),
    ...maintenanceCommands(parts),
    ...doctorCommands({
      options: parts.options,
      host: context.host,
      running: async () => ({
        healthReasons: await parts.healthReasons(),
        quorum: parts.quorum(),
        refusals: parts.refusals,
        upMs: context.nowMs() - parts.startedAtMs,
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

/** Opens the admin socket of a running server; `undefined` where it cannot be, which the log says. */
export function startAdmin(parts: AdminParts): Promise<AdminSocket | undefined> {
  const commands = adminCommands(parts);
  return listenForAdmin({
    dataDirectory: parts.dataDirectory,
    answer: (request) => answerAdmin(commands, request, parts.reportBug),
    warn: parts.warn,
  });
}
